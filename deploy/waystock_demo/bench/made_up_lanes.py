"""Made-up lanes with traffic, for the benchmark of arrival predictions: lines of buses and a lane
of trucks over a few days, fixes and true arrivals. Upstream: a seed; downstream: `eta`. It knows
nothing of the model that is tried on it.

A vehicle is moved by the second. What it meets: rush hours, each day other congestion that creeps
against the traffic, incidents, lights with a cycle of their own, stays at stops by demand, now and
then none; drivers differ. A receiver has noise that wanders, a rhythm of its own (5-60 s) and gaps.
"""

import math
import random
from typing import NamedTuple

DAY_S = 86_400
MONDAY_S = 1_772_409_600
"""2026-03-02T00:00:00Z."""
SEGMENT_M = 100.0
PER_LAT_M = 111_200.0
RHYTHMS_S = (5, 10, 15, 20, 30, 60)
FIELD_S = 600
"""Congestion changes by ten minutes."""


class Fix(NamedTuple):
    """As the receiver tells it."""

    trip: str
    time_s: float
    lat: float
    lon: float


class Arrival(NamedTuple):
    """As it was."""

    trip: str
    stop: str
    lat: float
    lon: float
    time_s: float


class Kind(NamedTuple):
    """What sort of lane."""

    stops: int
    leg_m: tuple[float, float]
    free_mps: tuple[float, float]
    stay_s: tuple[float, float]
    light_each_m: float
    headway_s: float
    district: tuple[int, int]
    """Segments over which the road is of a kind."""


BUS = Kind(24, (250.0, 700.0), (3.5, 15.0), (6.0, 60.0), 450.0, 1_200.0, (8, 40))
TRUCK = Kind(6, (3_000.0, 14_000.0), (8.0, 24.0), (240.0, 1_200.0), 2_500.0, 4_000.0, (20, 120))


class Lane:
    """One line: where it goes, and what is found on it."""

    def __init__(self, name: str, kind: Kind, seed: int) -> None:
        self.name, self.kind = name, kind
        self.chance = chance = random.Random(seed)  # noqa: S311 - made-up lanes, no secret
        self.stops_m = [0.0]
        for _ in range(kind.stops - 1):
            self.stops_m.append(self.stops_m[-1] + chance.uniform(*kind.leg_m))
        self.segments = int(self.stops_m[-1] / SEGMENT_M) + 2
        self.free_mps, self.rush = self._roads()
        self.stay_s = [chance.uniform(*kind.stay_s) for _ in self.stops_m]
        self.lights = {
            int(chance.uniform(0, self.segments)): (chance.uniform(60, 110), chance.uniform(0, 99))
            for _ in range(int(self.stops_m[-1] / kind.light_each_m))
        }
        self.path = self._path(chance.uniform(40, 55), chance.uniform(0, 20))

    def _roads(self) -> tuple[list[float], list[float]]:
        """Free speed, and how much of it the rush takes: alike over a district, as roads are."""
        free_mps: list[float] = []
        rush: list[float] = []
        while len(free_mps) < self.segments:
            slow = self.chance.random()
            slowest, fastest = self.kind.free_mps
            for _ in range(self.chance.randrange(*self.kind.district)):
                mps = fastest - slow * (fastest - slowest)
                free_mps.append(mps * self.chance.uniform(0.8, 1.1))
                rush.append(min(0.7, 0.6 * slow * self.chance.uniform(0.5, 1.5)))
        return free_mps, rush

    def _path(self, lat: float, lon: float) -> list[tuple[float, float]]:
        turn = self.chance.uniform(0, math.tau)
        per_lon_m = PER_LAT_M * math.cos(math.radians(lat))
        path = [(lat, lon)]
        for _ in range(self.segments):
            turn += self.chance.gauss(0, 0.15)
            if self.chance.random() < 0.06:
                turn += self.chance.choice((-1, 1)) * math.pi / 2
            lat += SEGMENT_M * math.cos(turn) / PER_LAT_M
            lon += SEGMENT_M * math.sin(turn) / per_lon_m
            path.append((lat, lon))
        return path

    def place(self, along_m: float) -> tuple[float, float]:
        """lat, lon so far along the line."""
        segment = min(self.segments - 1, int(along_m / SEGMENT_M))
        part = along_m / SEGMENT_M - segment
        (lat1, lon1), (lat2, lon2) = self.path[segment], self.path[segment + 1]
        return lat1 + part * (lat2 - lat1), lon1 + part * (lon2 - lon1)

    def run(self, days: int) -> tuple[list[Fix], list[Arrival]]:
        """Some days of trips."""
        fixes: list[Fix] = []
        arrivals: list[Arrival] = []
        for day in range(days):
            traffic = Traffic(self, self.chance.randrange(1 << 30))
            depart_s = 5.5 * 3600 + self.chance.uniform(0, 900)
            while depart_s < 21 * 3600:
                trip = Trip(self, traffic, f"{self.name}-{day}-{int(depart_s)}", depart_s)
                trip.drive()
                midnight_s = MONDAY_S + day * DAY_S
                fixes += [one._replace(time_s=one.time_s + midnight_s) for one in trip.fixes]
                arrivals += [one._replace(time_s=one.time_s + midnight_s) for one in trip.arrivals]
                depart_s += self.kind.headway_s * self.chance.uniform(0.8, 1.2)
        return fixes, arrivals


