"""What a finished leg teaches its lane. `passage_of` makes one passage of the fixes between two
arrivals; `learn_curve` one curve of a lane's passages. Pure: the same fixes give the same passage,
the same passages the same curve, in whatever order they became known. Upstream: stored fixes and
arrivals; downstream: `waystock.store.lanes`, which keeps both.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.fixes import Floats, Int64s
from waystock.fleet.geodesy import distance_m
from waystock.fleet.lane_curve import CURVE, HOURS, SEGMENTS, hour_of_week
from waystock.fleet.planned import Vertex
from waystock.fleet.records import Items, Records, as_items
from waystock.fleet.route import project, project_anywhere
from waystock.fleet.settings import FleetSettings

PASSAGES_MAX = 160
"""Of a lane, the newest are learned from."""
GAP_SHARE = 0.5
"""A passage that was not seen for more than this part of it teaches nothing."""
SHARE_SEEN = 0.6
"""So much of the leg's way has to have been driven on its route."""
HOURS_ALIKE = 1.5
OTHER_DAY = 0.4
"""What a weekend's passage says of a working day, and the other way round."""
HOUR_PRIOR = 3.0
"""So many passages weigh as much as what the network says of an hour."""
SPREAD_PRIOR, SPREAD_PRIOR_PASSAGES = 0.15, 5.0
_REACH_M = 300.0


class Passage(NamedTuple):
    """One finished leg."""

    left_us: int
    """The last fix at the stop where it begins."""
    service_s: float
    """Stay there, from arrival on; NaN where the leg is the shipment's first."""
    rest_s: Floats
    """SEGMENTS + 1 values: seconds to the arrival from each boundary of the leg's parts; from
    those within the stop where it begins, from when that was left."""


class Leg(NamedTuple):
    """Where a leg lies on its route, and when it was driven."""

    from_m: float
    to_m: float
    begin_us: int
    """Arrival at the stop before; for a first leg, the first fix that may belong to it."""
    end_us: int
    """Arrival."""
    is_first: bool


def leave_m(leg_m: float, s: FleetSettings) -> float:
    """So far along a leg the stop where it begins has been left; as `journey.has_left`."""
    return min(s.leave_m, s.leave_share * leg_m)


def passage_of(
    vertices: Records, leg: Leg, time_us: Int64s, lat: Floats, lon: Floats, s: FleetSettings
) -> Passage | str:
    """A passage, or why these fixes make none. Fixes in order of time, from the leg's begin to its
    end; WGS 84. `vertices` are the whole route's."""
    if len(time_us) < 4:
        return "fewer than four fixes"
    progress_m = np.empty(len(time_us))
    is_on = np.empty(len(time_us), np.bool_)
    _progress(
        as_items(vertices, Vertex), lat, lon, leg.from_m, leg.to_m, s.off_route_m, progress_m, is_on
    )
    leg_m = leg.to_m - leg.from_m
    along_m = np.clip(progress_m - leg.from_m, 0.0, leg_m)
    # The last time that it was short of a place counts: who comes back had not left.
    least_m = np.minimum.accumulate(along_m[::-1])[::-1]
    away_m = leave_m(leg_m, s)
    last_there = int(np.searchsorted(least_m, away_m, "left")) - 1
    left_us = int(time_us[max(0, last_there)])
    driven = slice(max(0, last_there), None)
    if leg.end_us - left_us < 1_000_000:
        return "no time between leaving and arriving"
    times = np.append(time_us[driven], leg.end_us)
    if int(np.diff(times).max(initial=0)) > GAP_SHARE * (leg.end_us - left_us):
        return "not seen for most of it"
    if not _is_seen(along_m[driven][is_on[driven]], leg_m, away_m):
        return "not driven on its route"
    boundaries_m = np.linspace(0.0, leg_m, SEGMENTS + 1)
    crossed_us = _crossings(boundaries_m, least_m, time_us, leg)
    rest_s = (leg.end_us - np.maximum(crossed_us, left_us)) / 1e6
    rest_s[-1] = 0.0
    service_s = math.nan if leg.is_first else max(0.0, (left_us - leg.begin_us) / 1e6)
    return Passage(left_us, service_s, np.maximum.accumulate(rest_s[::-1])[::-1])


