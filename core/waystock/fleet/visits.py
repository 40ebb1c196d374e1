"""Entering and leaving geofences, with hysteresis and the fix's accuracy: a truck parked beside an
edge makes no flapping visits. Upstream: how far outside each near fence a fix lies; downstream:
visit rows, arrivals at stops, and what is told of stays (`fence_alerts`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.fence_alerts import end_stay_alert, watch_stay
from waystock.fleet.geodesy import distance_m
from waystock.fleet.planned import PlanArrays, PlannedFence
from waystock.fleet.records import UNKNOWN_US, Items
from waystock.fleet.rows import VISIT, Row, Step, end_row, say
from waystock.fleet.settings import FENCES_MAX, FleetSettings
from waystock.fleet.state import (
    DRIVING_IN,
    ENTERING,
    INSIDE,
    STOPPED,
    YARD,
    FenceStay,
    Spot,
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
    plan: PlanArrays,
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
    for i in range(state.fence_count):
        stay = state.fences[i]
        place, away_m = _where(stay.fence, near, outside_m, plan)
        fence = plan.fences[place]
        is_over = False
        if not is_certain(stay):
            is_over = _step_entering(state, stay, step, fence, away_m, plan, rows, s)
        elif _step_inside(stay, step, fence, away_m):
            is_over = state.phase != STOPPED or _has_shunted(
                stay, step, fence, away_m, latest_us, s
            )
        if is_over:
            _leave(stay, step, fence, rows)
            continue
        if is_certain(stay):
            watch_stay(stay, step, fence, plan.hours, rows, s)
        if kept < i:
            _copy_stay(state.fences[kept], stay)
        kept += 1
    state.fence_count = kept
    _enter(state, step, near, outside_m, plan, rows, s)


@compiled
def is_certain(stay: FenceStay) -> bool:
    """Whether the visit has a row."""
    return stay.stage >= INSIDE


@compiled
def _latest_entry_us(state: VehicleState) -> int:
    """When the last of the visits that are certain began."""
    latest_us = UNKNOWN_US
    for i in range(state.fence_count):
        if is_certain(state.fences[i]):
            latest_us = max(latest_us, state.fences[i].entered_us)
    return latest_us


@compiled
def _where(
    key: int, near: NDArray[np.int32], outside_m: NDArray[np.float64], plan: PlanArrays
) -> tuple[int, float]:
    """The fence's place in the plan, and how far outside it the fix lies."""
    for i in range(len(near)):
        if plan.fences[int(near[i])].key == key:
            return int(near[i]), outside_m[i]
    return _place_of(key, plan), math.inf


@compiled
def _place_of(key: int, plan: PlanArrays) -> int:
    """The last place where it is planned no longer."""
    low, high = 0, len(plan.fence_places)
    while low < high:
        middle = (low + high) // 2
        if plan.fence_places[middle].key < key:
            low = middle + 1
        else:
            high = middle
    if low < len(plan.fence_places) and plan.fence_places[low].key == key:
        return plan.fence_places[low].place
    return len(plan.fences) - 1


