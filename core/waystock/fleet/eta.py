"""When a vehicle will be at its next stop, where its lane has taught nothing yet: the way left, at
the pace that is known. Upstream: progress on the route, the vehicle's own pace;
downstream: `lane_eta`, the lateness rule and screens.

Causal. The way just ahead (`pace_reach_m`) is driven at a mean of the vehicle's own pace of the
last minutes and of what is expected, by observed time; the way beyond it at a mean of the trip's
pace and the planned one, by distance. A halt longer than a traffic light's is expected
to last as long again as it already has.
"""

import math

from waystock.compiled import compiled
from waystock.fleet.rows import PACE, Step
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Pace

Z90 = 1.2815515655446004
"""Quantile of the normal distribution at 0.9."""


@compiled
def forget_pace(pace: Pace) -> None:
    """A vehicle that stands has none."""
    pace.moved_m = 0.0
    pace.moved_s = 0.0
    pace.hop_mps = 0.0


@compiled
def step_pace(pace: Pace, moved_m: float, took_s: float, s: FleetSettings) -> None:
    """One more hop. One slower than the floor counts as at the floor; if it is the first, as
    nothing: it may have begun with a halt."""
    hop_mps = moved_m / took_s
    if hop_mps < s.pace_floor_mps and pace.hop_mps == 0.0:
        forget_pace(pace)
        pace.hop_mps = hop_mps
        return
    took_s = min(took_s, moved_m / s.pace_floor_mps)
    kept = math.exp(-took_s / s.pace_memory_s)
    pace.moved_m = pace.moved_m * kept + moved_m
    pace.moved_s = pace.moved_s * kept + took_s
    pace.hop_mps = hop_mps


@compiled
def own_pace_mps(pace: Pace, s: FleetSettings) -> float:
    """The vehicle's own pace; 0 while too little was observed."""
    if pace.moved_s < s.pace_min_s:
        return 0.0
    mean_mps = pace.moved_m / pace.moved_s
    return max(mean_mps, pace.hop_mps) if pace.moved_s < s.pace_young_s else mean_mps


@compiled
def forecast(
    step: Step,
    pace: Pace,
    remaining_m: float,
    planned_mps: float,
    trip_m: float,
    trip_s: float,
    halted_s: float,
    s: FleetSettings,
) -> None:
    """Seconds to the stop at three quantiles, and the mean pace they assume; `halted_s` is how long
    the vehicle has been at rest. The spread narrows from `spread_planned` to `spread_observed` as
    the trip goes on, taking travel time as log-normal; it is never less than `spread_s_min` to
    either side."""
    trip_weight = trip_m / (trip_m + s.trip_trust_m)
    planned_spm = 1.0 / planned_mps
    beyond_spm = planned_spm
    step.model = PACE
    if trip_m > 0 and trip_s > 0:
        trip_mps = max(s.pace_floor_mps, trip_m / trip_s)
        beyond_spm = trip_weight / trip_mps + (1.0 - trip_weight) * planned_spm
    ahead_spm = beyond_spm
    own_mps = own_pace_mps(pace, s)
    if own_mps > 0:
        weight = pace.moved_s / (pace.moved_s + s.pace_trust_s)
        ahead_spm = weight / own_mps + (1.0 - weight) * beyond_spm
    ahead_m = min(remaining_m, s.pace_reach_m)
    drive_s = ahead_m * ahead_spm + (remaining_m - ahead_m) * beyond_spm
    halt_s = min(halted_s, s.halt_s_max) if halted_s > s.halt_free_s else 0.0
    spread = s.spread_planned + (s.spread_observed - s.spread_planned) * trip_weight
    total_s = drive_s + halt_s
    step.remaining_m = remaining_m
    step.p10_s = max(0.0, min(total_s - s.spread_s_min, drive_s * math.exp(-Z90 * spread)))
    step.p50_s = total_s
    step.p90_s = max(total_s + s.spread_s_min, drive_s * math.exp(Z90 * spread) + 2 * halt_s)
    step.pace_mps = remaining_m / total_s if total_s > 0 else planned_mps
