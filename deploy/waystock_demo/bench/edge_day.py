"""A made-up day of a truck that parks within a few metres of a fence's edge, now inside and now
outside, under a sky that throws its fixes about: slow drift, noise, and reflections that last for
minutes. Upstream: a seed; downstream: the benchmark of visits. Metres east of the fence's edge and
north of its middle; the fence lies to the west of its edge.
"""

import math
import random
from itertools import pairwise
from typing import NamedTuple

EVERY_S = 10
FENCE_M = 300.0
"""The fence is a square of this side."""
PARKED_WITHIN_M = 15.0
AWAY_M = 2_500.0
SPEED_MPS = 12.0
DAY_H = 24.0


class Sky(NamedTuple):
    """How fixes err. The reflections of a bad day throw a parked truck far and for long."""

    drift_m: float
    drift_s: float
    noise_m: float
    reflections_per_day: float
    reflection_m: float
    """Median of their sizes; some are five times as large."""
    reflection_s: float


CLEAR = Sky(4.0, 120.0, 3.0, 0.0, 1.0, 1.0)
STREET = Sky(8.0, 120.0, 4.0, 24.0, 40.0, 60.0)
CANYON = Sky(8.0, 120.0, 4.0, 43.0, 80.0, 90.0)
SKIES = {"clear": CLEAR, "street": STREET, "canyon": CANYON}


class Seen(NamedTuple):
    """A fix as the receiver tells it; NaN: no speed, no accuracy."""

    second: int
    east_m: float
    north_m: float
    speed_mps: float
    accuracy_m: float


class EdgeDay:
    """One truck's day of one long stay or of several; `inside` are the times it really was in the
    fence, in seconds."""

    def __init__(self, seed: int, sky: Sky, stays: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a seeded day, no secret
        self._sky = sky
        self._has_speed = seed % 2 == 0
        self._has_accuracy = seed % 3 != 0
        self._second = 0
        self._east = AWAY_M
        self._drift = [0.0, 0.0]
        self._reflection = [0.0, 0.0]
        self._reflection_ends_s = 0
        self.fixes: list[Seen] = []
        self.inside: list[tuple[int, int]] = []
        for stay in range(stays):
            side = -1.0 if (seed + stay) % 2 else 1.0
            self._stay(side * self._chance.uniform(3, PARKED_WITHIN_M), DAY_H / stays)

    def raw_crossings(self) -> int:
        """How often a bare test of each fix would say in after out or out after in."""
        are_in = [fix.east_m <= 0 for fix in self.fixes]
        return sum(a != b for a, b in pairwise(are_in))

    def _stay(self, place_m: float, hours: float) -> None:
        """Drive there, park, drive away."""
        self._drive(place_m)
        entered_s = self._second
        for _ in range(int(hours * 3600 / EVERY_S)):
            self._go(0.0)
        if place_m < 0:
            self.inside.append((entered_s, self._second))
        self._drive(AWAY_M)

    def _drive(self, to_m: float) -> None:
        while abs(to_m - self._east) > 1.0:
            left_m = to_m - self._east
            way_m = math.copysign(min(SPEED_MPS * EVERY_S, abs(left_m)), left_m)
            self._east += way_m
            self._go(abs(way_m) / EVERY_S)

    def _go(self, speed_mps: float) -> None:
        """One step, and what the receiver sees at its end."""
        chance, sky = self._chance, self._sky
        self._second += EVERY_S
        kept = math.exp(-EVERY_S / sky.drift_s)
        kick_m = sky.drift_m * math.sqrt(1 - kept * kept)
        self._drift = [kept * one + chance.gauss(0, kick_m) for one in self._drift]
        self._reflect()
        east, north = (a + b for a, b in zip(self._drift, self._reflection, strict=True))
        is_thrown = self._second < self._reflection_ends_s
        told_mps = max(0.0, speed_mps + chance.gauss(0, 0.8 if is_thrown else 0.2))
        self.fixes.append(
            Seen(
                self._second,
                self._east + east + chance.gauss(0, sky.noise_m),
                north + chance.gauss(0, sky.noise_m),
                told_mps if self._has_speed else math.nan,
                chance.uniform(5, 25 if is_thrown else 10) if self._has_accuracy else math.nan,
            )
        )

    def _reflect(self) -> None:
        """A reflection throws all fixes one way while it lasts."""
        chance, sky = self._chance, self._sky
        if self._second >= self._reflection_ends_s:
            self._reflection = [0.0, 0.0]
            if chance.random() < sky.reflections_per_day * EVERY_S / 86_400:
                far_m = sky.reflection_m * math.exp(chance.gauss(0, 0.7))
                turn = chance.uniform(0, math.tau)
                self._reflection = [far_m * math.cos(turn), far_m * math.sin(turn)]
                lasts_s = chance.expovariate(1 / sky.reflection_s)
                self._reflection_ends_s = self._second + round(lasts_s)