@compiled
def _step_entering(
    state: VehicleState,
    stay: FenceStay,
    step: Step,
    fence: PlannedFence,
    outside_m: float,
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> bool:
    """One more fix of a visit that isn't certain; whether it was none."""
    if outside_m > -fence.enter_margin_m:
        # Just outside takes back one fix inside: who stands at an edge is in and out by turns.
        stay.run -= 1
        return stay.run == 0 or outside_m > step.accuracy_m + fence.exit_margin_m
    stay.run = min(stay.run + 1, _RUN_MAX)
    _confirm_if_it_is(state, stay, step, fence, plan, rows, s)
    return False


@compiled
def _confirm_if_it_is(
    state: VehicleState,
    stay: FenceStay,
    step: Step,
    fence: PlannedFence,
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """The visit has begun for certain, if it has: it did so with the first fix of its run."""
    if step.speed_mps >= s.moving_mps:
        stay.stage = DRIVING_IN
    lasted_us = step.spot.time_us - stay.entered_us
    if not _is_run(stay.run, fence.enter_fixes, lasted_us, fence.enter_s):
        return
    is_standing = state.phase == STOPPED and stay.stage != DRIVING_IN
    if is_standing and not _has_moved_in(state, step, lasted_us * 1e-6, s):
        return
    stay.stage = INSIDE
    stay.run = 0
    say(rows, step, VISIT, stay.fence, 0, stay.entered_us)
    step.entered[step.entered_count] = stay.fence
    step.entered_us[step.entered_count] = stay.entered_us
    step.entered_count += 1
    watch_stay(stay, step, fence, plan.hours, rows, s)


@compiled
def _has_moved_in(state: VehicleState, step: Step, lasted_s: float, s: FleetSettings) -> bool:
    """Whether a vehicle that has not set out from where it stands has come into a fence all the
    same: for long away from where it stood, or for very long."""
    if lasted_s >= s.exit_standing_s:
        return True
    if lasted_s < s.enter_standing_s:
        return False
    far_m = max(s.enter_standing_m, 2.0 * step.accuracy_m)
    return _apart_m(state.anchor, step.spot) > far_m


@compiled
def _step_inside(stay: FenceStay, step: Step, fence: PlannedFence, outside_m: float) -> bool:
    """One more fix of a visit; whether its fixes say that it is over."""
    if not outside_m > step.accuracy_m + fence.exit_margin_m:
        stay.run = 0
        return False
    if stay.run == 0:
        stay.run_us = step.spot.time_us
    stay.run = min(stay.run + 1, _RUN_MAX)
    return _is_run(stay.run, fence.exit_fixes, step.spot.time_us - stay.run_us, fence.exit_s)


@compiled
def _has_shunted(
    stay: FenceStay,
    step: Step,
    fence: PlannedFence,
    outside_m: float,
    latest_us: int,
    s: FleetSettings,
) -> bool:
    """Whether a vehicle that has not set out from where it stands has left the fence all the same:
    it has been well away from it for a while, or outside for long, or was taken into another one
    since; or there is no such fence any more."""
    if fence.key != stay.fence or latest_us >= stay.run_us:
        return True
    lasted_s = (step.spot.time_us - stay.run_us) * 1e-6
    if lasted_s >= s.exit_standing_s:
        return True
    return outside_m > s.exit_standing_m and lasted_s >= s.exit_standing_far_s


@compiled
def _leave(stay: FenceStay, step: Step, fence: PlannedFence, rows: Items[Row]) -> None:
    """The visit ended with the first fix outside; one that was never certain has no row."""
    if not is_certain(stay):
        return
    row = rows[say(rows, step, VISIT, stay.fence, 0, stay.entered_us)]
    end_row(row, stay.run_us, step)
    end_stay_alert(stay, step, fence, rows)


@compiled
def _is_run(fixes: int, fixes_min: int, lasted_us: int, seconds_min: float) -> bool:
    return fixes >= fixes_min or (fixes >= _FIXES_MIN and lasted_us >= seconds_min * 1e6)


@compiled
def _enter(
    state: VehicleState,
    step: Step,
    near: NDArray[np.int32],
    outside_m: NDArray[np.float64],
    plan: PlanArrays,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """The first fix in fences that the vehicle was not in."""
    for i in range(len(near)):
        if outside_m[i] > 0 or state.fence_count == FENCES_MAX:
            continue
        fence = plan.fences[int(near[i])]
        if outside_m[i] > -fence.enter_margin_m or _is_in(state, fence.key):
            continue
        stay = state.fences[state.fence_count]
        stay.fence = fence.key
        stay.entered_us = step.spot.time_us
        stay.run_us = step.spot.time_us
        stay.alert_us = 0
        stay.area_m2 = fence.area_m2
        stay.run = 1
        stay.stage = ENTERING
        stay.kind = fence.kind
        state.fence_count += 1
        _confirm_if_it_is(state, stay, step, fence, plan, rows, s)


@compiled
def _is_in(state: VehicleState, key: int) -> bool:
    for i in range(state.fence_count):  # noqa: SIM110 - generators are not compiled
        if state.fences[i].fence == key:
            return True
    return False


@compiled
def _apart_m(a: Spot, b: Spot) -> float:
    return distance_m(a.lat, a.lon, b.lat, b.lon)


@compiled
def _copy_stay(into: FenceStay, of: FenceStay) -> None:
    into.fence = of.fence
    into.entered_us = of.entered_us
    into.run_us = of.run_us
    into.alert_us = of.alert_us
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
        if is_certain(stay) and (stay.area_m2 < area_m2 or found == 0):
            found, area_m2 = stay.fence, stay.area_m2
    return found
