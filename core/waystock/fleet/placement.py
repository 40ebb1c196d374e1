"""Shipments with their routes measured and their stops placed on them, many at once. A stop lies
where the route enters its fence. Upstream: master data and the fences' polygons; downstream: the
plan's arrays.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from waystock.contract.masterdata import Shipment, ShipmentStop
from waystock.fleet.ellipsoid import Floats, leg_lengths_m, metres_per_degree
from waystock.fleet.fences import FenceIndex
from waystock.fleet.lane_curve import lane_of
from waystock.fleet.planned import VERTEX
from waystock.fleet.records import Records

_SAME_PLACE_M = 1.0


class PlacedStop(NamedTuple):
    """A stop, where it is, and the lane that leads to it; NaN and 0 as in `PlannedStop`."""

    stop: ShipmentStop
    lane: int
    leg_from_m: float
    along_m: float
    lat: float
    lon: float


class PlacedShipment(NamedTuple):
    """A shipment with its route's vertices (none: no route) and its stops in order."""

    shipment: Shipment
    areas: tuple[BaseGeometry | None, ...]
    """The polygons that its stops were placed by."""
    vertices: Records
    stops: tuple[PlacedStop, ...]

    @property
    def route_m(self) -> float:
        """Length of the route."""
        return float(self.vertices["along_m"][-1]) if len(self.vertices) else 0.0


class _Passage(NamedTuple):
    enter_m: float
    leave_m: float


class _Meeting(NamedTuple):
    """Segments of one route that may meet one fence."""

    route: int
    stop: int
    fence: int
    turn: float
    segments: NDArray[np.intp]


def place_shipments(shipments: Sequence[Shipment], fences: FenceIndex) -> list[PlacedShipment]:
    """Each shipment by itself: what is placed together does not matter."""
    places = {code: place for place, code in enumerate(fences.codes)}
    ordered = [sorted(one.stops, key=lambda stop: stop.seq) for one in shipments]
    fence_of = [[places.get(stop.fence, -1) for stop in stops] for stops in ordered]
    routes = measure([one.route for one in shipments])
    passages = _passages(routes, fence_of, fences)
    middles = shapely.get_coordinates(fences.middles)
    placed: list[PlacedShipment] = []
    for i, (shipment, stops) in enumerate(zip(shipments, ordered, strict=True)):
        points = [middles[place] if place >= 0 else _NO_POINT for place in fence_of[i]]
        along = _along_route(
            routes[i], points, [passages.get((i, j), []) for j in range(len(stops))]
        )
        placed.append(
            PlacedShipment(
                shipment,
                areas_of(shipment, fences),
                routes[i],
                tuple(_placed_stops(shipment, stops, routes[i], along, points)),
            )
        )
    return placed


def _placed_stops(
    shipment: Shipment,
    stops: Sequence[ShipmentStop],
    vertices: Records,
    along: Sequence[float],
    points: Sequence[Floats],
) -> Iterator[PlacedStop]:
    from_code, from_m = f"site {shipment.from_site}", 0.0
    for stop, at_m, point in zip(stops, along, points, strict=True):
        lane = lane_of(from_code, stop.fence, vertices, from_m, at_m)
        yield PlacedStop(stop, lane, from_m, at_m, float(point[1]), float(point[0]))
        from_code, from_m = stop.fence, at_m


_NO_POINT = np.full(2, np.nan)


def areas_of(shipment: Shipment, fences: FenceIndex) -> tuple[BaseGeometry | None, ...]:
    """The polygons of its stops' fences; None for a fence that is unknown."""
    known = fences.by_code
    return tuple(known[s.fence][1] if s.fence in known else None for s in shipment.stops)


