"""How often a tag that stays is said to have departed, and how long it takes to notice one that
left: the adaptive window beside fixed ones, over read rates, quick and slow readers, one antenna
and several, tags that stay and tags that move.
`make bench ARGS=presence` prints it, with the reads a second that one core smooths.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from statistics import median
from time import perf_counter

import msgspec

from waystock.contract.events import Rfid
from waystock_demo.bench.result import BenchResult
from waystock_gateway.clock import Moment
from waystock_gateway.readings import TagRead
from waystock_gateway.sessions.presence import PresenceSession
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.session import Outcome

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
ROUNDS_S = (0.1, 0.3)
"""A quick reader and a slow one."""
READ_RATES = (0.3, 0.65, 0.95)
SEEDS = range(1, 4)
WINDOWS = {
    "adaptive": PresenceSettings(),
    "fixed_1_s": PresenceSettings(window="fixed", absence_s=1.0),
    "fixed_3_s": PresenceSettings(window="fixed", absence_s=3.0),
    "fixed_10_s": PresenceSettings(window="fixed", absence_s=10.0),
}
_FADE_S = 15.0


@dataclass(frozen=True)
class Crowd:
    """Tags that come, stay for a while and go. `antennas` take turns; each hears a tag now and then
    or not at all, `is_moving` makes that change as the tag goes about."""

    seed: int
    read_rate: float
    round_s: float = 0.1
    antennas: int = 1
    is_moving: bool = False
    tags: int = 60
    seconds: float = 180.0

    def stays(self) -> list[tuple[str, float, float]]:
        """(EPC, from, to) of each tag."""
        random = Random(f"{self.seed}/stays")
        found: list[tuple[str, float, float]] = []
        for tag in range(self.tags):
            begin_s = random.uniform(0.0, self.seconds / 3)
            found.append((f"E280{tag:020X}", begin_s, begin_s + random.uniform(20.0, 90.0)))
        return found

    def reads(self) -> list[tuple[float, TagRead]]:
        """In order of time."""
        random = Random(f"{self.seed}/{self.read_rate}/reads")
        found: list[tuple[float, TagRead]] = []
        for epc, begin_s, end_s in self.stays():
            phase = random.random()
            for number in range(int((end_s - begin_s) / self.round_s)):
                at_s = begin_s + number * self.round_s
                rate = self.read_rate
                if self.is_moving:  # half of the time it is heard half as well
                    rate *= 1.0 if ((at_s / _FADE_S + phase) % 1.0) < 0.5 else 0.5
                for antenna in range(self.antennas):
                    if random.random() < rate / self.antennas:
                        late_s = antenna * self.round_s / self.antennas
                        found.append((at_s + late_s, TagRead(epc=epc, antenna=antenna + 1)))
        return sorted(found, key=lambda one: one[0])


@dataclass
class Presence:
    """What one window made of a crowd."""

    stays: int = 0
    false_departures: int = 0
    delays_s: list[float] = field(default_factory=list[float])

    @property
    def false_per_100_stays(self) -> float:
        return 100.0 * self.false_departures / self.stays


def smooth(crowd: Crowd, settings: PresenceSettings, into: Presence) -> None:
    """A departure is false while the tag is there; the last one's delay counts from its leaving."""
    session = PresenceSession("reader", {}, _moment(0.0), settings)
    outcome = Outcome("reader")
    for at_s, read in crowd.reads():
        _tick(session, at_s, outcome)
        session.take(read, _moment(at_s), outcome)
    _tick(session, crowd.seconds + 60.0, outcome)
    ends = {epc: end_s for epc, _, end_s in crowd.stays()}
    into.stays += len(ends)
    for event in outcome.events:
        if isinstance(event, Rfid) and event.presence == "departed":
            delay_s = (event.captured_at - START).total_seconds() - ends[event.epc]
            if delay_s < 0:
                into.false_departures += 1
            else:
                into.delays_s.append(delay_s)


Case = tuple[str, float, float]
"""(window, the reader's round in s, read rate)."""


def compare(seeds: range, tags: int = 60) -> dict[Case, Presence]:
    """Each case over one antenna and four, tags that stay and tags that move."""
    found: dict[Case, Presence] = {}
    for round_s, rate in product(ROUNDS_S, READ_RATES):
        for seed, antennas, is_moving in product(seeds, (1, 4), (False, True)):
            crowd = Crowd(seed, rate, round_s, antennas, is_moving, tags)
            for name, settings in WINDOWS.items():
                told = msgspec.structs.replace(settings, round_s=round_s)
                smooth(crowd, told, found.setdefault((name, round_s, rate), Presence()))
    return found


def reads_per_s(settings: PresenceSettings, reads: int = 200_000, tags: int = 2_000) -> float:
    """How many one core smooths."""
    session = PresenceSession("reader", {}, _moment(0.0), settings)
    outcome = Outcome("reader")
    made = [TagRead(epc=f"E280{tag:020X}", rssi_dbm=-55.0, antenna=tag % 4) for tag in range(tags)]
    moments = [_moment(number * 0.1 / tags) for number in range(reads)]
    began_s = perf_counter()
    for number, moment in enumerate(moments):
        session.take(made[number % tags], moment, outcome)
    return reads / (perf_counter() - began_s)


def run() -> BenchResult:
    """Delay until a departure is told at a read rate of 65 %: a fixed window of 3 s beside ours."""
    found = compare(SEEDS)
    details: dict[str, float | str | list[float]] = {}
    for (name, round_s, rate), presence in found.items():
        delays_s = sorted(presence.delays_s)
        details[f"round_{round_s}_s_{rate:.0%}_{name}"] = (
            f"{presence.false_per_100_stays:.1f} false departures in 100 stays,"
            f" noticed after {median(delays_s):.1f} s"
            f" (p95 {delays_s[int(0.95 * len(delays_s))]:.1f} s)"
        )
    details["reads_per_s"] = reads_per_s(WINDOWS["adaptive"])
    ours = median(found["adaptive", 0.1, 0.65].delays_s)
    fixed = median(found["fixed_3_s", 0.1, 0.65].delays_s)
    return BenchResult(
        name="presence",
        ours=ours,
        limit=fixed,
        ratio=ours / fixed,
        unit="s until a tag's leaving is told, read rate 65 % (limit: a fixed window of 3 s)",
        details=details,
    )


def _tick(session: PresenceSession, second: float, outcome: Outcome) -> None:
    while (due_s := session.due_mono_s()) is not None and due_s <= second:
        session.tick(_moment(due_s), outcome)


def _moment(second: float) -> Moment:
    return Moment(START + timedelta(seconds=second), second)
