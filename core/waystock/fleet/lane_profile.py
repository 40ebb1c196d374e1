"""What earlier passages of a leg say of a later one: how long it takes, and how long it still takes
from where a vehicle is. Upstream: passages that are over; downstream: `arrival_forecast`.

No map is needed. Each earlier passage is asked where it was when it came past the vehicle's place,
and how long it went on from there; the weighted median of the answers counts. Of places that a
passage came past twice (a loop, a stand) the one counts at which it had been under way for about as
long. So dwell at stops and waits at lights are part of what is learned. A passage weighs more the
nearer it was in hour of day, kind of day and age, and the nearer its path.
"""

import math
from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import Floats, Int64s
from waystock.fleet.geodesy import metres_per_degree, wrap_deg
from waystock.fleet.lane_trips import SPANS, LaneTrips, median_of

PASSAGES_MAX = 160
"""Of a leg, the newest."""
POINTS_MAX = 2048
"""Of all of them together are looked at; of one passage `PASSAGE_POINTS_MAX` at a time."""
PASSAGE_POINTS_MAX = 96
ALIKE_MPS = 0.2
"""A second of difference in time under way counts like so many metres beside the path."""
NEAR_M, LOST_M = 40.0, 300.0
"""Paths so far apart count half; beyond the latter not at all."""
HOURS_ALIKE = 1.5
HOUR_FLOOR = 0.15
OTHER_DAY = 0.4
"""Weight of a weekend's passage on a working day, and the other way round."""
MEMORY_DAYS = 21.0


class LaneProfile(NamedTuple):
    """Passages by leg, the newest first, as a chain. Each is named by its place in LaneTrips.leg:
    the visit that ended it, plus the number of stops left out times that of all visits."""

    newest: Int64s
    older: Int64s
    begin_s: Floats
    first: Int64s
    """The first of its fixes, and one past the last."""
    end: Int64s
    cached: Floats
    """Expected seconds of each leg, and …"""
    cached_at: Floats
    """… for which instant they were reckoned; −inf: anew."""


class Room(NamedTuple):
    """Work space, made once."""

    values: Floats
    weights: Floats


@compiled
def nothing_learned(legs: int, visits: int) -> LaneProfile:
    """Before the first passage."""
    return LaneProfile(
        np.full(legs, -1, np.int64),
        np.full(visits * SPANS, -1, np.int64),
        np.zeros(visits * SPANS),
        np.zeros(visits * SPANS, np.int64),
        np.zeros(visits * SPANS, np.int64),
        np.zeros(legs),
        np.full(legs, -np.inf),
    )


@compiled
def room() -> Room:
    """Work space for as many passages as are looked at."""
    return Room(np.zeros(PASSAGES_MAX), np.zeros(PASSAGES_MAX))


@compiled
def learn_passage(profile: LaneProfile, trips: LaneTrips, passage: int) -> None:
    """A leg was driven to its end; its beginning and fixes have been noted before."""
    leg = int(trips.leg[passage])
    profile.older[passage] = profile.newest[leg]
    profile.newest[leg] = passage
    profile.cached_at[leg] = -np.inf


@compiled
def expected_s(
    profile: LaneProfile, trips: LaneTrips, work: Room, leg: int, now_s: float, keep_s: float
) -> float:
    """Seconds of a leg, from arrival to arrival; NaN where nothing is known. Reckoned for the last
    full `keep_s`, so that it doesn't matter who asked when."""
    now_s = math.floor(now_s / keep_s) * keep_s
    if profile.cached_at[leg] == now_s:
        return profile.cached[leg]
    count, visits = 0, len(trips.visit_s)
    passage = int(profile.newest[leg])
    while passage >= 0 and count < PASSAGES_MAX:
        arrived_s = trips.visit_s[passage % visits]
        work.values[count] = arrived_s - profile.begin_s[passage]
        work.weights[count] = likeness(now_s, arrived_s)
        count += 1
        passage = int(profile.older[passage])
    profile.cached[leg] = median_of(work.values, work.weights, count)
    profile.cached_at[leg] = now_s
    return profile.cached[leg]


@compiled
def likeness(now_s: float, then_s: float) -> float:
    """How much what happened then says of now: by hour of day, kind of day (both UTC) and age."""
    age_days = (now_s - then_s) / 86_400
    hours = abs(((age_days * 24) + 12) % 24 - 12)
    alike = HOUR_FLOOR + math.exp(-0.5 * (hours / HOURS_ALIKE) ** 2)
    if is_weekend(now_s) != is_weekend(then_s):
        alike *= OTHER_DAY
    return alike * math.exp(-age_days / MEMORY_DAYS)


