"""Geometry of the roads: distances, smooth dense polylines, places along a path, fences. Upstream:
hand-placed points (world.roads); downstream: planned routes and the motion of trucks. WGS 84
degrees as (lon, lat); lengths in metres on a sphere of the mean radius, good to 0.5 %.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, atan2, cos, degrees, pi, radians, sin, sqrt
from random import Random

LonLat = tuple[float, float]

EARTH_RADIUS_M = 6_371_008.8
LEG_M_MAX = 1_500.0


def distance_m(a: LonLat, b: LonLat) -> float:
    """Great-circle distance."""
    lat_a, lat_b = radians(a[1]), radians(b[1])
    half = (
        sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b[0] - a[0]) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(sqrt(half))


def course_deg(a: LonLat, b: LonLat) -> float:
    """Direction from a to b, degrees from true north, 0 ≤ course < 360."""
    lat_a, lat_b = radians(a[1]), radians(b[1])
    turn = radians(b[0] - a[0])
    east = sin(turn) * cos(lat_b)
    north = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(turn)
    return degrees(atan2(east, north)) % 360


def shifted(place: LonLat, east_m: float, north_m: float) -> LonLat:
    """`place` moved by some metres; for short ways only."""
    lat = place[1] + degrees(north_m / EARTH_RADIUS_M)
    return place[0] + degrees(east_m / (EARTH_RADIUS_M * cos(radians(place[1])))), lat


def smooth(points: Sequence[LonLat], leg_m_max: float = LEG_M_MAX) -> tuple[LonLat, ...]:
    """A centripetal Catmull-Rom curve through all `points`, no leg longer than `leg_m_max`."""
    dense = [points[0]]
    for i in range(len(points) - 1):
        before = points[i - 1] if i else points[i]
        after = points[i + 2] if i + 2 < len(points) else points[i + 1]
        pieces = int(distance_m(points[i], points[i + 1]) * 1.15 // leg_m_max) + 1
        dense += [
            _curve(before, points[i], points[i + 1], after, piece / pieces)
            for piece in range(1, pieces)
        ]
        dense.append(points[i + 1])
    return tuple((round(lon, 6), round(lat, 6)) for lon, lat in dense)


def _curve(p0: LonLat, p1: LonLat, p2: LonLat, p3: LonLat, part: float) -> LonLat:
    if p0 == p1 or p2 == p3:
        return _between(p1, p2, part)
    t0 = 0.0
    t1 = t0 + sqrt(_planar(p0, p1))
    t2 = t1 + sqrt(_planar(p1, p2))
    t3 = t2 + sqrt(_planar(p2, p3))
    t = t1 + part * (t2 - t1)
    a1 = _between(p0, p1, (t - t0) / (t1 - t0))
    a2 = _between(p1, p2, (t - t1) / (t2 - t1))
    a3 = _between(p2, p3, (t - t2) / (t3 - t2))
    b1 = _between(a1, a2, (t - t0) / (t2 - t0))
    b2 = _between(a2, a3, (t - t1) / (t3 - t1))
    return _between(b1, b2, (t - t1) / (t2 - t1))


def _planar(a: LonLat, b: LonLat) -> float:
    return sqrt(((b[0] - a[0]) * cos(radians(a[1]))) ** 2 + (b[1] - a[1]) ** 2)


def _between(a: LonLat, b: LonLat, part: float) -> LonLat:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


@dataclass(frozen=True)
class Place:
    """A point of a path and the direction of travel there."""

    point: LonLat
    course_deg_true: float


class Path:
    """A polyline measured in metres from its start."""

    def __init__(self, points: Sequence[LonLat]) -> None:
        self.points = tuple(points)
        self._from_start_m = [0.0]
        for a, b in zip(self.points, self.points[1:], strict=False):
            self._from_start_m.append(self._from_start_m[-1] + distance_m(a, b))

    @property
    def length_m(self) -> float:
        """Whole length."""
        return self._from_start_m[-1]

    def at(self, travelled_m: float) -> Place:
        """Where one is after `travelled_m`; the ends hold beyond them."""
        i = bisect_right(self._from_start_m, travelled_m) - 1
        i = max(0, min(i, len(self.points) - 2))
        a, b = self.points[i], self.points[i + 1]
        leg_m = self._from_start_m[i + 1] - self._from_start_m[i]
        part = (travelled_m - self._from_start_m[i]) / leg_m if leg_m else 0.0
        return Place(_between(a, b, max(0.0, min(1.0, part))), course_deg(a, b))

    def cut(self, from_m: float, to_m: float) -> tuple[LonLat, ...]:
        """The piece between two distances, ends included."""
        inside = [
            point
            for point, metres in zip(self.points, self._from_start_m, strict=True)
            if from_m < metres < to_m
        ]
        return (self.at(from_m).point, *inside, self.at(to_m).point)


def fence_around(center: LonLat, radius_m: float, random: Random) -> dict[str, object]:
    """A GeoJSON polygon of eight corners at 85 to 100 % of `radius_m`, as drawn by hand."""
    ring: list[list[float]] = []
    for corner in range(8):
        angle = 2 * pi * corner / 8
        reach_m = radius_m * random.uniform(0.85, 1.0)
        lon, lat = shifted(center, reach_m * cos(angle), reach_m * sin(angle))
        ring.append([round(lon, 6), round(lat, 6)])
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
