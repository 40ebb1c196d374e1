"""What an accepted fix sets going, in order: motion, visits, journey, arrival time, alerts.
Upstream: `waystock.fleet.fold`, which decides what is accepted; downstream: the state and the
call's rows.
"""

import math

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.anomalies import (
    end_halt,
    end_jumps,
    forget_place,
    watch_halt,
    watch_place,
    watch_speed,
)
from waystock.fleet.episodes import (
    end_lateness,
    end_off_route,
    is_watching_route,
    watch_lateness,
    watch_route,
)
from waystock.fleet.eta import forecast, forget_pace, step_pace
from waystock.fleet.journey import (
    active_shipment,
    arrive,
    arrive_ahead,
    arrive_late,
    begin_or_go_on,
    finish,
    has_left,
    is_far,
    is_under_way,
    next_stop,
    note_leg,
    off_route_limit_m,
    remaining_m,
    step_progress,
)
from waystock.fleet.lane_eta import forecast_by_lane, look_further, wait_at_stop
from waystock.fleet.motion import begin_motion, step_motion, step_over_gap
from waystock.fleet.outings import watch_outings
from waystock.fleet.planned import PlanArrays, PlannedShipment, PlannedStop, Vertex
from waystock.fleet.records import UNKNOWN_US, Items
from waystock.fleet.rows import (
    DETOUR,
    HALT,
    LATE_DEPARTURE,
    NO_CAUSE,
    REACHED,
    RECOVERED,
    SERVICE,
    SHIPMENT_OVER,
    SLOW,
    Outlook,
    Progress,
    Row,
    Step,
)
from waystock.fleet.settings import FleetSettings
from waystock.fleet.silence import expect_word, tell_silence
from waystock.fleet.state import MOVING, NOTHING, STOPPED, UNKNOWN, VehicleState
from waystock.fleet.visits import (
    innermost_fence,
    is_in_yard,
    is_visiting_yard,
    step_visits,
)


