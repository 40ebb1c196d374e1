"""The fold over vehicles' fixes: from states and fixes to states and derived rows, all vehicles of
a batch in one compiled call. Upstream: ingest, which passes fixes later than each state (and folds
again from a checkpoint when one comes late); downstream: the tables of trips, visits, arrivals,
vehicle state and alerts.

Folding fixes in one call or in any number of calls gives the same states and, merged by name with
the last winning, the same rows. A call must get all it will ever get of one instant, or the caller
folds again from before it. Quarters of an hour: see docs/decisions/0001.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.anomalies import end_frozen, is_thawing, note_jump
from waystock.fleet.fences import Near
from waystock.fleet.fixes import Int32s, Int64s, TrackFixes
from waystock.fleet.geodesy import distance_m
from waystock.fleet.plan import FleetPlan
from waystock.fleet.planned import PlanArrays, PlannedLimits
from waystock.fleet.records import F8, I8, UNKNOWN_US, Items, Records, as_items, dtype_of
from waystock.fleet.rows import (
    FUTURE_TIME,
    LOW_ACCURACY,
    OUTLOOK,
    PROGRESS,
    ROW,
    STEP,
    TELEPORT,
    Outlook,
    Progress,
    Row,
    Step,
)
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import NOTHING, STATE, VehicleState, nothing_known
from waystock.fleet.state_bytes import pack, unpack
from waystock.fleet.vehicle import follow, tell_progress

CHECKPOINT_S = 900
"""A checkpoint is kept of each quarter of an hour: what a late fix costs is bounded by this."""
_QUARTER_US = CHECKPOINT_S * 1_000_000
_UNKNOWN_ACCURACY_M = 1e9
_ROWS_MIN = 64


class TrackFix:
    """One fix, in order of vehicle and time."""

    time_us: I8
    captured_us: I8
    lat: F8
    lon: F8
    speed_mps: F8
    course_deg_true: F8
    accuracy_m: F8


FIX = dtype_of(TrackFix)


class FoldOutput(NamedTuple):
    """What a call gave. `states` and `progress` have one element per vehicle of the call."""

    states: Records
    progress: Records
    checkpoints: Records
    """States at the ends of the quarters that are over; `at_us` in each."""
    checkpoint_track: Int32s
    rows: Records
    """Each row that is new or changed, once."""
    outlooks: Records
    """When each vehicle will be at its next stop and at those after it."""
    marks: NDArray[np.int8]
    """For each fix as it was given, why it was left out, or 0."""


def quarter_start_us(time_us: Int64s) -> Int64s:
    """The beginning of the quarter of an hour that each instant lies in."""
    return time_us // _QUARTER_US * _QUARTER_US


def fold_tracks(
    states: Records, fixes: TrackFixes, shipments: NDArray[np.int32], plan: FleetPlan
) -> FoldOutput:
    """Fold fixes into the vehicles' states, which are altered in place and among what is returned.

    `shipments` are first and last place + 1 of each vehicle's among the plan's, and the place of
    its limits (see `FleetPlan.shipments_of`). Fixes that are not later than their vehicle's state
    are ignored.
    """
    order = np.lexsort((fixes.time_us, fixes.track))
    ordered = _records(fixes, order)
    bounds = np.searchsorted(fixes.track[order], np.arange(len(states) + 1)).astype(np.int64)
    near = plan.fences.locate(ordered["lat"], ordered["lon"])
    checkpoints = np.empty(_quarters_max(ordered["time_us"], bounds), STATE)
    checkpoint_track = np.zeros(len(checkpoints), np.int32)
    progress = np.zeros(len(states), PROGRESS)
    rows = np.empty(_ROWS_MIN + len(states) + len(order) // 8, ROW)
    marks = np.zeros(len(order), np.int8)
    step = np.zeros(1, STEP)
    before = np.empty(1, STATE)
    outlooks = np.zeros(plan.stops_of(shipments), OUTLOOK)
    while True:
        _fold(
            as_items(states, VehicleState),
            as_items(before, VehicleState),
            as_items(ordered, TrackFix),
            bounds,
            near,
            shipments,
            plan.arrays,
            as_items(rows, Row),
            as_items(progress, Progress),
            as_items(outlooks, Outlook),
            as_items(checkpoints, VehicleState),
            checkpoint_track,
            marks,
            as_items(step, Step),
            plan.rules,
        )
        if not step["is_full"][0]:
            break
        rows = np.concatenate([rows, np.empty(3 * len(rows), ROW)])
    marks_as_given = np.empty_like(marks)
    marks_as_given[order] = marks
    said, kept = int(step["rows"][0]), int(step["checkpoints"][0])
    return FoldOutput(
        states,
        progress,
        checkpoints[:kept],
        checkpoint_track[:kept],
        rows[:said],
        outlooks[: int(step["outlooks"][0])],
        marks_as_given,
    )


def warm_up() -> None:
    """Compile all of it, or load what was compiled before; the first call would do it too."""
    plan = FleetPlan.build([], [])
    one = np.zeros(1)
    fixes = TrackFixes(
        np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64), one, one, one, one, one
    )
    states, _ = unpack(pack(nothing_known(1)))
    fold_tracks(states, fixes, plan.shipments_of([""]), plan)


def _records(fixes: TrackFixes, order: NDArray[np.intp]) -> Records:
    ordered = np.empty(len(order), FIX)
    for name, column in zip(TrackFixes._fields[1:], fixes[1:], strict=True):
        ordered[name] = column[order]
    return ordered


def _quarters_max(time_us: Int64s, bounds: Int64s) -> int:
    """As many quarters as can come to their end: each vehicle's first fix may end one, too."""
    quarter = time_us // _QUARTER_US
    return int(np.count_nonzero(np.diff(quarter))) + len(bounds)


