"""All geofences in one index: which of them a set of fixes is in, or near. Upstream: fences of the
master data (GeoJSON polygons with holes, across the antimeridian too); downstream: visits.

Candidates come from one STRtree query over all fixes at once; each candidate pair is then decided
exactly, inside by prepared polygons in degrees, distance in a plane at the fence. Results do not
depend on which fixes are asked about together.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from waystock.contract.masterdata import Fence
from waystock.fleet.geodesy import metres_per_degree

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


class Hit(NamedTuple):
    """A fence and how far outside its edge the fix lies; 0 is inside."""

    fence: str
    outside_m: float


class FenceIndex:
    """Immutable; building it takes about a millisecond per thousand fences."""

    def __init__(self, fences: Sequence[Fence], near_m: float) -> None:
        """Fixes further than `near_m` outside a fence are not reported for it.

        ValueError names the fence whose geometry is not a polygon with an area.
        """
        ordered = sorted(fences, key=lambda fence: fence.fence)
        self.codes = [fence.fence for fence in ordered]
        self.kinds = {fence.fence: fence.kind for fence in ordered}
        shapes = [_polygon(fence) for fence in ordered]
        self.shapes = dict(zip(self.codes, shapes, strict=True))
        self._middle_lon = np.array([(s.bounds[0] + s.bounds[2]) / 2 for s in shapes])
        scales = [metres_per_degree((s.bounds[1] + s.bounds[3]) / 2) for s in shapes]
        self._per_lon = np.array([scale[0] for scale in scales])
        self._per_lat = np.array([scale[1] for scale in scales])
        planes = [_in_plane(s, scale) for s, scale in zip(shapes, scales, strict=True)]
        self.areas_m2 = {c: p.area for c, p in zip(self.codes, planes, strict=True)}
        self._shapes = np.array(shapes, dtype=object)
        self._planes = np.array(planes, dtype=object)
        shapely.prepare(self._shapes)
        boxes, owners = _search_boxes(shapes, scales, near_m)
        self._owners = np.array(owners, dtype=np.intp)
        self._tree = shapely.STRtree(boxes)
        self._near_m = near_m

    def locate(self, lats: Sequence[float], lons: Sequence[float]) -> dict[int, list[Hit]]:
        """For each fix (by its place in the arrays) near any fence: the hits, by fence code."""
        if not self.codes or not lats:
            return {}
        lat, lon = np.array(lats, dtype=np.float64), np.array(lons, dtype=np.float64)
        fix, box = self._tree.query(shapely.points(lon, lat))
        if not len(fix):
            return {}
        fence = self._owners[box]
        # A fence cut at the antimeridian has two boxes, and both may be near.
        pairs = np.unique(fix * len(self.codes) + fence)
        fix, fence = pairs // len(self.codes), pairs % len(self.codes)
        outside_m = self._outside_m(fence, lat[fix], lon[fix])
        hits: dict[int, list[Hit]] = {}
        for i, j, metres in zip(fix.tolist(), fence.tolist(), outside_m.tolist(), strict=True):
            if metres <= self._near_m:
                hits.setdefault(i, []).append(Hit(self.codes[j], metres))
        return hits

    def _outside_m(self, fence: np.ndarray, lat: Numbers, lon: Numbers) -> Numbers:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
        middle = self._middle_lon[fence]
        lon = middle + (lon - middle + 180.0) % 360.0 - 180.0
        inside = shapely.intersects_xy(self._shapes[fence], lon, lat)
        metres = np.zeros(len(lat))
        out = np.flatnonzero(~inside)
        if len(out):
            at = fence[out]
            points = shapely.points(lon[out] * self._per_lon[at], lat[out] * self._per_lat[at])
            metres[out] = shapely.distance(self._planes[at], points)
        return metres


def _polygon(fence: Fence) -> BaseGeometry:
    """The fence as a valid polygon, its longitudes running on past 180 where it crosses that."""
    try:
        geometry = shape(fence.geometry)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ValueError(f"fence {fence.fence!r}: not a GeoJSON geometry: {error}") from error
    if geometry.geom_type not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"fence {fence.fence!r}: a {geometry.geom_type} is no area")
    west, _, east, _ = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if east - west > 180:
        geometry = shapely.transform(geometry, _eastward)
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    if geometry.is_empty or geometry.area == 0:
        raise ValueError(f"fence {fence.fence!r}: the polygon has no area")
    return geometry


def _eastward(lonlat: np.ndarray) -> np.ndarray:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]
    moved = lonlat.copy()
    moved[moved[:, 0] < 0, 0] += 360.0
    return moved


def _in_plane(geometry: BaseGeometry, scale: tuple[float, float]) -> BaseGeometry:
    """Metres, by one scale for the whole fence."""
    return shapely.transform(geometry, lambda lonlat: lonlat * np.array(scale))


def _search_boxes(
    shapes: Sequence[BaseGeometry], scales: Sequence[tuple[float, float]], near_m: float
) -> tuple[list[BaseGeometry], list[int]]:
    """Bounding boxes widened by `near_m`, within −180 … 180, and the fence each stands for."""
    boxes: list[BaseGeometry] = []
    owners: list[int] = []
    for owner, (geometry, (per_lon, per_lat)) in enumerate(zip(shapes, scales, strict=True)):
        west, south, east, north = geometry.bounds
        dlon, dlat = near_m / per_lon * 1.01, near_m / per_lat * 1.01
        for turn in (-360.0, 0.0, 360.0):
            left, right = max(-180.0, west - dlon + turn), min(180.0, east + dlon + turn)
            if left <= right:
                boxes.append(shapely.box(left, south - dlat, right, north + dlat))
                owners.append(owner)
    return boxes, owners
