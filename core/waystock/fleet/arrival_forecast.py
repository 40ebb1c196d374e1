"""Arrivals at every later stop, predicted at every fix, in order of time and from nothing that came
later. Upstream: `lane_trips`; downstream: the transit benchmark.

Arrivals teach: `lane_profile` what a leg takes, `lane_pace` how much delay goes on, `lane_errors`
how far predictions can be trusted. A fix is answered with the rest of the leg it is on and the legs
after it. An arrival at the very time of a fix is known at that fix.
"""

from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import Floats, Int64s
from waystock.fleet.lane_errors import (
    AWAY_SLOTS,
    SLOT_S,
    SLOTS,
    LaneErrors,
    bucket_of,
    learn_error,
    learn_lead,
    no_errors,
    scale,
)
from waystock.fleet.lane_pace import (
    SIGNALS,
    LanePace,
    ahead_log,
    factor,
    learn_leg,
    learn_pace,
    network_log,
    no_pace,
    own_log,
    pace_s,
)
from waystock.fleet.lane_profile import (
    LaneProfile,
    Room,
    expected_s,
    learn_passage,
    nothing_learned,
    remaining_s,
    room,
)
from waystock.fleet.lane_trips import SPANS, LaneTrips, straight_m

KEEP_S = 120.0
"""What a leg takes is reckoned again after so long."""
HORIZON_S = 900.0
"""Predictions are handed out for arrivals at most so far away."""


class Predictions(NamedTuple):
    """Seconds since 1970, one row per fix and later stop."""

    fix: Int64s
    visit: Int64s
    p10: Floats
    p50: Floats
    p90: Floats
    told: Floats
    """Most likely to be within the benchmark's limits."""


class Forecaster(NamedTuple):
    """All that is known at an instant."""

    profile: LaneProfile
    pace: LanePace
    errors: LaneErrors
    work: Room
    next_visit: Int64s
    """Of each trip."""
    hoped_s: Floats
    """Of each visit's leg, what was expected when it began, and …"""
    signals: Floats
    """… the signals of that instant."""
    samples: Floats
    """Of each visit, what was predicted last in each of the last `SLOTS` minutes, and …"""
    sampled: Floats
    """… when; −inf without."""
    counted: Floats
    """Of each visit, the newest prediction of each minute away, of those that were handed out; NaN
    without."""


def forecast(trips: LaneTrips) -> Predictions:
    """Learned from the trips themselves as they go on."""
    kinds, rows, count = events(trips)
    made = Predictions(
        np.empty(count, np.int64), np.empty(count, np.int64), *np.empty((4, count), np.float64)
    )
    _run(trips, kinds, rows, made)
    return made


def events(trips: LaneTrips) -> tuple[Int64s, Int64s, int]:
    """Arrivals (0) and fixes (1) in order of time, and how many predictions they ask for."""
    visits, fixes = len(trips.visit_s), len(trips.fix_s)
    kinds = np.repeat(np.array([0, 1], np.int64), [visits, fixes])
    rows = np.concatenate([np.arange(visits), np.arange(fixes)])
    order = np.lexsort((rows, kinds, np.concatenate([trips.visit_s, trips.fix_s])))
    return kinds[order], rows[order], _asked(trips)


@compiled
def _asked(trips: LaneTrips) -> int:
    count = 0
    for trip in range(len(trips.fix_first) - 1):
        known = int(trips.visit_first[trip])
        end = int(trips.visit_first[trip + 1])
        for fix in range(trips.fix_first[trip], trips.fix_first[trip + 1]):
            now_s = trips.fix_s[fix]
            while known < end and trips.visit_s[known] <= now_s:
                known += 1
            visit = known
            while visit < end and trips.visit_s[visit] - now_s <= HORIZON_S:
                visit += 1
            count += visit - known
    return count


