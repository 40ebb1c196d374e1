"""Vehicles on the road when they should not be: outside their working hours, or without a shipment
where they need one. One episode each from the first such fix until the vehicle stands, its hours
begin or a shipment is its. Upstream: motion, the active shipment, the vehicle's limits; downstream:
alert rows.
"""

from waystock.compiled import compiled
from waystock.fleet.hours import Hours, is_within
from waystock.fleet.planned import PlannedLimits
from waystock.fleet.records import Items
from waystock.fleet.rows import (
    HOURS_OVER,
    OFF_HOURS,
    RECOVERED,
    UNASSIGNED,
    Row,
    Step,
    end_row,
    say,
    tell,
)
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import MOVING, STOPPED, Outing, VehicleState

_RUN_MAX = 60_000


@compiled
def watch_outings(
    state: VehicleState,
    step: Step,
    limits: PlannedLimits,
    hours: Hours,
    is_in_yard: bool,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """After motion and the shipment are known of this fix."""
    if limits.schedule >= 0 or state.anomalies.off_hours.run > 0:
        is_off = not is_within(hours, limits.schedule, step.spot.time_us)
        is_out = is_off and state.phase == MOVING
        _step_outing(state, step, state.anomalies.off_hours, OFF_HOURS, is_out, 0.0, rows, s)
    unassigned = state.anomalies.unassigned
    if limits.needs_shipment or unassigned.run > 0:
        is_out = limits.needs_shipment and step.shipment < 0 and state.phase == MOVING
        # In a yard a truck is moved about; one that drives through is still on its way.
        is_out = is_out and (unassigned.is_told != 0 or not is_in_yard)
        _step_outing(state, step, unassigned, UNASSIGNED, is_out, s.unassigned_m, rows, s)


@compiled
def _step_outing(
    state: VehicleState,
    step: Step,
    outing: Outing,
    kind: int,
    is_out: bool,
    way_m_min: float,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    if not is_out:
        if outing.is_told != 0:
            row = rows[_say(step, outing, kind, rows)]
            row.ended = HOURS_OVER if state.phase == MOVING and kind == OFF_HOURS else RECOVERED
            end_row(row, max(_end_us(state, step), outing.begin_us), step)
        outing.begin_us = 0
        outing.way_m = 0.0
        outing.run = 0
        outing.is_told = 0
        return
    if outing.run == 0:
        outing.begin_us = step.spot.time_us
    else:
        outing.way_m += step.leg_m
    outing.run = min(outing.run + 1, _RUN_MAX)
    if outing.is_told == 0 and outing.run >= s.outing_fixes and outing.way_m >= way_m_min:
        outing.is_told = 1
        _say(step, outing, kind, rows)


@compiled
def _end_us(state: VehicleState, step: Step) -> int:
    """Where it came to stand; after a gap, the last fix before it."""
    if state.phase == STOPPED:
        return state.anchor.time_us
    if state.phase == MOVING:
        return step.spot.time_us
    return step.spot.time_us - round(step.leg_s * 1e6)


@compiled
def _say(step: Step, outing: Outing, kind: int, rows: Items[Row]) -> int:
    at = say(rows, step, kind, 0, 0, outing.begin_us)
    tell(rows[at], step, outing.way_m, 0.0)
    return at
