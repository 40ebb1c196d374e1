"""A planned way and where on it a fix lies: linear referencing to the nearest segment. Upstream: a
shipment's route as [lon, lat] vertices; downstream: progress, arrival times, the off-route rule.

Each projection is done in a plane tangent at the fix, scaled by the ellipsoid's radii there, so
distances near the fix are true wherever the route leads; progress is measured in geodesic metres.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from waystock.fleet.geodesy import distance_m, metres_per_degree, wrap_deg

_SCALAR_SEGMENTS_MAX = 24
"""Up to as many segments a plain loop is quicker than numpy's start-up."""
_FIRST_TOLERANCE_M = 30.0


class Projection(NamedTuple):
    """Metres along the route, and from the route."""

    progress_m: float
    distance_m: float


_NOWHERE = Projection(0.0, math.inf)


class PlannedRoute:
    """An immutable polyline; `length_m` is geodesic."""

    def __init__(self, vertices: Sequence[tuple[float, float]]) -> None:
        """`vertices`: at least two distinct [lon, lat]; ValueError otherwise."""
        lons, lats, along_m = _polyline(vertices)
        if len(lons) < 2:
            raise ValueError("a route needs at least two distinct vertices")
        self.length_m = along_m[-1]
        self._lons, self._lats, self._along_m = lons, lats, along_m
        self._lon_middle = (min(lons) + max(lons)) / 2
        self._lon_array = np.array(lons)
        self._lat_array = np.array(lats)
        self._along_array = np.array(along_m)

    @property
    def start(self) -> tuple[float, float]:
        """(lat, lon) of its first vertex."""
        return self._lats[0], self._lons[0]

    def tail(self, from_m: float) -> tuple[list[tuple[float, float]], list[float]]:
        """The route from `from_m` on: [lon, lat] vertices and their metres along it. Longitudes run
        on past ±180 rather than jump."""
        i = min(max(0, bisect_right(self._along_m, from_m) - 1), len(self._along_m) - 2)
        share = (from_m - self._along_m[i]) / (self._along_m[i + 1] - self._along_m[i])
        share = min(1.0, max(0.0, share))
        lon = self._lons[i] + share * (self._lons[i + 1] - self._lons[i])
        lat = self._lats[i] + share * (self._lats[i + 1] - self._lats[i])
        rest = zip(self._lons[i + 1 :], self._lats[i + 1 :], strict=True)
        return [(lon, lat), *rest], [from_m, *self._along_m[i + 1 :]]

    def project(
        self,
        lat: float,
        lon: float,
        expected_m: float,
        span: tuple[float, float],
        weight: float,
    ) -> Projection:
        """The best point whose segment meets the `span` of progress (metres from, to).

        Best is the least distance plus `weight` × |progress − expected_m|.
        """
        lon = self._near(lon)
        first, last = self._segments(span)
        best, cost = _NOWHERE, math.inf
        if weight > 0:
            # Progress further from the expected than this cost allows can't be better.
            here, _ = self._segments((expected_m, expected_m))
            here = min(max(here, first), last - 1)
            best, cost = self._project_loop(lat, lon, expected_m, here, here + 1, weight)
            reach_m = cost / weight
            near = (max(span[0], expected_m - reach_m), min(span[1], expected_m + reach_m))
            first, last = self._segments(near)
        if last - first > _SCALAR_SEGMENTS_MAX:
            progress, distance = self._project_array(lat, lon, first, last)
            i = int(np.argmin(distance + weight * np.abs(progress - expected_m)))
            return Projection(float(progress[i]), float(distance[i]))
        found, found_cost = self._project_loop(lat, lon, expected_m, first, last, weight)
        return found if found_cost <= cost else best

    def _segments(self, span: tuple[float, float]) -> tuple[int, int]:
        """The segments first … last − 1 that meet the span; at least one."""
        first = max(0, bisect_right(self._along_m, span[0]) - 1)
        first = min(first, len(self._along_m) - 2)
        return first, max(
            first + 1, min(len(self._along_m) - 1, bisect_left(self._along_m, span[1]))
        )

    def project_anywhere(self, lat: float, lon: float) -> Projection:
        """The nearest point of all; where the route passes twice, the first passage."""
        last = len(self._along_m) - 1
        progress, distance = self._project_array(lat, self._near(lon), 0, last)
        near = distance <= distance.min() + _FIRST_TOLERANCE_M
        first = int(np.argmax(near))
        # Walk on while it gets nearer: the first passage, at its nearest point.
        while first + 1 < len(near) and near[first + 1] and distance[first + 1] < distance[first]:
            first += 1
        return Projection(float(progress[first]), float(distance[first]))

    def _near(self, lon: float) -> float:
        return self._lon_middle + wrap_deg(lon - self._lon_middle)

    def _project_loop(
        self, lat: float, lon: float, expected_m: float, first: int, last: int, weight: float
    ) -> tuple[Projection, float]:
        per_lon, per_lat = metres_per_degree(lat)
        lons, lats, along_m = self._lons, self._lats, self._along_m
        best_cost, best = math.inf, _NOWHERE
        bx, by = (lons[first] - lon) * per_lon, (lats[first] - lat) * per_lat
        for i in range(first, last):
            ax, ay = bx, by
            bx, by = (lons[i + 1] - lon) * per_lon, (lats[i + 1] - lat) * per_lat
            dx, dy = bx - ax, by - ay
            share = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
            px, py = ax + share * dx, ay + share * dy
            distance = math.sqrt(px * px + py * py)
            progress = along_m[i] + share * (along_m[i + 1] - along_m[i])
            cost = distance + weight * abs(progress - expected_m)
            if cost < best_cost:
                best_cost, best = cost, Projection(progress, distance)
        return best, best_cost

    def _project_array(
        self, lat: float, lon: float, first: int, last: int
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
        """(progress, distance) on each of the segments first … last − 1; same sums as the loop."""
        per_lon, per_lat = metres_per_degree(lat)
        x = (self._lon_array[first : last + 1] - lon) * per_lon
        y = (self._lat_array[first : last + 1] - lat) * per_lat
        along_m = self._along_array[first : last + 1]
        ax, ay = x[:-1], y[:-1]
        dx, dy = x[1:] - ax, y[1:] - ay
        share = np.clip(-(ax * dx + ay * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        px, py = ax + share * dx, ay + share * dy
        distance = np.sqrt(px * px + py * py)
        return along_m[:-1] + share * (along_m[1:] - along_m[:-1]), distance


def _polyline(
    vertices: Sequence[tuple[float, float]],
) -> tuple[list[float], list[float], list[float]]:
    """Longitudes (unwrapped), latitudes and metres along, without repeated vertices."""
    lons: list[float] = []
    lats: list[float] = []
    along_m: list[float] = []
    for lon, lat in vertices:
        if not lons:
            lons, lats, along_m = [lon], [lat], [0.0]
            continue
        lon = lons[-1] + wrap_deg(lon - lons[-1])
        leg_m = distance_m(lats[-1], lons[-1], lat, lon)
        if leg_m > 0:
            lons.append(lon)
            lats.append(lat)
            along_m.append(along_m[-1] + leg_m)
    return lons, lats, along_m
