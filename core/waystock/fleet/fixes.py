"""Fixes by columns: what goes into the fold. Upstream: position events of a batch, or stored rows;
downstream: `waystock.fleet.fold`. WGS 84 degrees, UTC; NaN is unknown. The 4-byte columns of the
table come rounded as the table keeps them, so that stored fixes fold as they did at first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]


class TrackFixes(NamedTuple):
    """Fixes of a call's vehicles, in any order; columns of equal length."""

    track: Int32s
    """Which of the call's vehicles."""
    time_us: Int64s
    captured_us: Int64s
    """Microseconds since 1970, UTC."""
    lat: Floats
    lon: Floats
    speed_mps: Floats
    course_deg_true: Floats
    accuracy_m: Floats

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "TrackFixes":
        """Some of them."""
        return TrackFixes._make(column[which] for column in self)

    def joined(self, other: "TrackFixes") -> "TrackFixes":
        """These and the others."""
        return TrackFixes._make(map(np.concatenate, zip(self, other, strict=True)))


class FixColumns(NamedTuple):
    """Fixes as they come from devices; columns of equal length but `devices`."""

    devices: Sequence[str]
    """Distinct names; `device` counts in them."""
    device: Int32s
    time_us: Int64s
    captured_us: Int64s
    lat: Floats
    lon: Floats
    speed_mps: Floats
    course_deg_true: Floats
    accuracy_m: Floats

    def of_tracks(self, track: Int32s) -> TrackFixes:
        """The fixes of vehicles: `track` names its place for each fix, −1 where there is none."""
        fixes = TrackFixes(track, *self[2:])
        return fixes if bool((track >= 0).all()) else fixes.take(track >= 0)
