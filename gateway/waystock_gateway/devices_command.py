"""`waystock gateway devices`: lists the serial ports of this machine, says what speaks on each and
proposes its settings. Upstream: a person who installs a gateway. Downstream: `probe`, `proposal`,
standard output.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from serial.tools import list_ports

from waystock_gateway.endpoint import SerialPath, parse_endpoint
from waystock_gateway.openers import find_path
from waystock_gateway.probe import Probe, probe
from waystock_gateway.proposal import Place, propose
from waystock_gateway.settings import Settings, load_settings

HELP = "which serial ports are there and what speaks on them / 列出串口并识别设备"
BY_ID = Path("/dev/serial/by-id")
LISTEN_S, LISTEN_S_MAX = 1.2, 120.0
PORTS_AT_ONCE_MAX = 8


class _Found(NamedTuple):
    """One port of this machine."""

    path: str
    by_id: str
    """Its name that outlives replugging; empty where it has none."""
    description: str
    configured_as: str
    """The device that the gateway's file names there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", action="append", help="only this one; may be given again / 端口")
    parser.add_argument(
        "--listen", type=float, default=LISTEN_S, metavar="S",
        help=f"seconds at each rate; default: {LISTEN_S}; longer gives time to scan / 每档监听秒数",
    )  # fmt: skip
    parser.add_argument(
        "--listen-only", action="store_true", help="send nothing, not even questions / 只听不问"
    )
    parser.add_argument("--baud", type=int, help="this rate only / 只试此波特率")
    parser.add_argument("--config", type=Path, help="the gateway's file, to name what it knows")
    parser.add_argument("--json", action="store_true", help="one JSON object a port / 每口一行")


def run(options: argparse.Namespace) -> int:
    """Exit status 0, 2 on unusable arguments; SettingsError where --config is unusable."""
    if not 0 < options.listen <= LISTEN_S_MAX:
        return _refuse(f"--listen is more than 0 and at most {LISTEN_S_MAX:g} seconds")
    if options.baud is not None and not 300 <= options.baud <= 4_000_000:
        return _refuse("--baud is a rate from 300 to 4000000")
    settings = load_settings(options.config) if options.config else None
    known = _configured(settings)
    ports = [_found(path, "", known) for path in options.port or ()] or _ports(known)
    if not ports:
        sys.stderr.write("no serial port is there: does `dmesg` name the cable? / 没有串口\n")
    taken = {port.device for port in settings.ports} if settings else set[str]()
    with ThreadPoolExecutor(PORTS_AT_ONCE_MAX) as pool:
        for port, result in zip(ports, pool.map(partial(_probe, options), ports), strict=True):
            record = _record(port, result, taken)
            if options.json:
                sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
            else:
                _show(record)
            sys.stdout.flush()
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"waystock gateway devices: {reason}\n")
    return 2


def _configured(settings: Settings | None) -> dict[str, str]:
    """Real path → the device that the file names there."""
    known: dict[str, str] = {}
    for port in settings.ports if settings else ():
        endpoint = parse_endpoint(port.path)
        if not isinstance(endpoint, SerialPath):
            continue
        try:
            known[os.path.realpath(find_path(endpoint.pattern))] = port.device
        except FileNotFoundError:
            continue
    return known


def _ports(known: dict[str, str]) -> list[_Found]:
    return [
        _found(port.device, port.description or "", known) for port in sorted(list_ports.comports())
    ]


def _found(path: str, description: str, known: dict[str, str]) -> _Found:
    real = os.path.realpath(path)
    links = sorted(BY_ID.iterdir()) if BY_ID.is_dir() else []
    by_id = next((str(link) for link in links if os.path.realpath(link) == real), "")
    plain = "" if description in {"", "n/a"} else description
    return _Found(path, by_id, plain, known.get(real, ""))


def _probe(options: argparse.Namespace, port: _Found) -> Probe:
    if options.baud is None:
        return probe(port.path, options.listen, asks=not options.listen_only)
    rates = (options.baud,)
    return probe(port.path, options.listen, asks=not options.listen_only, rates=rates)


def _record(port: _Found, found: Probe, taken: set[str]) -> dict[str, Any]:
    finding = found.finding
    place = Place(port.by_id or port.path, found.baud or 0)
    speaks = None if found.state != "free" else "unknown" if found.heard_bytes else "silent"
    return {
        "type": "port",
        "port": port.path,
        "by_id": port.by_id or None,
        "description": port.description,
        "configured_as": port.configured_as or None,
        "state": found.state,
        "speaks": finding.decoder if finding else speaks,
        "sure": finding.sure if finding else None,
        "why": found.why,
        "baud": found.baud,
        "version": (finding.version or None) if finding else None,
        "heard_bytes": found.heard_bytes,
        "sample_hex": found.sample.hex(" "),
        "settings": propose(finding, place, taken) if finding else None,
    }


def _show(record: dict[str, Any]) -> None:
    names = (record["port"], record["by_id"] or "", record["description"])
    sys.stdout.write("  ".join(name for name in names if name) + "\n")
    if record["configured_as"]:
        sys.stdout.write(f"  configured as {record['configured_as']}\n")
    speaks = record["speaks"]
    if record["state"] != "free" or speaks == "silent":
        sys.stdout.write(f"  {record['why']}\n\n")
        return
    sure = f", {record['sure']}" if record["sure"] else ""
    sys.stdout.write(f"  {speaks} at {record['baud']} baud{sure}: {record['why']}\n")
    if record["sure"] in {None, "unsure"}:
        sys.stdout.write(f"  heard: {record['sample_hex']}\n")
    if record["settings"]:
        sys.stdout.write("\n" + record["settings"])
    sys.stdout.write("\n")
