"""All geofences in one index: which of them a set of fixes is in, or near. Upstream: fences of the
master data, as polygons (`fence_shapes`); downstream: visits.

Candidates come from a grid of squares of several sizes (`grid`); each candidate pair is then
decided exactly, in a plane at the fence. Results do not depend on which fixes are asked about
together.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from waystock.compiled import compiled
from waystock.contract.masterdata import Fence
from waystock.fleet.ellipsoid import Floats, metres_per_degree
from waystock.fleet.fence_shapes import fence_polygon
from waystock.fleet.geodesy import wrap_deg
from waystock.fleet.grid import Grid, first_of, make_grid
from waystock.fleet.records import F8, I4, Items, Records, as_items, dtype_of

Shapes = NDArray[np.object_]


class Area:
    """A fence in the plane at its middle: metres east and north of there."""

    lon: F8
    lat: F8
    per_lon: F8
    per_lat: F8
    east_m: F8
    north_m: F8
    """Half of its extent, to each side."""
    first_edge: I4
    last_edge: I4


class Edge:
    """One side of a fence's outline, or of a hole in it."""

    x: F8
    y: F8
    dx: F8
    dy: F8


AREA, EDGE = dtype_of(Area), dtype_of(Edge)


class Near(NamedTuple):
    """Fixes near fences: those of fix i are `first[i] … first[i + 1] − 1` of the other columns."""

    first: NDArray[np.int64]
    fence: NDArray[np.int32]
    """Its place among `FenceIndex.codes`."""
    outside_m: Floats
    """How far outside its edge the fix lies; negative: how deep inside."""


class FenceIndex:
    """Immutable; building it takes some ten milliseconds per thousand fences, or a tenth of that
    where most are as they were `before`."""

    def __init__(
        self, fences: Sequence[Fence], near_m: float, before: "FenceIndex | None" = None
    ) -> None:
        """Fixes further than `near_m` outside a fence are not reported for it.

        ValueError names the fence whose geometry is not a polygon with an area.
        """
        self.fences = sorted(fences, key=lambda fence: fence.fence)
        self.codes = [fence.fence for fence in self.fences]
        self.near_m = near_m
        known = before.by_code if before else {}
        self.by_code = {fence.fence: _polygon_again(fence, known) for fence in self.fences}
        self.shapes: Shapes = np.array([shape for _, shape in self.by_code.values()], object)
        self.middles: Shapes = shapely.point_on_surface(self.shapes)
        bounds = shapely.bounds(self.shapes).reshape(-1, 4)
        self._areas, self._edges, self.areas_m2 = _in_planes(self.shapes, bounds)
        boxes, owners = _search_boxes(bounds, self._areas, near_m)
        self._grid = make_grid(boxes, owners)

    def is_same(self, fences: Sequence[Fence], near_m: float) -> bool:
        """Whether an index of these fences would be this one."""
        return near_m == self.near_m and self.fences == sorted(fences, key=lambda f: f.fence)

    def locate(self, lat: Floats, lon: Floats) -> Near:
        """For each fix near any fence: the fences, and how far outside each it lies."""
        areas, edges = as_items(self._areas, Area), as_items(self._edges, Edge)
        room = 64 + len(lat)
        first = np.zeros(len(lat) + 1, np.int64)
        while True:
            fence, outside_m = np.empty(room, np.int32), np.empty(room)
            found = _locate(
                lat, lon, self._grid, areas, edges, self.near_m, first, fence, outside_m
            )
            if found <= room:
                return Near(first, fence[:found], outside_m[:found])
            room = found


@compiled
def _locate(
    lat: Floats,
    lon: Floats,
    grid: Grid,
    areas: Items[Area],
    edges: Items[Edge],
    near_m: float,
    first: NDArray[np.int64],
    fence: NDArray[np.int32],
    outside_m: Floats,
) -> int:
    """Fill the columns as far as there is room; how much room it takes."""
    found = 0
    for i in range(len(lat)):
        first[i] = found
        if not (abs(lat[i]) <= 90.0 and abs(lon[i]) <= 180.0):
            continue
        for level in grid.levels:
            at = first_of(grid, level, lat[i], lon[i])
            if at < 0:
                continue
            for place in range(grid.starts[at], grid.starts[at + 1]):
                owner = grid.owners[place]
                away_m = _outside_m(areas[int(owner)], edges, lat[i], lon[i], near_m)
                if away_m <= near_m:
                    if found < len(fence):
                        fence[found] = owner
                        outside_m[found] = away_m
                    found += 1
    first[len(lat)] = found
    return found


