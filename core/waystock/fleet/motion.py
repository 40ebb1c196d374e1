"""Moving or standing: trips and stops as a step from fix to fix. Upstream: accepted fixes as spots;
downstream: trip and stop rows, and the hops that the vehicle's pace is read from.

A stop begins at the first fix that lies at the resting place, a trip at the last one, though both
are only known later; drift around a resting place makes neither.
"""

from collections.abc import Sequence
from typing import NamedTuple

from waystock.fleet.geodesy import distance_m
from waystock.fleet.rows import StopRow, TripRow, instant_from_us
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import MotionState, Rest, Spot


class Hop(NamedTuple):
    """The way from the first fix at one place to the first one away from it."""

    moved_m: float
    took_s: float


class MotionStep(NamedTuple):
    """The state after a fix, what it closed or opened, and the hop it ended (if any)."""

    state: MotionState
    trip: TripRow | None = None
    stop: StopRow | None = None
    hop: Hop | None = None


def begin_motion(spot: Spot) -> MotionState:
    """At the first fix nothing is known but the place."""
    return MotionState(phase="unknown", anchor=spot, rest=Rest(spot, spot), recent=(spot,))


def step_motion(vehicle: str, state: MotionState, spot: Spot, s: FleetSettings) -> MotionStep:
    """The next accepted fix, later than all before it."""
    last = state.rest.until
    silent_s = _seconds(last, spot)
    if silent_s >= s.stop_window_s and _was_gap(state, silent_s, last, spot, s):
        return step_over_gap(vehicle, state, spot, s)
    rest, rests, hop = _step_rest(state, spot, s)
    if state.phase == "moving":
        return _step_moving(vehicle, state, spot, rest, rests, hop, s)
    return _step_standing(vehicle, state, spot, rest, rests, hop, s)


def open_trip(vehicle: str, state: MotionState, ended: Spot | None = None) -> TripRow | None:
    """The trip under way, as far as the last fix, or ended at `ended`; None while standing."""
    start = state.trip_start
    if start is None:
        return None
    end = ended or state.rest.until
    return TripRow(
        vehicle=vehicle,
        started_at=instant_from_us(start.time_us),
        ended_at=instant_from_us(ended.time_us) if ended else None,
        start_lat=start.lat,
        start_lon=start.lon,
        end_lat=end.lat,
        end_lon=end.lon,
        distance_m=end.odometer_m - start.odometer_m,
    )


def open_stop(vehicle: str, state: MotionState) -> StopRow | None:
    """The stop the vehicle stands at; None while moving, or while that is unknown."""
    return _stop_row(vehicle, state.anchor, None) if state.phase == "stopped" else None


def _was_gap(state: MotionState, silent_s: float, last: Spot, spot: Spot, s: FleetSettings) -> bool:
    """Too long a silence, or one crossed too slowly to have been driven."""
    if silent_s > s.gap_s:
        return True
    way_m = spot.odometer_m - last.odometer_m
    return state.phase == "moving" and way_m < s.gap_pace_mps * silent_s


def step_over_gap(vehicle: str, state: MotionState, spot: Spot, s: FleetSettings) -> MotionStep:
    """What came before the silence ends there. A vehicle that comes back where it was has stood;
    one that comes back elsewhere is met anew."""
    if state.phase == "unknown":
        return MotionStep(begin_motion(spot))
    is_moving = state.phase == "moving"
    stood = _last_place(state.rest, s) if is_moving else state.anchor
    trip = open_trip(vehicle, state, ended=stood) if is_moving else None
    if _apart_m(stood, spot) < _depart_limit_m(spot, s):
        following = _stand(stood, Rest(spot, spot), rests=(Rest(stood, spot),))
        stop = _stop_row(vehicle, stood, None)
    else:
        following = begin_motion(spot)
        stop = _stop_row(vehicle, stood, state.rest.until)
    return MotionStep(following, trip, stop)


def _last_place(rest: Rest, s: FleetSettings) -> Spot:
    """Where a trip ends that nothing more is heard of: the last fix, or the first of its rest."""
    return rest.since if _is_settled(rest, s) else rest.until


def _step_rest(
    state: MotionState, spot: Spot, s: FleetSettings
) -> tuple[Rest, tuple[Rest, ...], Hop | None]:
    """Prolong the present rest, or end it with a hop and begin one here."""
    rest = state.rest
    away_m = _apart_m(rest.since, spot)
    if away_m <= _radius_m(spot, s):
        return Rest(rest.since, spot), state.rests, None
    rests = state.rests
    if _is_settled(rest, s):
        oldest_us = spot.time_us - round(s.stop_window_s * 1e6)
        rests = (*(r for r in rests if r.until.time_us >= oldest_us), rest)
    return Rest(spot, spot), rests, Hop(away_m, _seconds(rest.since, spot))


def _step_moving(
    vehicle: str,
    state: MotionState,
    spot: Spot,
    rest: Rest,
    rests: tuple[Rest, ...],
    hop: Hop | None,
    s: FleetSettings,
) -> MotionStep:
    recent = _remember(state.recent, spot, s)
    arrived = _arrival(recent, spot, rest, rests, s)
    if arrived is None:
        moving = MotionState(
            phase="moving",
            anchor=state.anchor,
            rest=rest,
            rests=rests,
            recent=recent,
            trip_start=state.trip_start,
        )
        return MotionStep(moving, hop=hop)
    trip = open_trip(vehicle, state, ended=arrived)
    return MotionStep(_stand(arrived, rest), trip, _stop_row(vehicle, arrived, None), hop)