def measure(routes: Sequence[Sequence[tuple[float, float]]]) -> list[Records]:
    """The vertices of each polyline of [lon, lat], without repeated ones, with geodesic metres
    along; empty where it has no two distinct ones."""
    sizes = np.array([len(route) for route in routes], np.int64)
    numbers = chain.from_iterable(chain.from_iterable(routes))
    lonlat = np.fromiter(numbers, np.float64, 2 * int(sizes.sum())).reshape(-1, 2)
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    owner = np.repeat(np.arange(len(routes)), sizes)
    is_first = np.diff(owner, prepend=-1) > 0
    lon = _running_on(lon, is_first)
    leg_m = np.zeros(len(lon))
    leg_m[1:] = leg_lengths_m(lat, lon) if len(lon) > 1 else 0.0
    leg_m[is_first] = 0.0
    kept = np.flatnonzero(is_first | (leg_m > 0))
    vertices = np.empty(len(kept), VERTEX)
    vertices["lon"], vertices["lat"] = lon[kept], lat[kept]
    leg_m = leg_m[kept]
    ends = np.searchsorted(owner[kept], np.arange(len(routes) + 1)).tolist()
    for first, end in pairwise(ends):
        # Summed route by route: a route is as long as it is, whatever else is measured with it.
        vertices["along_m"][first:end] = np.cumsum(leg_m[first:end])
    return [
        vertices[first:end] if end - first > 1 else vertices[:0] for first, end in pairwise(ends)
    ]


def _running_on(lon: Floats, is_first: NDArray[np.bool_]) -> Floats:
    """Longitudes that run on past ±180 rather than jump, route by route."""
    step = np.diff(lon, prepend=lon[:1])
    turns = np.where(np.abs(step) > 180.0, -np.rint(step / 360.0), 0.0)
    turns[is_first] = 0.0
    total = np.cumsum(turns)
    begun = np.maximum.accumulate(np.where(is_first, np.arange(len(lon)), 0))
    return lon + 360.0 * (total - total[begun]) if len(lon) else lon


def _passages(
    routes: Sequence[Records], fence_of: Sequence[Sequence[int]], fences: FenceIndex
) -> dict[tuple[int, int], list[_Passage]]:
    """(route, stop) → where the route enters and leaves the stop's fence, in order."""
    bounds = shapely.bounds(fences.shapes).reshape(-1, 4)
    meetings = [
        meeting
        for route, places in enumerate(fence_of)
        if len(routes[route])
        for meeting in _meetings(route, routes[route], places, bounds)
    ]
    found: dict[tuple[int, int], list[_Passage]] = {}
    if not meetings:
        return found
    counts = [len(one.segments) for one in meetings]
    turn = np.repeat([one.turn for one in meetings], counts)
    fence = np.repeat([one.fence for one in meetings], counts)
    starts = np.concatenate([routes[one.route][one.segments] for one in meetings])
    ends = np.concatenate([routes[one.route][one.segments + 1] for one in meetings])
    pieces, segment = _pieces(starts, ends, turn, fences.shapes[fence])
    meeting_of = np.repeat(np.arange(len(meetings)), counts)[segment]
    for at, piece in zip(meeting_of, pieces, strict=True):
        one = meetings[int(at)]
        passage = _Passage(float(piece[0]), float(piece[1]))
        found.setdefault((one.route, one.stop), []).append(passage)
    return {name: _joined(sorted(parts)) for name, parts in found.items()}


def _meetings(
    route: int, vertices: Records, places: Sequence[int], bounds: Floats
) -> list[_Meeting]:
    """The segments whose own box meets a fence's: a handful of a long route."""
    found: list[_Meeting] = []
    lon, lat = vertices["lon"], vertices["lat"]
    west, east = np.minimum(lon[:-1], lon[1:]), np.maximum(lon[:-1], lon[1:])
    south, north = np.minimum(lat[:-1], lat[1:]), np.maximum(lat[:-1], lat[1:])
    least, most = float(lon.min()), float(lon.max())
    for stop, fence in enumerate(places):
        if fence < 0:
            continue
        left, low, right, high = bounds[fence].tolist()
        for turn in (-360.0, 0.0, 360.0):
            if most + turn < left or least + turn > right:
                continue
            meets = (north >= low) & (south <= high)
            meets &= (east + turn >= left) & (west + turn <= right)
            segments = np.flatnonzero(meets)
            if len(segments):
                found.append(_Meeting(route, stop, fence, turn, segments))
    return found