def _is_seen(along_m: Floats, leg_m: float, away_m: float) -> bool:
    """Whether fixes on the route lie in enough of ten parts of the way."""
    parts = 10 if len(along_m) >= 20 else max(2, len(along_m) // 2)
    share = (along_m - away_m) / max(1.0, leg_m - away_m)
    seen = np.unique(np.floor(np.clip(share, 0.0, 0.999) * parts))
    return len(seen) >= SHARE_SEEN * parts


def _crossings(boundaries_m: Floats, least_m: Floats, time_us: Int64s, leg: Leg) -> Floats:
    """When each boundary was passed for good: between the last fix short of it and the next."""
    after = np.searchsorted(least_m, boundaries_m, "left")
    before = np.maximum(after - 1, 0)
    times = np.append(time_us, leg.end_us).astype(np.float64)
    places = np.append(least_m, leg.to_m - leg.from_m)
    way_m = places[after] - places[before]
    share = (boundaries_m - places[before]) / np.where(way_m > 0, way_m, 1.0)
    return times[before] + np.clip(share, 0.0, 1.0) * (times[after] - times[before])


@compiled
def _progress(
    vertices: Items[Vertex],
    lat: Floats,
    lon: Floats,
    from_m: float,
    to_m: float,
    off_m: float,
    progress_m: Floats,
    is_on: NDArray[np.bool_],
) -> None:
    """Where each fix lies on the route, between the leg's ends; one off the route stays where the
    one before it was, until the vehicle is back."""
    at_m = from_m
    for i in range(len(lat)):
        step_m = distance_m(lat[i - 1], lon[i - 1], lat[i], lon[i]) if i > 0 else 0.0
        expected_m = at_m + step_m
        low_m, high_m = max(from_m, at_m - _REACH_M), min(to_m, expected_m + _REACH_M)
        found = project(vertices, lat[i], lon[i], expected_m, low_m, high_m, 0.1)
        if found[1] > off_m:
            found = project_anywhere(vertices, lat[i], lon[i])
            if not (found[1] <= off_m and at_m <= found[0] <= to_m):
                progress_m[i] = at_m
                is_on[i] = False
                continue
        at_m = min(to_m, max(from_m, found[0]))
        progress_m[i] = at_m
        is_on[i] = True


class Passages(NamedTuple):
    """A lane's, by columns, in any order."""

    left_us: Int64s
    service_s: Floats
    rest_s: Floats
    """One row each."""


class Network(NamedTuple):
    """What all lanes together say."""

    hour_log: Floats
    """ln(time ÷ the lane's own) by hour of the week."""


NO_NETWORK = Network(np.zeros(HOURS))


def learn_curve(lane: int, length_m: float, passages: Passages, network: Network,
                s: FleetSettings) -> Records:  # fmt: skip
    """The curve of a lane's passages (at least one), not yet in force: `valid_us` is 0."""
    hours = np.array([hour_of_week(int(us)) for us in passages.left_us], np.int64)
    total_s = np.maximum(1.0, passages.rest_s[:, 0])
    hour_log = _hour_log(hours, np.log(total_s / np.median(total_s)), network)
    rest_s = passages.rest_s / np.exp(hour_log[hours])[:, None]
    middle_s = np.median(rest_s, axis=0)
    curve = np.zeros(1, CURVE)
    curve["lane"], curve["length_m"] = lane, length_m
    curve["leave_m"] = leave_m(length_m, s)
    curve["passages"] = len(hours)
    curve["rest_s"] = np.maximum.accumulate(middle_s[::-1])[::-1]
    curve["hour_log"] = hour_log
    curve["spread"] = _spread(np.log(np.maximum(1.0, rest_s[:, 0]) / max(1.0, float(middle_s[0]))))
    stays = passages.service_s[~np.isnan(passages.service_s)]
    curve["services"] = len(stays)
    curve["service_s"] = np.median(stays) if len(stays) else 0.0
    return curve


def _hour_log(hours: Int64s, ratio_log: Floats, network: Network) -> Floats:
    """By hour of the week, of passages at about that hour of the same kind of day; shrunk to the
    network's, and so that the lane's passages keep their middle."""
    weights = likeness()[:, hours]
    seen = weights.sum(axis=1)
    mean = (weights @ ratio_log) / np.maximum(seen, 1e-9)
    shrunk = (seen * mean + HOUR_PRIOR * network.hour_log) / (seen + HOUR_PRIOR)
    return shrunk - float(np.median(shrunk[hours]))


def likeness() -> Floats:
    """HOURS × HOURS: how much one hour of the week says of another."""
    hour = np.arange(HOURS)
    apart = np.abs(hour[:, None] - hour[None, :]) % 24
    apart = np.minimum(apart, 24 - apart)
    is_weekend = hour // 24 >= 5
    alike = np.exp(-0.5 * (apart / HOURS_ALIKE) ** 2)
    return np.where(is_weekend[:, None] == is_weekend[None, :], alike, OTHER_DAY * alike)


def _spread(log: Floats) -> float:
    """By the middle deviation, which one breakdown doesn't move; with the prior of a lane that was
    driven a few times."""
    own = 1.4826 * float(np.median(np.abs(log)))
    seen = len(log) - 1.0
    sum2 = seen * own * own + SPREAD_PRIOR_PASSAGES * SPREAD_PRIOR**2
    return math.sqrt(sum2 / (seen + SPREAD_PRIOR_PASSAGES))


def network_of(hour: Int64s, mean_log: Floats, passages: Floats) -> Network:
    """Of all lanes by hour of the week: mean ln(time ÷ the lane's own), and of how many."""
    logs, seen = np.zeros(HOURS), np.zeros(HOURS)
    logs[hour], seen[hour] = mean_log, passages
    weights = likeness() * seen[None, :]
    total = weights.sum(axis=1)
    return Network((weights @ logs) / (total + HOUR_PRIOR))
