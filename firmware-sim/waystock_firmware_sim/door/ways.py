"""What moves at a dock door: pallets that go through, forklifts that don't, tags on the wall, and
the traffic of the next door. Each way says where its tag is at any second, and what happened.
Frame as in `radio`. Upstream: a seed; downstream: `scene`.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Literal

Kind = Literal["through", "passing_by", "turned_back", "on_the_wall", "next_door"]
NEXT_DOOR_M = 4.2
"""From the middle of one door to that of the next."""
HALF_PALLET_M = 0.6


@dataclass(frozen=True)
class Way:
    """One tag: corners (second, x, y), straight in between; before and after it is elsewhere."""

    epc: str
    kind: Kind
    direction: Literal["in", "out"] | None
    """Which way it went through this door."""
    corners: tuple[tuple[float, float, float], ...]

    @property
    def begin_s(self) -> float:
        return self.corners[0][0]

    @property
    def end_s(self) -> float:
        return self.corners[-1][0]

    @property
    def sill_s(self) -> float | None:
        """When it was in the middle of the sill, if it went through this door."""
        if self.direction is None:
            return None
        for (at_s, x_m, _), (to_s, to_x_m, _) in pairwise(self.corners):
            if x_m * to_x_m < 0:
                return at_s + (to_s - at_s) * x_m / (x_m - to_x_m)
        return None

    def place(self, second: float) -> tuple[float, float] | None:
        """Where it is, (x, y) in metres; None while it is elsewhere."""
        for (at_s, x_m, y_m), (to_s, to_x_m, to_y_m) in pairwise(self.corners):
            if at_s <= second <= to_s:
                share = (second - at_s) / (to_s - at_s) if to_s > at_s else 1.0
                return x_m + share * (to_x_m - x_m), y_m + share * (to_y_m - y_m)
        return None


def through(epc: str, begin_s: float, direction: Literal["in", "out"], random: Random) -> Way:
    """From the hall into the truck or back, with a stop at the sill now and then; a truck's tail is
    within hearing, its front is not."""
    hall_m, truck_m = -random.uniform(4.5, 7.0), random.uniform(3.0, 12.0)
    stops: list[tuple[float, float]] = []
    if random.random() < 0.3:
        stops = [(random.uniform(-1.5, 1.0), random.uniform(1.0, 5.0))]
    rest_s = random.uniform(0.0, 12.0) if direction == "out" else 0.0
    xs = [hall_m, *(x_m for x_m, _ in stops), truck_m]
    if direction == "in":
        xs.reverse()
    pauses = [0.0, *(pause_s for _, pause_s in stops), rest_s]
    return Way(epc, "through", direction, _drive(begin_s, xs, pauses, random, 0.0))


def passing_by(epc: str, begin_s: float, random: Random) -> Way:
    """Along the wall, inside, before the door."""
    x_m, side = -random.uniform(1.5, 4.5), random.choice((-1, 1))
    seconds = 14.0 / random.uniform(0.8, 2.5)
    corners = ((begin_s, x_m, -7.0 * side), (begin_s + seconds, x_m, 7.0 * side))
    return Way(epc, "passing_by", None, corners)


def turned_back(epc: str, begin_s: float, random: Random) -> Way:
    """Up to the sill and back, from inside: the truck wasn't ready."""
    hall_m, near_m = -random.uniform(4.5, 7.0), -random.uniform(0.7, 2.0)
    pauses = [0.0, random.uniform(0.5, 8.0), 0.0]
    corners = _drive(begin_s, [hall_m, near_m, hall_m], pauses, random, 0.0)
    return Way(epc, "turned_back", None, corners)


def on_the_wall(epc: str, end_s: float, random: Random) -> Way:
    """A location label, a spare pallet, a tag that fell off: there all day."""
    x_m, y_m = -random.uniform(0.3, 2.5), random.choice((-1, 1)) * random.uniform(1.5, 3.0)
    return Way(epc, "on_the_wall", None, ((0.0, x_m, y_m), (end_s, x_m, y_m)))


def next_door(epc: str, begin_s: float, direction: Literal["in", "out"], random: Random) -> Way:
    """Through the neighbouring door: heard here, though it is none of ours."""
    way = through(epc, begin_s, direction, random)
    side = random.choice((-1, 1)) * NEXT_DOOR_M
    corners = tuple((at_s, x_m, y_m + side) for at_s, x_m, y_m in way.corners)
    return Way(epc, "next_door", None, corners)


def _drive(
    begin_s: float, xs: list[float], pauses: list[float], random: Random, y_m: float
) -> tuple[tuple[float, float, float], ...]:
    """At walking pace from one x to the next, with a pause at each."""
    at_s, lateral_m = begin_s, y_m + random.gauss(0.0, 0.3)
    corners = [(at_s, xs[0], lateral_m)]
    for (from_m, to_m), pause_s in zip(pairwise(xs), pauses[1:], strict=True):
        at_s += abs(to_m - from_m) / random.uniform(0.7, 2.0)
        corners.append((at_s, to_m, lateral_m))
        if pause_s:
            at_s += pause_s
            corners.append((at_s, to_m, lateral_m))
    return tuple(corners)
