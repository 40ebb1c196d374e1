"""What the fleet is expected to do, built once per version of the master data: fences in one index,
each vehicle's shipments in order of departure with their routes measured and their stops placed on
them. Upstream: master data; downstream: the fold, which only reads it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.fences import FenceIndex, Numbers
from waystock.fleet.route import PlannedRoute
from waystock.fleet.rows import instant_us
from waystock.fleet.settings import FleetSettings

_SAME_PLACE_M = 1.0


class PlannedStop(NamedTuple):
    """One stop; `along_m` is where the route enters its fence, None where there is no route."""

    seq: int
    fence: str
    name_en: str
    name_zh: str
    window_end: datetime
    window_end_us: int
    along_m: float | None
    lat: float | None
    """Middle of the fence; None if the fence is unknown."""
    lon: float | None


class PlannedShipment(NamedTuple):
    """One shipment as the fold needs it."""

    shipment: str
    from_site: str
    depart_us: int
    early_us: int
    expire_us: int
    planned_speed_mps: float
    route: PlannedRoute | None
    stops: tuple[PlannedStop, ...]


class FleetPlan:
    """Immutable context of the fold."""

    def __init__(
        self,
        fences: FenceIndex,
        shipments: dict[str, tuple[PlannedShipment, ...]],
        settings: FleetSettings,
    ) -> None:
        self.fences = fences
        self.shipments = shipments
        """By vehicle, by (depart_at, shipment)."""
        self.settings = settings

    @classmethod
    def build(
        cls,
        fences: Sequence[Fence],
        shipments: Sequence[Shipment],
        settings: FleetSettings | None = None,
    ) -> Self:
        """ValueError names the fence whose geometry can't be used."""
        settings = settings or FleetSettings()
        near_m = settings.exit_buffer_m + settings.accuracy_m_max
        index = FenceIndex(fences, near_m)
        by_vehicle: dict[str, list[PlannedShipment]] = {}
        for shipment in sorted(shipments, key=lambda s: (s.depart_at, s.shipment)):
            planned = _plan_shipment(shipment, index, settings)
            by_vehicle.setdefault(shipment.vehicle, []).append(planned)
        return cls(index, {v: tuple(rows) for v, rows in by_vehicle.items()}, settings)


def _plan_shipment(
    shipment: Shipment, fences: FenceIndex, settings: FleetSettings
) -> PlannedShipment:
    route = PlannedRoute(shipment.route) if len(set(shipment.route)) > 1 else None
    stops: list[PlannedStop] = []
    along_m = 0.0
    in_order = sorted(shipment.stops, key=lambda s: s.seq)
    for stop in in_order:
        planned = _plan_stop(stop, route, fences, along_m, stop is in_order[-1])
        along_m = planned.along_m if planned.along_m is not None else along_m
        stops.append(planned)
    closed_us = [instant_us(shipment.closed_at)] if shipment.closed_at else []
    last_us = max((stop.window_end_us for stop in stops), default=instant_us(shipment.depart_at))
    return PlannedShipment(
        shipment=shipment.shipment,
        from_site=shipment.from_site,
        depart_us=instant_us(shipment.depart_at),
        early_us=instant_us(shipment.depart_at) - round(settings.early_s * 1e6),
        expire_us=min([last_us + round(settings.expire_s * 1e6), *closed_us]),
        planned_speed_mps=max(shipment.planned_speed_mps, settings.pace_floor_mps),
        route=route,
        stops=tuple(stops),
    )


def _plan_stop(
    stop: ShipmentStop,
    route: PlannedRoute | None,
    fences: FenceIndex,
    from_m: float,
    is_last: bool,
) -> PlannedStop:
    area = fences.shapes.get(stop.fence)
    middle = area.representative_point() if area is not None else None
    along_m = None
    if route is not None:
        along_m = _entry_m(route, area, from_m) if area is not None else None
        if along_m is None and is_last:
            along_m = route.length_m
        elif along_m is None and middle is not None:
            span = (from_m, route.length_m)
            along_m = max(from_m, route.project(middle.y, middle.x, from_m, span, 0.0).progress_m)
    return PlannedStop(
        seq=stop.seq,
        fence=stop.fence,
        name_en=stop.name.get("en", stop.fence),
        name_zh=stop.name.get("zh", stop.name.get("en", stop.fence)),
        window_end=stop.window_end,
        window_end_us=instant_us(stop.window_end),
        along_m=along_m,
        lat=middle.y if middle is not None else None,
        lon=middle.x if middle is not None else None,
    )


def _entry_m(route: PlannedRoute, area: BaseGeometry, from_m: float) -> float | None:
    """Where the route next enters the fence from `from_m` on; None if it never does.

    If it is inside at `from_m`, that counts only when it does not come back later: a round trip
    ends at its return.
    """
    passages = _passages(route, area, from_m)
    later = [enter_m for enter_m, _ in passages if enter_m > from_m + _SAME_PLACE_M]
    return min(later or [enter_m for enter_m, _ in passages], default=None)


def _passages(route: PlannedRoute, area: BaseGeometry, from_m: float) -> list[tuple[float, float]]:
    """Where the route enters and leaves the fence, in order, from `from_m` on."""
    vertices, along_m = route.tail(from_m)
    found: list[tuple[float, float]] = []
    for turn in (-360.0, 0.0, 360.0):
        ends = np.array(vertices) + np.array([turn, 0.0])
        for i in _segments_near(ends, area.bounds):
            inside = shapely.intersection(shapely.LineString(ends[i : i + 2]), area)
            length_m = along_m[i + 1] - along_m[i]
            for part in shapely.get_parts(inside).tolist():
                shares = _shares(ends[i], ends[i + 1], shapely.get_coordinates(part))
                if shares and length_m > 0:
                    at_m = [along_m[i] + share * length_m for share in shares]
                    found.append((min(at_m), max(at_m)))
    return _joined(sorted(found))


def _segments_near(ends: Numbers, bounds: tuple[float, float, float, float]) -> list[int]:
    """Those whose own box meets the bounds: a handful of a long route."""
    low, high = np.minimum(ends[:-1], ends[1:]), np.maximum(ends[:-1], ends[1:])
    meets = (high >= np.array(bounds[:2])) & (low <= np.array(bounds[2:]))
    return np.flatnonzero(meets.all(axis=1)).tolist()


def _shares(start: Numbers, end: Numbers, points: Numbers) -> list[float]:
    """How far along the segment each of the points lies, 0 … 1."""
    way = end - start
    square = float(way @ way)
    return np.clip((points - start) @ way / square, 0.0, 1.0).tolist() if square > 0 else []


def _joined(pieces: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Pieces that touch are one passage."""
    passages: list[tuple[float, float]] = []
    for enter_m, leave_m in pieces:
        if passages and enter_m <= passages[-1][1] + _SAME_PLACE_M:
            passages[-1] = (passages[-1][0], max(passages[-1][1], leave_m))
        else:
            passages.append((enter_m, leave_m))
    return passages
