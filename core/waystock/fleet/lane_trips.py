"""Trips with their fixes and their stops, as columns: what the arrival forecast goes through.
Upstream: recorded fixes and known arrivals; downstream: `arrival_forecast`.

A leg is a pair of stops that follow one another, by name, whichever trip drives it; the way to a
trip's first stop is a leg of its own. A fix that nothing drives to so fast is put where the trip
was seen before, so that a prediction is still made at its time.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import FixColumns, Floats, Int32s, Int64s
from waystock.fleet.geodesy import distance_m

JUMP_MPS = 70.0
"""Nothing on the road is faster."""
JUMPS_MAX = 3
"""After so many in a row it was the place before that was wrong."""


class LaneTrips(NamedTuple):
    """Columns by trip, then time; times in seconds since 1970, places WGS 84 degrees."""

    fix_first: Int64s
    """Where each trip's fixes begin, and one more: where the last one's end."""
    fix_trip: Int32s
    fix_s: Floats
    fix_lat: Floats
    fix_lon: Floats
    visit_first: Int64s
    visit_trip: Int32s
    visit_s: Floats
    visit_lat: Floats
    visit_lon: Floats
    leg: Int32s
    """Which leg ends with the visit."""
    legs: int


def lane_trips(
    fixes: FixColumns,
    trip: Sequence[str],
    stop: Sequence[str],
    lat: Floats,
    lon: Floats,
    us: Int64s,
) -> LaneTrips:
    """Of trips that have fixes as well as arrivals; the others teach nothing."""
    numbers = {name: number for number, name in enumerate(sorted({*trip} & {*fixes.devices}))}
    visit_trip = np.array([numbers.get(name, -1) for name in trip], np.int32)
    order = np.lexsort((np.arange(len(us)), us, visit_trip))
    order = order[visit_trip[order] >= 0]
    visit_trip = visit_trip[order]
    of_device = np.array([numbers.get(name, -1) for name in fixes.devices], np.int32)
    fix_trip = of_device[fixes.device] if len(fixes.devices) else fixes.device
    by_time = np.lexsort((fixes.time_us, fix_trip))
    by_time = by_time[fix_trip[by_time] >= 0]
    fix_trip = fix_trip[by_time]
    fix_first = np.searchsorted(fix_trip, np.arange(len(numbers) + 1)).astype(np.int64)
    fix_s = fixes.time_us[by_time] / 1e6
    fix_lat, fix_lon = fixes.lat[by_time], fixes.lon[by_time]
    _hold_jumps(fix_first, fix_s, fix_lat, fix_lon)
    leg, legs = _legs(visit_trip, [stop[int(place)] for place in order])
    return LaneTrips(
        fix_first,
        fix_trip,
        fix_s,
        fix_lat,
        fix_lon,
        np.searchsorted(visit_trip, np.arange(len(numbers) + 1)).astype(np.int64),
        visit_trip,
        us[order] / 1e6,
        lat[order],
        lon[order],
        leg,
        legs,
    )


def _legs(visit_trip: Int32s, stops: list[str]) -> tuple[Int32s, int]:
    numbers: dict[tuple[str, str], int] = {}
    legs = np.empty(len(stops), np.int32)
    before = ""
    for visit, stop in enumerate(stops):
        if visit == 0 or visit_trip[visit] != visit_trip[visit - 1]:
            before = ""
        legs[visit] = numbers.setdefault((before, stop), len(numbers))
        before = stop
    return legs, len(numbers)


@compiled
def _hold_jumps(first: Int64s, time_s: Floats, lat: Floats, lon: Floats) -> None:
    for trip in range(len(first) - 1):
        good = first[trip]
        jumps = 0
        for fix in range(first[trip] + 1, first[trip + 1]):
            hop_m = distance_m(lat[good], lon[good], lat[fix], lon[fix])
            took_s = max(1.0, time_s[fix] - time_s[good])
            if hop_m > 200.0 and hop_m / took_s > JUMP_MPS and jumps < JUMPS_MAX:
                lat[fix], lon[fix] = lat[good], lon[good]
                jumps += 1
            else:
                good = fix
                jumps = 0


@compiled
def straight_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """As the crow flies; never less than a vehicle's own length, for paces are taken from it."""
    return max(20.0, distance_m(lat1, lon1, lat2, lon2))


@compiled
def median_of(values: Floats, weights: Floats, count: int) -> float:
    """The weighted median of the first `count` values, between the two that lie about the half; NaN
    without any."""
    if count == 0:
        return math.nan
    order = np.argsort(values[:count])
    half = float(weights[:count].sum()) / 2
    reached = middle = before = 0.0
    for rank in range(count):
        place = int(order[rank])
        value, share = float(values[place]), float(weights[place])
        # Each value stands at the middle of its share of the weights.
        at = reached + share / 2
        if at >= half:
            if rank == 0 or at <= middle:
                return value
            return before + (value - before) * (half - middle) / (at - middle)
        reached, middle, before = reached + share, at, value
    return before
