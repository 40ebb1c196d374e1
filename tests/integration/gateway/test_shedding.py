"""What a full or old outbox gives up, and in which order: a scan goes only when nothing else is
left, and whatever goes is counted.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waystock.contract.events import Barcode, Event, Health, Position, decode_event
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.sessions.session import Outcome

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
BIG = 1_000_000_000
KEEP_DAYS = {"health": 7, "position": 30, "barcode": 365}


def scan(number: int, at: datetime = AT) -> Event:
    return Barcode(device="s", time=at, captured_at=at, format="text", data=f"{number:0>300}")


def fix(number: int, at: datetime = AT) -> Event:
    device = f"truck-{number % 5}"
    return Position(device=device, time=at, captured_at=at, lat=31.2, lon=121.4, raw="x" * 300)


def report(at: datetime = AT) -> Event:
    return Health(device="gw", time=at, captured_at=at, message="m" * 300)


def put(outbox: Outbox, events: Sequence[Event]) -> None:
    outbox.commit([Outcome("any", events=list(events))], AT)


def kinds(path: Path) -> Counter[str]:
    reader = OutboxReader(path)
    found = Counter(reader.depths())
    reader.close()
    return found


def mixed(outbox: Outbox, rounds: int) -> None:
    """Of ten readings one is a scan, one a report, the others fixes."""
    for number in range(rounds):
        events = [fix(number * 8 + n) for n in range(8)]
        put(outbox, [scan(number), report(), *events])


def test_positions_thin_out_and_reports_go_before_any_scan_does(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 2_000_000)
    mixed(outbox, 1_000)
    while outbox.shed_overload():
        pass
    left = kinds(outbox.path)
    assert left["barcode"] == 1_000
    assert 0 < left["position"] < 8_000
    assert outbox.counters.shed.keys() <= {"full_health", "thinned_position"}
    assert left.total() == outbox.depth == 10_000 - outbox.counters.events_shed
    outbox.close()


def test_each_device_keeps_a_track_when_positions_thin_out(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 600_000)
    put(outbox, [fix(number) for number in range(5_000)])
    while outbox.shed_overload():
        pass
    reader = OutboxReader(outbox.path)
    left = Counter(decode_event(body).device for _, body in reader.events(0, BIG, BIG))
    reader.close()
    assert left.keys() == {f"truck-{n}" for n in range(5)}
    assert max(left.values()) - min(left.values()) <= 5
    outbox.close()


def test_scans_go_only_when_nothing_else_is_left(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 100_000)
    mixed(outbox, 500)
    while outbox.shed_overload():
        pass
    left = kinds(outbox.path)
    assert outbox.counters.shed["full_barcode"] > 0
    assert (left["health"], left["position"]) == (0, 0)
    outbox.close()


def test_what_is_too_old_for_its_kind_goes_and_is_counted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", BIG, KEEP_DAYS)
    put(outbox, [scan(1), fix(1), report()])
    assert not outbox.shed_expired(AT + timedelta(days=6))
    assert outbox.shed_expired(AT + timedelta(days=8)) == {"expired_health": 1}
    assert outbox.shed_expired(AT + timedelta(days=31)) == {"expired_position": 1}
    assert kinds(outbox.path) == {"barcode": 1}
    assert outbox.depth == 1
    outbox.close()


def test_the_outbox_of_an_earlier_release_is_read_on_and_its_kinds_are_known(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, BIG)
    put(outbox, [scan(1), fix(1)])
    outbox.close()
    old = sqlite3.connect(path)
    old.executescript(
        "DROP INDEX event_by_kind; ALTER TABLE event DROP COLUMN kind;"
        " ALTER TABLE event DROP COLUMN device"
    )
    old.close()
    again = Outbox(path, BIG)
    assert kinds(path) == {"barcode": 1, "position": 1}
    put(again, [scan(2)])
    assert again.next_offset == 3
    again.close()