class Traffic:
    """One day's congestion on a lane."""

    def __init__(self, lane: Lane, seed: int) -> None:
        self._lane = lane
        chance = random.Random(seed)  # noqa: S311 - made-up traffic, no secret
        self._severity = chance.lognormvariate(0, 0.35)
        self._shift_s = chance.gauss(0, 900)
        self._waves = [
            (
                chance.uniform(0, lane.segments),
                chance.uniform(6, 20) * 3600,
                chance.uniform(900, 4500),
                chance.uniform(3, 15),
                chance.uniform(0.25, 0.7),
            )
            for _ in range(3 + lane.segments // 60)
        ]
        """Where and when it is worst, how long it lasts, how many segments it covers, how much."""

    def speed_mps(self, segment: int, second: float) -> float:
        """Of a vehicle that is not held up by a light or a stop."""
        lane = self._lane
        hour = (second - self._shift_s) / 3600
        peak = math.exp(-0.5 * ((hour - 8) / 1.1) ** 2) + math.exp(
            -0.5 * ((hour - 17.5) / 1.5) ** 2
        )
        slower = min(0.75, lane.rush[segment] * peak * self._severity)
        for where, worst_s, lasts_s, wide, much in self._waves:
            age = (second - worst_s) / lasts_s
            if abs(age) < 1:
                creep = where - age * wide
                near = abs(segment - creep) / wide
                if near < 1:
                    slower = max(slower, much * (1 - near * near) + 0.15)
        return lane.free_mps[segment] * (1 - min(0.85, slower))


class Trip:
    """One run, moved by the second."""

    def __init__(self, lane: Lane, traffic: Traffic, name: str, depart_s: float) -> None:
        self._lane, self._traffic, self._name = lane, traffic, name
        self._chance = lane.chance
        self._second = depart_s - self._chance.uniform(60, 400)
        self._depart_s = depart_s
        self._along = 0.0
        self._pace = self._chance.gauss(1.0, 0.07)
        self._speed = 0.0
        self._rhythm = self._chance.choice(RHYTHMS_S)
        self._error = [0.0, 0.0]
        self.fixes: list[Fix] = []
        self.arrivals: list[Arrival] = []

    def drive(self) -> None:
        """From the first stop to the last."""
        lane = self._lane
        for number, stop_m in enumerate(lane.stops_m):
            self._drive_to(stop_m)
            place = lane.place(stop_m)
            stop = f"{lane.name}/{number}"
            self.arrivals.append(Arrival(self._name, stop, *place, self._second))
            self._stay(number)

    def _drive_to(self, stop_m: float) -> None:
        while self._along < stop_m:
            segment = int(self._along / SEGMENT_M)
            goal = self._traffic.speed_mps(segment, self._second) * self._pace
            goal = min(goal, 1.0 + math.sqrt(2 * 1.0 * (stop_m - self._along)))
            self._speed += max(-1.5, min(1.0, goal - self._speed))
            self._go(self._speed)
            entered = int(self._along / SEGMENT_M)
            if entered != segment and entered in self._lane.lights:
                self._wait(*self._lane.lights[entered])

    def _wait(self, cycle_s: float, phase_s: float) -> None:
        into_s = (self._second + phase_s) % cycle_s
        if into_s < 0.45 * cycle_s:
            self._speed = 0.0
            self._stand(0.45 * cycle_s - into_s)

    def _stay(self, number: int) -> None:
        hour = self._second / 3600
        demand = 0.7 + 0.6 * math.exp(-0.5 * ((hour - 8) / 1.5) ** 2) + 0.4 * (15 < hour < 19)
        if number == 0:
            self._stand(max(5.0, self._depart_s - self._second))
        elif self._chance.random() > 0.15:
            mean_s = self._lane.stay_s[number] * demand
            self._stand(mean_s * self._chance.lognormvariate(-0.1, 0.45))
        self._speed = 0.0

    def _stand(self, seconds: float) -> None:
        for _ in range(math.ceil(seconds)):
            self._go(0.0)

    def _go(self, speed_mps: float) -> None:
        chance = self._chance
        self._second += 1.0
        self._along += speed_mps
        if int(self._second) % self._rhythm or chance.random() < 0.04:
            return
        kept = math.exp(-self._rhythm / 60)
        kick_m = 6 * math.sqrt(1 - kept * kept)
        self._error = [kept * one + chance.gauss(0, kick_m) for one in self._error]
        lat, lon = self._lane.place(self._along)
        far = 20.0 if chance.random() < 0.003 else 1.0
        lat += (self._error[0] * far + chance.gauss(0, 2)) / PER_LAT_M
        lon += (self._error[1] * far + chance.gauss(0, 2)) / (
            PER_LAT_M * math.cos(math.radians(lat))
        )
        self.fixes.append(Fix(self._name, self._second, lat, lon))
