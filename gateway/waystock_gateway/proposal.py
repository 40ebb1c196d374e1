"""The settings that a finding asks for, as a piece of TOML to paste into a gateway's file; it is
checked as the gateway checks it before anybody sees it. Upstream: `recognition`, through
`devices_command`.
"""

import json
import tomllib
from typing import NamedTuple

import msgspec

from waystock_gateway.recognition import Decoder, Finding
from waystock_gateway.settings import PortSettings

_PREFIXES: dict[Decoder, str] = {
    "barcode": "scan", "chafon": "rfid", "nmea": "gps", "r200": "rfid",
}  # fmt: skip


class Place(NamedTuple):
    """Where the device was found."""

    path: str
    """By its lasting name, where it has one."""
    baud: int


def propose(finding: Finding, place: Place, taken: set[str]) -> str:
    """The `[[ports]]` table, under a device name that is not `taken` yet (and is from now on)."""
    prefix = _PREFIXES[finding.decoder]
    device = next(name for n in range(1, 10_000) if (name := f"{prefix}-{n}") not in taken)
    taken.add(device)
    lines = [
        "[[ports]]",
        f"device = {_toml(device)}",
        f"decoder = {_toml(finding.decoder)}",
        f"path = {_toml(place.path)}",
        f"baud = {place.baud}",
    ]
    if finding.settings:
        lines.append(f"[ports.{finding.decoder}]")
        lines += [f"{name} = {_toml(value)}" for name, value in finding.settings]
    text = "\n".join(lines) + "\n"
    msgspec.convert(tomllib.loads(text)["ports"], tuple[PortSettings, ...])
    return text


def _toml(value: str | bool) -> str:
    """TOML writes truth and basic strings as JSON does."""
    return json.dumps(value, ensure_ascii=True)