@compiled
def _outside_m(area: Area, edges: Items[Edge], lat: float, lon: float, near_m: float) -> float:
    """Distance from the edge, negative inside; infinite beyond `near_m` where quickly seen."""
    x = wrap_deg(lon - area.lon) * area.per_lon
    y = (lat - area.lat) * area.per_lat
    if abs(x) > area.east_m + near_m or abs(y) > area.north_m + near_m:
        return math.inf
    is_inside = False
    nearest2 = math.inf
    for i in range(area.first_edge, area.last_edge):
        edge = edges[i]
        px, py = x - edge.x, y - edge.y
        # A ray eastward crosses the outline an odd number of times from inside, holes included.
        if (py < 0) != (py < edge.dy) and (px < edge.dx * py / edge.dy):
            is_inside = not is_inside
        along = px * edge.dx + py * edge.dy
        share = min(1.0, max(0.0, along / (edge.dx * edge.dx + edge.dy * edge.dy)))
        px, py = px - share * edge.dx, py - share * edge.dy
        nearest2 = min(nearest2, px * px + py * py)
    return -math.sqrt(nearest2) if is_inside else math.sqrt(nearest2)


def _polygon_again(
    fence: Fence, known: dict[str, tuple[Fence, BaseGeometry]]
) -> tuple[Fence, BaseGeometry]:
    """The polygon as it was made before, if the fence's geometry is as it was."""
    earlier = known.get(fence.fence)
    if earlier is not None and earlier[0].geometry == fence.geometry:
        return fence, earlier[1]
    return fence, fence_polygon(fence.fence, fence.geometry)


def _in_planes(shapes: Shapes, bounds: Floats) -> tuple[Records, Records, Floats]:
    """Areas, all their edges in order, and how large each is in m²; one scale for a whole fence."""
    areas = np.empty(len(shapes), AREA)
    areas["lon"], areas["lat"] = (bounds[:, :2] + bounds[:, 2:]).T / 2
    areas["per_lon"], areas["per_lat"] = metres_per_degree(areas["lat"])
    areas["east_m"] = (bounds[:, 2] - areas["lon"]) * areas["per_lon"]
    areas["north_m"] = (bounds[:, 3] - areas["lat"]) * areas["per_lat"]
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    fence = owner[part][ring]
    x = (corners[:, 0] - areas["lon"][fence]) * areas["per_lon"][fence]
    y = (corners[:, 1] - areas["lat"][fence]) * areas["per_lat"][fence]
    dx, dy = np.diff(x), np.diff(y)
    is_edge = (np.diff(ring) == 0) & ((dx != 0) | (dy != 0))
    edges = np.empty(int(is_edge.sum()), EDGE)
    for name, column in (("x", x[:-1]), ("y", y[:-1]), ("dx", dx), ("dy", dy)):
        edges[name] = column[is_edge]
    ends = np.searchsorted(fence[:-1][is_edge], np.arange(len(shapes) + 1))
    areas["first_edge"], areas["last_edge"] = ends[:-1], ends[1:]
    return areas, edges, shapely.area(shapes) * areas["per_lon"] * areas["per_lat"]


def _search_boxes(
    bounds: Floats, areas: Records, near_m: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Bounding boxes (west, south, east, north) widened by `near_m`, longitudes within −180 … 180,
    and the fence each stands for: one cut at the antimeridian has two."""
    dlon, dlat = near_m / areas["per_lon"] * 1.01, near_m / areas["per_lat"] * 1.01
    boxes: list[Floats] = []
    owners: list[NDArray[np.int64]] = []
    for turn in (-360.0, 0.0, 360.0):
        west = np.maximum(-180.0, bounds[:, 0] - dlon + turn)
        east = np.minimum(180.0, bounds[:, 2] + dlon + turn)
        box = np.column_stack([west, bounds[:, 1] - dlat, east, bounds[:, 3] + dlat])
        owner = np.flatnonzero(west <= east)
        boxes.append(box[owner])
        owners.append(owner)
    return np.concatenate(boxes), np.concatenate(owners)
