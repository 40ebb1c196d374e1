"""The shipment a vehicle is on: which one, how far along its route, which stop is next. Upstream:
accepted fixes, visits that began, the plan; downstream: arrivals, arrival times, the alert rules.
"""

import math

from waystock.compiled import compiled
from waystock.fleet.geodesy import distance_m
from waystock.fleet.planned import PlannedShipment, PlannedStop, Vertex
from waystock.fleet.records import UNKNOWN_US, Items
from waystock.fleet.route import project, project_anywhere
from waystock.fleet.rows import ARRIVAL, Row, Step, say
from waystock.fleet.settings import FINISHED_MAX, FleetSettings
from waystock.fleet.state import ENTERING, STOPPED, Journey, Spot, VehicleState

_BITS = 63
"""Stops whose number is less are remembered one by one."""


@compiled
def active_shipment(
    state: VehicleState, step: Step, shipments: Items[PlannedShipment], time_us: int
) -> int:
    """The earliest by departure that is not finished, not expired and may have begun; −1 for none.
    Time only grows within a call: what is over now is not looked at again."""
    while step.shipment_from < step.shipment_to:
        shipment = shipments[step.shipment_from]
        if shipment.early_us > time_us:
            return -1
        if time_us <= shipment.expire_us and not _is_finished(state, shipment.key):
            return step.shipment_from
        step.shipment_from += 1
    return -1


@compiled
def _is_finished(state: VehicleState, key: int) -> bool:
    for i in range(state.finished_count):  # noqa: SIM110 - generators are not compiled
        if state.finished[i] == key:
            return True
    return False


@compiled
def finish(state: VehicleState, key: int, s: FleetSettings) -> None:
    """One more finished shipment; beyond `finished_max` the oldest is forgotten."""
    while state.finished_count >= min(s.finished_max, FINISHED_MAX):
        for i in range(1, state.finished_count):
            state.finished[i - 1] = state.finished[i]
        state.finished_count -= 1
    state.finished[state.finished_count] = key
    state.finished_count += 1


@compiled
def begin_or_go_on(journey: Journey, shipment: PlannedShipment) -> None:
    """The journey of this shipment; measured anew if it or its route is another one."""
    if not journey.is_on or journey.shipment != shipment.key:
        journey.is_on = True
        journey.shipment = shipment.key
        journey.has_arrived = False
        journey.last_seq = 0
        journey.arrived = 0
        journey.leg_us = 0
        journey.left_us = 0
    elif journey.route_m == shipment.route_m:
        return
    journey.route_m = shipment.route_m
    journey.progress_m = math.nan
    journey.was_on_route = False
    journey.rebase = 0


@compiled
def next_stop(journey: Journey, shipment: PlannedShipment, stops: Items[PlannedStop]) -> int:
    """The first stop after the last one arrived at; −1 for none."""
    for i in range(shipment.first_stop, shipment.last_stop):
        if not journey.has_arrived or stops[i].seq > journey.last_seq:
            return i
    return -1


@compiled
def arrive(
    journey: Journey,
    step: Step,
    shipment: PlannedShipment,
    stops: Items[PlannedStop],
    rows: Items[Row],
) -> int:
    """Take the next stop as reached if its fence was entered just now; when, or UNKNOWN_US if
    it was not. Progress is then at least at the stop, wherever in its fence the vehicle stands.
    """
    at = next_stop(journey, shipment, stops)
    if at < 0:
        return UNKNOWN_US
    stop = stops[at]
    for i in range(step.entered_count):
        if step.entered[i] == stop.fence:
            _arrive_at(journey, step, shipment, stop, step.entered_us[i], rows)
            return step.entered_us[i]
    return UNKNOWN_US


@compiled
def _arrive_at(
    journey: Journey,
    step: Step,
    shipment: PlannedShipment,
    stop: PlannedStop,
    at_us: int,
    rows: Items[Row],
) -> None:
    say(rows, step, ARRIVAL, shipment.key, stop.seq, at_us)
    if not math.isnan(journey.progress_m) and not math.isnan(stop.along_m):
        journey.progress_m = max(journey.progress_m, stop.along_m)
    journey.last_seq = stop.seq
    journey.has_arrived = True
    journey.rebase = 0
    journey.arrived |= _bit(stop)
    journey.leg_us = at_us
    journey.left_us = at_us


@compiled
def _bit(stop: PlannedStop) -> int:
    """0 for a number that no bit stands for: such stops are reached in their order alone."""
    return 1 << stop.seq if 0 <= stop.seq < _BITS else 0


@compiled
def arrive_late(
    journey: Journey,
    step: Step,
    shipment: PlannedShipment,
    stops: Items[PlannedStop],
    rows: Items[Row],
) -> None:
    """A stop that was left out before is reached after all; where the journey has got to stays."""
    for at in range(shipment.first_stop, shipment.last_stop):
        stop = stops[at]
        bit = _bit(stop)
        if not journey.has_arrived or stop.seq >= journey.last_seq:
            return
        if bit == 0 or journey.arrived & bit:
            continue
        for i in range(step.entered_count):
            if step.entered[i] == stop.fence:
                say(rows, step, ARRIVAL, shipment.key, stop.seq, step.entered_us[i])
                journey.arrived |= bit