@compiled
def _run(trips: LaneTrips, kinds: Int64s, rows: Int64s, made: Predictions) -> None:
    visits, legs = len(trips.visit_s), trips.legs
    know = Forecaster(
        nothing_learned(legs, visits),
        no_pace(len(trips.fix_first) - 1, legs),
        no_errors(),
        room(),
        trips.visit_first[:-1].copy(),
        np.zeros(visits),
        np.zeros((visits, SIGNALS)),
        np.zeros((visits, SLOTS)),
        np.full((visits, SLOTS), -np.inf),
        np.full((visits, AWAY_SLOTS), np.nan),
    )
    done = 0
    for event in range(len(rows)):
        row = int(rows[event])
        if kinds[event] == 0:
            _arrive(know, trips, row)
        else:
            done = _answer(know, trips, row, made, done)


@compiled
def _arrive(know: Forecaster, trips: LaneTrips, visit: int) -> None:
    """A stop was reached: its leg is over, the next begins."""
    trip, now_s = int(trips.visit_trip[visit]), trips.visit_s[visit]
    for slot in range(SLOTS):
        at_s = know.sampled[visit, slot]
        if now_s - at_s <= SLOTS * SLOT_S:
            away_s = know.samples[visit, slot] - at_s
            learn_error(know.errors, bucket_of(away_s), away_s, now_s - know.samples[visit, slot])
    for slot in range(AWAY_SLOTS):
        if not np.isnan(know.counted[visit, slot]):
            bucket = bucket_of((slot + 0.5) * SLOT_S)
            learn_lead(know.errors, bucket, now_s - know.counted[visit, slot])
    begin_s = know.profile.begin_s[visit]
    if begin_s > 0 and now_s > begin_s:
        took_s = now_s - begin_s
        learn_leg(
            know.pace,
            trip,
            int(trips.leg[visit]),
            now_s,
            took_s,
            know.hoped_s[visit],
            know.signals[visit],
        )
        learn_pace(know.pace, leg_m(trips, visit), took_s)
        _learn_passages(know, trips, visit)
    know.next_visit[trip] = visit + 1
    if visit + 1 < trips.visit_first[trip + 1]:
        _begin(know, trips, visit + 1, now_s)


@compiled
def _learn_passages(know: Forecaster, trips: LaneTrips, visit: int) -> None:
    """Of the leg that is over, and of those that leave out stops before it."""
    trip, now_s = int(trips.visit_trip[visit]), trips.visit_s[visit]
    first, end = int(trips.fix_first[trip]), int(trips.fix_first[trip + 1])
    times = trips.fix_s[first:end]
    for span in range(SPANS):
        passage = span * len(trips.visit_s) + visit
        if trips.leg[passage] < 0:
            continue
        begin_s = know.profile.begin_s[visit - span]
        if begin_s <= 0:
            continue
        know.profile.begin_s[passage] = begin_s
        know.profile.first[passage] = first + np.searchsorted(times, begin_s)
        know.profile.end[passage] = first + np.searchsorted(times, now_s)
        learn_passage(know.profile, trips, passage)


@compiled
def leg_m(trips: LaneTrips, visit: int) -> float:
    """From the stop before, or else from where the trip was first seen, as the crow flies."""
    lat, lon = trips.visit_lat[visit], trips.visit_lon[visit]
    trip = int(trips.visit_trip[visit])
    if visit > trips.visit_first[trip]:
        return straight_m(trips.visit_lat[visit - 1], trips.visit_lon[visit - 1], lat, lon)
    first = int(trips.fix_first[trip])
    return straight_m(trips.fix_lat[first], trips.fix_lon[first], lat, lon)


@compiled
def _begin(know: Forecaster, trips: LaneTrips, visit: int, now_s: float) -> None:
    """The leg to a stop begins: what is expected of it, to be compared at its end."""
    trip, leg = int(trips.visit_trip[visit]), int(trips.leg[visit])
    know.profile.begin_s[visit] = now_s
    know.hoped_s[visit] = _leg_s(know, trips, visit, now_s)
    know.signals[visit, 0] = own_log(know.pace, trip, 0.0, 0.0)
    know.signals[visit, 1] = ahead_log(know.pace, leg, now_s)
    know.signals[visit, 2] = network_log(know.pace, now_s)


