"""The tables of device kinds: how to converse with one and what its readings lead to. A
further kind is a further row. Upstream: `main`. Downstream: `ports`.
"""

from collections.abc import Callable

import msgspec

from waystock_gateway.clock import Clock
from waystock_gateway.conversation import PortConfig
from waystock_gateway.devices.barcode.decoder import make_line as make_barcode_line
from waystock_gateway.devices.chafon.decoder import make_line as make_chafon_line
from waystock_gateway.devices.gpsd.decoder import make_line as make_gpsd_line
from waystock_gateway.devices.impinj.decoder import decode as decode_impinj
from waystock_gateway.devices.nmea.decoder import make_line as make_nmea_line
from waystock_gateway.devices.owntracks.decoder import decode as decode_owntracks
from waystock_gateway.devices.r200.decoder import make_line as make_r200_line
from waystock_gateway.devices.rfd40.decoder import decode as decode_rfd40
from waystock_gateway.devices.sensor_json.decoder import SensorJsonDecoder
from waystock_gateway.devices.teltonika_json.decoder import decode as decode_teltonika
from waystock_gateway.devices.tracker_json.decoder import TrackerJsonDecoder
from waystock_gateway.devices.zebra_fx.decoder import decode as decode_zebra_fx
from waystock_gateway.endpoint import SerialPath, parse_endpoint, plain_address
from waystock_gateway.intake import SessionMaker
from waystock_gateway.readings import Line, Reading
from waystock_gateway.sessions.fixes import REDELIVERIES_MAX, STRAGGLERS_MAX, FixSession
from waystock_gateway.sessions.presence import PresenceSession
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.scans import ScanSession
from waystock_gateway.settings import MqttSourceSettings, PortSettings
from waystock_gateway.trackers import SourceConfig

SSI_TCP_IDLE_FLUSH_S = 2.0

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
    """What the supervisor of one port needs."""
    make_line, session = _KINDS[port.decoder](port, clock)
    return PortConfig(
        device=port.device,
        endpoint=parse_endpoint(port.path),
        baud=port.baud,
        make_line=make_line,
        session=session,
        keepalive_s=port.tcp.keepalive_s,
        idle_s=port.tcp.idle_s,
        peers_max=port.tcp.peers_max,
        peer_names={plain_address(peer): name for peer, name in port.tcp.peer_names.items()},
    )


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
    settings = port.barcode
    is_on_cable = isinstance(parse_endpoint(port.path), SerialPath)
    if settings.framing == "ssi" and settings.idle_flush_s is None and not is_on_cable:
        # Wi-Fi delays half a packet by seconds and loses none: it is no spoilt one.
        settings = msgspec.structs.replace(settings, idle_flush_s=SSI_TCP_IDLE_FLUSH_S)
    return lambda: make_barcode_line(settings), lambda device, state: ScanSession(
        device, state, settings.repeat_window_s
    )


def _chafon(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    return lambda: make_chafon_line(port.chafon), _presence(port.chafon, clock)


def _gpsd(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    del clock
    return lambda: make_gpsd_line(port.gpsd), _fixes(port.gpsd.speed_mps_max)


def _nmea(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    del clock
    return lambda: make_nmea_line(port.nmea), _fixes(port.nmea.speed_mps_max, STRAGGLERS_MAX)


def _fixes(speed_mps_max: float, times_max: int = 1) -> SessionMaker:
    return lambda device, state: FixSession(
        device, state, speed_mps_max=speed_mps_max, times_max=times_max
    )


def _r200(port: PortSettings, clock: Clock) -> tuple[Callable[[], Line], SessionMaker]:
    return lambda: make_r200_line(port.r200), _presence(port.r200, clock)


_KINDS: dict[str, _Kind] = {
    "barcode": _barcode,
    "chafon": _chafon,
    "gpsd": _gpsd,
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
