"""A fence's geometry as a polygon, whatever it was drawn as. Upstream: fences of the master data,
in GeoJSON; downstream: `fences`, which holds them all.

Polygon and MultiPolygon, with holes; a circle is a Point with the member `radius_m`; a corridor a
LineString or MultiLineString with the member `width_m`, from edge to edge. Longitudes run on past
180 where a fence crosses the antimeridian, or are cut there into two parts.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from waystock.fleet.ellipsoid import Floats, metres_per_degree

LATITUDE_MAX = 85.0
"""Nearer to a pole a plane is too far from the globe."""
RADIUS_M_MAX = 500_000.0
_QUARTER_SEGMENTS = 32
_PIECE_M = 20_000.0
"""A corridor is widened in pieces of this length, each in a plane of its own."""
_AREAS = {"Polygon", "MultiPolygon"}
_LINES = {"LineString", "MultiLineString"}


def fence_polygon(fence: str, geometry: Mapping[str, Any]) -> BaseGeometry:
    """The valid polygon of the fence of this name. ValueError names it and says what is wrong."""
    try:
        return _checked(_drawn(geometry))
    except ValueError as error:
        raise ValueError(f"fence {fence!r}: {error}") from error


def saved_geometry(fence: str, geometry: Mapping[str, Any]) -> dict[str, Any]:
    """The geometry as it is kept: a circle or a corridor as it was drawn; a polygon valid, and cut
    in two where it crosses the antimeridian (RFC 7946, 3.1.9). ValueError as in `fence_polygon`."""
    area = fence_polygon(fence, geometry)
    if geometry["type"] not in _AREAS:
        kept = ("type", "coordinates", "radius_m", "width_m")
        return {name: geometry[name] for name in kept if name in geometry}
    west, _, east, _ = area.bounds
    if west < -180.0:
        area, west, east = _turned(area, 1), west + 360.0, east + 360.0
    if east > 180.0:
        sides = (shapely.box(-180.0, -90.0, 180.0, 90.0), shapely.box(180.0, -90.0, 540.0, 90.0))
        parts = [shapely.intersection(area, side) for side in sides]
        area = shapely.union_all([parts[0], _turned(parts[1], -1)])
    return dict(mapping(area))


def has_depth(fence: str, geometry: Mapping[str, Any], depth_m: float) -> bool:
    """Whether some place in the fence is so far from its edge."""
    area = fence_polygon(fence, geometry)
    middle = (np.array(area.bounds[:2]) + np.array(area.bounds[2:])) / 2
    per = np.concatenate(metres_per_degree(middle[1:]))
    flat = shapely.transform(area, lambda lonlat: (lonlat - middle) * per)
    return not shapely.buffer(flat, -depth_m).is_empty


def _drawn(geometry: Mapping[str, Any]) -> BaseGeometry:
    drawn = _shape(geometry)
    kind = drawn.geom_type
    if kind in _AREAS:
        return drawn
    if kind == "Point" and "radius_m" in geometry:
        return _circle(drawn, _metres(geometry, "radius_m"))
    if kind in _LINES and "width_m" in geometry:
        return _corridor(drawn, _metres(geometry, "width_m") / 2)
    if kind == "Point":
        raise ValueError("a Point is no area; a circle needs radius_m")
    if kind in _LINES:
        raise ValueError(f"a {kind} is no area; a corridor needs width_m")
    raise ValueError(f"a {kind} is no area")


def _shape(geometry: Mapping[str, Any]) -> BaseGeometry:
    try:
        drawn = shape(dict(geometry))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ValueError(f"not a GeoJSON geometry: {error}") from error
    except shapely.errors.ShapelyError as error:
        raise ValueError(f"not a GeoJSON geometry: {error}") from error
    drawn = shapely.force_2d(drawn)
    if drawn.is_empty:
        raise ValueError("the polygon has no area")
    corners = shapely.get_coordinates(drawn)
    if not np.isfinite(corners).all() or np.abs(corners).max(axis=0)[0] > 540.0:
        raise ValueError("its longitudes are no longitudes")
    if np.abs(corners[:, 1]).max() > LATITUDE_MAX:
        raise ValueError(f"it reaches beyond {LATITUDE_MAX:.0f}° of latitude, too near to a pole")
    return drawn


def _metres(geometry: Mapping[str, Any], name: str) -> float:
    value = geometry[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= RADIUS_M_MAX:
        raise ValueError(f"{name} is more than 0 and at most {RADIUS_M_MAX:.0f}, not {value!r}")
    return float(value)


def _checked(area: BaseGeometry) -> BaseGeometry:
    """In one piece across the antimeridian, valid, with an area, and away from the poles."""
    west, south, east, north = area.bounds
    if east - west > 180:
        area = shapely.transform(area, _eastward)
        west, _, east, _ = area.bounds
    if east - west > 180:
        raise ValueError("it spans more than half the globe")
    if max(-south, north) > LATITUDE_MAX:
        raise ValueError(f"it reaches beyond {LATITUDE_MAX:.0f}° of latitude, too near to a pole")
    if not area.is_valid:
        area = shapely.make_valid(area, method="structure", keep_collapsed=False)
    if area.is_empty or area.area == 0:
        raise ValueError("the polygon has no area")
    return area


def _eastward(lonlat: Floats) -> Floats:
    moved = lonlat.copy()
    moved[moved[:, 0] < 0, 0] += 360.0
    return moved


def _circle(middle: BaseGeometry, radius_m: float) -> BaseGeometry:
    (lonlat,) = shapely.get_coordinates(middle)
    return _widened(lonlat[None, :], radius_m)


def _corridor(lines: BaseGeometry, half_m: float) -> BaseGeometry:
    """Each piece widened by itself, all united."""
    pieces: list[BaseGeometry] = []
    for part in shapely.get_parts(lines):
        lonlat = _running_on(shapely.get_coordinates(part))
        pieces += [_widened(lonlat[piece], half_m) for piece in _pieces(lonlat)]
    if not pieces:
        raise ValueError("the line has no length")
    return shapely.union_all(_on_one_side(pieces))


def _running_on(lonlat: Floats) -> Floats:
    """Longitudes that run on past ±180 rather than jump, edges cut to at most a piece's length."""
    lon = np.unwrap(lonlat[:, 0], period=360.0)
    points = [np.array([[lon[0], lonlat[0, 1]]])]
    for i in range(1, len(lon)):
        a, b = np.array([lon[i - 1], lonlat[i - 1, 1]]), np.array([lon[i], lonlat[i, 1]])
        per_lon, per_lat = metres_per_degree((a[1:] + b[1:]) / 2)
        way_m = math.hypot(float((b - a)[0] * per_lon[0]), float((b - a)[1] * per_lat[0]))
        cuts = max(1, math.ceil(way_m / _PIECE_M))
        points.append(a + np.arange(1, cuts + 1)[:, None] / cuts * (b - a))
    return np.concatenate(points)


