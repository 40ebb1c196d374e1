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

    @classmethod
    def joined(cls, parts: Sequence["FixColumns"]) -> "FixColumns":
        """All of them one after the other."""
        if len(parts) == 1:
            return parts[0]
        numbers: dict[str, int] = {}
        device: list[Int32s] = []
        for part in parts:
            known = [numbers.setdefault(name, len(numbers)) for name in part.devices]
            device.append(np.array(known, np.int32)[part.device])
        columns = (np.concatenate(column) for column in zip(*(p[2:] for p in parts), strict=True))
        return cls(list(numbers), np.concatenate(device), *columns)

    def of_tracks(self, track: Int32s) -> TrackFixes:
        """The fixes of vehicles: `track` names its place for each fix, −1 where there is none."""
        fixes = TrackFixes(track, *self[2:])
        return fixes if bool((track >= 0).all()) else fixes.take(track >= 0)