@compiled
def arrive_ahead(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    stops: Items[PlannedStop],
    rows: Items[Row],
) -> int:
    """A vehicle that stands at a later stop than its next one has left out those between; when it
    came there, or UNKNOWN_US. Driving through a later stop's fence leaves out nothing."""
    journey = state.journey
    if state.phase != STOPPED or journey.leg_us == 0:
        return UNKNOWN_US
    expected = next_stop(journey, shipment, stops)
    if expected < 0 or _stay_us(state, stops[expected].fence) > 0:
        return UNKNOWN_US
    for at in range(expected + 1, shipment.last_stop):
        stop = stops[at]
        since_us = _stay_us(state, stop.fence)
        if since_us > journey.leg_us and _bit(stop) != 0:
            _arrive_at(journey, step, shipment, stop, since_us, rows)
            return since_us
    return UNKNOWN_US


@compiled
def _stay_us(state: VehicleState, fence: int) -> int:
    """Since when it is surely in a fence; 0 if it isn't."""
    for i in range(state.fence_count):
        stay = state.fences[i]
        if stay.fence == fence and stay.stage != ENTERING:
            return stay.entered_us
    return 0


@compiled
def note_leg(journey: Journey, step: Step, stop: PlannedStop, s: FleetSettings) -> None:
    """When the leg to the next stop began, and when the stop where it begins was left."""
    now_us = step.spot.time_us
    if journey.leg_us == 0 and journey.progress_m >= s.departed_m:
        journey.leg_us = now_us
    if not has_left(journey, stop, s):
        journey.left_us = now_us


@compiled
def is_under_way(journey: Journey, s: FleetSettings) -> bool:
    """Whether the place where the shipment begins is behind it."""
    return journey.progress_m >= s.departed_m or journey.has_arrived


@compiled
def has_left(journey: Journey, stop: PlannedStop, s: FleetSettings) -> bool:
    """Whether the vehicle is on its way to `stop`, away from where the leg begins. Without a route
    it has as soon as it is somewhere."""
    along_m = journey.progress_m - stop.leg_from_m
    leg_m = stop.along_m - stop.leg_from_m
    return not along_m < min(s.leave_m, s.leave_share * leg_m)


@compiled
def step_progress(journey: Journey, step: Step, vertices: Items[Vertex], s: FleetSettings) -> float:
    """Progress after this fix; its distance from the route is returned.

    Sought near the expected progress first. If the vehicle is not there but near another part of
    the route, progress jumps only after `rebase_fixes`; off the route it stays where it was.
    """
    spot = step.spot
    limit_m = off_route_limit_m(step.accuracy_m, s)
    if math.isnan(journey.progress_m):
        found = project_anywhere(vertices, spot.lat, spot.lon)
        _move(journey, found[0], found[1] <= limit_m)
        return found[1]
    before_m = journey.progress_m
    expected_m = before_m + step.leg_m
    found = project(
        vertices,
        spot.lat,
        spot.lon,
        expected_m,
        before_m - s.back_m,
        expected_m + s.forward_m,
        s.progress_weight,
    )
    if found[1] <= limit_m:
        is_hold = before_m - s.progress_hold_m < found[0] < before_m
        _move(journey, before_m if is_hold else found[0], True)
        return found[1]
    found = project_anywhere(vertices, spot.lat, spot.lon)
    is_on = found[1] <= limit_m
    rebase = journey.rebase + 1 if is_on else 0
    if not journey.was_on_route or rebase >= s.rebase_fixes:
        _move(journey, found[0], is_on)
    else:
        journey.rebase = rebase
    return found[1]


@compiled
def _move(journey: Journey, progress_m: float, is_on_route: bool) -> None:
    journey.progress_m = progress_m
    if is_on_route:
        journey.was_on_route = True
    journey.rebase = 0


@compiled
def off_route_limit_m(accuracy_m: float, s: FleetSettings) -> float:
    """How far from the route still counts as on it."""
    return max(s.off_route_m, s.off_route_accuracies * accuracy_m)


@compiled
def remaining_m(journey: Journey, step: Step, stop: PlannedStop, s: FleetSettings) -> float:
    """The way to the stop: along the route, plus the way back to it if the vehicle is off it; by
    straight line × detour where there is no route; NaN if not even the stop's place is known."""
    if not math.isnan(journey.progress_m) and not math.isnan(stop.along_m):
        back_m = 0.0
        if step.away_m > off_route_limit_m(step.accuracy_m, s):
            back_m = step.away_m * s.detour
        return max(0.0, stop.along_m - journey.progress_m) + back_m
    if math.isnan(stop.lat):
        return math.nan
    return distance_m(step.spot.lat, step.spot.lon, stop.lat, stop.lon) * s.detour


@compiled
def is_far(
    shipment: PlannedShipment,
    vertices: Items[Vertex],
    stops: Items[PlannedStop],
    spot: Spot,
    s: FleetSettings,
) -> bool:
    """Away from the route's start and from every stop: no longer manoeuvring there."""
    start = vertices[0]
    if distance_m(spot.lat, spot.lon, start.lat, start.lon) < s.off_route_far_m:
        return False
    for i in range(shipment.first_stop, shipment.last_stop):
        stop = stops[i]
        if math.isnan(stop.lat):
            continue
        if distance_m(spot.lat, spot.lon, stop.lat, stop.lon) < s.off_route_far_m:
            return False
    return True
