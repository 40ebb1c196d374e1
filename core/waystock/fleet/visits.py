"""Entering and leaving geofences, with hysteresis and the fix's accuracy: a truck parked beside an
edge makes no flapping visits. Upstream: how far outside each near fence a fix lies; downstream:
visit rows, arrivals at stops.
"""

import math

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.planned import PlannedFence
from waystock.fleet.records import UNKNOWN_US, Items
from waystock.fleet.rows import DWELL, NO_GO, RECOVERED, VISIT, Row, Step, end_row, say, tell
from waystock.fleet.settings import FENCES_MAX, FleetSettings
from waystock.fleet.state import (
    ENTERING,
    INSIDE,
    NO_GO_AREA,
    OVERDUE,
    STOPPED,
    YARD,
    FenceStay,
    VehicleState,
)

_FIXES_MIN = 2
_RUN_MAX = 60_000


@compiled
def step_visits(
    state: VehicleState,
    step: Step,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    fences: Items[PlannedFence],
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """The next fix: `near` are the fences it lies in or near, `outside_m` how far outside each. A
    fence that is planned no longer is left."""
    step.entered_count = 0
    if state.fence_count == 0 and len(near) == 0:
        return
    kept = 0
    latest_us = _latest_entry_us(state)
    is_standing = state.phase == STOPPED and state.away == 0
    for i in range(state.fence_count):
        stay = state.fences[i]
        away_m = _outside_m(stay.fence, near, outside_m, fences)
        may_leave = not is_standing or _has_shunted(stay, step, away_m, latest_us, s)
        if _is_over(stay, step, away_m, may_leave, fences, rows, s):
            continue
        if kept < i:
            _copy_stay(state.fences[kept], stay)
        kept += 1
    state.fence_count = kept
    _enter(state, step, near, outside_m, fences)


@compiled
def _latest_entry_us(state: VehicleState) -> int:
    """When the last of the visits that are certain began."""
    latest_us = UNKNOWN_US
    for i in range(state.fence_count):
        if state.fences[i].stage != ENTERING:
            latest_us = max(latest_us, state.fences[i].entered_us)
    return latest_us


@compiled
def _has_shunted(
    stay: FenceStay, step: Step, outside_m: float, latest_us: int, s: FleetSettings
) -> bool:
    """Whether a vehicle that has not set out from where it stands has left the fence all the same:
    it is well away from it, or has been for long, or was taken into another one since."""
    if outside_m > s.exit_standing_m or outside_m == math.inf:
        return True
    if stay.run == 0:
        return False
    lasted_us = step.spot.time_us - stay.run_us
    return lasted_us >= s.exit_standing_s * 1e6 or latest_us >= stay.run_us


@compiled
def _is_over(
    stay: FenceStay,
    step: Step,
    outside_m: float,
    may_leave: bool,
    fences: Items[PlannedFence],
    rows: Items[Row],
    s: FleetSettings,
) -> bool:
    if stay.stage != ENTERING:
        is_out = outside_m > step.accuracy_m + s.exit_buffer_m
        is_away = _step_inside(stay, is_out, step.spot.time_us, s)
        if not (is_away and may_leave):
            _watch_dwell(stay, step, fences, rows, s)
            return False
        row = rows[say(rows, step, VISIT, stay.fence, 0, stay.entered_us)]
        end_row(row, stay.run_us, step)
        _end_anomalies(stay, step, fences, rows, s)
        return True
    if outside_m > 0:
        # Just outside takes back one fix inside: who stands at an edge is in and out by turns.
        stay.run -= 1
        return stay.run == 0 or outside_m > step.accuracy_m + s.exit_buffer_m
    if _step_entering(stay, step.spot.time_us, s):
        say(rows, step, VISIT, stay.fence, 0, stay.entered_us)
        if stay.kind == NO_GO_AREA:
            _say_no_go(stay, step, rows)
        step.entered[step.entered_count] = stay.fence
        step.entered_us[step.entered_count] = stay.entered_us
        step.entered_count += 1
    return False


@compiled
def _say_no_go(stay: FenceStay, step: Step, rows: Items[Row]) -> int:
    at = say(rows, step, NO_GO, stay.fence, 0, stay.entered_us)
    tell(rows[at], step, 0.0, 0.0)
    return at


@compiled
def _watch_dwell(
    stay: FenceStay, step: Step, fences: Items[PlannedFence], rows: Items[Row], s: FleetSettings
) -> None:
    """From the limit on the detention clock runs."""
    if stay.stage == OVERDUE or stay.run > 0:
        return
    stayed_s = (step.spot.time_us - stay.entered_us) * 1e-6
    if stayed_s < s.dwell_s_min:
        return
    limit_s = _dwell_limit_s(stay.fence, fences, s)
    if 0 < limit_s <= stayed_s:
        stay.stage = OVERDUE
        _say_dwell(stay, step, stayed_s, limit_s, rows)


@compiled
def _say_dwell(
    stay: FenceStay, step: Step, stayed_s: float, limit_s: float, rows: Items[Row]
) -> int:
    at = say(rows, step, DWELL, stay.fence, 0, stay.entered_us + round(limit_s * 1e6))
    tell(rows[at], step, stayed_s, limit_s)
    return at


@compiled
def _end_anomalies(
    stay: FenceStay, step: Step, fences: Items[PlannedFence], rows: Items[Row], s: FleetSettings
) -> None:
    if stay.kind == NO_GO_AREA:
        row = rows[_say_no_go(stay, step, rows)]
        row.ended = RECOVERED
        end_row(row, stay.run_us, step)
    if stay.stage == OVERDUE:
        stayed_s = (stay.run_us - stay.entered_us) * 1e-6
        limit_s = _dwell_limit_s(stay.fence, fences, s)
        row = rows[_say_dwell(stay, step, stayed_s, limit_s, rows)]
        row.ended = RECOVERED
        end_row(row, max(stay.run_us, row.begin_us), step)


@compiled
def _dwell_limit_s(key: int, fences: Items[PlannedFence], s: FleetSettings) -> float:
    """Of a fence that is planned no longer, the usual one."""
    for i in range(len(fences)):
        if fences[i].key == key:
            return fences[i].dwell_limit_s
    return s.free_time_s


@compiled
def _step_entering(stay: FenceStay, time_us: int, s: FleetSettings) -> bool:
    """One more fix inside; whether the visit is certain now."""
    stay.run += 1
    if not _is_run(stay.run, s.enter_fixes, time_us - stay.entered_us, s):
        return False
    stay.stage = INSIDE
    stay.run = 0
    return True


@compiled
def _step_inside(stay: FenceStay, is_out: bool, time_us: int, s: FleetSettings) -> bool:
    """One more fix of a visit; whether it is over."""
    if not is_out:
        stay.run = 0
        return False
    if stay.run == 0:
        stay.run_us = time_us
    stay.run = min(stay.run + 1, _RUN_MAX)
    return _is_run(stay.run, s.exit_fixes, time_us - stay.run_us, s)


@compiled
def _is_run(fixes: int, fixes_min: int, lasted_us: int, s: FleetSettings) -> bool:
    return fixes >= fixes_min or (fixes >= _FIXES_MIN and lasted_us >= s.fence_s * 1e6)


@compiled
def _enter(
    state: VehicleState,
    step: Step,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    fences: Items[PlannedFence],
) -> None:
    """The first fix in fences that the vehicle was not in."""
    for i in range(len(near)):
        if outside_m[i] > 0 or state.fence_count == FENCES_MAX:
            continue
        fence = fences[int(near[i])]
        if _is_in(state, fence.key):
            continue
        stay = state.fences[state.fence_count]
        stay.fence = fence.key
        stay.entered_us = step.spot.time_us
        stay.run_us = step.spot.time_us
        stay.area_m2 = fence.area_m2
        stay.run = 1
        stay.stage = ENTERING
        stay.kind = fence.kind
        state.fence_count += 1


@compiled
def _is_in(state: VehicleState, key: int) -> bool:
    for i in range(state.fence_count):  # noqa: SIM110 - generators are not compiled
        if state.fences[i].fence == key:
            return True
    return False


@compiled
def _outside_m(
    key: int,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    fences: Items[PlannedFence],
) -> float:
    for i in range(len(near)):
        if fences[int(near[i])].key == key:
            return outside_m[i]
    return math.inf


@compiled
def _copy_stay(into: FenceStay, of: FenceStay) -> None:
    into.fence = of.fence
    into.entered_us = of.entered_us
    into.run_us = of.run_us
    into.area_m2 = of.area_m2
    into.run = of.run
    into.stage = of.stage
    into.kind = of.kind


@compiled
def is_in_yard(
    near: NDArray[np.int32], outside_m: NDArray[np.float64], fences: Items[PlannedFence]
) -> bool:
    """Whether a fix lies in a yard, whatever visits it is part of."""
    for i in range(len(near)):  # noqa: SIM110 - generators are not compiled
        if outside_m[i] <= 0 and fences[int(near[i])].kind == YARD:
            return True
    return False


@compiled
def is_visiting_yard(state: VehicleState) -> bool:
    """Whether the vehicle is in a yard, entering or leaving one."""
    for i in range(state.fence_count):  # noqa: SIM110 - generators are not compiled
        if state.fences[i].kind == YARD:
            return True
    return False


@compiled
def innermost_fence(state: VehicleState) -> int:
    """The smallest fence the vehicle visits; 0 for none."""
    found = 0
    area_m2 = math.inf
    for i in range(state.fence_count):
        stay = state.fences[i]
        if stay.stage != ENTERING and (stay.area_m2 < area_m2 or found == 0):
            found, area_m2 = stay.fence, stay.area_m2
    return found
