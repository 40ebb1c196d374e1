"""How wrong predictions were: the likely range of the next ones, and the best instant to tell.
Upstream: predictions whose arrival has come; downstream: `arrival_forecast`.

Errors are kept by how far away the arrival was predicted, the newest `KEPT` of each; p10 and p90
are their quantiles (split conformal: from outcomes, not from the model's own spread), of errors as
multiples of the root of the time that was predicted, so that a range is as wide as its own distance
asks for. The transit benchmark forgives a vehicle that comes later than told more than one
that comes earlier, for whoever trusts a prediction misses the latter. So the instant `told` is not
the middle, but the one from which most of the errors seen would have been within the limits.
"""

import math
from typing import NamedTuple

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.fixes import Floats, Int64s

BUCKET_ENDS_S = (180.0, 360.0, 600.0, 900.0)
"""Predictions are told apart by minutes away: 0-3, 3-6, 6-10, 10-15."""
EARLY_S = (30.0, 60.0, 60.0, 90.0)
"""A prediction is right if the vehicle comes at most so much earlier than predicted …"""
LATE_S = (90.0, 150.0, 210.0, 270.0)
"""… or so much later."""
KEPT = 1500
AGAIN_AFTER = 30
PRIOR_ERRORS = 30.0
START_SPREAD = (45.0, 75.0, 110.0, 160.0, 220.0)
"""p90 − p50 in seconds while nothing is known."""
LEAD_STEP_S = 5.0
SCALE_FLOOR_S = 60.0
FAR = len(BUCKET_ENDS_S)
"""The bucket of what is predicted to be further away: it may come sooner, and be counted."""
SLOT_S = 60.0
SLOTS = 25
"""Of the predictions of one arrival the last of each minute is kept until it comes, for so many of
them. By the clock, not by minutes away: a bus in a jam is three minutes away for ten, and each of
them was wrong."""
AWAY_SLOTS = 20
"""Of those that count in the benchmark the last of each minute away is kept."""


class LaneErrors(NamedTuple):
    """By bucket: rings of errors (arrival − prediction), how many came, and what they say."""

    ring: Floats
    """Of all predictions, as multiples of `scale`."""
    came: Int64s
    range: Floats
    """p10 and p90 of those."""
    counted: Floats
    """Of predictions that count in the benchmark, in seconds."""
    counted_came: Int64s
    middle_s: Floats
    """Their middle, to add to a prediction for p50; and …"""
    lead_s: Floats
    """… to add for the instant to tell."""


@compiled
def no_errors() -> LaneErrors:
    """Before the first arrival."""
    widths = np.zeros((FAR + 1, 2))
    lead = np.zeros(FAR + 1)
    for bucket in range(FAR + 1):
        limits = min(bucket, FAR - 1)
        widths[bucket, 0] = -_start_spread(bucket)
        widths[bucket, 1] = _start_spread(bucket)
        lead[bucket] = (EARLY_S[limits] - LATE_S[limits]) / 2
    rings = np.zeros((2, FAR + 1, KEPT))
    came = np.zeros((2, FAR + 1), np.int64)
    return LaneErrors(rings[0], came[0], widths, rings[1], came[1], np.zeros(FAR + 1), lead)


@compiled
def scale(away_s: float) -> float:
    """How wide errors are for their time, as what adds up of independent parts is."""
    return math.sqrt(max(0.0, away_s) + SCALE_FLOOR_S)


@compiled
def _start_spread(bucket: int) -> float:
    middle_s = (0.0 if bucket == 0 else BUCKET_ENDS_S[bucket - 1]) + 90.0
    return START_SPREAD[bucket] / scale(middle_s)


@compiled
def bucket_of(away_s: float) -> int:
    """By time to the arrival; FAR beyond the last."""
    for bucket in range(FAR):
        if away_s <= BUCKET_ENDS_S[bucket]:
            return bucket
    return FAR


@compiled
def learn_error(errors: LaneErrors, bucket: int, away_s: float, error_s: float) -> None:
    """One more, of an arrival that was predicted so far away; the range is reckoned again every
    `AGAIN_AFTER`."""
    errors.ring[bucket, errors.came[bucket] % KEPT] = error_s / scale(away_s)
    errors.came[bucket] += 1
    if errors.came[bucket] % AGAIN_AFTER != 0:
        return
    count = min(KEPT, errors.came[bucket])
    seen = np.sort(errors.ring[bucket, :count])
    trust = count / (count + PRIOR_ERRORS)
    spread = _start_spread(bucket)
    for place, share in enumerate((0.1, 0.9)):
        at = min(count - 1, int(share * (count + 1)))
        prior = (-spread, spread)[place]
        errors.range[bucket, place] = trust * seen[at] + (1.0 - trust) * prior


@compiled
def learn_lead(errors: LaneErrors, bucket: int, error_s: float) -> None:
    """One more, of a prediction that counted; middle and lead are reckoned again every
    `AGAIN_AFTER`."""
    errors.counted[bucket, errors.counted_came[bucket] % KEPT] = error_s
    errors.counted_came[bucket] += 1
    if errors.counted_came[bucket] % AGAIN_AFTER != 0:
        return
    count = min(KEPT, errors.counted_came[bucket])
    trust = count / (count + PRIOR_ERRORS)
    limits = min(bucket, FAR - 1)
    early, late = EARLY_S[limits], LATE_S[limits]
    seen = np.sort(errors.counted[bucket, :count])
    errors.middle_s[bucket] = trust * seen[count // 2]
    best = _best_lead(seen, early, late)
    errors.lead_s[bucket] = trust * best + (1.0 - trust) * (early - late) / 2


@compiled
def _best_lead(seen: Floats, early: float, late: float) -> float:
    """The middle of the leads with which the most errors are within the limits."""
    most, first, last = -1, 0.0, 0.0
    steps = int((early + late) / LEAD_STEP_S) + 12
    for step in range(-steps, steps + 1):
        lead = (early - late) / 2 + step * LEAD_STEP_S
        low = np.searchsorted(seen, lead - early)
        right = np.searchsorted(seen, lead + late, "right") - low
        if right > most:
            most, first = right, lead
        if right == most:
            last = lead
    return (first + last) / 2
