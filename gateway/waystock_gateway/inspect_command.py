"""`waystock gateway status|tail|export`: what waits in a gateway's outbox, told from its file. The
file is only read: the gateway may run meanwhile, or not. Upstream: `outbox_reader`, and the report
that a running gateway leaves beside the file; downstream: standard output.
"""

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from waystock.contract.events import encode_batch_of_raw
from waystock_gateway.errors import GatewayError, OutboxError
from waystock_gateway.local_report import REPORT_FILE, read_report
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.sessions.furniture import FURNITURE_KEY, read_learned
from waystock_gateway.settings import load_settings

OUTBOX_FILE = "outbox.sqlite"
EXPORT_EVENTS = 500
FOLLOW_S = 0.05
_HELP = {
    "status": "what waits, since when, of which device / 待发送读数概况",
    "tail": "the newest readings as JSON lines / 以 JSON 行显示最新读数",
    "export": "write unsent readings as batches / 导出未发送的读数",
}


def add_parsers(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """The three actions, below `waystock gateway`; `add` makes one of a name and a help text."""
    for name, text in _HELP.items():
        action = add(name, text)
        where = action.add_mutually_exclusive_group(required=True)
        where.add_argument("--config", type=Path, help="the gateway's TOML file / 配置文件")
        where.add_argument("--file", type=Path, help="an outbox file itself / 队列文件")
        if name == "status":
            action.add_argument("--json", action="store_true", help="on one line / 单行输出")
        elif name == "tail":
            action.add_argument("-n", type=int, default=10, help="how many / 条数")
            action.add_argument("-f", "--follow", action="store_true", help="go on / 持续输出")
        else:
            action.add_argument("--out", type=Path, help="a new file; default: here / 输出文件")


def is_inspection(action: str) -> bool:
    return action in _HELP


def run(options: argparse.Namespace) -> int:
    """Exit status 0; GatewayError where the file is none or damaged (what could be read is out)."""
    path = options.file or Path(load_settings(options.config).gateway.data_dir) / OUTBOX_FILE
    if not path.exists():
        raise OutboxError(f"{path} does not exist: no gateway has run with these settings")
    try:
        with closing(OutboxReader(path)) as reader:
            if options.action == "status":
                _print_status(path, reader, on_one_line=options.json)
            elif options.action == "tail":
                _tail(reader, options.n, follow=options.follow)
            else:
                _export(reader, options.out)
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: {error}") from error
    except KeyboardInterrupt:
        return 0
    return 0


def _print_status(path: Path, reader: OutboxReader, *, on_one_line: bool) -> None:
    text = msgspec.json.encode(outbox_status(path, reader))
    shown = text if on_one_line else msgspec.json.format(text, indent=2)
    sys.stdout.write(shown.decode() + "\n")


def outbox_status(path: Path, reader: OutboxReader) -> dict[str, Any]:
    """What the file says, and under `reported` what the gateway last said of itself."""
    stream, next_offset = reader.head()
    oldest = reader.captured_at(0)
    now = datetime.now(UTC)
    depths = reader.depths()
    return {
        "file": str(path),
        "owner": reader.owner(),
        "stream": stream,
        "next_offset": next_offset,
        "depth": sum(depths.values()),
        "kinds": depths,
        "oldest_captured_at": oldest,
        "oldest_unsent_s": round((now - oldest).total_seconds(), 3) if oldest else 0.0,
        "devices": {
            device: {"waiting": count, "newest_captured_at": newest}
            for device, (count, newest) in reader.waiting_by_device().items()
        },
        "rejects": reader.rejects(),
        "stationary": {
            device: {epc: read_learned(value) for epc, value in learned.items()}
            for device, learned in reader.kept(FURNITURE_KEY).items()
        },
        "file_bytes": path.stat().st_size,
        "kept_aside": sorted(
            other.name
            for other in path.parent.glob(f"{path.name}.corrupt-*")
            if not other.name.endswith(("-wal", "-shm"))
        ),
        "reported": read_report(path.with_name(REPORT_FILE)),
    }


def _tail(reader: OutboxReader, count: int, *, follow: bool) -> None:
    """`{"offset":n,…the event}` a line; where readings were delivered before they could be shown,
    `{"delivered":[first,end]}`."""
    _, next_offset = reader.head()
    shown_to = max(0, next_offset - count)
    for offset, body in reader.events(shown_to, next_offset, max(0, count)):
        _show(offset, body)
    shown_to = next_offset
    while follow:
        sys.stdout.flush()
        time.sleep(FOLLOW_S)
        _, next_offset = reader.head()
        for offset, body in reader.events(shown_to, next_offset, EXPORT_EVENTS):
            _show_gap(shown_to, offset)
            _show(offset, body)
            shown_to = offset + 1
        if reader.first_offset() in (None, next_offset):
            _show_gap(shown_to, next_offset)
            shown_to = next_offset


def _show(offset: int, body: bytes) -> None:
    sys.stdout.write(f'{{"offset":{offset},{body.decode()[1:]}\n')


def _show_gap(first: int, end: int) -> None:
    if first < end:
        sys.stdout.write(f'{{"delivered":[{first},{end}]}}\n')


def _export(reader: OutboxReader, out: Path | None) -> None:
    """Batches of the wire contract, one a line; how many readings, told on standard error."""
    stream = UUID(reader.head()[0])
    events = 0
    try:
        target = out.open("xb") if out is not None else sys.stdout.buffer
    except OSError as error:
        raise GatewayError(f"{out} can't be made: {error.strerror}") from error
    try:
        for first, bodies in _runs(reader):
            target.write(encode_batch_of_raw(stream, first, datetime.now(UTC), bodies) + b"\n")
            events += len(bodies)
    finally:
        target.flush()
        if out is not None:
            target.close()
        sys.stderr.write(f"{events} readings exported / 已导出 {events} 条读数\n")


def _runs(reader: OutboxReader) -> Iterator[tuple[int, list[bytes]]]:
    """Consecutive events, EXPORT_EVENTS at most at a time."""
    position = 0
    _, end = reader.head()
    while rows := reader.events(position, end, EXPORT_EVENTS):
        first = rows[0][0]
        bodies = [body for place, (offset, body) in enumerate(rows) if offset == first + place]
        yield first, bodies
        position = first + len(bodies)
