"""What a lane's finished trips say of the next one, as the fold reads it. A lane is a leg of a
planned route: from one stop to the next, on a way of this shape. Upstream: `lane_learning`, through
the store; downstream: arrival times.

A curve is one version of what a lane has taught; it holds from an instant on and is never changed,
so that a fix folded later, or again, meets the version that was in force at its own time
(docs/decisions/0014).
"""

import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.records import F4, F8, I4, I8, Items, Records, as_items, dtype_of

SEGMENTS = 40
"""A leg is looked at in so many equal parts of its way."""
HOURS = 168
"""Hours of the week from Monday 0:00, UTC."""
HORIZON_ENDS_S = (180.0, 360.0, 600.0, 900.0, 3600.0, 14_400.0)
"""Predictions are told apart by how far away the arrival was said to be; the last are beyond."""
HORIZONS = len(HORIZON_ENDS_S) + 1
_SHAPE_POINTS = 8
_MONDAY_US = 4 * 86_400_000_000
"""The first Monday after 1970-01-01, a Thursday."""
_HOUR_US = 3_600_000_000


class LaneCurve:
    """One version of one lane. Times are medians, with the hour's part taken out."""

    lane: I8
    valid_us: I8
    """In force for fixes from this instant on."""
    passages: I4
    """How many finished legs it was learned from."""
    services: I4
    """How many stays at the stop where the leg begins."""
    length_m: F8
    leave_m: F8
    """So far from its beginning a vehicle has left the stop where the leg begins."""
    service_s: F8
    """Median stay there; 0 while none is known."""
    spread: F8
    """Standard deviation of ln(time) around the curve."""
    rest_s: Annotated[Items[F4], SEGMENTS + 1]
    """Seconds to the end of the leg from each boundary of its parts."""
    hour_log: Annotated[Items[F4], HOURS]
    """ln(time ÷ curve) by hour of the week, shrunk to the network's."""


class EtaRange:
    """How far outcomes lay from predictions of one model and horizon: real ÷ predicted seconds."""

    valid_us: I8
    model: I4
    horizon: I4
    outcomes: I4
    low: F8
    """A tenth of the outcomes was less …"""
    high: F8
    """… and a tenth was more."""


CURVE, RANGE = dtype_of(LaneCurve), dtype_of(EtaRange)


class LaneBook(NamedTuple):
    """All that is known of lanes; versions in order of lane and instant."""

    curves: Records
    ranges: Records
    """In order of instant."""

    def of_stops(self, lanes: NDArray[np.int64]) -> NDArray[np.int32]:
        """First and last place + 1 of each lane's versions."""
        known = self.curves["lane"]
        ends = [np.searchsorted(known, lanes, side) for side in ("left", "right")]
        return np.stack(ends, axis=1).astype(np.int32).reshape(-1, 2)


NOTHING_LEARNED = LaneBook(np.empty(0, CURVE), np.empty(0, RANGE))


class LaneArrays(NamedTuple):
    """The book as compiled rules read it, beside a plan's stops."""

    of_stop: NDArray[np.int32]
    curves: Items[LaneCurve]
    ranges: Items[EtaRange]


def lane_arrays(book: LaneBook, lanes: NDArray[np.int64]) -> LaneArrays:
    """`lanes` are those of the legs that end at a plan's stops."""
    return LaneArrays(
        book.of_stops(lanes), as_items(book.curves, LaneCurve), as_items(book.ranges, EtaRange)
    )


def book_of(curves: Iterable[Records], ranges: Iterable[Records]) -> LaneBook:
    """Of versions in any order."""
    every = np.concatenate([np.empty(0, CURVE), *curves])
    widths = np.concatenate([np.empty(0, RANGE), *ranges])
    return LaneBook(
        every[np.lexsort((every["valid_us"], every["lane"]))],
        widths[np.argsort(widths["valid_us"], kind="stable")],
    )


def lane_key(from_code: str, to_code: str, lon: Sequence[float], lat: Sequence[float]) -> int:
    """What a lane is known by: both its ends, and the shape of its way to some 100 m. The same in
    every process; 0 is no lane's."""
    shape = ";".join(f"{x:.3f},{y:.3f}" for x, y in zip(lon, lat, strict=True))
    text = f"{from_code}\0{to_code}\0{shape}"
    key = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
    return key or 1


def lane_of(from_code: str, to_code: str, vertices: Records, from_m: float, to_m: float) -> int:
    """The lane of a leg on a route; 0 where it has no way of its own: no route, or no metre."""
    if not len(vertices) or not to_m - from_m > 1.0:
        return 0
    at_m = np.linspace(from_m, to_m, _SHAPE_POINTS)
    lon = np.interp(at_m, vertices["along_m"], vertices["lon"])
    lat = np.interp(at_m, vertices["along_m"], vertices["lat"])
    return lane_key(from_code, to_code, lon.tolist(), lat.tolist())


@compiled
def hour_of_week(time_us: int) -> int:
    """0 … 167, from Monday 0:00 UTC."""
    return int((time_us - _MONDAY_US) // _HOUR_US % HOURS)


@compiled
def horizon_of(away_s: float) -> int:
    """Which of the `HORIZONS` an arrival so far away belongs to."""
    for place in range(HORIZONS - 1):
        if away_s <= HORIZON_ENDS_S[place]:
            return place
    return HORIZONS - 1


@compiled
def curve_in_force(lanes: LaneArrays, stop: int, time_us: int) -> int:
    """Place of the version for the leg to this stop of the plan; −1 where there was none yet."""
    at = int(lanes.of_stop[stop, 1]) - 1
    while at >= lanes.of_stop[stop, 0]:
        if lanes.curves[at].valid_us <= time_us:
            return at
        at -= 1
    return -1


@compiled
def range_in_force(lanes: LaneArrays, model: int, horizon: int, time_us: int) -> int:
    """Place of the newest outcomes of this kind; −1 where there were none yet."""
    for at in range(len(lanes.ranges) - 1, -1, -1):
        one = lanes.ranges[at]
        if one.model == model and one.horizon == horizon and one.valid_us <= time_us:
            return at
    return -1


@compiled
def rest_s(curve: LaneCurve, along_m: float) -> float:
    """Seconds to the end of the leg from so many metres after its beginning, in no hour."""
    place = min(1.0, max(0.0, along_m / curve.length_m)) * SEGMENTS
    before = min(SEGMENTS - 1, int(place))
    part = place - before
    return curve.rest_s[before] * (1.0 - part) + curve.rest_s[before + 1] * part


@compiled
def hour_factor(curve: LaneCurve, time_us: int) -> float:
    """How much longer it takes in this hour of the week."""
    return math.exp(curve.hour_log[hour_of_week(time_us)])
