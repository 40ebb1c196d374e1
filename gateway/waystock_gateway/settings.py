"""The gateway's configuration: one TOML file, checked whole before anything is opened. Every
setting has a default but the names, the broker and the ports. Read by `main` alone, which passes
the parts on.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from waystock.contract.broker import parse_broker_url
from waystock.contract.events import BATCH_BYTES_MAX, EVENTS_PER_BATCH_MAX
from waystock.contract.identifiers import Name
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.chafon.settings import ChafonSettings
from waystock_gateway.devices.gpsd.settings import GpsdSettings
from waystock_gateway.devices.nmea.settings import NmeaSettings
from waystock_gateway.devices.r200.settings import R200Settings
from waystock_gateway.devices.sensor_json.settings import SensorJsonSettings
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.endpoint import Endpoint, TcpListen, TcpServer, is_address, parse_endpoint
from waystock_gateway.errors import SettingsError
from waystock_gateway.sessions.presence_settings import PresenceSettings, presence_problems

MQTT_URL_VARIABLE = "WAYSTOCK_MQTT_URL"
DATA_DIR_VARIABLE = "WAYSTOCK_GATEWAY_DATA_DIR"

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class KeepDaysSettings(_Table, frozen=True, kw_only=True):
    """`[gateway.keep_days]`: days that undelivered readings of each kind are kept."""

    barcode: Days = 365
    """Scans."""
    rfid: Days = 365
    """Tags."""
    position: Days = 90
    """Fixes of GPS units."""
    telemetry: Days = 90
    """Values of sensors."""
    health: Days = 7
    """What gateway and devices report of themselves."""


class GatewaySettings(_Table, frozen=True, kw_only=True):
    """`[gateway]`"""

    site: Name
    """The site that it stands at, or whose truck it rides in; as in the master data."""
    gateway: Name
    """Its own name, one of a kind within the site."""
    data_dir: str = "/var/lib/waystock-gateway"
    """Where the outbox file lies: a disk that keeps what it is told to keep."""
    outbox_mb_max: Annotated[int, msgspec.Meta(ge=1)] = 4096
    """Above this size health reports go first, then positions and telemetry thin out, and scans go
    last; what goes is counted and reported."""
    keep_days: KeepDaysSettings = KeepDaysSettings()
    health_s: Seconds = 30.0
    """How often status and health are reported."""


class UplinkSettings(_Table, frozen=True, kw_only=True):
    """`[uplink]`"""

    url: str
    """`mqtt://user:password@host:port`, `mqtts://…` for TLS, or `ws://host:port/path` and `wss://…`
    through a web server; WAYSTOCK_MQTT_URL replaces it."""
    mqtt_version: Literal["3.1.1", "5"] = "3.1.1"
    """As the broker speaks it."""
    ca_file: str = ""
    """Certificate authority for mqtts and wss; empty: the system's."""
    certificate_file: str = ""
    """Client certificate, where the broker wants one."""
    key_file: str = ""
    """The certificate's key."""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=1200)] = 30
    """A broker or gateway that is silent for half as long again is taken for gone."""
    linger_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.02
    """Pause between batches under load, so that they fill; an idle uplink sends at once."""
    batch_events_max: Annotated[int, msgspec.Meta(ge=1, le=EVENTS_PER_BATCH_MAX)] = 500
    """Readings in one message at most."""
    batch_bytes_max: Annotated[int, msgspec.Meta(ge=20_000, le=BATCH_BYTES_MAX)] = 262_144
    """Bytes in one message at most, before it is deflated."""
    live_batches_max: Annotated[int, msgspec.Meta(ge=1, le=64)] = 16
    """Unacknowledged batches of fresh events."""
    backlog_batches_max: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    """Unacknowledged batches of older events, beside the fresh ones."""
    resend_s: Seconds = 5.0
    """A batch that the store has not acknowledged is sent again after this time, then after twice
    as long, up to `resend_s_max`."""
    resend_s_max: Seconds = 60.0
    """The longest pause before a batch is sent again."""
    reconnect_s: Seconds = 0.5
    """First pause before connecting again; doubles up to `reconnect_s_max`, with jitter."""
    reconnect_s_max: Seconds = 10.0
    """The longest pause before connecting again."""
    deflate: bool = False
    """Compress batches, for metered uplinks."""


