"""The fold over a vehicle's fixes: from state and fixes to state and derived rows. Upstream:
ingest, which passes fixes in order of time (and folds again from a checkpoint when one comes late);
downstream: the tables of trips, visits, arrivals, vehicle state and alerts.

Folding fixes in one call or in any number of calls gives the same state and, merged by key with the
last winning, the same rows. Geometry that does not depend on the state is computed for all fixes of
a call at once; the rest is one small step per fix.
"""

from collections.abc import Sequence
from typing import NamedTuple

from waystock.fleet.fences import Hit
from waystock.fleet.geodesy import distance_m
from waystock.fleet.plan import FleetPlan
from waystock.fleet.rows import Derived, Fix, Mark, Skipped, instant_us
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Spot, Suspect, VehicleState
from waystock.fleet.vehicle import VehicleFold

_UNKNOWN_ACCURACY_M = 1e9


class Track(NamedTuple):
    """One vehicle's share of a batch."""

    vehicle: str
    state: VehicleState
    fixes: Sequence[Fix]


def fold(
    vehicle: str, state: VehicleState, fixes: Sequence[Fix], plan: FleetPlan
) -> tuple[VehicleState, Derived]:
    """Fold fixes that are all later than the state's `frontier`.

    Of fixes with one and the same time one is taken, the same whatever their order; so a call must
    get all it will ever get of one instant, or the caller folds again from before it
    (ingest's fleet stage does). Fixes not later than the state's `frontier` are ignored.
    """
    return fold_fleet([Track(vehicle, state, fixes)], plan)[0]


def fold_fleet(tracks: Sequence[Track], plan: FleetPlan) -> list[tuple[VehicleState, Derived]]:
    """`fold` for many vehicles, their geofences looked up together; results in the same order."""
    usable = [_usable(track, plan.settings) for track in tracks]
    hits = plan.fences.locate(
        [fix.lat for fixes, _ in usable for _, fix in fixes],
        [fix.lon for fixes, _ in usable for _, fix in fixes],
    )
    results: list[tuple[VehicleState, Derived]] = []
    at = 0
    for track, (fixes, skipped) in zip(tracks, usable, strict=True):
        work = VehicleFold(track.vehicle, track.state, plan, skipped)
        for i, (time_us, fix) in enumerate(fixes, at):
            _accept_unless_jump(work, time_us, fix, hits.get(i, ()))
        results.append(work.result())
        at += len(fixes)
    return results


def _usable(track: Track, s: FleetSettings) -> tuple[list[tuple[int, Fix]], list[Skipped]]:
    """One fix per instant, in order, with the instant in µs; and those that are no use as fixes."""
    frontier = track.state.frontier
    after_us = instant_us(frontier) if frontier else None
    keyed: list[tuple[int, Fix]] = []
    skipped: list[Skipped] = []
    for fix in track.fixes:
        time_us = instant_us(fix.time)
        if after_us is not None and time_us <= after_us:
            continue
        mark = _mark(fix, s)
        if mark is None:
            keyed.append((time_us, fix))
        else:
            skipped.append(Skipped(fix.time, mark))
    keyed.sort(key=_by_time)
    return _one_per_instant(keyed), skipped


def _mark(fix: Fix, s: FleetSettings) -> Mark | None:
    """Why this fix can't be used whatever came before it."""
    if fix.accuracy_m is not None and fix.accuracy_m > s.accuracy_m_max:
        return "low_accuracy"
    if fix.time > fix.captured_at:
        ahead_s = (fix.time - fix.captured_at).total_seconds()
        return "future_time" if ahead_s > s.future_s_max else None
    return None


def _by_time(keyed: tuple[int, Fix]) -> int:
    return keyed[0]


def _one_per_instant(keyed: list[tuple[int, Fix]]) -> list[tuple[int, Fix]]:
    chosen: list[tuple[int, Fix]] = []
    for time_us, fix in keyed:
        if not chosen or chosen[-1][0] != time_us:
            chosen.append((time_us, fix))
        elif _rank(fix) < _rank(chosen[-1][1]):
            chosen[-1] = (time_us, fix)
    return chosen


def _rank(fix: Fix) -> tuple[float, float, float, float, float, float, tuple[str, ...]]:
    """Among fixes of one instant the most accurate; then whichever, but always the same."""
    return (
        _UNKNOWN_ACCURACY_M if fix.accuracy_m is None else fix.accuracy_m,
        fix.lat,
        fix.lon,
        -1.0 if fix.speed_mps is None else fix.speed_mps,
        -1.0 if fix.course_deg_true is None else fix.course_deg_true,
        fix.captured_at.timestamp(),
        fix.quality,
    )


def _accept_unless_jump(work: VehicleFold, time_us: int, fix: Fix, hits: Sequence[Hit]) -> None:
    """A fix that contradicts the last one is a jump, until several that agree say otherwise."""
    s = work.plan.settings
    accuracy_m = s.accuracy_m_default if fix.accuracy_m is None else fix.accuracy_m
    last = work.last_spot()
    if last is None:
        work.accept(fix, Spot(time_us, fix.lat, fix.lon, accuracy_m, work.odometer_m), 0.0, hits)
        return
    leg_m = distance_m(last.lat, last.lon, fix.lat, fix.lon)
    if not _is_jump(work, leg_m, time_us - last.time_us):
        spot = Spot(time_us, fix.lat, fix.lon, accuracy_m, last.odometer_m + leg_m)
        work.accept(fix, spot, leg_m, hits)
        return
    suspect = work.suspect
    run = 1
    if suspect is not None:
        step_m = distance_m(suspect.lat, suspect.lon, fix.lat, fix.lon)
        run = 1 if _is_jump(work, step_m, time_us - suspect.time_us) else suspect.fixes + 1
    if run >= s.jump_confirm_fixes:
        spot = Spot(time_us, fix.lat, fix.lon, accuracy_m, last.odometer_m)
        work.accept_elsewhere(fix, spot, hits)
        return
    work.suspect = Suspect(time_us, fix.lat, fix.lon, run)
    work.skip(fix, "teleport")


def _is_jump(work: VehicleFold, way_m: float, took_us: int) -> bool:
    s = work.plan.settings
    return way_m > s.jump_m_min and way_m > s.jump_speed_mps * took_us * 1e-6


__all__ = ["Derived", "Fix", "Mark", "Skipped", "Track", "VehicleState", "fold", "fold_fleet"]