@compiled
def _fold(
    states: Items[VehicleState],
    before: Items[VehicleState],
    fixes: Items[TrackFix],
    bounds: Int64s,
    near: Near,
    shipments: NDArray[np.int32],
    plan: PlanArrays,
    rows: Items[Row],
    progress: Items[Progress],
    outlooks: Items[Outlook],
    checkpoints: Items[VehicleState],
    checkpoint_track: NDArray[np.int32],
    marks: NDArray[np.int8],
    steps: Items[Step],
    rules: Items[FleetSettings],
) -> None:
    """Vehicle by vehicle, instant by instant, from the vehicle that the step names. Where there is
    no room for a vehicle's rows it stays as it was `before`, and the step names it."""
    step, s = steps[0], rules[0]
    for track in range(step.track, len(states)):
        before[0] = states[track]
        state = states[track]
        _begin_track(step, track, shipments[track], plan.limits)
        known_us = state.at_us
        kept = step.checkpoints
        i = bounds[track]
        while i < bounds[track + 1]:
            time_us = fixes[i].time_us
            end = _end_of_instant(fixes, i, bounds[track + 1])
            best = _pick(fixes, i, end, marks, s) if time_us > known_us else _NOT_SEEN
            if best != _NOT_SEEN:
                step.quarter_us = (time_us // _QUARTER_US + 1) * _QUARTER_US
                if state.at_us // _QUARTER_US < time_us // _QUARTER_US and state.at_us > UNKNOWN_US:
                    # The quarter before is over: from here a late fix may fold again.
                    checkpoints[kept] = states[track]
                    checkpoint_track[kept] = track
                    kept += 1
                _look_at(state, time_us)
            if best >= 0:
                a, b = near.first[best], near.first[best + 1]
                marks[best] = _take(
                    state, step, fixes[best], near.fence[a:b], near.outside_m[a:b], plan, rows, s
                )
            i = end
        if step.is_full:
            states[track] = before[0]
            step.rows = step.first_row
            return
        step.checkpoints = kept
        if step.is_accepted:
            tell_progress(progress[track], outlooks, state, step, plan, s)


@compiled
def _begin_track(
    step: Step, track: int, shipments: NDArray[np.int32], limits: Items[PlannedLimits]
) -> None:
    step.track = track
    step.first_row = step.rows
    step.shipment_from = shipments[0]
    step.shipment_to = shipments[1]
    step.limits = shipments[2]
    step.unplanned_stop_s = limits[step.limits].unplanned_stop_s
    step.is_accepted = False
    step.is_full = False


@compiled
def _look_at(state: VehicleState, time_us: int) -> None:
    state.at_us = time_us
    if state.first_us == UNKNOWN_US:
        state.first_us = time_us


@compiled
def _end_of_instant(fixes: Items[TrackFix], i: int, end: int) -> int:
    time_us = fixes[i].time_us
    i += 1
    while i < end and fixes[i].time_us == time_us:
        i += 1
    return i


_NOT_SEEN, _NOT_USED = -2, -1


@compiled
def _pick(
    fixes: Items[TrackFix], first: int, end: int, marks: NDArray[np.int8], s: FleetSettings
) -> int:
    """The fix to use of those of one instant, the same whatever their order; or that there is none,
    whether all were from the future (as if they had never come) or too poor."""
    best = _NOT_SEEN
    for i in range(first, end):
        fix = fixes[i]
        if fix.time_us - fix.captured_us > s.future_s_max * 1e6:
            marks[i] = FUTURE_TIME
        elif not _is_placed(fix, s):
            marks[i] = LOW_ACCURACY
            best = max(best, _NOT_USED)
        elif best < 0 or _is_before(fix, fixes[best]):
            best = i
    return best


@compiled
def _is_placed(fix: TrackFix, s: FleetSettings) -> bool:
    """Whether it says where the vehicle is, well enough."""
    if not (abs(fix.lat) <= 90.0 and abs(fix.lon) <= 180.0):
        return False
    return not fix.accuracy_m > s.accuracy_m_max


@compiled
def _is_before(a: TrackFix, b: TrackFix) -> bool:
    """Among fixes of one instant the most accurate; then whichever, but always the same."""
    for mine, other in (
        (_known(a.accuracy_m, _UNKNOWN_ACCURACY_M), _known(b.accuracy_m, _UNKNOWN_ACCURACY_M)),
        (a.lat, b.lat),
        (a.lon, b.lon),
        (_known(a.speed_mps, -1.0), _known(b.speed_mps, -1.0)),
        (_known(a.course_deg_true, -1.0), _known(b.course_deg_true, -1.0)),
    ):
        if mine != other:
            return mine < other
    return a.captured_us < b.captured_us


@compiled
def _known(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value


@compiled
def _take(
    state: VehicleState,
    step: Step,
    fix: TrackFix,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> int:
    """Accept the fix, unless it contradicts the last one: that is a jump, until several that agree
    say otherwise. Why it was left out, or 0."""
    leg_m = leg_s = 0.0
    is_elsewhere = False
    odometer_m = 0.0
    if state.phase != NOTHING:
        last = state.until
        odometer_m = last.odometer_m
        leg_m = distance_m(last.lat, last.lon, fix.lat, fix.lon)
        leg_s = (fix.time_us - last.time_us) * 1e-6
        if _is_jump(leg_m, fix.time_us - last.time_us, s):
            _tell_jump(state, step, fix, leg_m, leg_s, rows, s)
            leg_m, is_elsewhere = 0.0, True
            if _suspect(state, fix, s) < s.jump_confirm_fixes:
                return TELEPORT
    step.spot.time_us = fix.time_us
    step.spot.lat = fix.lat
    step.spot.lon = fix.lon
    step.spot.odometer_m = odometer_m + leg_m
    step.captured_us = fix.captured_us
    step.speed_mps = fix.speed_mps
    step.course_deg_true = fix.course_deg_true
    step.accuracy_m = max(0.0, _known(fix.accuracy_m, s.accuracy_m_default))
    step.leg_m = leg_m
    step.leg_s = leg_s
    follow(state, step, is_elsewhere, near, outside_m, plan, rows, s)
    return 0


@compiled
def _tell_jump(
    state: VehicleState,
    step: Step,
    fix: TrackFix,
    leg_m: float,
    leg_s: float,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """A jump, or the end of a time in which the receiver told one place for ever. What the call has
    told of the last accepted fix stays as it is."""
    captured_us = step.captured_us
    step.captured_us = fix.captured_us
    step.spot.time_us = fix.time_us
    step.spot.lat = fix.lat
    step.spot.lon = fix.lon
    step.leg_s = leg_s
    thaws = state.suspect_fixes > 0 and is_thawing(state)
    if not thaws and not end_frozen(state, step, leg_m, rows, s):
        note_jump(state, step, leg_m, rows, s)
    step.captured_us = captured_us


@compiled
def _suspect(state: VehicleState, fix: TrackFix, s: FleetSettings) -> int:
    """One more fix that contradicts the last accepted one; how many agree with each other now."""
    run = 1
    if state.suspect_fixes > 0:
        step_m = distance_m(state.suspect_lat, state.suspect_lon, fix.lat, fix.lon)
        if not _is_jump(step_m, fix.time_us - state.suspect_us, s):
            run = state.suspect_fixes + 1
    state.suspect_us = fix.time_us
    state.suspect_lat = fix.lat
    state.suspect_lon = fix.lon
    state.suspect_fixes = run
    return run


@compiled
def _is_jump(way_m: float, took_us: int, s: FleetSettings) -> bool:
    return way_m > s.jump_m_min and way_m > s.jump_speed_mps * took_us * 1e-6
