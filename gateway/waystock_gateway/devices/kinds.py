"""The tables of device kinds: how to converse with one and what its readings lead to. A
further kind is a further row. Upstream: `main`. Downstream: `ports`.
"""

from collections.abc import Callable

from waystock_gateway.clock import Clock
from waystock_gateway.devices.barcode.decoder import make_line as make_barcode_line
from waystock_gateway.devices.chafon.decoder import make_line as make_chafon_line
from waystock_gateway.devices.impinj.decoder import decode as decode_impinj
from waystock_gateway.devices.nmea.decoder import make_line as make_nmea_line
from waystock_gateway.devices.owntracks.decoder import decode as decode_owntracks
from waystock_gateway.devices.r200.decoder import make_line as make_r200_line
from waystock_gateway.devices.rfd40.decoder import decode as decode_rfd40
from waystock_gateway.devices.sensor_json.decoder import SensorJsonDecoder
from waystock_gateway.devices.teltonika_json.decoder import decode as decode_teltonika
from waystock_gateway.devices.tracker_json.decoder import TrackerJsonDecoder
from waystock_gateway.devices.zebra_fx.decoder import decode as decode_zebra_fx
from waystock_gateway.intake import SessionMaker
from waystock_gateway.ports import PortConfig
from waystock_gateway.readings import Line, Reading
from waystock_gateway.sessions.fixes import REDELIVERIES_MAX, FixSession
from waystock_gateway.sessions.presence import PresenceSession
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.scans import ScanSession
from waystock_gateway.settings import MqttSourceSettings, PortSettings
from waystock_gateway.trackers import SourceConfig

_Kind = Callable[[PortSettings, Clock], tuple[Callable[[], Line], SessionMaker]]

Decode = Callable[[bytes], list[Reading]]
"""One MQTT message in, its readings and rejects out."""


TAG_DECODERS: dict[str, Decode] = {
    "impinj": decode_impinj,
    "rfd40": decode_rfd40,
    "zebra-fx": decode_zebra_fx,
}
"""RFID readers that publish JSON."""


def port_config(port: PortSettings, clock: Clock) -> PortConfig:
    """What the supervisor of one serial port needs."""
    make_line, session = _KINDS[port.decoder](port, clock)
    return PortConfig(port.device, port.path, port.baud, make_line, session)


def source_config(source: MqttSourceSettings, clock: Clock) -> SourceConfig:
    """What one MQTT topic's messages are and lead to."""
    decode_tags = TAG_DECODERS.get(source.decoder)
    if decode_tags is not None:
        return SourceConfig(source.topic, decode_tags, _presence(source.presence, clock))
    decode = TRACKER_DECODERS[source.decoder](source)
    return SourceConfig(source.topic, decode, _tracker_session(source))


def _tracker_session(source: MqttSourceSettings) -> SessionMaker:
    return lambda device, state: FixSession(
        device,
        state,
        speed_mps_max=source.tracker_json.speed_mps_max,
        times_max=REDELIVERIES_MAX,
    )


def _presence(settings: PresenceSettings, clock: Clock) -> SessionMaker:
    return lambda device, state: PresenceSession(device, state, clock.now(), settings)


def _barcode(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    del clock
    return lambda: make_barcode_line(port.barcode), lambda device, state: ScanSession(
        device, state, port.barcode.repeat_window_s
    )


def _chafon(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    return lambda: make_chafon_line(port.chafon), _presence(port.chafon, clock)


def _nmea(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    del clock
    return lambda: make_nmea_line(port.nmea), lambda device, state: FixSession(
        device, state, speed_mps_max=port.nmea.speed_mps_max, times_max=1
    )


def _r200(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    return lambda: make_r200_line(port.r200), _presence(port.r200, clock)


_KINDS: dict[str, _Kind] = {
    "barcode": _barcode,
    "chafon": _chafon,
    "nmea": _nmea,
    "r200": _r200,
}


def _sensor_json(source: MqttSourceSettings) -> Decode:
    decoder = SensorJsonDecoder(source.sensor_json)
    return lambda payload: [decoder.decode(payload)]


TRACKER_DECODERS: dict[str, Callable[[MqttSourceSettings], Decode]] = {
    "owntracks": lambda _: decode_owntracks,
    "sensor-json": _sensor_json,
    "teltonika-json": lambda _: decode_teltonika,
    "tracker-json": lambda source: TrackerJsonDecoder(source.tracker_json).decode,
}
"""Units that publish their position over MQTT, and sensors."""