@compiled
def follow(
    state: VehicleState,
    step: Step,
    is_elsewhere: bool,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """Take an accepted fix through all rules. `is_elsewhere`: several agree on it, though it
    contradicts the last one; there is no leg between."""
    step.is_accepted = True
    state.suspect_fixes = 0
    state.suspect_us = 0
    state.suspect_lat = 0.0
    state.suspect_lon = 0.0
    step.hop_s = 0.0
    if state.phase != NOTHING:
        tell_silence(state, step, rows)
        end_jumps(state, step, rows, s)
        if is_elsewhere:
            forget_place(state)
        else:
            watch_place(state, step, rows, s)
            watch_speed(state, step, near, outside_m, plan, rows, s)
    if state.phase == NOTHING:
        begin_motion(state, step.spot)
    elif is_elsewhere:
        step_over_gap(state, step, rows, s)
    else:
        step_motion(state, step, rows, s)
    if state.phase == STOPPED:
        forget_pace(state.pace)
    elif step.hop_s > 0 and not is_in_yard(near, outside_m, plan.fences):
        # Manoeuvring in a yard says nothing about the road.
        step_pace(state.pace, step.hop_m, step.hop_s, s)
    step_visits(state, step, near, outside_m, plan, rows, s)
    end_halt(state, step, RECOVERED, rows)
    _step_journey(state, step, plan, rows, s)
    limits = plan.limits[step.limits]
    watch_outings(
        state, step, limits, plan.hours, is_in_yard(near, outside_m, plan.fences), rows, s
    )
    expect_word(state, step, limits, s)


@compiled
def _step_journey(
    state: VehicleState, step: Step, plan: PlanArrays, rows: Items[Row], s: FleetSettings
) -> None:
    """The active shipment: progress, arrivals, arrival time, alerts."""
    step.next_stop = -1
    now_us = step.spot.time_us
    step.shipment = active_shipment(state, step, plan.shipments, now_us)
    journey = state.journey
    is_other = step.shipment < 0 or (
        journey.is_on and journey.shipment != plan.shipments[step.shipment].key
    )
    if is_other:
        _end_watches(state, step, now_us, SHIPMENT_OVER, rows, s)
        _end_journey(state)
    if step.shipment < 0:
        return
    shipment = plan.shipments[step.shipment]
    vertices = plan.vertices[shipment.first_vertex : shipment.last_vertex]
    begin_or_go_on(journey, shipment)
    step.away_m = math.nan
    if len(vertices) > 0:
        step.away_m = step_progress(journey, step, vertices, s)
    _take_arrivals(state, step, shipment, plan.stops, rows)
    at = next_stop(journey, shipment, plan.stops)
    if at < 0:
        _end_watches(state, step, now_us, REACHED, rows, s)
        finish(state, shipment.key, s)
        _end_journey(state)
        return
    if len(vertices) > 0:
        _look_aside(state, step, shipment, vertices, plan.stops, rows, s)
    watch_halt(state, step, shipment, is_visiting_yard(state), rows, s)
    note_leg(journey, step, plan.stops[at], s)
    _look_ahead(state, step, shipment, plan, at, rows, s)


@compiled
def _end_journey(state: VehicleState) -> None:
    journey = state.journey
    journey.is_on = False
    journey.shipment = 0
    journey.route_m = 0.0
    journey.progress_m = 0.0
    journey.last_seq = 0
    journey.arrived = 0
    journey.leg_us = 0
    journey.left_us = 0
    journey.rebase = 0
    journey.has_arrived = False
    journey.was_on_route = False


@compiled
def _end_watches(
    state: VehicleState, step: Step, at_us: int, ended: int, rows: Items[Row], s: FleetSettings
) -> None:
    end_lateness(state, step, at_us, ended, state.late_figures.late_s, rows)
    end_off_route(state, step, at_us, ended, rows)
    end_halt(state, step, ended, rows)


@compiled
def _take_arrivals(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    stops: Items[PlannedStop],
    rows: Items[Row],
) -> None:
    """Stops whose fence was entered just now, in their order; stops that follow in the same fence
    too; a later one where it stands. An arrival settles what was predicted."""
    at_us = arrive_ahead(state, step, shipment, stops, rows)
    if at_us != UNKNOWN_US:
        end_lateness(state, step, at_us, REACHED, state.late_figures.late_s, rows)
    if step.entered_count == 0:
        return
    arrive_late(state.journey, step, shipment, stops, rows)
    while True:
        at = next_stop(state.journey, shipment, stops)
        at_us = arrive(state.journey, step, shipment, stops, rows)
        if at_us == UNKNOWN_US:
            return
        late_s = (at_us - stops[at].window_end_us) * 1e-6
        end_lateness(state, step, at_us, REACHED, late_s, rows)


@compiled
def _look_aside(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    vertices: Items[Vertex],
    stops: Items[PlannedStop],
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """Off route? Not asked in a yard, nor before the vehicle has set out on this shipment."""
    if is_visiting_yard(state):
        return
    is_over = step.away_m > off_route_limit_m(step.accuracy_m, s)
    if not is_over and not is_watching_route(state):
        return
    journey = state.journey
    is_due = step.spot.time_us >= shipment.depart_us or journey.progress_m >= s.departed_m
    if is_over and not journey.was_on_route:
        is_due = is_due and is_far(shipment, vertices, stops, step.spot, s)
    if is_due:
        watch_route(state, step, step.away_m, rows, s)


@compiled
def _look_ahead(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    plan: PlanArrays,
    at: int,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """When it will be at its next stop, and whether that is too late."""
    journey, stop = state.journey, plan.stops[at]
    way_m = remaining_m(journey, step, stop, s)
    if math.isnan(way_m):
        return
    now_us = step.spot.time_us
    has_departed = is_under_way(journey, s)
    from_us = now_us if has_departed else max(now_us, shipment.depart_us)
    wait_s = wait_at_stop(state, step, plan, shipment, at, s)
    halted_s = 0.0 if wait_s > 0 else _halted_s(state, shipment, now_us, has_departed)
    trip_m = 0.0
    if state.phase == MOVING:
        trip_m = step.spot.odometer_m - state.anchor.odometer_m
    planned_mps = shipment.planned_speed_mps
    trip_s = _trip_s(state, now_us)
    forecast(step, state.pace, way_m, planned_mps, trip_m, trip_s, halted_s, s)
    forecast_by_lane(state, step, plan, at, way_m, planned_mps, halted_s, s)
    step.p10_s += 0.6 * wait_s
    step.p50_s += wait_s
    step.p90_s += 1.4 * wait_s
    step.next_stop = at
    step.from_us = from_us
    step.eta_us = from_us + round(step.p50_s * 1e6)
    step.cause = NO_CAUSE
    if step.eta_us > stop.window_end_us:
        step.cause = _cause(state, step, shipment, stop, wait_s, halted_s, s)
    watch_lateness(state, step, stop, rows, s)


@compiled
def _halted_s(
    state: VehicleState, shipment: PlannedShipment, now_us: int, has_departed: bool
) -> float:
    """How long it has been at rest; before it has set out, beyond its departure."""
    since_us = state.since.time_us
    if not has_departed:
        since_us = max(since_us, shipment.depart_us)
    return max(0.0, (now_us - since_us) * 1e-6)


@compiled
def _trip_s(state: VehicleState, now_us: int) -> float:
    return (now_us - state.anchor.time_us) * 1e-6 if state.phase == MOVING else 0.0


@compiled
def _cause(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    stop: PlannedStop,
    wait_s: float,
    halted_s: float,
    s: FleetSettings,
) -> int:
    """What makes it late: where it is and what it does, then what it did."""
    journey = state.journey
    if step.away_m > off_route_limit_m(step.accuracy_m, s):
        return DETOUR
    if not is_under_way(journey, s):
        return LATE_DEPARTURE
    if wait_s > 0:
        return SERVICE
    if halted_s > s.halt_free_s:
        return HALT
    late_us = step.eta_us - stop.window_end_us
    is_first = not journey.has_arrived and has_left(journey, stop, s)
    if is_first and (journey.left_us - shipment.depart_us) * 2 > late_us:
        return LATE_DEPARTURE
    return SLOW


@compiled
def tell_progress(
    progress: Progress,
    outlooks: Items[Outlook],
    state: VehicleState,
    step: Step,
    plan: PlanArrays,
    s: FleetSettings,
) -> None:
    """The vehicle after the last accepted fix, and when it will be at its stops."""
    progress.is_new = True
    progress.is_off_route = state.off_route.is_open
    progress.phase = state.phase
    if state.phase == UNKNOWN and step.speed_mps >= s.moving_mps:
        # Until the way driven tells, the device's own speed does.
        progress.phase = MOVING
    progress.fence = innermost_fence(state)
    progress.shipment = state.journey.shipment if state.journey.is_on else 0
    progress.fix_us = state.until.time_us
    progress.captured_us = step.captured_us
    progress.lat = state.until.lat
    progress.lon = state.until.lon
    progress.speed_mps = step.speed_mps
    progress.course_deg_true = step.course_deg_true
    progress.silent_us = state.anomalies.silent_us
    if state.phase == MOVING:
        progress.is_on_trip = True
        progress.trip_started_us = state.anchor.time_us
        progress.trip_m = state.until.odometer_m - state.anchor.odometer_m
    progress.is_under_way = state.journey.is_on and is_under_way(state.journey, s)
    if step.next_stop < 0:
        return
    look_further(outlooks, state, step, plan, _trip_s(state, state.until.time_us), s)
    stop = plan.stops[step.next_stop]
    progress.next_seq = stop.seq
    progress.has_outlook = True
    progress.model = step.model
    progress.remaining_m = step.remaining_m
    progress.eta_us = step.eta_us
    progress.p10_us = step.from_us + round(step.p10_s * 1e6)
    progress.p90_us = step.from_us + round(step.p90_s * 1e6)
    progress.window_end_us = stop.window_end_us
    progress.late_s = (step.eta_us - stop.window_end_us) / 1e6
