"""Made-up lines of other habits than `made_up_lanes`: stays at stops of all lengths or none, buses
that hold at timing points and bunch, detours that leave a stop out, receivers that are silent for
minutes and say things twice. Upstream: a seed; downstream: the benchmark `eta`. It knows nothing of
the model that is tried on it, and shares nothing with the other generator.

A trip is a table of instants by way, made part by part; its fixes are read off it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock_demo.bench.made_up_lanes import Arrival, Fix

DAY_S = 86_400.0
BEGIN_S = 1_780_272_000.0
"""2026-06-01T00:00:00Z, a Monday."""
PART_M = 100.0
PER_LAT_M = 111_200.0

Floats = NDArray[np.float64]


class Habits(NamedTuple):
    """How a line is run. A stay's `median_s` is drawn stop by stop, its spread is of ln(stay)."""

    stops: int
    leg_m: tuple[float, float]
    mps: tuple[float, float]
    stay_s: tuple[float, float]
    stay_spread: float
    passed_by: float
    """Share of stops that a trip doesn't stay at."""
    hold_each: int
    """At each so many-th stop a trip waits for its timetable; 0: it has none."""
    slack: float
    """The timetable's time over the usual one."""
    headway_s: float
    gap_share: float
    detour_share: float


CITY = Habits(22, (200.0, 650.0), (4.0, 13.0), (8.0, 45.0), 0.8, 0.25, 0, 1.0, 900.0, 0.3, 0.04)
HELD = Habits(18, (300.0, 900.0), (5.0, 14.0), (10.0, 30.0), 0.6, 0.2, 5, 1.12, 1200.0, 0.2, 0.0)
RURAL = Habits(
    10, (1200.0, 5000.0), (9.0, 22.0), (10.0, 60.0), 1.0, 0.4, 4, 1.05, 3600.0, 0.3, 0.08
)
HAUL = Habits(
    5, (6000.0, 30_000.0), (11.0, 23.0), (600.0, 2400.0), 0.5, 0.0, 0, 1.0, 5400.0, 0.4, 0.1
)
LINES = (CITY, HELD, RURAL, HAUL)


class Line:
    """One line: its way, its roads, its stops."""

    def __init__(self, name: str, habits: Habits, seed: int) -> None:
        self.name, self.habits = name, habits
        self.chance = chance = np.random.default_rng(seed)
        legs_m = chance.uniform(*habits.leg_m, habits.stops - 1)
        self.stop_m = np.concatenate([[0.0], np.cumsum(legs_m)])
        self.parts = int(self.stop_m[-1] / PART_M) + 3
        smooth = np.convolve(chance.gamma(3.0, 1.0, self.parts + 8), np.ones(9) / 9, "valid")
        slow, fast = habits.mps
        self.part_s = PART_M / (slow + (fast - slow) * np.clip(smooth[: self.parts] / 6.0, 0, 1))
        self.light_s = np.where(chance.random(self.parts) < 0.15, chance.uniform(20, 80), 0.0)
        self.stay_s = chance.uniform(*habits.stay_s, habits.stops)
        turns = np.cumsum(chance.normal(0, 0.25, self.parts))
        lat0, lon0 = chance.uniform(-50, 60), chance.uniform(-179, 179)
        self.per_lon_m = PER_LAT_M * math.cos(math.radians(lat0))
        self.lat = lat0 + np.cumsum(PART_M * np.cos(turns)) / PER_LAT_M
        self.lon = lon0 + np.cumsum(PART_M * np.sin(turns)) / self.per_lon_m

    def place(self, along_m: Floats) -> tuple[Floats, Floats]:
        """lat, lon so far along the line."""
        at = np.clip(along_m / PART_M, 0, self.parts - 1.001)
        part = np.arange(self.parts)
        return np.interp(at, part, self.lat), np.interp(at, part, self.lon)

    def run(self, days: int) -> tuple[list[Fix], list[Arrival]]:
        """Some days of trips."""
        fixes: list[Fix] = []
        arrivals: list[Arrival] = []
        for day in range(days):
            jam = self.chance.lognormal(0, 0.3)
            depart_s, behind_s = BEGIN_S + day * DAY_S + 6 * 3600.0, 0.0
            while depart_s < BEGIN_S + day * DAY_S + 20 * 3600.0:
                name = f"{self.name}-{day}-{int(depart_s % DAY_S)}"
                behind_s = _Trip(self, name, depart_s, jam, behind_s).tell(fixes, arrivals)
                depart_s += self.habits.headway_s * self.chance.uniform(0.7, 1.3)
        return fixes, arrivals


