"""Two plain ways to predict an arrival, for comparison: straight line × 1.3, and the way left by
the path of earlier trips, both at the mean speed of all legs driven so far, stays included.
Upstream: `lane_trips`; downstream: the transit benchmark.
"""

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.arrival_forecast import HORIZON_S, Predictions, events, leg_m
from waystock.fleet.fixes import Floats, Int64s
from waystock.fleet.lane_trips import LaneTrips, straight_m

DETOUR = 1.3
START_MPS = 6.0
"""Before any leg was driven."""
HOP_M = 15.0
"""Fixes nearer to one another than that are taken as one place."""


def baseline(trips: LaneTrips, *, is_straight: bool) -> Predictions:
    """By one of them; neither has a range, so p10, p50, p90 and told are the same."""
    kinds, rows, count = events(trips)
    fix, visit, at_s = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count)
    _run(trips, kinds, rows, is_straight, fix, visit, at_s)
    return Predictions(fix, visit, at_s, at_s, at_s, at_s)


@compiled
def _run(
    trips: LaneTrips,
    kinds: Int64s,
    rows: Int64s,
    is_straight: bool,
    fixes: Int64s,
    visits: Int64s,
    at_s: Floats,
) -> None:
    next_visit = trips.visit_first[:-1].copy()
    path_m = np.zeros(trips.legs)
    sums = np.zeros(2)
    done = 0
    for event in range(len(rows)):
        row = int(rows[event])
        if kinds[event] == 0:
            next_visit[trips.visit_trip[row]] = row + 1
            _learn(trips, row, path_m, sums)
            continue
        visit = int(next_visit[trips.fix_trip[row]])
        end = int(trips.visit_first[trips.fix_trip[row] + 1])
        mps = (sums[0] + 100 * START_MPS) / (sums[1] + 100)
        way_m = 0.0
        while visit < end and trips.visit_s[visit] - trips.fix_s[row] <= HORIZON_S:
            direct_m = straight_m(
                trips.fix_lat[row],
                trips.fix_lon[row],
                trips.visit_lat[visit],
                trips.visit_lon[visit],
            )
            length_m = path_m[trips.leg[visit]] or DETOUR * leg_m(trips, visit)
            way_m += direct_m * length_m / leg_m(trips, visit) if way_m == 0 else length_m
            fixes[done], visits[done] = row, visit
            at_s[done] = trips.fix_s[row] + (DETOUR * direct_m if is_straight else way_m) / mps
            done += 1
            visit += 1


@compiled
def _learn(trips: LaneTrips, visit: int, path_m: Floats, sums: Floats) -> None:
    """Length and time of a leg that is over; a leg's length is that of its newest passage."""
    trip = int(trips.visit_trip[visit])
    if visit == trips.visit_first[trip]:
        return
    first, end = int(trips.fix_first[trip]), int(trips.fix_first[trip + 1])
    at = first
    while at < end and trips.fix_s[at] < trips.visit_s[visit - 1]:
        at += 1
    lat, lon = trips.visit_lat[visit - 1], trips.visit_lon[visit - 1]
    length_m = 0.0
    while at < end and trips.fix_s[at] <= trips.visit_s[visit]:
        hop_m = straight_m(lat, lon, trips.fix_lat[at], trips.fix_lon[at])
        if hop_m > HOP_M + 10:
            length_m += hop_m
            lat, lon = trips.fix_lat[at], trips.fix_lon[at]
        at += 1
    length_m += straight_m(lat, lon, trips.visit_lat[visit], trips.visit_lon[visit])
    path_m[trips.leg[visit]] = length_m
    sums[0] += length_m
    sums[1] += max(1.0, trips.visit_s[visit] - trips.visit_s[visit - 1])
