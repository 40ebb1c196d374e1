"""The outbox file: offsets that never come twice, state kept with its events, bounded size."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from waystock.contract.events import Barcode, decode_event
from waystock_gateway.errors import OutboxError
from waystock_gateway.outbox import REJECTS_KEPT_MAX, SHED_EVENTS, Outbox, OutboxReader
from waystock_gateway.readings import Reject
from waystock_gateway.sessions.session import Outcome

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
BIG = 1_000_000_000


def outcome(*codes: str) -> Outcome:
    events = [
        Barcode(device="scan-1", time=AT, captured_at=AT, format="text", data=code)
        for code in codes
    ]
    return Outcome("scan-1", events=list(events))


def codes(path: Path) -> list[tuple[int, str]]:
    reader = OutboxReader(path)
    rows = [(offset, decode_event(body)) for offset, body in reader.events(0, BIG, 100_000)]
    reader.close()
    return [(offset, event.data) for offset, event in rows if isinstance(event, Barcode)]


def test_offsets_and_stream_go_on_after_a_restart_even_when_all_is_delivered(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, BIG)
    assert outbox.commit([outcome("A", "B")], AT) == range(2)
    outbox.forget_later([(0, 2)])
    outbox.commit([], AT)
    stream = outbox.stream
    assert (codes(path), outbox.depth) == ([], 0)
    outbox.close()
    again = Outbox(path, BIG)
    assert again.stream == stream
    assert again.commit([outcome("C")], AT) == range(2, 3)
    assert codes(path) == [(2, "C")]
    again.close()


def test_two_files_are_two_streams(tmp_path: Path) -> None:
    one, other = Outbox(tmp_path / "a", BIG), Outbox(tmp_path / "b", BIG)
    assert one.stream != other.stream
    one.close()
    other.close()


def test_state_is_kept_with_the_events_that_led_to_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, BIG)
    arrived = outcome("A")
    arrived.remember("tag:30", b"x")
    arrived.remember("last_scan", b"A")
    outbox.commit([arrived], AT)
    departed = outcome()
    departed.forget("tag:30")
    departed.remember("last_scan", b"B")
    outbox.commit([departed], AT)
    outbox.close()
    again = Outbox(path, BIG)
    assert again.device_state("scan-1") == {"last_scan": b"B"}
    assert again.device_state("scan-2") == {}
    again.close()


def test_a_refused_commit_leaves_nothing_behind(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", BIG)
    outbox.commit([outcome("A")], AT)
    outbox.forget_later([(0, 1)])
    outbox._db.execute("PRAGMA query_only = ON")
    refused = outcome("B")
    refused.remember("last_scan", b"B")
    with pytest.raises(OutboxError):
        outbox.commit([refused], AT)
    assert outbox.device_state("scan-1") == {}
    outbox._db.execute("PRAGMA query_only = OFF")
    assert outbox.commit([outcome("C")], AT) == range(1, 2)
    assert codes(outbox.path) == [(1, "C")]
    outbox.close()


def test_the_newest_rejects_are_kept_for_the_technician(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", BIG)
    for n in range(3):
        rejects = [Reject(reason="checksum", at=0, raw=bytes([n]))] * 600
        outbox.commit([Outcome("gps-1", rejects=rejects)], AT)
    rows = outbox._db.execute("SELECT raw, count(*) FROM reject GROUP BY raw").fetchall()
    assert rows == [("01", REJECTS_KEPT_MAX - 600), ("02", 600)]
    outbox.close()


def test_a_full_outbox_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 1_000_000)
    while outbox.counters.events_shed == 0:
        outbox.commit([outcome(*("X" * 500 for _ in range(500)))], AT)
        outbox.shed_overload()
        assert outbox.next_offset < 20_000
    assert outbox.counters.events_shed == SHED_EVENTS
    assert codes(outbox.path)[0][0] == SHED_EVENTS
    assert outbox.depth == outbox.next_offset - SHED_EVENTS
    outbox.close()


def test_a_long_backlog_is_forgotten_piece_by_piece(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", BIG)
    for _ in range(3):
        outbox.commit([outcome(*("X" for _ in range(4000)))], AT)
    outbox.forget_later([(0, 12_000)])
    depths: list[int] = []
    while outbox.has_done:
        outbox.commit([], AT)
        depths.append(outbox.depth)
    assert depths == [7000, 2000, 0]
    outbox.close()
