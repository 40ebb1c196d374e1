"""The world on disk: masterdata.json for `waystock db import`, one TOML for each gateway, and
world.json, from which `waystock sim run` makes the same world again. Upstream: world.build;
downstream: the operator's directory.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from waystock.contract.identifiers import Utc, iso_utc
from waystock.contract.masterdata import Gateway, encode_master_data
from waystock_firmware_sim.world.build import World, build
from waystock_firmware_sim.world.sites import (
    MQTT_GATEWAY,
    SERIAL_GATEWAY,
    WAREHOUSES,
    dock_gateway,
    portals,
    scanners,
)
from waystock_firmware_sim.world.trucks import TRUCKS

SCANNER_BAUD, READER_BAUD, GPS_BAUD = 115_200, 115_200, 9_600
ABSENCE_S_MIN = 2.5
"""All devices of the world live in one process, which a busy machine may hold up for a second."""
TRACKER_TOPIC = "trackers/{device}/fix"


class Birth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a world is made from; content of world.json."""

    seed: int
    start: Utc


def port_path(directory: Path, device: str) -> Path:
    """Where the pseudo-terminal of a device is linked."""
    return directory.absolute() / "ports" / device


def write(world: World, directory: Path) -> None:
    """Write everything; what was there of an earlier world is replaced."""
    (directory / "gateways").mkdir(parents=True, exist_ok=True)
    (directory / "masterdata.json").write_bytes(encode_master_data(world.master_data))
    for gateway, body in _gateway_bodies(directory).items():
        path = directory / "gateways" / f"{gateway.site}--{gateway.gateway}.toml"
        path.write_text(_head(gateway, directory) + body, encoding="utf-8")
    birth = Birth(seed=world.seed, start=world.start)
    (directory / "world.json").write_bytes(msgspec.json.format(msgspec.json.encode(birth)))


def read(directory: Path) -> World:
    """The world that `write` left; FileNotFoundError, or msgspec.ValidationError when spoilt."""
    birth = msgspec.json.decode((directory / "world.json").read_bytes(), type=Birth)
    return build(birth.seed, _utc(birth.start))


def _utc(instant: datetime) -> datetime:
    return datetime.fromisoformat(iso_utc(instant))


def _gateway_bodies(directory: Path) -> dict[Gateway, str]:
    bodies: dict[Gateway, str] = {}
    for house in WAREHOUSES:
        ports = [
            _port(directory, scanner.device, "barcode", SCANNER_BAUD)
            + '[ports.barcode]\nframing = "ssi"\ngs_kept = true\n'
            for scanner in scanners(house)
        ]
        ports += [
            _port(directory, portal.device, "r200", READER_BAUD)
            + f"[ports.r200]\nabsence_s_min = {ABSENCE_S_MIN}\n"
            for portal in portals(house)
        ]
        bodies[dock_gateway(house)] = "".join(ports)
    bodies[SERIAL_GATEWAY] = "".join(
        _port(directory, truck.device, "nmea", GPS_BAUD)
        for truck in TRUCKS
        if truck.link == "serial"
    )
    bodies[MQTT_GATEWAY] = (
        f'\n[[mqtt_sources]]\ntopic = "{TRACKER_TOPIC}"\ndecoder = "tracker-json"\nurl = ""\n'
    )
    return bodies


def _head(gateway: Gateway, directory: Path) -> str:
    data = directory.absolute() / "gateway-data" / f"{gateway.site}--{gateway.gateway}"
    return (
        "# Written by `waystock sim world`: the devices of the simulated world.\n"
        f'[gateway]\nsite = "{gateway.site}"\ngateway = "{gateway.gateway}"\n'
        f'data_dir = "{data}"\n\n[uplink]\nurl = "mqtt://127.0.0.1:1883"\n'
    )


def _port(directory: Path, device: str, decoder: str, baud: int) -> str:
    path = port_path(directory, device)
    return (
        f'\n[[ports]]\ndevice = "{device}"\ndecoder = "{decoder}"\npath = "{path}"\nbaud = {baud}\n'
    )