@compiled
def is_weekend(at_s: float) -> bool:
    """Saturday or Sunday; day 0 of 1970 was a Thursday."""
    return (math.floor(at_s / 86_400) + 3) % 7 >= 5


@compiled
def remaining_s(
    profile: LaneProfile,
    trips: LaneTrips,
    work: Room,
    visit: int,
    now_s: float,
    under_way_s: float,
    lat: float,
    lon: float,
) -> float:
    """Seconds from a place to the end of the leg that ends with `visit`; NaN where nothing is known
    or no passage came near."""
    count, points, visits = 0, 0, len(trips.visit_s)
    passage = int(profile.newest[trips.leg[visit]])
    while passage >= 0 and count < PASSAGES_MAX and points < POINTS_MAX:
        points += _points(int(profile.end[passage] - profile.first[passage]))
        off_m, at_s = _came_past(profile, trips, passage, under_way_s, lat, lon)
        if off_m < LOST_M:
            arrived_s = trips.visit_s[passage % visits]
            work.values[count] = max(0.0, arrived_s - at_s)
            near = 1.0 / (1.0 + (off_m / NEAR_M) ** 2)
            work.weights[count] = near * likeness(now_s, arrived_s)
            count += 1
        passage = int(profile.older[passage])
    return median_of(work.values, work.weights, count)


@compiled
def _stride(fixes: int) -> int:
    return max(1, (fixes + PASSAGE_POINTS_MAX - 1) // PASSAGE_POINTS_MAX)


@compiled
def _points(fixes: int) -> int:
    """How many are looked at of a passage of so many fixes, about."""
    stride = _stride(fixes)
    return fixes // stride + min(3 * stride, PASSAGE_POINTS_MAX)


@compiled
def _came_past(
    profile: LaneProfile,
    trips: LaneTrips,
    passage: int,
    under_way_s: float,
    lat: float,
    lon: float,
) -> tuple[float, float]:
    """How near a passage came to a place, and when. A long one is looked at coarsely first, then
    closely where it came nearest: chords of a kilometre don't follow a road."""
    begin, last = int(profile.first[passage]), int(profile.end[passage])
    end, alike_s = last, profile.begin_s[passage] + under_way_s
    while True:
        stride = _stride(last - begin)
        off_m, at_s, near = _nearest(trips, passage, begin, last, end, stride, alike_s, lat, lon)
        if stride == 1:
            return off_m, at_s
        begin, last = max(begin, near - 2 * stride), min(last, near + stride)


@compiled
def _nearest(
    trips: LaneTrips,
    passage: int,
    begin: int,
    last: int,
    end: int,
    stride: int,
    alike_s: float,
    lat: float,
    lon: float,
) -> tuple[float, float, int]:
    """Metres, instant and fix of the nearest of each `stride`th of the fixes `begin` to `last`. At
    `end` stands the stop itself, where the path ends."""
    per_lon, per_lat = metres_per_degree(lat)
    visit = passage % len(trips.visit_s)
    best, best_m, best_s, nearest = np.inf, np.inf, trips.visit_s[visit], last
    x0 = y0 = s0 = np.nan
    at = begin
    while True:
        if at < end:
            x = wrap_deg(trips.fix_lon[at] - lon) * per_lon
            y = (trips.fix_lat[at] - lat) * per_lat
            s = trips.fix_s[at]
        else:
            x = wrap_deg(trips.visit_lon[visit] - lon) * per_lon
            y = (trips.visit_lat[visit] - lat) * per_lat
            s = trips.visit_s[visit]
        part = 1.0
        past_s = s
        off2 = x * x + y * y
        if not math.isnan(x0):
            dx, dy = x - x0, y - y0
            length2 = dx * dx + dy * dy
            if length2 > 0:
                part = min(1.0, max(0.0, -(x0 * dx + y0 * dy) / length2))
            off2 = (x0 + part * dx) ** 2 + (y0 + part * dy) ** 2
            past_s = s0 + part * (s - s0)
        cost = off2 + (ALIKE_MPS * (past_s - alike_s)) ** 2
        if cost < best:
            best, best_m, best_s, nearest = cost, math.sqrt(off2), past_s, at
        if at >= last:
            return best_m, best_s, nearest
        x0, y0, s0 = x, y, s
        at = min(last, at + stride)
