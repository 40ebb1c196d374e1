"""When a vehicle will be at its next stop, by what its lane's finished trips took, and at those
after it. Upstream: the lane's curve in force, the vehicle's own pace on it; downstream: lateness,
screens, the history of predictions.

The rest of the leg takes what it took others from there, in this hour of the week; the way just
ahead more or less, as the vehicle took more or less of late, the rest as it did on this leg so far.
A stay at the stop before is expected to take what stays there take, and not to end before the
stop's window opens. How wide the range is, outcomes of earlier predictions tell.
"""

import math

from waystock.compiled import compiled
from waystock.fleet.eta import Z90
from waystock.fleet.geodesy import distance_m
from waystock.fleet.journey import has_left
from waystock.fleet.lane_curve import (
    LaneArrays,
    LaneCurve,
    curve_in_force,
    horizon_of,
    hour_factor,
    range_in_force,
    rest_s,
)
from waystock.fleet.planned import PlanArrays, PlannedShipment, PlannedStop
from waystock.fleet.records import Items
from waystock.fleet.rows import LEARNED, PACE, STRAIGHT_LINE, Outlook, Step
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import VehicleState

_OUTCOMES_TRUSTED = 50.0
"""So many outcomes weigh as much as the model's own range."""
_SERVICES_TRUSTED = 2.0


@compiled
def forecast_by_lane(
    state: VehicleState,
    step: Step,
    plan: PlanArrays,
    at: int,
    way_m: float,
    planned_mps: float,
    halted_s: float,
    s: FleetSettings,
) -> None:
    """In the place of what the pace says, where the leg to the stop `at` has a curve in force; then
    the range by outcomes. `way_m` is the way left, with the way back to the route."""
    stop, journey, now_us = plan.stops[at], state.journey, step.spot.time_us
    place = curve_in_force(plan.lanes, at, now_us)
    if place >= 0 and not math.isnan(journey.progress_m):
        curve = plan.lanes.curves[place]
        leg_m = stop.along_m - stop.leg_from_m
        along_m = max(0.0, journey.progress_m - stop.leg_from_m)
        along_m = min(1.0, along_m / leg_m) * curve.length_m
        trust = curve.passages / (curve.passages + s.learned_prior_passages)
        learned_s = _drive_s(state, curve, along_m, now_us, has_left(journey, stop, s), s)
        left_m = max(0.0, stop.along_m - journey.progress_m)
        drive_s = trust * learned_s + (1.0 - trust) * left_m / planned_mps
        drive_s += max(0.0, way_m - left_m) / planned_mps
        halt_s = 0.0
        if halted_s > s.halt_free_s and has_left(journey, stop, s):
            halt_s = min(halted_s, s.halt_s_max)
        _put(step, drive_s, halt_s, max(0.05, curve.spread), way_m, planned_mps, s)
        step.model = LEARNED
    elif math.isnan(journey.progress_m) or math.isnan(stop.along_m):
        step.model = STRAIGHT_LINE
    _use_outcomes(step, plan.lanes, now_us)


@compiled
def wait_at_stop(
    state: VehicleState, step: Step, plan: PlanArrays, shipment: PlannedShipment, at: int,
    s: FleetSettings,
) -> float:  # fmt: skip
    """Seconds that a vehicle still stays at the stop before the stop `at`; 0 if it has left."""
    journey, now_us = state.journey, step.spot.time_us
    if not journey.has_arrived or at <= shipment.first_stop or has_left(journey, plan.stops[at], s):
        return 0.0
    stay_s = max(0.0, (now_us - journey.leg_us) * 1e-6)
    usual_s = _service_s(plan.lanes, at, now_us, s)
    over_s = min(s.service_over_share * stay_s, s.service_over_s_max)
    opens_s = (plan.stops[at - 1].window_begin_us - now_us) * 1e-6
    return max(usual_s - stay_s, over_s, min(opens_s, s.halt_s_max * 8))


@compiled
def _drive_s(
    state: VehicleState,
    curve: LaneCurve,
    along_m: float,
    now_us: int,
    has_gone: bool,
    s: FleetSettings,
) -> float:
    """The rest of the leg: what it took others, times how this vehicle drives against them."""
    hour = hour_factor(curve, now_us)
    left_s = rest_s(curve, along_m) * hour
    if not has_gone:
        return left_s
    beyond_s = rest_s(curve, along_m + s.pace_reach_m) * hour
    start_m = min(curve.leave_m, along_m)
    driven_m = along_m - start_m
    took_s = (now_us - state.journey.left_us) * 1e-6
    leg = _delay_log(took_s, (rest_s(curve, start_m) * hour - left_s), s)
    leg *= driven_m / (driven_m + s.trip_trust_m)
    ahead = leg
    pace = state.pace
    moved_m = min(pace.moved_m, driven_m)
    if pace.moved_s >= s.pace_min_s and moved_m > 0.0:
        own_s = pace.moved_s * moved_m / pace.moved_m
        own = _delay_log(own_s, rest_s(curve, along_m - moved_m) * hour - left_s, s)
        weight = own_s / (own_s + s.learned_trust_s)
        ahead = weight * own + (1.0 - weight) * leg
    return (left_s - beyond_s) * math.exp(ahead) + beyond_s * math.exp(leg)


@compiled
def _delay_log(took_s: float, expected_s: float, s: FleetSettings) -> float:
    """ln(taken ÷ expected), within bounds; half a minute to both so that a moment says little."""
    log = math.log((max(0.0, took_s) + 30.0) / (max(0.0, expected_s) + 30.0))
    return min(s.delay_log_max, max(-s.delay_log_max, log))


