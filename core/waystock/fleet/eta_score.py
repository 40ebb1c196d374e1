"""The transit benchmark of arrival predictions. Upstream: predictions and the arrivals that came;
downstream: `waystock fleet eta-score` and `waystock bench eta`.

A prediction belongs to the bucket of the time that was really left. It is right if the vehicle came
at most EARLY_S earlier and at most LATE_S later than predicted. `overall` is the mean of the
buckets that have any (method: the ETA Accuracy Benchmark of TransitApp, after IBI Group).
"""

import msgspec
import numpy as np

from waystock.fleet.fixes import Floats
from waystock.fleet.lane_errors import BUCKET_ENDS_S, EARLY_S, LATE_S

BUCKETS = ("0-3", "3-6", "6-10", "10-15")
"""Minutes that were really left; a bucket ends with its last instant."""


class Score(msgspec.Struct, frozen=True):
    """Shares that were right, in all and by bucket; None without a prediction."""

    overall: float | None
    buckets: dict[str, float]
    mae_s: float | None
    n: int


def score(now_s: Floats, predicted_s: Floats, arrived_s: Floats) -> Score:
    """Of predictions made at `now_s`; what was further away than the last bucket doesn't count."""
    left_s = arrived_s - now_s
    error_s = arrived_s - predicted_s
    buckets: dict[str, float] = {}
    begin_s = 0.0
    for name, end_s, early_s, late_s in zip(BUCKETS, BUCKET_ENDS_S, EARLY_S, LATE_S, strict=True):
        here = (left_s > begin_s) & (left_s <= end_s)
        begin_s = end_s
        if here.any():
            right = (error_s[here] >= -early_s) & (error_s[here] <= late_s)
            buckets[name] = float(right.mean())
    if not buckets:
        return Score(None, buckets, None, 0)
    counted = (left_s > 0) & (left_s <= begin_s)
    return Score(
        sum(buckets.values()) / len(buckets),
        buckets,
        float(np.abs(error_s[counted]).mean()),
        int(counted.sum()),
    )
