"""A box that wakes up in 1970 and learns the time later: its readings get the right time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from waystock.contract.events import Event, decode_event
from waystock_gateway.clock import Moment
from waystock_gateway.intake import Arrival, Intake
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.readings import Scan
from waystock_gateway.sessions.scans import ScanSession
from waystock_gateway.tally import Tally

BOOTED = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)
TRUE = datetime(2026, 11, 23, 6, tzinfo=UTC)


class FakeClock:
    """Set by hand; both clocks go on together until the wall clock is set."""

    def __init__(self) -> None:
        self.moment = Moment(BOOTED, 30.0)

    def now(self) -> Moment:
        return self.moment

    def go_on(self, seconds: float) -> None:
        at, mono_s = self.moment
        self.moment = Moment(at + timedelta(seconds=seconds), mono_s + seconds)

    def set(self, at: datetime) -> None:
        self.moment = Moment(at, self.moment.mono_s)


def scan(outbox: Outbox, clock: FakeClock, *codes: str) -> Intake:
    """A new intake that has taken these codes."""
    intake = Intake(outbox, clock, Tally(), on_stored=lambda: None)
    feed(intake, clock, *codes)
    return intake


def feed(intake: Intake, clock: FakeClock, *codes: str) -> None:
    for code in codes:
        reading = Scan(aim="", format="text", data=code, raw=code.encode())
        arrival = Arrival("s", lambda d, state: ScanSession(d, state, 0), [reading], clock.now())
        assert intake.submit(arrival, 1)
    intake.stop()
    intake.run()


def events(path: Path) -> list[Event]:
    reader = OutboxReader(path)
    found = [decode_event(body) for _, body in reader.events(0, 10**9, 100)]
    reader.close()
    return found


def test_readings_before_the_clock_was_set_are_moved_to_their_true_time(tmp_path: Path) -> None:
    path, clock = tmp_path / "outbox.sqlite", FakeClock()
    outbox = Outbox(path, 10**9)
    outbox.begin_boot("boot-1")
    intake = scan(outbox, clock, "EARLY")
    assert events(path)[0].quality == ("clock_unsynced",)
    clock.go_on(60)
    clock.set(TRUE)
    feed(intake, clock, "LATE")
    early, late = events(path)
    assert (early.time, early.captured_at) == (TRUE - timedelta(seconds=60),) * 2
    assert (early.clock, early.quality) == ("ntp", ("clock_corrected",))
    assert (late.time, late.quality) == (TRUE, ())
    outbox.close()


def test_readings_of_a_gateway_started_twice_in_one_boot_are_corrected_together(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / "outbox.sqlite", FakeClock()
    outbox = Outbox(path, 10**9)
    outbox.begin_boot("boot-1")
    scan(outbox, clock, "FIRST LIFE")
    outbox.close()
    clock.go_on(10)
    outbox = Outbox(path, 10**9)
    outbox.begin_boot("boot-1")
    intake = scan(outbox, clock, "SECOND LIFE")
    clock.set(TRUE)
    feed(intake, clock)
    first, second = events(path)
    assert (first.time, second.time) == (TRUE - timedelta(seconds=10), TRUE)
    outbox.close()


def test_readings_of_an_earlier_boot_keep_their_doubtful_time(tmp_path: Path) -> None:
    path, clock = tmp_path / "outbox.sqlite", FakeClock()
    outbox = Outbox(path, 10**9)
    outbox.begin_boot("boot-1")
    scan(outbox, clock, "OTHER BOOT")
    outbox.begin_boot("boot-2")
    intake = scan(outbox, clock, "THIS BOOT")
    clock.set(TRUE)
    feed(intake, clock)
    other, this = events(path)
    assert (other.time, other.quality) == (BOOTED, ("clock_unsynced",))
    assert (this.time, this.quality) == (TRUE, ("clock_corrected",))
    outbox.close()
