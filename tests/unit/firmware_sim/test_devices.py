"""Devices one by one: what they do when the host is deaf, slow or absent."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from tests.unit.firmware_sim.rehearsal import SSI_ACK, START_MULTI_POLL, FakeLine
from waystock_firmware_sim.devices.handheld import Handheld, Symbol
from waystock_firmware_sim.devices.portal import Portal
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

TAG = bytes.fromhex("31d6457b6526724459000000")


class Bench:
    """A clock, a scheduler and a truth for one device."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.scheduler = Scheduler(lambda: self.now_s)
        self.told: list[dict[str, Any]] = []
        self.truth = Truth(lambda line: self.told.append(msgspec.json.decode(line)))
        self.line = FakeLine()

    def utc(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.now_s)

    def wait(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            wait_s = self.scheduler.run_due()
            self.now_s = min(end_s, self.now_s + (seconds if wait_s is None else wait_s))
        self.scheduler.run_due()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def handheld(bench: Bench) -> Handheld:
    return Handheld("scan-1", bench.line, bench.scheduler, bench.utc, bench.truth)


@pytest.fixture
def portal(bench: Bench) -> Portal:
    return Portal("rfid-1", bench.line, bench.scheduler, bench.utc, bench.truth, Random(1))


def test_unanswered_scan_is_sent_again_marked_until_answered(
    bench: Bench, handheld: Handheld
) -> None:
    handheld.scan(Symbol("]C1", "400PO1"))
    bench.wait(3.5)
    assert [frame[3] for frame in bench.line.frames] == [0, 1, 1, 1]
    assert len({frame[4:-2] for frame in bench.line.frames}) == 1
    assert not bench.told
    handheld.on_input(SSI_ACK)
    bench.wait(5)
    assert len(bench.line.frames) == 4
    assert [one["data"] for one in bench.told] == ["400PO1"]


def test_scan_is_told_once_however_often_the_host_answers(bench: Bench, handheld: Handheld) -> None:
    handheld.scan(Symbol("]C1", "400PO1"))
    handheld.on_input(SSI_ACK * 3)
    bench.line.from_host = SSI_ACK
    handheld.scan(Symbol("]C1", "400PO2"))
    assert not handheld.is_idle, "a late answer belongs to the scan before"
    assert len(bench.told) == 1


def test_copies_do_not_pile_up_while_nobody_reads(bench: Bench, handheld: Handheld) -> None:
    bench.line.is_read = False
    handheld.scan(Symbol("]C1", "400PO1"))
    bench.wait(10)
    assert len(bench.line.frames) == 1


def test_a_host_that_missed_a_frame_gets_it_again_at_once(bench: Bench, handheld: Handheld) -> None:
    handheld.scan(Symbol("]C1", "400PO1"))
    handheld.on_input(bytes.fromhex("05d1040001ff25"))
    assert [frame[3] for frame in bench.line.frames] == [0, 1]


def test_the_same_code_twice_in_a_row_is_refused(handheld: Handheld) -> None:
    handheld.scan(Symbol("]E0", "9501101530003"))
    handheld.on_input(SSI_ACK)
    with pytest.raises(ValueError, match="just scanned"):
        handheld.scan(Symbol("]E0", "9501101530003"))


def test_reader_is_silent_until_it_is_started(bench: Bench, portal: Portal) -> None:
    portal.enter(TAG)
    bench.wait(5)
    assert not bench.line.frames
    portal.on_input(START_MULTI_POLL)
    bench.wait(1)
    assert bench.line.frames


def test_two_rounds_of_three_hear_the_tag_with_changing_strength(
    bench: Bench, portal: Portal
) -> None:
    portal.on_input(START_MULTI_POLL)
    portal.enter(TAG)
    bench.wait(100)
    notices = [frame for frame in bench.line.frames if TAG in frame]
    assert 600 <= len(notices) <= 700
    assert len({frame[5] for frame in notices}) > 5


def test_polling_ends_after_the_rounds_asked_for(bench: Bench, portal: Portal) -> None:
    portal.on_input(bytes.fromhex("bb0027000322000a567e"))
    portal.enter(TAG)
    bench.wait(5)
    assert 0 < len([frame for frame in bench.line.frames if TAG in frame]) <= 10


def test_reader_stops_when_told_and_says_so(bench: Bench, portal: Portal) -> None:
    portal.on_input(START_MULTI_POLL)
    portal.on_input(bytes.fromhex("bb00280000287e"))
    sent = len(bench.line.frames)
    bench.wait(2)
    assert bench.line.frames[-1].hex() == "bb01280001002a7e"
    assert len(bench.line.frames) == sent


def test_tag_that_nobody_could_hear_is_not_told(bench: Bench, portal: Portal) -> None:
    tag = portal.enter(TAG)
    bench.wait(5)
    portal.leave(tag)
    bench.wait(5)
    assert not bench.told


def test_departure_is_told_only_after_the_absence(bench: Bench, portal: Portal) -> None:
    portal.on_input(START_MULTI_POLL)
    tag = portal.enter(TAG)
    bench.wait(5)
    portal.leave(tag)
    bench.wait(2.9)
    assert [one["presence"] for one in bench.told] == ["arrived"]
    assert not portal.is_clear
    bench.wait(0.2)
    assert [one["presence"] for one in bench.told] == ["arrived", "departed"]
    assert portal.is_clear


def test_a_deaf_host_costs_notices_not_memory(bench: Bench, portal: Portal) -> None:
    portal.on_input(START_MULTI_POLL)
    bench.line.is_read = False
    portal.enter(TAG)
    bench.wait(60)
    assert len(bench.line.waiting) < 2_000
    assert portal.dropped_notices > 300
    assert not portal.is_attended