def _pieces(lonlat: Floats) -> list[slice]:
    """Neighbouring pieces share a vertex."""
    per_lon, per_lat = metres_per_degree((lonlat[:-1, 1] + lonlat[1:, 1]) / 2)
    steps = np.diff(lonlat, axis=0)
    along = np.concatenate(
        [[0.0], np.cumsum(np.hypot(steps[:, 0] * per_lon, steps[:, 1] * per_lat))]
    )
    if along[-1] == 0:
        return []
    piece = np.minimum(along // _PIECE_M, along[-1] // _PIECE_M).astype(np.int64)
    firsts = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist()]
    ends = [*firsts[1:], len(lonlat) - 1]
    return [slice(a, b + 1) for a, b in zip(firsts, ends, strict=True) if b > a]


def _widened(lonlat: Floats, by_m: float) -> BaseGeometry:
    """The point or line with room of `by_m` to all sides, reckoned in the plane at its middle."""
    middle = (lonlat.min(axis=0) + lonlat.max(axis=0)) / 2
    if abs(middle[1]) > LATITUDE_MAX:
        raise ValueError(f"it reaches beyond {LATITUDE_MAX:.0f}° of latitude, too near to a pole")
    per = np.concatenate(metres_per_degree(middle[1:]))
    flat = (lonlat - middle) * per
    line = shapely.linestrings(flat) if len(flat) > 1 else shapely.points(flat[0])
    wide = shapely.buffer(line, by_m, quad_segs=_QUARTER_SEGMENTS)
    return shapely.transform(wide, lambda xy: xy / per + middle)


def _on_one_side(pieces: list[BaseGeometry]) -> list[BaseGeometry]:
    """Parts of a line that was cut at the antimeridian are brought to one side of it."""
    west = pieces[0].bounds[0]
    return [_turned(piece, round((west - piece.bounds[0]) / 360.0)) for piece in pieces]


def _turned(piece: BaseGeometry, turns: int) -> BaseGeometry:
    return shapely.transform(piece, lambda lonlat: lonlat + np.array([360.0 * turns, 0.0]))