class _Trip:
    """One run of a line."""

    def __init__(self, line: Line, name: str, depart_s: float, jam: float, behind_s: float) -> None:
        self.line, self.name, self.chance = line, name, line.chance
        chance, habits = line.chance, line.habits
        hour = (depart_s % DAY_S) / 3600
        rush = 0.45 * jam * (math.exp(-(((hour - 8.2) / 1.2) ** 2)) + _evening(hour))
        drift = np.empty(line.parts)
        state = chance.normal(0, 0.12)
        for part in range(line.parts):
            state = 0.93 * state + chance.normal(0, 0.06)
            drift[part] = state
        waits = line.light_s * np.where(
            chance.random(line.parts) < 0.5, chance.random(line.parts), 0
        )
        took_s = line.part_s * (1 + rush) * np.exp(drift) + waits
        self.by_part_s = np.concatenate([[0.0], np.cumsum(took_s)])
        self.detour = -1
        if chance.random() < habits.detour_share and habits.stops > 4:
            self.detour = int(chance.integers(2, habits.stops - 1))
        self.behind_s = behind_s
        self._stay(depart_s, rush)

    def _stay(self, depart_s: float, rush: float) -> None:
        """Instants of the trip by way: when it comes to each stop, when it leaves it."""
        line, chance, habits = self.line, self.chance, self.line.habits
        usual_s = np.interp(line.stop_m, PART_M * np.arange(line.parts + 1),
                            np.concatenate([[0.0], np.cumsum(line.part_s)]))  # fmt: skip
        driven_s = np.interp(line.stop_m, PART_M * np.arange(line.parts + 1), self.by_part_s)
        times, ways = [depart_s - float(chance.uniform(30, 300))], [0.0]
        arrived: list[float] = []
        now_s = depart_s
        crowd = (1 + 0.8 * rush) * math.exp(0.15 * min(3.0, self.behind_s / 300.0))
        for stop in range(habits.stops):
            if stop:
                now_s += driven_s[stop] - driven_s[stop - 1]
            times.append(now_s)
            ways.append(float(line.stop_m[stop]))
            arrived.append(now_s if stop else times[0])
            if stop in {0, self.detour} or chance.random() < habits.passed_by:
                pass
            else:
                now_s += line.stay_s[stop] * crowd * chance.lognormal(0, habits.stay_spread)
            if habits.hold_each and stop and stop % habits.hold_each == 0:
                stays_s = 0.7 * float(line.stay_s[: stop + 1].sum())
                now_s = max(now_s, depart_s + habits.slack * (usual_s[stop] + stays_s))
            times.append(now_s + 1e-3 * stop)
            ways.append(float(line.stop_m[stop]))
        self.times, self.ways, self.arrived = np.array(times), np.array(ways), np.array(arrived)
        self.late_s = now_s - depart_s - float(usual_s[-1])

    def tell(self, fixes: list[Fix], arrivals: list[Arrival]) -> float:
        """Add what receiver and stops saw; how late the trip was."""
        line, chance = self.line, self.chance
        rhythm_s = float(chance.choice([1, 3, 5, 10, 20, 30, 45, 60]))
        at_s = np.arange(self.times[0], self.times[-1], rhythm_s) + chance.uniform(0, 1)
        if rhythm_s < 5:
            at_s = at_s[chance.random(len(at_s)) < 0.9]
        if chance.random() < line.habits.gap_share:
            begin_s = chance.uniform(float(self.times[0]), float(self.times[-1]))
            at_s = at_s[(at_s < begin_s) | (at_s > begin_s + chance.uniform(60, 600))]
        lat, lon = self._seen(at_s)
        told = [Fix(self.name, *row) for row in zip(at_s.tolist(), lat, lon, strict=True)]
        for one in told:
            fixes.append(one)
            if chance.random() < 0.02:
                fixes.append(one)
        stop_lat, stop_lon = line.place(line.stop_m)
        arrivals += [
            Arrival(self.name, f"{line.name}/{stop}", float(stop_lat[stop]), float(stop_lon[stop]),
                    float(self.arrived[stop]))
            for stop in range(line.habits.stops)
            if stop != self.detour
        ]  # fmt: skip
        return max(0.0, self.late_s)

    def _seen(self, at_s: Floats) -> tuple[list[float], list[float]]:
        line, chance = self.line, self.chance
        along_m = np.interp(at_s, self.times, self.ways)
        lat, lon = line.place(along_m)
        noise_m = chance.normal(0, 6, (2, len(at_s))) * np.where(
            chance.random(len(at_s)) < 0.004, 30, 1
        )
        if self.detour > 0:
            middle_m = line.stop_m[self.detour]
            aside = np.clip(1 - np.abs(along_m - middle_m) / 400.0, 0, 1)
            noise_m[0] += 250.0 * aside
        lat = lat + noise_m[0] / PER_LAT_M
        lon = lon + noise_m[1] / line.per_lon_m
        return lat.tolist(), lon.tolist()


def _evening(hour: float) -> float:
    return math.exp(-(((hour - 17.3) / 1.6) ** 2))
