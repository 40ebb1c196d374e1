"""What is out of the ordinary with a vehicle or its receiver: speeding, unplanned stops, jumps,
frozen places. Each is one row per episode, with the figures that made it. Upstream: accepted
fixes, and those that contradict them; downstream: alert rows.
"""

import math

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.hours import is_within
from waystock.fleet.planned import PlanArrays, PlannedShipment
from waystock.fleet.records import Items
from waystock.fleet.rows import (
    GPS_FROZEN,
    GPS_JUMP,
    RECOVERED,
    SPEEDING,
    UNPLANNED_STOP,
    Row,
    Step,
    end_row,
    say,
    tell,
)
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import MOVING, STOPPED, VehicleState

_COUNT_MAX = 250


@compiled
def watch_speed(
    state: VehicleState,
    step: Step,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """The device's speed, or that of the leg, against the lowest limit that holds here and now."""
    speed_mps = step.speed_mps
    if math.isnan(speed_mps):
        if step.leg_s < s.speeding_leg_s:
            return
        speed_mps = step.leg_m / step.leg_s
    limit_mps, fence = plan.limits[step.limits].speed_limit_mps, 0
    for i in range(len(near)):
        area = plan.fences[int(near[i])]
        if not (outside_m[i] <= 0 and 0 < area.speed_limit_mps < limit_mps):
            continue
        if is_within(plan.hours, area.schedule, step.spot.time_us):
            limit_mps, fence = area.speed_limit_mps, area.key
    known = state.anomalies
    if not known.is_speeding:
        _step_towards_speeding(state, step, speed_mps, limit_mps, fence, rows, s)
    elif speed_mps > limit_mps:
        known.speeding_clear_run = 0
        known.speeding_mps = max(known.speeding_mps, speed_mps)
    else:
        if known.speeding_clear_run == 0:
            known.speeding_clear_us = step.spot.time_us
        known.speeding_clear_run += 1
        if known.speeding_clear_run >= s.speeding_clear_fixes:
            row = rows[_say_speeding(state, step, rows)]
            row.ended = RECOVERED
            end_row(row, known.speeding_clear_us, step)
            _forget_speeding(state)


@compiled
def _step_towards_speeding(
    state: VehicleState,
    step: Step,
    speed_mps: float,
    limit_mps: float,
    fence: int,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    known = state.anomalies
    if speed_mps <= limit_mps + s.speeding_over_mps:
        if known.speeding_run > 0:
            _forget_speeding(state)
        return
    if known.speeding_run == 0:
        known.speeding_us = step.spot.time_us
    known.speeding_run += 1
    known.speeding_mps = max(known.speeding_mps, speed_mps)
    known.speeding_limit_mps = limit_mps
    known.speeding_fence = fence
    if known.speeding_run >= s.speeding_fixes:
        known.is_speeding = True
        _say_speeding(state, step, rows)


@compiled
def _say_speeding(state: VehicleState, step: Step, rows: Items[Row]) -> int:
    known = state.anomalies
    at = say(rows, step, SPEEDING, known.speeding_fence, 0, known.speeding_us)
    tell(rows[at], step, known.speeding_mps, known.speeding_limit_mps)
    return at


@compiled
def _forget_speeding(state: VehicleState) -> None:
    known = state.anomalies
    known.speeding_us = 0
    known.speeding_clear_us = 0
    known.speeding_fence = 0
    known.speeding_mps = 0.0
    known.speeding_limit_mps = 0.0
    known.speeding_run = 0
    known.speeding_clear_run = 0
    known.is_speeding = False


@compiled
def watch_halt(
    state: VehicleState,
    step: Step,
    shipment: PlannedShipment,
    is_in_yard: bool,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """A stop on the way of a shipment that nobody planned."""
    if state.anomalies.halt_shipment != 0 or state.phase != STOPPED:
        return
    if is_in_yard:
        state.anomalies.halt_us = state.anchor.time_us
    if state.away > 0 or state.anomalies.halt_us == state.anchor.time_us:
        return  # A stop that began in a yard is no other one when the truck waits at the gate.
    journey = state.journey
    if not (journey.progress_m >= s.departed_m or journey.has_arrived):
        return
    if journey.route_m > 0 and journey.route_m - journey.progress_m < s.unplanned_stop_m:
        return
    stood_s = (step.spot.time_us - state.anchor.time_us) * 1e-6
    if stood_s < step.unplanned_stop_s:
        return
    state.anomalies.halt_us = state.anchor.time_us
    state.anomalies.halt_shipment = shipment.key
    row = rows[say(rows, step, UNPLANNED_STOP, 0, 0, state.anchor.time_us)]
    tell(row, step, stood_s, step.unplanned_stop_s)
    row.lat = state.anchor.lat
    row.lon = state.anchor.lon
    row.shipment = shipment.key


@compiled
def end_halt(state: VehicleState, step: Step, ended: int, rows: Items[Row]) -> None:
    """The vehicle has gone on since (`ended` RECOVERED), or its shipment is over."""
    known = state.anomalies
    if known.halt_shipment == 0:
        return
    if ended == RECOVERED and state.phase == STOPPED and state.anchor.time_us == known.halt_us:
        return
    end_us = state.anchor.time_us if state.phase == MOVING else step.spot.time_us
    end_us = max(end_us, known.halt_us)
    row = rows[say(rows, step, UNPLANNED_STOP, 0, 0, known.halt_us)]
    tell(row, step, (end_us - known.halt_us) * 1e-6, step.unplanned_stop_s)
    row.shipment = known.halt_shipment
    row.ended = ended
    end_row(row, end_us, step)
    known.halt_us = 0
    known.halt_shipment = 0


@compiled
def watch_place(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """Fixes at the very same place, and the leg that leads away from them. `step.leg_s` > 0."""
    known = state.anomalies
    if step.leg_m == 0.0:
        if known.frozen_run == 0:
            known.frozen_us = state.until.time_us
        known.frozen_run = min(known.frozen_run + 1, 60_000)
        is_many = known.frozen_run + 1 >= s.frozen_fixes
        if is_many and not known.is_frozen and step.speed_mps >= s.moving_mps:
            known.is_frozen = True
            _say_frozen(state, step, rows)
        return
    end_frozen(state, step, step.leg_m, rows, s)
    known.frozen_us = 0
    known.frozen_mps = step.leg_m / step.leg_s


@compiled
def forget_place(state: VehicleState) -> None:
    """The vehicle is met anew elsewhere."""
    known = state.anomalies
    known.is_frozen = False
    known.frozen_run = 0
    known.frozen_us = 0
    known.frozen_mps = 0.0


@compiled
def end_frozen(
    state: VehicleState, step: Step, leg_m: float, rows: Items[Row], s: FleetSettings
) -> bool:
    """A fix elsewhere after fixes at one place; whether the receiver had been frozen."""
    known = state.anomalies
    was_frozen = known.is_frozen
    if known.frozen_run + 1 >= s.frozen_fixes and known.frozen_mps >= s.frozen_mps:
        leap_mps = leg_m / step.leg_s
        if leap_mps > s.frozen_leap_mps and leap_mps > s.frozen_leap * known.frozen_mps:
            was_frozen = True
    if was_frozen:
        row = rows[_say_frozen(state, step, rows)]
        row.ended = RECOVERED
        end_row(row, step.spot.time_us, step)
    known.is_frozen = False
    known.frozen_run = 0
    known.frozen_us = step.spot.time_us if was_frozen else 0
    return was_frozen


@compiled
def is_thawing(state: VehicleState) -> bool:
    """Whether the last fix elsewhere told that the receiver had been frozen: those that agree with
    it jump no more than it did."""
    return state.anomalies.frozen_run == 0 and state.anomalies.frozen_us != 0


@compiled
def _say_frozen(state: VehicleState, step: Step, rows: Items[Row]) -> int:
    known = state.anomalies
    at = say(rows, step, GPS_FROZEN, 0, 0, known.frozen_us)
    tell(rows[at], step, (step.spot.time_us - known.frozen_us) * 1e-6, 0.0)
    rows[at].lat = state.until.lat
    rows[at].lon = state.until.lon
    return at


@compiled
def note_jump(
    state: VehicleState, step: Step, away_m: float, rows: Items[Row], s: FleetSettings
) -> None:
    """A fix that contradicts the accepted ones, `away_m` from the last of them."""
    known = state.anomalies
    end_jumps(state, step, rows, s)
    if not known.is_jumping:
        known.is_jumping = True
        known.jump_us = step.spot.time_us
    known.jump_last_us = step.spot.time_us
    known.jump_m = max(known.jump_m, away_m)
    known.jumps = min(known.jumps + 1, _COUNT_MAX)
    _say_jumps(state, step, rows)


@compiled
def end_jumps(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """An episode is over when no jump came for long; it ended with its last one."""
    known = state.anomalies
    quiet_us = step.spot.time_us - known.jump_last_us
    if not known.is_jumping or quiet_us <= s.jump_quiet_s * 1e6:
        return
    row = rows[_say_jumps(state, step, rows)]
    row.ended = RECOVERED
    end_row(row, known.jump_last_us, step)
    known.is_jumping = False
    known.jump_us = 0
    known.jump_last_us = 0
    known.jump_m = 0.0
    known.jumps = 0


@compiled
def _say_jumps(state: VehicleState, step: Step, rows: Items[Row]) -> int:
    known = state.anomalies
    at = say(rows, step, GPS_JUMP, 0, 0, known.jump_us)
    tell(rows[at], step, known.jump_m, known.jumps)
    rows[at].lat = state.until.lat
    rows[at].lon = state.until.lon
    return at