@compiled
def _put(
    step: Step,
    drive_s: float,
    halt_s: float,
    spread: float,
    way_m: float,
    planned_mps: float,
    s: FleetSettings,
) -> None:
    total_s = drive_s + halt_s
    step.p10_s = max(0.0, min(total_s - s.spread_s_min, drive_s * math.exp(-Z90 * spread)))
    step.p50_s = total_s
    step.p90_s = max(total_s + s.spread_s_min, drive_s * math.exp(Z90 * spread) + 2 * halt_s)
    step.pace_mps = way_m / total_s if total_s > 0 else planned_mps


@compiled
def _use_outcomes(step: Step, lanes: LaneArrays, now_us: int) -> None:
    """The range by how far outcomes lay from such predictions, as far as there are any."""
    place = range_in_force(lanes, step.model, horizon_of(step.p50_s), now_us)
    if place < 0:
        return
    seen = lanes.ranges[place]
    weight = seen.outcomes / (seen.outcomes + _OUTCOMES_TRUSTED)
    step.p10_s = weight * min(1.0, seen.low) * step.p50_s + (1.0 - weight) * step.p10_s
    step.p90_s = weight * max(1.0, seen.high) * step.p50_s + (1.0 - weight) * step.p90_s


@compiled
def _service_s(lanes: LaneArrays, at: int, time_us: int, s: FleetSettings) -> float:
    """A stay at the stop where the leg to the stop `at` begins."""
    place = curve_in_force(lanes, at, time_us)
    if place < 0 or lanes.curves[place].services == 0:
        return s.service_s
    curve = lanes.curves[place]
    sum_s = curve.services * curve.service_s + _SERVICES_TRUSTED * s.service_s
    return sum_s / (curve.services + _SERVICES_TRUSTED)


@compiled
def look_further(
    outlooks: Items[Outlook],
    state: VehicleState,
    step: Step,
    plan: PlanArrays,
    trip_s: float,
    s: FleetSettings,
) -> None:
    """The next stop and all after it: from stop to stop, with stays, waits and breaks. The spreads
    of what follows each other add up as those of independent things."""
    shipment = plan.shipments[step.shipment]
    eta_us, model = step.eta_us, step.model
    low_s, high_s = step.p50_s - step.p10_s, step.p90_s - step.p50_s
    way_m, driven_s = step.remaining_m, trip_s + step.p50_s
    for at in range(step.next_stop, shipment.last_stop):
        stop = plan.stops[at]
        if at > step.next_stop:
            before = plan.stops[at - 1]
            service_s = _service_s(plan.lanes, at, eta_us, s)
            leg_s, spread, model = _leg_s(shipment, before, plan, at, eta_us, s)
            if math.isnan(leg_s):
                return
            if model != LEARNED:
                leg_s += _breaks_s(driven_s, leg_s, s)
            eta_us = max(eta_us, before.window_begin_us) + round((service_s + leg_s) * 1e6)
            driven_s = leg_s if service_s >= s.break_s else driven_s + leg_s
            stay_s = 0.4 * service_s
            low_s = _together(low_s, leg_s * (1.0 - math.exp(-Z90 * spread)), stay_s)
            high_s = _together(high_s, leg_s * (math.exp(Z90 * spread) - 1.0), stay_s)
            way_m += max(0.0, stop.along_m - before.along_m)
        if step.outlooks >= len(outlooks):
            return
        said = outlooks[step.outlooks]
        step.outlooks += 1
        said.track = step.track
        said.seq = stop.seq
        said.model = model
        said.shipment = shipment.key
        said.lane = stop.lane
        said.fix_us = step.spot.time_us
        said.eta_us = eta_us
        said.p10_us = max(step.spot.time_us, eta_us - round(low_s * 1e6))
        said.p90_us = eta_us + round(high_s * 1e6)
        said.remaining_m = way_m


@compiled
def _leg_s(
    shipment: PlannedShipment,
    before: PlannedStop,
    plan: PlanArrays,
    at: int,
    time_us: int,
    s: FleetSettings,
) -> tuple[float, float, int]:
    """Seconds of a whole leg, how far they spread, and by which model; NaN: nothing is known."""
    stop = plan.stops[at]
    planned_s = (stop.along_m - before.along_m) / shipment.planned_speed_mps
    place = curve_in_force(plan.lanes, at, time_us)
    if place >= 0:
        curve = plan.lanes.curves[place]
        trust = curve.passages / (curve.passages + s.learned_prior_passages)
        learned_s = rest_s(curve, 0.0) * hour_factor(curve, time_us)
        leg_s = trust * learned_s + (1.0 - trust) * planned_s
        return leg_s, max(0.05, curve.spread), LEARNED
    if not math.isnan(planned_s):
        return max(0.0, planned_s), s.spread_planned, PACE
    way_m = distance_m(before.lat, before.lon, stop.lat, stop.lon) * s.detour
    return way_m / shipment.planned_speed_mps, s.spread_planned, STRAIGHT_LINE


@compiled
def _breaks_s(driven_s: float, leg_s: float, s: FleetSettings) -> float:
    """Breaks that fall due on a leg, after so much driving before it."""
    due = math.floor((driven_s + leg_s) / s.break_after_s) - math.floor(driven_s / s.break_after_s)
    return max(0.0, due) * s.break_s


@compiled
def _together(a_s: float, b_s: float, c_s: float) -> float:
    return math.sqrt(a_s * a_s + b_s * b_s + c_s * c_s)
