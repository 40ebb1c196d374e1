"""Trips with their fixes and their stops, as columns: what the arrival forecast goes through.
Upstream: recorded fixes and known arrivals; downstream: `arrival_forecast`.

A leg is a pair of stops that follow one another, whichever trip drives it; the way to a trip's
first stop is a leg of its own. A trip that calls between them drives it as well: so those that
leave a stop out have somebody to learn from. A stop is a name at a place: the same name elsewhere
is another. A fix that nothing drives to so fast is put where the trip was seen before, so that a
prediction is still made at its time.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import FixColumns, Floats, Int32s, Int64s
from waystock.fleet.geodesy import distance_m

JUMP_MPS = 70.0
"""Nothing on the road is faster."""
SPANS = 4
"""Stops left out on a leg are at most one fewer."""
SAME_STOP_M = 400.0
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
    """Which leg ends with the visit, by number of stops left out (`SPANS` rows), then by visit.
    Only those are legs that some trip has in its plan; the others are −1."""
    legs: int
    repeated: int
    """Fixes that said the same again and were left out."""


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
    by_time, repeated = _by_time(fixes, fix_trip)
    fix_trip = fix_trip[by_time]
    fix_first = np.searchsorted(fix_trip, np.arange(len(numbers) + 1)).astype(np.int64)
    fix_s = fixes.time_us[by_time] / 1e6
    fix_lat, fix_lon = fixes.lat[by_time], fixes.lon[by_time]
    _hold_jumps(fix_first, fix_s, fix_lat, fix_lon)
    places = zip(lat[order].tolist(), lon[order].tolist(), strict=True)
    named = _stops(zip([stop[int(place)] for place in order], places, strict=True))
    leg, legs = _legs(visit_trip, named)
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
        repeated,
    )


def _by_time(fixes: FixColumns, fix_trip: Int32s) -> tuple[Int64s, int]:
    """Rows of the trips' fixes by trip and time, without those that say the same again; and how
    many these are."""
    columns = (fix_trip, fixes.time_us, fixes.lat, fixes.lon)
    order = np.lexsort(columns[::-1])
    order = order[fix_trip[order] >= 0]
    new = np.ones(len(order), np.bool_)
    new[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in columns], axis=0)
    return order[new], int(len(new) - new.sum())


def _stops(visits: Iterable[tuple[str, tuple[float, float]]]) -> list[int]:
    """A number for each stop, from 1 on."""
    known: dict[str, list[tuple[float, float, int]]] = {}
    numbers: list[int] = []
    count = 0
    for name, (lat, lon) in visits:
        alike = known.setdefault(name, [])
        number = next((n for y, x, n in alike if distance_m(y, x, lat, lon) < SAME_STOP_M), 0)
        if not number:
            count += 1
            number = count
            alike.append((lat, lon, number))
        numbers.append(number)
    return numbers


def _legs(visit_trip: Int32s, stops: list[int]) -> tuple[Int32s, int]:
    """See LaneTrips.leg; stop 0 is where a trip comes from."""
    numbers: dict[tuple[int, int], int] = {}
    trips = visit_trip.tolist()
    begins = [visit == 0 or trips[visit] != trips[visit - 1] for visit in range(len(stops))]
    legs = np.full((SPANS, len(stops)), -1, np.int32)
    for visit, stop in enumerate(stops):
        before = 0 if begins[visit] else stops[visit - 1]
        legs[0, visit] = numbers.setdefault((before, stop), len(numbers))
    for span in range(1, SPANS):
        for visit in range(span + 1, len(stops)):
            if trips[visit - span - 1] == trips[visit]:
                legs[span, visit] = numbers.get((stops[visit - span - 1], stops[visit]), -1)
    return legs.reshape(-1), len(numbers)


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