class RemoteSettings(_Table, frozen=True, kw_only=True):
    """`[remote]`: orders from afar, refused by default."""

    key_file: str = ""
    """The secret (32 characters or more, at random) that signs orders to restart or to take another
    configuration, as `waystock gateway order` makes them; empty: no order is listened to."""


class TcpSettings(_Table, frozen=True, kw_only=True):
    """`[ports.tcp]`: of a port whose path begins with `tcp://` or `tcp-listen://`."""

    keepalive_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 15
    """Seconds without a byte after which the peer is probed; one that is gone without a word is
    noticed after twice as long."""
    idle_s: Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)] = 0.0
    """A peer that says nothing for so long is hung up; 0: it may be silent."""
    peers_max: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    """Of a listener: devices connected at once; more are refused and counted as
    `too_many_peers`."""
    peer_names: dict[str, Name] = {}
    """Of a listener: the device's name for each IP address that may call, such as
    `"10.0.4.21" = "pda-1"`; others are refused and counted as `unknown_peer`. Empty: whoever calls
    is the port's device."""


class PortSettings(_Table, frozen=True, kw_only=True):
    """`[[ports]]`: one device on a cable or over TCP, or a listener for several."""

    device: Name
    """Its name in the master data; each port has one of its own. Where `peer_names` are given, the
    name under which refused calls are counted."""
    decoder: Literal["barcode", "chafon", "gpsd", "nmea", "r200"]
    """What speaks on the port."""
    path: str
    """A device path, best under /dev/serial/by-id, or a glob of which the first match counts; or
    `tcp://host:port` of a server to call; or `tcp-listen://address:port` for devices that call."""
    baud: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 115_200
    """Bits a second, 8N1; of no matter on USB-CDC."""
    silent_after_s: Annotated[float, msgspec.Meta(ge=0, le=30 * 86_400)] = 0.0
    """A device that says nothing for so long is reported as silent; 0: it may be silent."""
    tcp: TcpSettings = TcpSettings()
    barcode: BarcodeSettings = BarcodeSettings()
    chafon: ChafonSettings = ChafonSettings()
    gpsd: GpsdSettings = GpsdSettings()
    nmea: NmeaSettings = NmeaSettings()
    r200: R200Settings = R200Settings()


class MqttSourceSettings(_Table, frozen=True, kw_only=True):
    """`[[mqtt_sources]]`: devices that publish to a broker."""

    topic: str
    """With `{device}` as one whole level: its value is the device's name."""
    decoder: Literal[
        "tracker-json",
        "owntracks",
        "teltonika-json",
        "sensor-json",
        "zebra-fx",
        "rfd40",
        "impinj",
    ] = "tracker-json"
    """What the messages are."""
    url: str = ""
    """Empty: the uplink's broker."""
    tracker_json: TrackerJsonSettings = TrackerJsonSettings()
    sensor_json: SensorJsonSettings = SensorJsonSettings()
    presence: PresenceSettings = PresenceSettings()
    """Of RFID readers."""


class Settings(_Table, frozen=True, kw_only=True):
    """The whole file."""

    gateway: GatewaySettings
    uplink: UplinkSettings
    remote: RemoteSettings = RemoteSettings()
    ports: tuple[PortSettings, ...] = ()
    mqtt_sources: tuple[MqttSourceSettings, ...] = ()


def silent_after_s(settings: Settings) -> dict[str, float]:
    """How long each device may say nothing, where it may not for ever."""
    return {
        device: port.silent_after_s
        for port in settings.ports
        if port.silent_after_s
        for device in (port.tcp.peer_names.values() or (port.device,))
    }


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the file; raises SettingsError with the place and what would be right."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    _override(document, os.environ if environment is None else environment)
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}") from error
    for problem in _problems(settings):
        raise SettingsError(f"{path}: {problem}")
    return settings


def _override(document: dict[str, Any], environment: Mapping[str, str]) -> None:
    for variable, table, key in (
        (MQTT_URL_VARIABLE, "uplink", "url"),
        (DATA_DIR_VARIABLE, "gateway", "data_dir"),
    ):
        value = environment.get(variable)
        section = document.setdefault(table, {})
        if value and isinstance(section, dict):
            section[key] = value