@compiled
def _leg_s(know: Forecaster, trips: LaneTrips, visit: int, now_s: float) -> float:
    """Seconds of a leg before any delay: learned, or else by its length."""
    learned = expected_s(know.profile, trips, know.work, int(trips.leg[visit]), now_s, KEEP_S)
    return pace_s(know.pace, leg_m(trips, visit)) if np.isnan(learned) else learned


@compiled
def _answer(know: Forecaster, trips: LaneTrips, fix: int, made: Predictions, done: int) -> int:
    """Predictions at a fix, from row `done` on; how many rows there are then."""
    trip, now_s = int(trips.fix_trip[fix]), trips.fix_s[fix]
    visit, end = int(know.next_visit[trip]), int(trips.visit_first[trip + 1])
    if visit >= end:
        return done
    if know.profile.begin_s[visit] == 0:
        _begin(know, trips, visit, now_s)
    rest_s, own = _rest_s(know, trips, visit, fix)
    network = network_log(know.pace, now_s)
    away_s = 0.0
    # As far as is asked for; and what is said of arrivals up to `SLOTS` minutes away is remembered,
    # whether they come sooner or later: errors of those alone that came soon would say little.
    while visit < end and (trips.visit_s[visit] - now_s <= HORIZON_S or away_s < SLOTS * SLOT_S):
        leg_s = rest_s if away_s == 0.0 else _leg_s(know, trips, visit, now_s)
        slower = factor(know.pace, own, ahead_log(know.pace, int(trips.leg[visit]), now_s), network)
        away_s += max(1.0, leg_s * slower)
        if away_s < SLOTS * SLOT_S:
            slot = int(now_s / SLOT_S) % SLOTS
            know.samples[visit, slot] = now_s + away_s
            know.sampled[visit, slot] = now_s
        if trips.visit_s[visit] - now_s <= HORIZON_S:
            if away_s < AWAY_SLOTS * SLOT_S:
                know.counted[visit, int(away_s / SLOT_S)] = now_s + away_s
            _hand_out(know, made, done, fix, visit, now_s, away_s)
            done += 1
        visit += 1
    return done


@compiled
def _rest_s(know: Forecaster, trips: LaneTrips, visit: int, fix: int) -> tuple[float, float]:
    """Seconds to the next stop before any delay, and the trip's own delay so far."""
    trip, now_s = int(trips.fix_trip[fix]), trips.fix_s[fix]
    lat, lon = trips.fix_lat[fix], trips.fix_lon[fix]
    under_way_s = now_s - know.profile.begin_s[visit]
    rest_s = remaining_s(know.profile, trips, know.work, visit, now_s, under_way_s, lat, lon)
    if np.isnan(rest_s):
        away_m = straight_m(lat, lon, trips.visit_lat[visit], trips.visit_lon[visit])
        return pace_s(know.pace, away_m), own_log(know.pace, trip, 0.0, 0.0)
    driven_s = max(0.0, _leg_s(know, trips, visit, now_s) - rest_s)
    return rest_s, own_log(know.pace, trip, under_way_s, driven_s)


@compiled
def _hand_out(
    know: Forecaster,
    made: Predictions,
    row: int,
    fix: int,
    visit: int,
    now_s: float,
    away_s: float,
) -> None:
    """One prediction with its range; never in the past."""
    near = bucket_of(away_s)
    wide = scale(away_s)
    low_s, high_s = know.errors.range[near, 0] * wide, know.errors.range[near, 1] * wide
    middle_s = min(high_s, max(low_s, know.errors.middle_s[near]))
    made.fix[row] = fix
    made.visit[row] = visit
    made.p10[row] = now_s + max(0.0, away_s + low_s)
    made.p50[row] = now_s + max(0.0, away_s + middle_s)
    made.p90[row] = now_s + max(0.0, away_s + high_s)
    made.told[row] = now_s + max(0.0, away_s + know.errors.lead_s[near])
