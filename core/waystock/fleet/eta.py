"""When a vehicle will be at its next stop: the way left along the route, at the pace that is known.
Upstream: progress on the route, the vehicle's own pace; downstream: the lateness rule and screens.

First form, causal. The way just ahead (`pace_reach_m`) is driven at a mean of the vehicle's own
pace of the last minutes and of what is expected, by observed time; the way beyond it at a mean of
the trip's pace and the planned one, by distance. A halt longer than a traffic light's is expected
to last as long again as it already has.
"""

import math
from typing import NamedTuple

from waystock.fleet.motion import Hop
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Pace

_Z90 = 1.2815515655446004
"""Quantile of the normal distribution at 0.9."""


class Travel(NamedTuple):
    """What is known of one vehicle on its way; metres, seconds, metres per second."""

    remaining_m: float
    planned_mps: float
    pace: Pace
    trip_m: float
    trip_s: float
    halted_s: float
    """How long it has been at rest."""


class Forecast(NamedTuple):
    """Seconds from now to arrival at three quantiles; `pace_mps` is the mean pace this assumes."""

    p10_s: float
    p50_s: float
    p90_s: float
    pace_mps: float
    model: str
    """planned_speed | trip_pace | own_pace: the most particular of what was used."""


def step_pace(pace: Pace, hop: Hop, s: FleetSettings) -> Pace:
    """The pace after one more hop. One slower than the floor counts as at the floor; if it is the
    first, as nothing: it may have begun with a halt."""
    hop_mps = hop.moved_m / hop.took_s
    if hop_mps < s.pace_floor_mps and pace.hop_mps == 0.0:
        return Pace(hop_mps=hop_mps)
    took_s = min(hop.took_s, hop.moved_m / s.pace_floor_mps)
    kept = math.exp(-took_s / s.pace_memory_s)
    return Pace(pace.moved_m * kept + hop.moved_m, pace.moved_s * kept + took_s, hop_mps)


def own_pace_mps(pace: Pace, s: FleetSettings) -> float | None:
    """The vehicle's own pace; None while too little was observed."""
    if pace.moved_s < s.pace_min_s:
        return None
    mean_mps = pace.moved_m / pace.moved_s
    return max(mean_mps, pace.hop_mps) if pace.moved_s < s.pace_young_s else mean_mps


def forecast(travel: Travel, s: FleetSettings) -> Forecast:
    """Time to the stop. The spread narrows from `spread_planned` to `spread_observed` as the trip
    goes on, taking travel time as log-normal; never less than `spread_s_min` to either side."""
    trip_weight = travel.trip_m / (travel.trip_m + s.trip_trust_m)
    planned_spm = 1.0 / travel.planned_mps
    beyond_spm, model = planned_spm, "planned_speed"
    if travel.trip_m > 0 and travel.trip_s > 0:
        trip_mps = max(s.pace_floor_mps, travel.trip_m / travel.trip_s)
        beyond_spm = trip_weight / trip_mps + (1.0 - trip_weight) * planned_spm
        model = "trip_pace"
    ahead_spm = beyond_spm
    own_mps = own_pace_mps(travel.pace, s)
    if own_mps is not None:
        weight = travel.pace.moved_s / (travel.pace.moved_s + s.pace_trust_s)
        ahead_spm = weight / own_mps + (1.0 - weight) * beyond_spm
        model = "own_pace"
    ahead_m = min(travel.remaining_m, s.pace_reach_m)
    drive_s = ahead_m * ahead_spm + (travel.remaining_m - ahead_m) * beyond_spm
    halt_s = min(travel.halted_s, s.halt_s_max) if travel.halted_s > s.halt_free_s else 0.0
    spread = s.spread_planned + (s.spread_observed - s.spread_planned) * trip_weight
    total_s = drive_s + halt_s
    return Forecast(
        p10_s=max(0.0, min(total_s - s.spread_s_min, drive_s * math.exp(-_Z90 * spread))),
        p50_s=total_s,
        p90_s=max(total_s + s.spread_s_min, drive_s * math.exp(_Z90 * spread) + 2 * halt_s),
        pace_mps=travel.remaining_m / total_s if total_s > 0 else travel.planned_mps,
        model=model,
    )
