"""The plan's records, as compiled rules read them: fences, shipments, stops, vertices of routes.
Upstream: `plan` and `placement`, which make them of master data; downstream: the rules.
"""

from typing import NamedTuple

from waystock.fleet.hours import Hours
from waystock.fleet.lane_curve import LaneArrays
from waystock.fleet.records import F8, I4, I8, Items, WideFlag, dtype_of


class PlannedFence:
    """A fence: its key, what is allowed there (0 is no limit) in its hours, and when a visit begins
    and ends (`Fence`)."""

    key: I8
    area_m2: F8
    dwell_limit_s: F8
    speed_limit_mps: F8
    enter_margin_m: F8
    enter_s: F8
    exit_margin_m: F8
    exit_s: F8
    enter_fixes: I4
    exit_fixes: I4
    schedule: I4
    """Of its active hours."""
    kind: I4
    """PLAIN, YARD (a site or a customer's: vehicles manoeuvre there) or NO_GO_AREA."""


class PlannedLimits:
    """What is allowed to some vehicles."""

    speed_limit_mps: F8
    unplanned_stop_s: F8
    silent_s: F8
    parked_silent_s: F8
    """0: as long as it likes."""
    schedule: I4
    """Of its working hours."""
    needs_shipment: WideFlag


class PlaceOfKey:
    """Where the fence of this key stands among the plan's."""

    key: I8
    place: I8


class PlannedShipment:
    """One shipment; a vehicle's stand together, by (depart_at, shipment). Its vertices and stops
    are `first … last − 1` among the plan's; no vertices: there is no route."""

    key: I8
    depart_us: I8
    early_us: I8
    expire_us: I8
    planned_speed_mps: F8
    route_m: F8
    first_vertex: I4
    last_vertex: I4
    first_stop: I4
    last_stop: I4


class PlannedStop:
    """One stop. NaN: `along_m`, where the route enters its fence, where there is no route; `lat`
    and `lon`, the middle of its fence, where the fence is unknown."""

    fence: I8
    lane: I8
    """Of the leg that ends here; 0 for none."""
    window_begin_us: I8
    window_end_us: I8
    leg_from_m: F8
    """Where that leg begins on the route."""
    along_m: F8
    lat: F8
    lon: F8
    seq: I4


class Vertex:
    """One point of a route and how far along it lies. Longitudes of a route run on past ±180."""

    lon: F8
    lat: F8
    along_m: F8


FENCE, SHIPMENT, STOP, VERTEX = map(dtype_of, (PlannedFence, PlannedShipment, PlannedStop, Vertex))
LIMITS, PLACE = map(dtype_of, (PlannedLimits, PlaceOfKey))


class PlanArrays(NamedTuple):
    """All of it."""

    fences: Items[PlannedFence]
    """The last one stands for those that are planned no longer."""
    fence_places: Items[PlaceOfKey]
    """By key."""
    limits: Items[PlannedLimits]
    """The first holds for vehicles that nothing else is said of."""
    shipments: Items[PlannedShipment]
    stops: Items[PlannedStop]
    vertices: Items[Vertex]
    hours: Hours
    lanes: LaneArrays