def _step_standing(
    vehicle: str,
    state: MotionState,
    spot: Spot,
    rest: Rest,
    rests: tuple[Rest, ...],
    hop: Hop | None,
    s: FleetSettings,
) -> MotionStep:
    """Stopped, or unknown: away from the anchor often enough is a departure."""
    away = state.away + 1 if _is_away(state.anchor, rest, rests, spot, s) else 0
    left = state.left if away > 1 else state.rest.until if away else spot
    recording = state.phase == "unknown" or away > 0
    recent = _remember(state.recent, spot, s) if recording else ()
    if away >= s.depart_fixes:
        start = _departure(state.anchor, rests, left or state.anchor, s)
        moving = MotionState(
            phase="moving",
            anchor=start,
            rest=rest,
            rests=rests,
            recent=tuple(r for r in recent if r.time_us > start.time_us) or (spot,),
            trip_start=start,
        )
        stopped = state.phase == "stopped"
        stop = _stop_row(vehicle, state.anchor, start) if stopped else None
        return MotionStep(moving, open_trip(vehicle, moving), stop, hop)
    if state.phase == "unknown" and away == 0:
        arrived = _arrival(recent, spot, rest, rests, s)
        if arrived is not None:
            stop = _stop_row(vehicle, arrived, None)
            return MotionStep(_stand(arrived, rest), stop=stop, hop=hop)
    standing = MotionState(
        phase=state.phase,
        anchor=state.anchor,
        rest=rest,
        rests=rests[-1:] if state.phase == "stopped" else rests,
        away=away,
        left=left,
        recent=recent,
    )
    return MotionStep(standing, hop=hop)


def _stand(anchor: Spot, rest: Rest, rests: tuple[Rest, ...] = ()) -> MotionState:
    return MotionState(phase="stopped", anchor=anchor, rest=rest, rests=rests)


def _is_away(anchor: Spot, rest: Rest, rests: Sequence[Rest], spot: Spot, s: FleetSettings) -> bool:
    """Out of reach of the stop and of the last resting place (a gate, then a dock nearby)."""
    limit_m = _depart_limit_m(spot, s)
    away_m = _apart_m(anchor, spot)
    if away_m < limit_m:
        return False
    if away_m >= max(limit_m, s.depart_anyway_m):
        return True
    if _is_settled(rest, s) and _apart_m(anchor, rest.since) < limit_m:
        return False
    return not rests or _apart_m(rests[-1].since, spot) >= limit_m


def _depart_limit_m(spot: Spot, s: FleetSettings) -> float:
    return max(s.depart_m, s.off_route_accuracies * spot.accuracy_m)


def _departure(anchor: Spot, rests: Sequence[Rest], left: Spot, s: FleetSettings) -> Spot:
    """The last fix at the resting place: there the first leg begins that really moved."""
    last = rests[-1].until if rests else anchor
    return last if _seconds(last, left) <= s.rest_memory_s else left


def _arrival(
    recent: Sequence[Spot], spot: Spot, rest: Rest, rests: Sequence[Rest], s: FleetSettings
) -> Spot | None:
    """Where the vehicle came to stand, if every fix of the stop window lies together."""
    first = recent[0]
    if _seconds(first, spot) < s.stop_window_s or _apart_m(first, spot) > s.stop_m:
        return None
    if any(_apart_m(first, other) > s.stop_m for other in recent):
        return None
    for settled in rests:
        if settled.since.time_us >= first.time_us:
            return settled.since
    is_settled = _is_settled(rest, s) and rest.since.time_us >= first.time_us
    return rest.since if is_settled else first


def _remember(recent: tuple[Spot, ...], spot: Spot, s: FleetSettings) -> tuple[Spot, ...]:
    """Fixes of the stop window, at most one per `recent_step_s`: the first of them is the latest
    that is at least a window old, if there is one."""
    if recent and spot.time_us - recent[-1].time_us >= s.recent_step_s * 1e6:
        recent = (*recent, spot)
    elif not recent:
        recent = (spot,)
    oldest_us = spot.time_us - s.stop_window_s * 1e6
    keep = 0
    while keep + 1 < len(recent) and recent[keep + 1].time_us <= oldest_us:
        keep += 1
    return recent[keep:] if keep else recent


def _stop_row(vehicle: str, arrived: Spot, left: Spot | None) -> StopRow:
    return StopRow(
        vehicle=vehicle,
        arrived_at=instant_from_us(arrived.time_us),
        departed_at=instant_from_us(left.time_us) if left else None,
        lat=arrived.lat,
        lon=arrived.lon,
    )


def _is_settled(rest: Rest, s: FleetSettings) -> bool:
    return _seconds(rest.since, rest.until) >= s.still_s


def _radius_m(spot: Spot, s: FleetSettings) -> float:
    return max(s.still_m, 2.0 * spot.accuracy_m)


def _apart_m(a: Spot, b: Spot) -> float:
    return distance_m(a.lat, a.lon, b.lat, b.lon)


def _seconds(earlier: Spot, later: Spot) -> float:
    return (later.time_us - earlier.time_us) * 1e-6
