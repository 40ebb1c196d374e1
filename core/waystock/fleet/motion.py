"""Moving or standing: trips and stops as a step from fix to fix. Upstream: accepted fixes as spots;
downstream: trip and stop rows, and the hops that the vehicle's pace is read from.

A stop begins at the first fix that lies at the resting place, a trip at the last one, though both
are only known later; drift around a resting place makes neither.
"""

from waystock.compiled import compiled
from waystock.fleet.geodesy import distance_m
from waystock.fleet.records import Items
from waystock.fleet.rows import STOP, TRIP, Row, Step, end_row, say
from waystock.fleet.settings import RECENT_MAX, RESTS_MAX, FleetSettings
from waystock.fleet.state import (
    MOVING,
    STOPPED,
    UNKNOWN,
    Rest,
    Spot,
    VehicleState,
    copy_spot,
)


@compiled
def begin_motion(state: VehicleState, spot: Spot) -> None:
    """At the first fix nothing is known but the place."""
    state.phase = UNKNOWN
    state.away = 0
    state.rest_count = 0
    state.recent_count = 1
    copy_spot(state.recent[0], spot)
    copy_spot(state.anchor, spot)
    copy_spot(state.since, spot)
    copy_spot(state.until, spot)


@compiled
def step_motion(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """The next accepted fix, later than all before it."""
    silent_s = _seconds(state.until, step.spot)
    if silent_s >= s.stop_window_s and _was_gap(state, silent_s, step.spot, s):
        step_over_gap(state, step, rows, s)
        return
    copy_spot(step.before, state.until)
    _step_rest(state, step, s)
    if state.phase == MOVING:
        _step_moving(state, step, rows, s)
    else:
        _step_standing(state, step, rows, s)


@compiled
def _was_gap(state: VehicleState, silent_s: float, spot: Spot, s: FleetSettings) -> bool:
    """Too long a silence, or one crossed too slowly to have been driven."""
    if silent_s > s.gap_s:
        return True
    way_m = spot.odometer_m - state.until.odometer_m
    return state.phase == MOVING and way_m < s.gap_pace_mps * silent_s


@compiled
def step_over_gap(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """What came before the silence ends there. A vehicle that comes back where it was has stood;
    one that comes back elsewhere is met anew."""
    spot = step.spot
    if state.phase == UNKNOWN:
        begin_motion(state, spot)
        return
    is_moving = state.phase == MOVING
    if is_moving:
        stood = _last_heard_of(state, s)
        _end_trip(state, stood, step, rows)
    else:
        stood = state.anchor
    if _apart_m(stood, spot) >= _depart_limit_m(step, s):
        _end_stop(stood, state.until, step, rows)
        begin_motion(state, spot)
        return
    if is_moving:
        _say_stop(stood, step, rows)
    copy_spot(step.before, stood)
    _stand(state, step.before)
    state.rest_count = 1
    copy_spot(state.rests[0].since, step.before)
    copy_spot(state.rests[0].until, spot)
    copy_spot(state.since, spot)
    copy_spot(state.until, spot)


@compiled
def _last_heard_of(state: VehicleState, s: FleetSettings) -> Spot:
    """A trip that nothing more is heard of ends at the last fix, or at the first of its rest."""
    return state.since if _is_settled(state, s) else state.until


@compiled
def trip_ends(states: Items[VehicleState], rules: Items[FleetSettings], ends: Items[Spot]) -> None:
    """Where the trip of each vehicle that is under way ends if nothing more is ever heard."""
    for i in range(len(states)):
        if states[i].phase == MOVING:
            copy_spot(ends[i], _last_heard_of(states[i], rules[0]))


@compiled
def _step_rest(state: VehicleState, step: Step, s: FleetSettings) -> None:
    """Prolong the present rest, or end it with a hop and begin one here."""
    spot = step.spot
    away_m = _apart_m(state.since, spot)
    if away_m <= max(s.still_m, 2.0 * step.accuracy_m):
        copy_spot(state.until, spot)
        return
    if _is_settled(state, s):
        _keep_rest(state, spot.time_us - round(s.stop_window_s * 1e6))
    step.hop_m = away_m
    step.hop_s = _seconds(state.since, spot)
    copy_spot(state.since, spot)
    copy_spot(state.until, spot)


@compiled
def _keep_rest(state: VehicleState, oldest_us: int) -> None:
    """Add the rest that is over to those that end at `oldest_us` or later."""
    kept = 0
    for i in range(state.rest_count):
        rest = state.rests[i]
        if rest.until.time_us >= oldest_us:
            _copy_rest(state.rests[kept], rest)
            kept += 1
    if kept == RESTS_MAX:
        for i in range(RESTS_MAX - 1):
            _copy_rest(state.rests[i], state.rests[i + 1])
        kept -= 1
    copy_spot(state.rests[kept].since, state.since)
    copy_spot(state.rests[kept].until, state.until)
    state.rest_count = kept + 1


@compiled
def _step_moving(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    _remember(state, step.spot, s)
    _arrive_if_it_stands(state, step, rows, s)


@compiled
def _arrive_if_it_stands(
    state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings
) -> None:
    if not _has_arrived(state, step.spot, s):
        return
    arrived = _arrival(state, s)
    _end_trip(state, arrived, step, rows)
    _say_stop(arrived, step, rows)
    copy_spot(step.before, arrived)
    _stand(state, step.before)


@compiled
def _step_standing(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """Stopped, or unknown: away from the anchor often enough is a departure."""
    state.away = state.away + 1 if _is_away(state, step, s) else 0
    if state.away == 0:
        copy_spot(state.left, step.spot)
    elif state.away == 1:
        copy_spot(state.left, step.before)
    if state.phase == UNKNOWN or state.away > 0:
        _remember(state, step.spot, s)
    else:
        state.recent_count = 0
    if state.away >= s.depart_fixes and _is_sure(state, step, s):
        _depart(state, step, rows, s)
        _arrive_if_it_stands(state, step, rows, s)
    elif state.phase == UNKNOWN and state.away == 0 and _has_arrived(state, step.spot, s):
        copy_spot(step.before, _arrival(state, s))
        _say_stop(step.before, step, rows)
        _stand(state, step.before)
    elif state.phase == STOPPED and state.rest_count > 1:
        _copy_rest(state.rests[0], state.rests[state.rest_count - 1])
        state.rest_count = 1


@compiled
def _depart(state: VehicleState, step: Step, rows: Items[Row], s: FleetSettings) -> None:
    """A trip begins at the last fix at the resting place: there the first leg that really moved."""
    start = state.anchor if state.rest_count == 0 else state.rests[state.rest_count - 1].until
    if _seconds(start, state.left) > s.rest_memory_s:
        start = state.left
    if state.phase == STOPPED:
        _end_stop(state.anchor, start, step, rows)
    copy_spot(state.anchor, start)
    state.phase = MOVING
    state.away = 0
    row = rows[say(rows, step, TRIP, 0, 0, state.anchor.time_us)]
    row.lat = state.anchor.lat
    row.lon = state.anchor.lon
    kept = 0
    for i in range(state.recent_count):
        if state.recent[i].time_us > state.anchor.time_us:
            copy_spot(state.recent[kept], state.recent[i])
            kept += 1
    if kept == 0:
        copy_spot(state.recent[0], step.spot)
        kept = 1
    state.recent_count = kept


@compiled
def _stand(state: VehicleState, anchor: Spot) -> None:
    copy_spot(state.anchor, anchor)
    state.phase = STOPPED
    state.away = 0
    state.rest_count = 0
    state.recent_count = 0


@compiled
def _is_away(state: VehicleState, step: Step, s: FleetSettings) -> bool:
    """Out of reach of the stop and of the last resting place (a gate, then a dock nearby)."""
    limit_m = _depart_limit_m(step, s)
    away_m = _apart_m(state.anchor, step.spot)
    if away_m < limit_m:
        return False
    if away_m >= max(limit_m, s.depart_anyway_m):
        return True
    if _is_settled(state, s) and _apart_m(state.anchor, state.since) < limit_m:
        return False
    if state.rest_count == 0:
        return True
    return _apart_m(state.rests[state.rest_count - 1].since, step.spot) >= limit_m


@compiled
def _is_sure(state: VehicleState, step: Step, s: FleetSettings) -> bool:
    """That it is away is no error of some fixes which will be back in a moment: it is far enough,
    says that it moves, or has been away for a stop's time."""
    if _apart_m(state.anchor, step.spot) >= s.depart_anyway_m or step.speed_mps >= s.moving_mps:
        return True
    return _seconds(state.left, step.spot) > s.stop_window_s


@compiled
def _depart_limit_m(step: Step, s: FleetSettings) -> float:
    return max(s.depart_m, s.off_route_accuracies * step.accuracy_m)


@compiled
def _has_arrived(state: VehicleState, spot: Spot, s: FleetSettings) -> bool:
    """Whether every fix of the stop window lies together."""
    first = state.recent[0]
    if _seconds(first, spot) < s.stop_window_s or _apart_m(first, spot) > s.stop_m:
        return False
    for i in range(1, state.recent_count):  # noqa: SIM110 - generators are not compiled
        if _apart_m(first, state.recent[i]) > s.stop_m:
            return False
    return True


@compiled
def _arrival(state: VehicleState, s: FleetSettings) -> Spot:
    """Where a vehicle that has arrived came to stand: its first resting place of the window."""
    first = state.recent[0]
    for i in range(state.rest_count):
        if state.rests[i].since.time_us >= first.time_us:
            return state.rests[i].since
    if _is_settled(state, s) and state.since.time_us >= first.time_us:
        return state.since
    return first


@compiled
def _remember(state: VehicleState, spot: Spot, s: FleetSettings) -> None:
    """Fixes of the stop window, at most one per `recent_step_s`: the first of them is the latest
    that is at least a window old, if there is one."""
    count = state.recent_count
    if count == 0 or spot.time_us - state.recent[count - 1].time_us >= s.recent_step_s * 1e6:
        if count == RECENT_MAX:
            _forget(state, 1)
            count -= 1
        copy_spot(state.recent[count], spot)
        state.recent_count = count + 1
    oldest_us = spot.time_us - s.stop_window_s * 1e6
    old = 0
    while old + 1 < state.recent_count and state.recent[old + 1].time_us <= oldest_us:
        old += 1
    if old > 0:
        _forget(state, old)


@compiled
def _forget(state: VehicleState, oldest: int) -> None:
    for i in range(oldest, state.recent_count):
        copy_spot(state.recent[i - oldest], state.recent[i])
    state.recent_count -= oldest


@compiled
def _say_stop(arrived: Spot, step: Step, rows: Items[Row]) -> int:
    at = say(rows, step, STOP, 0, 0, arrived.time_us)
    rows[at].lat = arrived.lat
    rows[at].lon = arrived.lon
    return at


@compiled
def _end_stop(arrived: Spot, left: Spot, step: Step, rows: Items[Row]) -> None:
    end_row(rows[_say_stop(arrived, step, rows)], left.time_us, step)


@compiled
def _end_trip(state: VehicleState, end: Spot, step: Step, rows: Items[Row]) -> None:
    start = state.anchor
    row = rows[say(rows, step, TRIP, 0, 0, start.time_us)]
    row.lat = start.lat
    row.lon = start.lon
    row.end_lat = end.lat
    row.end_lon = end.lon
    row.distance_m = end.odometer_m - start.odometer_m
    end_row(row, end.time_us, step)


@compiled
def _is_settled(state: VehicleState, s: FleetSettings) -> bool:
    """A rest of `still_s` is a resting place."""
    return _seconds(state.since, state.until) >= s.still_s


@compiled
def _copy_rest(into: Rest, of: Rest) -> None:
    copy_spot(into.since, of.since)
    copy_spot(into.until, of.until)


@compiled
def _apart_m(a: Spot, b: Spot) -> float:
    return distance_m(a.lat, a.lon, b.lat, b.lon)


@compiled
def _seconds(earlier: Spot, later: Spot) -> float:
    return (later.time_us - earlier.time_us) * 1e-6