def _problems(settings: Settings) -> list[str]:
    """What only the whole file can show."""
    problems: list[str] = []
    seen: dict[str, int] = {}
    for i, port in enumerate(settings.ports):
        if port.device in seen:
            problems.append(
                f"ports[{i}].device: {port.device!r} is already ports[{seen[port.device]}]; "
                "each port needs a device name of its own"
            )
        seen[port.device] = i
        problems += [f"ports[{i}].{problem}" for problem in _port_problems(port)]
        for table, presence in (("chafon", port.chafon), ("r200", port.r200)):
            problems += [f"ports[{i}].{table}.{found}" for found in presence_problems(presence)]
        if port.r200.portal.tells_direction:
            problems.append(
                f"ports[{i}].r200.portal: a module with one antenna tells no direction; a portal "
                "needs a reader with an antenna on each side"
            )
    problems += _peer_problems(settings.ports) + _listener_problems(settings.ports)
    for i, source in enumerate(settings.mqtt_sources):
        if source.topic.split("/").count("{device}") != 1 or "#" in source.topic:
            problems.append(
                f"mqtt_sources[{i}].topic: {source.topic!r} needs {{device}} as one whole level, "
                "such as trackers/{device}/fix, and no #"
            )
    places = [("uplink.url", settings.uplink.url)]
    places += [(f"mqtt_sources[{i}].url", s.url) for i, s in enumerate(settings.mqtt_sources)]
    for place, url in places:
        if url or place == "uplink.url":
            problems += _url_problem(place, url)
    problems += _file_problems(settings.uplink)
    return problems


def _port_problems(port: PortSettings) -> list[str]:
    """What path, decoder and peers can't be together."""
    try:
        endpoint = parse_endpoint(port.path)
    except ValueError as error:
        return [f"path: {error}"]
    if port.decoder == "gpsd" and not isinstance(endpoint, TcpServer):
        return ["path: a gpsd is called at its own port, such as tcp://127.0.0.1:2947"]
    if not isinstance(endpoint, TcpListen):
        if port.tcp.peer_names:
            return ["tcp.peer_names: only a path that begins with tcp-listen:// has peers"]
        return []
    problems = [
        f"tcp.peer_names: {address!r} is no IP address, such as 10.0.4.21"
        for address in port.tcp.peer_names
        if not is_address(address)
    ]
    if port.decoder != "barcode" and not port.tcp.peer_names and port.tcp.peers_max > 1:
        problems.append(
            f"tcp.peers_max: {port.decoder} units that call need a name each in tcp.peer_names; "
            "where there is but one, peers_max = 1"
        )
    return problems


def _peer_problems(ports: Sequence[PortSettings]) -> list[str]:
    """Names that two ports claim."""
    owners = {port.device: i for i, port in enumerate(ports)}
    return [
        f"ports[{i}].tcp.peer_names: {device!r} is already a device of ports[{owners[device]}]"
        for i, port in enumerate(ports)
        for device in dict.fromkeys(port.tcp.peer_names.values())
        if owners.setdefault(device, i) != i
    ]


def _listener_problems(ports: Sequence[PortSettings]) -> list[str]:
    """Addresses that two ports listen at."""
    problems: list[str] = []
    listeners: list[tuple[int, TcpListen]] = []
    for i, port in enumerate(ports):
        endpoint = _endpoint_of(port)
        if not isinstance(endpoint, TcpListen):
            continue
        problems += [
            f"ports[{i}].path: ports[{other}] listens at port {endpoint.port} already"
            for other, earlier in listeners
            if endpoint.clashes(earlier)
        ]
        listeners.append((i, endpoint))
    return problems


def _endpoint_of(port: PortSettings) -> Endpoint | None:
    """None where the path has a problem of its own."""
    try:
        return parse_endpoint(port.path)
    except ValueError:
        return None


def _file_problems(uplink: UplinkSettings) -> list[str]:
    """TLS files that can't be read would be found out only when it is too late."""
    problems = [
        f"uplink.{name}: {path} can't be read"
        for name, path in (
            ("ca_file", uplink.ca_file),
            ("certificate_file", uplink.certificate_file),
            ("key_file", uplink.key_file),
        )
        if path and not os.access(path, os.R_OK)
    ]
    if bool(uplink.certificate_file) != bool(uplink.key_file):
        problems.append("uplink: certificate_file and key_file belong together")
    return problems


def _url_problem(place: str, url: str) -> list[str]:
    try:
        parse_broker_url(url, websockets=True)
    except ValueError as error:
        return [f"{place}: {error}"]
    return []
