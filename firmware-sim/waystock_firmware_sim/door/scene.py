"""A seeded hour at a dock door, as its fixed reader (Impinj R700's JSON) tells it: inventories of
two antennas, photo-eyes at two inputs where there are any, and beside it the truth. No clock and no
socket: seconds are counted from the scene's start. Upstream: `ways`, `radio`; downstream: whoever
measures how well directions are told.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from random import Random

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock_firmware_sim.door import ways
from waystock_firmware_sim.door.radio import PORTAL, Antenna, Shadow, answer_dbm
from waystock_firmware_sim.door.ways import HALF_PALLET_M, Way
from waystock_firmware_sim.protocol.epc import sscc_96
from waystock_firmware_sim.seeds import stream

ANTENNA_TURN_S = 0.05
"""The reader asks with one antenna after the other."""
REPORT_S = 0.25
"""So long the reader gathers before it sends."""
EYES = ((1, -0.3), (2, 0.3))
"""(input, x in metres): one beam on either side of the sill."""
EYE_REACH_M = 1.5
"""A beam spans the door alone."""
COMPANY_DIGITS = 7


@dataclass(frozen=True)
class Message:
    """What the reader publishes, and when."""

    second: float
    payload: bytes


@dataclass
class Scene:
    """`read_rate`: how often one turn of an antenna hears a tag right before it."""

    seed: int
    read_rate: float = 0.65
    has_eyes: bool = False
    passings: int = 100
    wall_tags: int = 4
    ways: tuple[Way, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.ways = _ways(stream(self.seed, "door/ways"), self.passings, self.wall_tags)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return max(way.end_s for way in self.ways)

    def messages(self, start: datetime) -> Iterator[Message]:
        """In order; `start` is what the reader's clock says at second 0."""
        events = self._inventories()
        if self.has_eyes:
            events = heapq.merge(events, _eye_changes(self.ways), key=itemgetter(0))
        held: list[bytes] = []
        report_at_s = REPORT_S
        for second, event in events:
            while second >= report_at_s:
                if held:
                    yield Message(report_at_s, b"\n".join(held))
                    held = []
                report_at_s += REPORT_S
            stamp = iso_utc(start + timedelta(seconds=second))
            held.append(msgspec.json.encode({"timestamp": stamp, **event}))
        if held:
            yield Message(report_at_s, b"\n".join(held))

    def _inventories(self) -> Iterator[tuple[float, dict[str, object]]]:
        random = stream(self.seed, f"door/radio/{self.read_rate}")
        waiting = sorted(self.ways, key=lambda way: way.begin_s, reverse=True)
        shadows = {(w.epc, a.port): Shadow(random) for w in self.ways for a in PORTAL}
        there: list[Way] = []
        for turn in range(int(self.seconds / ANTENNA_TURN_S) + 1):
            second = turn * ANTENNA_TURN_S
            while waiting and waiting[-1].begin_s <= second:
                there.append(waiting.pop())
            there = [way for way in there if way.end_s >= second]
            antenna = PORTAL[turn % len(PORTAL)]
            for way in there:
                shadow_db = shadows[way.epc, antenna.port].after(ANTENNA_TURN_S * len(PORTAL))
                heard = self._hear(way, antenna, second, shadow_db, random)
                if heard is not None:
                    yield second, heard

    def _hear(
        self, way: Way, antenna: Antenna, second: float, shadow_db: float, random: Random
    ) -> dict[str, object] | None:
        place = way.place(second)
        if place is None:
            return None
        heard_dbm = answer_dbm(antenna.level_dbm(*place) + shadow_db, self.read_rate, random)
        if heard_dbm is None:
            return None
        return {
            "eventType": "tagInventory",
            "tagInventoryEvent": {
                "epcHex": way.epc,
                "antennaPort": antenna.port,
                "peakRssiCdbm": round(heard_dbm * 100),
            },
        }


def _ways(random: Random, passings: int, wall_tags: int) -> tuple[Way, ...]:
    """Half of what happens goes through the door; the rest is what a portal must not fall for."""
    made: list[Way] = []
    at_s = 5.0
    for number in range(passings):
        epc = _epc(number)
        direction = random.choice(("in", "out"))
        match random.choices(("through", "passing_by", "turned_back", "next_door"), (5, 2, 1, 2)):
            case ["through"]:
                made.append(ways.through(epc, at_s, direction, random))
            case ["passing_by"]:
                made.append(ways.passing_by(epc, at_s, random))
            case ["turned_back"]:
                made.append(ways.turned_back(epc, at_s, random))
            case _:
                made.append(ways.next_door(epc, at_s, direction, random))
        # Through one door goes one after the other; beside it all kinds of things go on meanwhile.
        at_s = made[-1].end_s + 3.0 if made[-1].kind == "through" else at_s
        at_s += random.uniform(1.0, 9.0)
    end_s = max(way.end_s for way in made) + 30.0
    wall = [ways.on_the_wall(_epc(passings + i), end_s, random) for i in range(wall_tags)]
    return (*made, *wall)


def _epc(number: int) -> str:
    return sscc_96(f"0{5_012_345:07d}{number:09d}0", COMPANY_DIGITS).hex().upper()


def _eye_changes(all_ways: tuple[Way, ...]) -> Iterator[tuple[float, dict[str, object]]]:
    """What is in a beam and what is not, looked at fifty times a second."""
    movers = sorted((w for w in all_ways if w.kind != "on_the_wall"), key=lambda way: way.begin_s)
    end_s = max(way.end_s for way in movers)
    is_blocked = {pin: False for pin, _ in EYES}
    first = 0
    for tick in range(int(end_s / 0.02) + 2):
        second = tick * 0.02
        while first < len(movers) and movers[first].end_s < second:
            first += 1
        places: list[tuple[float, float] | None] = []
        for way in islice(movers, first, None):
            if way.begin_s > second:
                break
            places.append(way.place(second))
        for pin, eye_m in EYES:
            blocked = any(_breaks(place, eye_m) for place in places)
            if blocked != is_blocked[pin]:
                is_blocked[pin] = blocked
                transition = "low-to-high" if blocked else "high-to-low"
                change = {"gpi": pin, "transition": transition}
                yield second, {"eventType": "gpiTransition", "gpiTransitionEvent": change}


def _breaks(place: tuple[float, float] | None, eye_m: float) -> bool:
    return (
        place is not None
        and abs(place[0] - eye_m) <= HALF_PALLET_M
        and abs(place[1]) <= EYE_REACH_M
    )
