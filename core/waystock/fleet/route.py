"""Where on a planned way a fix lies: linear referencing to the nearest segment. Upstream: the
plan's vertices; downstream: progress, arrival times, the off-route rule.

Each projection is done in a plane tangent at the fix, scaled by the ellipsoid's radii there, so
distances near the fix are true wherever the route leads; progress is measured in geodesic metres.
`vertices` is one route: at least two, none repeated, longitudes running on past ±180.
"""

import math

from waystock.compiled import compiled
from waystock.fleet.geodesy import metres_per_degree, wrap_deg
from waystock.fleet.planned import Vertex
from waystock.fleet.records import Items

_FIRST_TOLERANCE_M = 30.0


@compiled
def project(
    vertices: Items[Vertex],
    lat: float,
    lon: float,
    expected_m: float,
    from_m: float,
    to_m: float,
    weight: float,
) -> tuple[float, float]:
    """(metres along the route, metres from it) of the best point on a segment that meets `from_m` …
    `to_m`: the one of least distance plus `weight` × |progress − expected_m|.
    """
    first, last = _segments(vertices, from_m, to_m)
    if weight <= 0:
        found = _best(vertices, lat, lon, expected_m, first, last, weight)
        return found[0], found[1]
    # Progress further from the expected than the cost of being there can't be better.
    here = min(max(_segment_at(vertices, expected_m), first), last - 1)
    there = _best(vertices, lat, lon, expected_m, here, here + 1, weight)
    reach_m = there[2] / weight
    near_from, near_to = max(from_m, expected_m - reach_m), min(to_m, expected_m + reach_m)
    first, last = _segments(vertices, near_from, near_to)
    found = _best(vertices, lat, lon, expected_m, first, last, weight)
    best = found if found[2] <= there[2] else there
    return best[0], best[1]


@compiled
def project_anywhere(vertices: Items[Vertex], lat: float, lon: float) -> tuple[float, float]:
    """(metres along the route, metres from it) of the nearest point of all; where the route passes
    twice, along it is where it passes first."""
    last = len(vertices) - 1
    nearest_m = _best(vertices, lat, lon, 0.0, 0, last, 0.0)[1]
    lon = _near(vertices, lon)
    per_lon, per_lat = metres_per_degree(lat)
    i = 0
    at = _on_segment(vertices[0], vertices[1], lat, lon, per_lon, per_lat)
    while i + 1 < last and not at[1] <= nearest_m + _FIRST_TOLERANCE_M:
        i += 1
        at = _on_segment(vertices[i], vertices[i + 1], lat, lon, per_lon, per_lat)
    # Walk on while it gets nearer: the first passage, at its nearest point.
    while i + 1 < last:
        i += 1
        following = _on_segment(vertices[i], vertices[i + 1], lat, lon, per_lon, per_lat)
        if not following[1] < at[1]:
            break
        at = following
    return at[0], nearest_m


@compiled
def _segments(vertices: Items[Vertex], from_m: float, to_m: float) -> tuple[int, int]:
    """The segments first … last − 1 that meet the span; at least one."""
    first = _segment_at(vertices, from_m)
    last = first + 1
    while last < len(vertices) - 1 and vertices[last].along_m < to_m:
        last += 1
    return first, last


@compiled
def _segment_at(vertices: Items[Vertex], along_m: float) -> int:
    """The segment that begins at or before here."""
    low, high = 0, len(vertices)
    while low < high:
        middle = (low + high) // 2
        if vertices[middle].along_m <= along_m:
            low = middle + 1
        else:
            high = middle
    return min(max(0, low - 1), len(vertices) - 2)


@compiled
def _best(
    vertices: Items[Vertex],
    lat: float,
    lon: float,
    expected_m: float,
    first: int,
    last: int,
    weight: float,
) -> tuple[float, float, float]:
    """(progress, distance, cost) of the cheapest point on the segments first … last − 1."""
    lon = _near(vertices, lon)
    per_lon, per_lat = metres_per_degree(lat)
    best_m, best_away_m, best_cost = 0.0, math.inf, math.inf
    for i in range(first, last):
        at = _on_segment(vertices[i], vertices[i + 1], lat, lon, per_lon, per_lat)
        cost = at[1] + weight * abs(at[0] - expected_m)
        if cost < best_cost:
            best_m, best_away_m, best_cost = at[0], at[1], cost
    return best_m, best_away_m, best_cost


@compiled
def _on_segment(
    start: Vertex, end: Vertex, lat: float, lon: float, per_lon: float, per_lat: float
) -> tuple[float, float]:
    """(progress, distance) of the nearest point of one segment."""
    ax, ay = (start.lon - lon) * per_lon, (start.lat - lat) * per_lat
    dx, dy = (end.lon - lon) * per_lon - ax, (end.lat - lat) * per_lat - ay
    share = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    px, py = ax + share * dx, ay + share * dy
    return start.along_m + share * (end.along_m - start.along_m), math.sqrt(px * px + py * py)


@compiled
def _near(vertices: Items[Vertex], lon: float) -> float:
    """The longitude as the route's own run on."""
    middle = (vertices[0].lon + vertices[len(vertices) - 1].lon) * 0.5
    return middle + wrap_deg(lon - middle)
