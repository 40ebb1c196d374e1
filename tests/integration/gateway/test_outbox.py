"""The outbox file: offsets that never come twice, state kept with its events, bounded size."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from waystock.contract.events import Barcode, decode_event
from waystock_gateway.clock import SystemClock
from waystock_gateway.errors import OutboxError
from waystock_gateway.intake import Intake, OwnEvents
from waystock_gateway.outbox import REJECTS_KEPT_MAX, Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.outbox_shedding import SHED_EVENTS
from waystock_gateway.readings import Reject
from waystock_gateway.sessions.session import Outcome
from waystock_gateway.tally import Tally

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


def test_a_full_outbox_of_scans_alone_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 1_000_000)
    while outbox.counters.events_shed == 0:
        outbox.commit([outcome(*("X" * 500 for _ in range(500)))], AT)
        outbox.shed_overload()
        assert outbox.next_offset < 20_000
    assert outbox.counters.shed == {"full_barcode": SHED_EVENTS}
    assert codes(outbox.path)[0][0] == SHED_EVENTS
    assert outbox.depth == outbox.next_offset - SHED_EVENTS
    outbox.close()


def test_an_outbox_that_fills_faster_than_one_bite_still_keeps_to_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waystock_gateway.intake.SHED_EVERY_COMMITS", 1)
    outbox = Outbox(tmp_path / "outbox.sqlite", 1_000_000)
    intake = Intake(outbox, SystemClock(), Tally(), on_stored=lambda: None)
    burst = outcome(*("X" * 500 for _ in range(8 * SHED_EVENTS))).events
    intake.submit(OwnEvents("scan-1", burst), timeout_s=1)
    intake.stop()
    intake.run()
    assert not outbox.shed_overload()
    assert outbox.depth == 8 * SHED_EVENTS - outbox.counters.events_shed
    assert outbox.depth > 0
    outbox.close()


def test_a_disk_that_refuses_to_shed_is_an_error_that_the_intake_survives(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite", 10_000)
    outbox.commit([outcome(*("X" * 500 for _ in range(500)))], AT)
    outbox._db.execute("PRAGMA query_only = ON")
    with pytest.raises(OutboxError):
        outbox.shed_overload()
    outbox.close()


def test_a_renamed_gateway_that_has_delivered_all_begins_a_new_stream(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, BIG)
    outbox.claim("sha/gw-1")
    stream = outbox.stream
    outbox.close()
    same = Outbox(path, BIG)
    same.claim("sha/gw-1")
    assert same.stream == stream
    same.close()
    renamed = Outbox(path, BIG)
    renamed.claim("sha/gw-dock")
    assert renamed.stream != stream
    renamed.close()
    kept = Outbox(path, BIG)
    assert kept.stream == renamed.stream
    kept.close()


def test_readings_of_a_gateway_that_was_renamed_are_not_sent_to_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path, BIG)
    outbox.claim("sha/gw-1")
    outbox.commit([outcome("A")], AT)
    with pytest.raises(OutboxError, match="1 readings that sha/gw-1 has not delivered"):
        outbox.claim("sha/gw-dock")
    outbox.close()
    assert codes(path) == [(0, "A")]


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