def _pieces(
    starts: Records, ends: Records, turn: Floats, areas: NDArray[np.object_]
) -> tuple[Floats, NDArray[np.intp]]:
    """Where each segment lies in its area: (enter, leave) in metres along, and of which segment."""
    a = np.column_stack([starts["lon"] + turn, starts["lat"]])
    b = np.column_stack([ends["lon"] + turn, ends["lat"]])
    inside = shapely.intersection(shapely.linestrings(np.stack([a, b], axis=1)), areas)
    parts, segment = shapely.get_parts(inside, return_index=True)
    points, part = shapely.get_coordinates(parts, return_index=True)
    if not len(points):
        return np.zeros((0, 2)), np.zeros(0, np.intp)
    segment = segment[part]
    way = (b - a)[segment]
    share = ((points - a[segment]) * way).sum(axis=1) / (way * way).sum(axis=1)
    length_m = (ends["along_m"] - starts["along_m"])[segment]
    at_m = starts["along_m"][segment] + np.clip(share, 0.0, 1.0) * length_m
    first = np.flatnonzero(np.diff(part, prepend=-1))
    enter_m, leave_m = np.minimum.reduceat(at_m, first), np.maximum.reduceat(at_m, first)
    return np.column_stack([enter_m, leave_m]), segment[first]


def _joined(pieces: list[_Passage]) -> list[_Passage]:
    """Pieces that touch are one passage."""
    passages: list[_Passage] = []
    for piece in pieces:
        if passages and piece.enter_m <= passages[-1].leave_m + _SAME_PLACE_M:
            leave_m = max(passages[-1].leave_m, piece.leave_m)
            passages[-1] = _Passage(passages[-1].enter_m, leave_m)
        else:
            passages.append(piece)
    return passages


def _along_route(
    vertices: Records, points: Sequence[Floats], passages: Sequence[list[_Passage]]
) -> list[float]:
    """Where each stop in turn lies on the route: where it next enters the stop's fence; the last
    one that it never enters at its end, another one at its nearest point."""
    if not len(vertices):
        return [np.nan] * len(points)
    length_m = float(vertices["along_m"][-1])
    found: list[float] = []
    from_m = 0.0
    for i, point in enumerate(points):
        at_m = _entry_m(passages[i], from_m)
        if at_m is None and i == len(points) - 1:
            at_m = length_m
        elif at_m is None and not np.isnan(point[0]):
            at_m = max(from_m, _nearest_m(vertices, point, from_m))
        from_m = from_m if at_m is None else at_m
        found.append(np.nan if at_m is None else at_m)
    return found


def _entry_m(passages: Sequence[_Passage], from_m: float) -> float | None:
    """Where the route next enters the fence from `from_m` on; None if it never does.

    If it is inside at `from_m`, that counts only when it does not come back later: a round trip
    ends at its return.
    """
    ahead = [max(one.enter_m, from_m) for one in passages if one.leave_m >= from_m]
    later = [enter_m for enter_m in ahead if enter_m > from_m + _SAME_PLACE_M]
    return min(later or ahead, default=None)


def _nearest_m(vertices: Records, point: Floats, from_m: float) -> float:
    """The point of the route nearest to [lon, lat], on a segment that reaches beyond `from_m`."""
    last = int(np.searchsorted(vertices["along_m"], from_m, "right")) - 1
    vertices = vertices[min(max(last, 0), len(vertices) - 2) :]
    per_lon, per_lat = metres_per_degree(point[1:])
    middle = (vertices["lon"][0] + vertices["lon"][-1]) / 2
    lon = middle + (point[0] - middle + 180.0) % 360.0 - 180.0
    x, y = (vertices["lon"] - lon) * per_lon, (vertices["lat"] - point[1]) * per_lat
    dx, dy = np.diff(x), np.diff(y)
    share = np.clip(-(x[:-1] * dx + y[:-1] * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    nearest = int(np.argmin(np.hypot(x[:-1] + share * dx, y[:-1] + share * dy)))
    along_m = cast(Floats, vertices["along_m"])
    return float(along_m[nearest] + share[nearest] * (along_m[nearest + 1] - along_m[nearest]))
