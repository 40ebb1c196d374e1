"""Entering and leaving geofences, with hysteresis and the fix's accuracy: a truck parked beside an
edge makes no flapping visits. Upstream: how far outside each near fence a fix lies; downstream:
visit rows, arrivals at stops.
"""

from collections.abc import Sequence

from waystock.fleet.fences import Hit
from waystock.fleet.rows import VisitRow, instant_from_us
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import FenceState

_FAR_M = float("inf")
_FIXES_MIN = 2


def step_visits(
    vehicle: str,
    states: tuple[FenceState, ...],
    hits: Sequence[Hit],
    time_us: int,
    accuracy_m: float,
    s: FleetSettings,
) -> tuple[tuple[FenceState, ...], list[VisitRow]]:
    """The next fix: new states in order of fence code, and visits that began or ended."""
    if not states and not hits:
        return states, []
    outside = {hit.fence: hit.outside_m for hit in hits}
    rows: list[VisitRow] = []
    following: list[FenceState] = []
    exit_m = accuracy_m + s.exit_buffer_m
    for state in states:
        outside_m = outside.pop(state.fence, _FAR_M)
        if not state.confirmed:
            after = _step_entering(state, outside_m, time_us, s)
            if after is not None and after.confirmed:
                rows.append(_visit(vehicle, after, None))
        else:
            after = _step_inside(state, outside_m > exit_m, time_us, s)
            if after is None:
                exited_us = state.run_us if state.run else time_us
                rows.append(_visit(vehicle, state, exited_us))
        if after is not None:
            following.append(after)
    following += [FenceState(f, time_us, False, 1, time_us) for f, m in outside.items() if m <= 0]
    following.sort(key=_by_fence)
    return tuple(following), rows


def _step_entering(
    state: FenceState, outside_m: float, time_us: int, s: FleetSettings
) -> FenceState | None:
    if outside_m > 0:
        return None
    run = state.run + 1
    if _is_run(run, s.enter_fixes, time_us - state.entered_us, s):
        return FenceState(state.fence, state.entered_us, True, 0, 0)
    return FenceState(state.fence, state.entered_us, False, run, state.run_us)


def _step_inside(
    state: FenceState, is_out: bool, time_us: int, s: FleetSettings
) -> FenceState | None:
    if not is_out:
        return state if not state.run else FenceState(state.fence, state.entered_us, True, 0, 0)
    run_us = state.run_us if state.run else time_us
    if _is_run(state.run + 1, s.exit_fixes, time_us - run_us, s):
        return None
    return FenceState(state.fence, state.entered_us, True, state.run + 1, run_us)


def _is_run(fixes: int, fixes_min: int, lasted_us: int, s: FleetSettings) -> bool:
    return fixes >= fixes_min or (fixes >= _FIXES_MIN and lasted_us >= s.fence_s * 1e6)


def _by_fence(state: FenceState) -> str:
    return state.fence


def _visit(vehicle: str, state: FenceState, exited_us: int | None) -> VisitRow:
    return VisitRow(
        vehicle=vehicle,
        fence=state.fence,
        entered_at=instant_from_us(state.entered_us),
        exited_at=None if exited_us is None else instant_from_us(exited_us),
    )
