"""A made-up day of trucks with things out of the ordinary in it, each with a label, and what looks
like them but is not: red lights, long but free stays, a stray fix, a moment too fast. Upstream: a
seed; downstream: the benchmark of anomalies. Metres along a road and beside it.
"""

import math
import random
from typing import NamedTuple

EVERY_S = 10
LEG_M = 60_000.0
LEGS = 6
TOWN_M = (20_000.0, 26_000.0)
"""Of each leg, where the town is …"""
TOWN_LIMIT_MPS = 50 / 3.6
NO_GO_M = (44_000.0, 44_600.0)
NO_GO_BESIDE_M = (70.0, 500.0)
"""… and beside it the area where no truck has business."""
FREE_S = 7_200
KINDS = (
    "vehicle.speeding",
    "vehicle.no_go",
    "vehicle.dwell",
    "vehicle.unplanned_stop",
    "vehicle.off_route",
    "gps.silent",
    "gps.jump",
    "gps.frozen",
)


class Label(NamedTuple):
    """Something that really happened, in seconds of the day."""

    kind: str
    start_s: int
    end_s: int


class Seen(NamedTuple):
    """A fix as the receiver tells it; NaN: no speed, no accuracy."""

    second: int
    along_m: float
    beside_m: float
    speed_mps: float
    accuracy_m: float


class Day:
    """One truck's day, as it was and as it was seen."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a seeded day, no secret
        self._has_speed = seed % 2 == 0
        self._second = self._chance.randrange(0, 3600)
        self._along = self._beside = 0.0
        self._error = [0.0, 0.0]
        self._speed = 17.0
        self.labels: list[Label] = []
        self.fixes: list[Seen] = []
        self._stand(self._chance.randrange(600, 5400))
        for leg in range(LEGS):
            self._drive_leg(leg * LEG_M, self._chance.choice([*KINDS, *[""] * 8]))
        self._stand(600)

    def _drive_leg(self, from_m: float, odd: str) -> None:
        """To the next customer, and the stay there."""
        at_m = from_m + self._chance.uniform(30_000, 40_000)
        self._drive(from_m + TOWN_M[0])
        self._drive(from_m + TOWN_M[1], is_fast=odd == "vehicle.speeding")
        self._drive(at_m)
        self._do(odd)
        self._drive(from_m + NO_GO_M[0] - 300)
        if odd == "vehicle.no_go":
            self._aside("vehicle.no_go", 250.0, 60)
        self._drive(from_m + LEG_M)
        free_s = self._chance.randrange(1200, 6600)
        start_s = self._second
        if odd == "vehicle.dwell":
            self._stand(FREE_S + self._chance.randrange(1800, 7200))
            self._label(odd, start_s + FREE_S)
        else:
            self._stand(free_s)

    def _do(self, odd: str) -> None:
        start_s = self._second
        if odd == "vehicle.unplanned_stop":
            self._stand(self._chance.randrange(1200, 3600))
            self._label(odd, start_s)
        elif odd == "vehicle.off_route":
            self._aside(odd, self._chance.uniform(200, 1500), self._chance.randrange(10, 60))
        elif odd == "gps.silent":
            first = len(self.fixes)
            for _ in range(self._chance.randrange(200, 270)):
                self._go(5.0)
            del self.fixes[first:]
            self._label(odd, start_s)
        elif odd == "gps.jump":
            self._throw(self._chance.randrange(1, 4))
        elif odd == "gps.frozen":
            self._freeze(self._chance.randrange(6, 40))

    def _aside(self, kind: str, beside_m: float, steps: int) -> None:
        """Off the road and back to it; beside it in the no-go area, off route in any case."""
        start_s = self._second
        for step in range(steps):
            way = min(step, steps - 1 - step, 5) / 5
            self._beside = beside_m * min(1.0, way)
            self._go(9.0)
        self._beside = 0.0
        self._label(kind, start_s)
        if kind != "vehicle.off_route":
            self._label("vehicle.off_route", start_s)

    def _throw(self, count: int) -> None:
        start_s = self._second
        for _ in range(count):
            self._go(17.0)
            turn, far_m = self._chance.uniform(0, math.tau), self._chance.uniform(1500, 30_000)
            seen = self.fixes[-1]
            self.fixes[-1] = seen._replace(
                along_m=seen.along_m + far_m * math.cos(turn),
                beside_m=seen.beside_m + far_m * math.sin(turn),
            )
            self._go(17.0)
        self._label("gps.jump", start_s)

    def _freeze(self, count: int) -> None:
        start_s = self._second
        self._go(18.0)
        held = self.fixes[-1]
        for _ in range(count):
            self._go(18.0)
            seen = self.fixes[-1]
            self.fixes[-1] = held._replace(second=seen.second, speed_mps=seen.speed_mps)
        self._label("gps.frozen", start_s)

    def _drive(self, to_m: float, *, is_fast: bool = False) -> None:
        """As the road and its lights allow, or once too fast."""
        chance = self._chance
        while self._along < to_m:
            place = self._along % LEG_M
            limit = 12.0 if TOWN_M[0] - 500 <= place <= TOWN_M[1] + 500 else 22.0
            if chance.random() < 0.006:
                self._stand(chance.randrange(20, 120))
            self._speed += chance.gauss(0, 1.0) + 0.1 * (limit - 1.5 - self._speed)
            self._speed = max(4.0, min(limit, self._speed))
            if is_fast and place > TOWN_M[0] + 800:
                self._race(chance.randrange(8, 30))
                is_fast = False
            self._go(self._speed)

    def _race(self, steps: int) -> None:
        start_s = self._second
        for _ in range(steps):
            self._go(TOWN_LIMIT_MPS + self._chance.uniform(4, 7))
        self._label("vehicle.speeding", start_s)

    def _stand(self, seconds: int) -> None:
        for _ in range(max(1, seconds // EVERY_S)):
            self._go(0.0)

    def _label(self, kind: str, start_s: int, end_s: int | None = None) -> None:
        self.labels.append(Label(kind, start_s, self._second if end_s is None else end_s))

    def _go(self, speed_mps: float) -> None:
        """One step, and what the receiver sees at its end."""
        chance = self._chance
        self._second += EVERY_S
        self._along += speed_mps * EVERY_S
        kept = math.exp(-EVERY_S / 60)
        kick_m = 4 * math.sqrt(1 - kept * kept)
        self._error = [kept * one + chance.gauss(0, kick_m) for one in self._error]
        stray_m = chance.uniform(60, 180) if chance.random() < 0.001 else 0.0
        told_mps = max(0.0, speed_mps + chance.gauss(0, 0.3))
        if speed_mps > 0 and chance.random() < 0.001:
            told_mps += 8.0  # A receiver's hiccup, one fix long.
        is_poor = chance.random() < 0.003
        self.fixes.append(
            Seen(
                self._second,
                self._along + self._error[0] + chance.gauss(0, 2),
                self._beside + self._error[1] + chance.gauss(0, 2) + (900 if is_poor else stray_m),
                told_mps if self._has_speed else math.nan,
                400.0 if is_poor else 5.0,
            )
        )
