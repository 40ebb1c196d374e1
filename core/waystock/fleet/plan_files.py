"""Routes and fences from GeoJSON files as a plan for a recording, without orders or windows: each
vehicle is to follow its route for as long as the recording lasts. Upstream: files of a user;
downstream: `playback`.

Routes: LineString or MultiLineString features with a property `vehicle`; several of one vehicle are
one after the other. Fences: areas as in `fence_shapes` with a property `name`; several of one name
are one fence. What widens a point or a line (`radius_m`, `width_m`) may be a property as well, as
may `kind`, `dwell_limit_s` and `speed_limit_mps`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# GeoJSON of a stranger has no types, and shapely's own annotations leave **kwargs open.

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import shapely
from shapely.geometry import mapping

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.fence_shapes import fence_polygon
from waystock.fleet.fences import FenceIndex
from waystock.fleet.geojson import features_of
from waystock.fleet.plan import FleetPlan
from waystock.fleet.settings import FleetSettings

ROUTE_SHIPMENT = "route of "
"""A vehicle's route stands in the plan as a shipment of this name, to nowhere that is ever reached:
the vehicle follows it to the end of the recording."""
ROUTE_END = "route end"
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_NO_FENCE = ""
_WIDENING = ("radius_m", "width_m")
_RULES = (
    "kind", "dwell_limit_s", "speed_limit_mps", "enter_margin_m", "enter_fixes", "enter_s",
    "exit_margin_m", "exit_fixes", "exit_s",
)  # fmt: skip
_LINES = {"LineString", "MultiLineString"}

Points = list[tuple[float, float]]


class _Fence(Fence, frozen=True, kw_only=True):
    """A fence of a file may have any name."""

    fence: str


class Route(NamedTuple):
    """The way a vehicle should go, as [lon, lat]."""

    vehicle: str
    points: Points
    speed_mps: float | None


def plan_of(
    routes: Sequence[Route],
    fences: Sequence[Fence],
    since: datetime,
    settings: FleetSettings | None = None,
) -> FleetPlan:
    """The plan from `since` on. A vehicle that never was on its route is off it all the same: there
    is no yard whose surroundings it might be manoeuvring in."""
    settings = msgspec.structs.replace(settings or FleetSettings(), off_route_far_m=0.0)
    index = FenceIndex(fences, 1.0)
    return FleetPlan.build(fences, [_follow(one, index, since) for one in routes], settings)


def _follow(route: Route, fences: FenceIndex, since: datetime) -> Shipment:
    stop = ShipmentStop(
        seq=1,
        name={"en": _fence_at(route.points[-1], fences) or ROUTE_END},
        fence=_NO_FENCE,
        window_start=since,
        window_end=_NEVER,
    )
    shipment = Shipment(
        shipment=ROUTE_SHIPMENT + route.vehicle,
        vehicle=route.vehicle,
        from_site="",
        depart_at=since,
        route=tuple(route.points),
        stops=(stop,),
    )
    if route.speed_mps is None:
        return shipment
    return msgspec.structs.replace(shipment, planned_speed_mps=route.speed_mps)


def _fence_at(point: tuple[float, float], fences: FenceIndex) -> str | None:
    """The smallest fence that holds the point."""
    lon = (point[0] + 180.0) % 360.0 - 180.0
    near = fences.locate(np.array([point[1]]), np.array([lon]))
    inside = near.fence[near.outside_m <= 0]
    if not len(inside):
        return None
    return fences.codes[int(inside[np.argmin(fences.areas_m2[inside])])]


def read_routes(document: bytes) -> list[Route]:
    """One per vehicle. ValueError says which feature can't be used, and why."""
    points: dict[str, Points] = {}
    speeds: dict[str, float | None] = {}
    for number, (geometry, properties) in enumerate(features_of(document), 1):
        where = f"feature {number}"
        vehicle = _name(properties, "vehicle")
        if vehicle is None:
            raise ValueError(f"{where} has no property 'vehicle'")
        if geometry.get("type") not in _LINES:
            raise ValueError(f"{where} is a {geometry.get('type')}; a route is a LineString")
        points.setdefault(vehicle, []).extend(_line(geometry, where))
        speeds[vehicle] = _speed(properties, where)
    for vehicle, line in points.items():
        if len(set(line)) < 2:
            raise ValueError(f"the route of {vehicle!r} has no length")
    return [Route(vehicle, line, speeds[vehicle]) for vehicle, line in points.items()]


def _line(geometry: Mapping[str, Any], where: str) -> Points:
    """The vertices in order; a line in parts goes straight from one to the next."""
    coordinates = geometry.get("coordinates")
    parts = coordinates if geometry["type"] == "MultiLineString" else [coordinates]
    try:
        line = [(float(point[0]), float(point[1])) for part in cast(Any, parts) for point in part]
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{where}: its coordinates are not [[lon, lat], …]") from error
    for lon, lat in line:
        if not (abs(lat) <= 90.0 and abs(lon) <= 360.0):
            raise ValueError(f"{where}: [{lon}, {lat}] is not on Earth")
    return line


def _speed(properties: Mapping[str, Any], where: str) -> float | None:
    """The planned speed, if it is told."""
    speed = properties.get("speed_mps")
    if speed is None:
        return None
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed < math.inf:
        raise ValueError(f"{where}: speed_mps is a number above 0, not {speed!r}")
    return float(speed)


def read_fences(document: bytes) -> list[Fence]:
    """One per name. ValueError says which feature can't be used, and why."""
    drawn: dict[str, list[dict[str, Any]]] = {}
    rules: dict[str, Fence] = {}
    for number, (geometry, properties) in enumerate(features_of(document), 1):
        name = _name(properties, "name")
        if name is None:
            raise ValueError(f"feature {number} has no property 'name'")
        widening = {key: properties[key] for key in _WIDENING if key in properties}
        drawn.setdefault(name, []).append({**widening, **geometry})
        rules.setdefault(name, _rules(name, properties))
    return [
        msgspec.structs.replace(rules[name], geometry=_united(name, geometries))
        for name, geometries in drawn.items()
    ]


def _rules(name: str, properties: Mapping[str, Any]) -> Fence:
    """A fence's kind and limits, as far as they are told."""
    told = {key: properties[key] for key in _RULES if properties.get(key) is not None}
    fence = {"kind": "zone", **told, "fence": name, "name": {"en": name}, "geometry": {}}
    try:
        return msgspec.convert(fence, _Fence)
    except msgspec.ValidationError as error:
        raise ValueError(f"fence {name!r}: {error}") from error


def _united(name: str, geometries: list[dict[str, Any]]) -> dict[str, Any]:
    areas = [fence_polygon(name, geometry) for geometry in geometries]
    if len(areas) == 1:
        return geometries[0]
    return mapping(shapely.union_all(areas))


def _name(properties: Mapping[str, Any], key: str) -> str | None:
    """A name is text that isn't empty, or a whole number."""
    value = properties.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
