"""Texts of a recording turned to columns of fixes, one by one; what can't be used is kept with its
reason. Upstream: the readers of each kind of file; downstream: the fold, by way of `playback`.

Times are ISO 8601 (without an offset they are UTC) or seconds, milliseconds or finer since 1970;
places WGS 84 degrees. Speed, course and accuracy may be missing.
"""

import math
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from waystock.fleet.fixes import FixColumns, Floats, Int64s

SPEED_UNITS = {"mps": 1.0, "kmh": 1 / 3.6, "kn": 1852 / 3600}
"""Metres per second in one of each."""
RAW_CHARACTERS_MAX = 500
"""Of what was refused so much is shown."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNKNOWN = frozenset({"", "-", "nan", "null", "none", "n/a", "na"})
_EPOCH_UNITS = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3))
"""From this size on a number is nano-, micro- or milliseconds, each so many microseconds."""
_INSTANT_US_MAX = 250_000_000_000_000_000
"""Some day in the year 9892: what can be written as a date, with room for a day after."""


class Reject(NamedTuple):
    """A line (or feature, by its number) that is no fix."""

    at: int
    reason: str
    raw: str


class FixError(ValueError):
    """Why one line is no fix."""


class RecordedFixes:
    """Fixes in the order in which they were read."""

    def __init__(self, speed_unit: str) -> None:
        self._mps = SPEED_UNITS[speed_unit]
        self._devices: dict[str, int] = {}
        self._device = array("i")
        self._time_us = array("q")
        self._numbers = tuple(array("d") for _ in range(5))
        self.rejects: list[Reject] = []

    def __len__(self) -> int:
        return len(self._time_us)

    def add(
        self,
        at: int,
        raw: Callable[[], str],
        device: str,
        time: str,
        lat: str,
        lon: str,
        speed: str = "",
        course: str = "",
        accuracy: str = "",
    ) -> None:
        """One line; `raw` is asked what stood there if it is refused."""
        try:
            if not device:
                raise FixError("no device")
            time_us = instant_us(time)
            numbers = (
                _degrees(lat, "lat", 90.0),
                _degrees(lon, "lon", 180.0),
                _measure(speed, "speed") * self._mps,
                _measure(course, "course") % 360.0,
                _measure(accuracy, "accuracy"),
            )
        except FixError as error:
            self.refuse(at, str(error), raw())
            return
        self._device.append(self._devices.setdefault(device, len(self._devices)))
        self._time_us.append(time_us)
        for column, number in zip(self._numbers, numbers, strict=True):
            column.append(number)

    def refuse(self, at: int, reason: str, raw: str) -> None:
        """Keep what is no fix."""
        self.rejects.append(Reject(at, reason, raw[:RAW_CHARACTERS_MAX]))

    def columns(self, as_of_us: int | None) -> FixColumns:
        """The fixes. None of them was taken down later than `as_of_us`, if that is known; but if
        most of them say so, it is that instant which is wrong."""
        time_us = np.array(self._time_us, np.int64)
        lat, lon, speed, course, accuracy = (np.array(c, np.float64) for c in self._numbers)
        return FixColumns(
            list(self._devices),
            np.array(self._device, np.int32),
            time_us,
            _captured_us(time_us, as_of_us),
            lat,
            lon,
            *(_as_stored(column) for column in (speed, course, accuracy)),
        )


def _captured_us(time_us: Int64s, as_of_us: int | None) -> Int64s:
    if as_of_us is None or not len(time_us) or np.median(np.unique(time_us)) > as_of_us:
        return time_us
    return np.minimum(time_us, as_of_us)


def _as_stored(column: Floats) -> Floats:
    """Rounded as the table keeps it."""
    with np.errstate(over="ignore"):
        return column.astype(np.float32).astype(np.float64)


def instant_us(text: str) -> int:
    """Microseconds since 1970. FixError says what is wrong."""
    text = text.strip()
    if not text:
        raise FixError("no time")
    try:
        instant = datetime.fromisoformat(text) if not _is_number(text) else None
    except ValueError as error:
        raise FixError(f"time {text!r} is neither ISO 8601 nor seconds since 1970") from error
    if instant is None:
        us = _epoch_us(float(text))
    else:
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        us = (aware - _EPOCH) // _MICROSECOND
    if not -_INSTANT_US_MAX < us < _INSTANT_US_MAX:
        raise FixError(f"time {text!r} is out of all bounds")
    return us


def _is_number(text: str) -> bool:
    """Digits without the separators of a date."""
    return text.replace(".", "", 1).lstrip("+-").isdecimal()


def _epoch_us(number: float) -> int:
    for least, us in _EPOCH_UNITS:
        if abs(number) >= least:
            return round(number * us)
    return round(number * 1e6)


def _degrees(text: str, name: str, most: float) -> float:
    try:
        degrees = float(text)
    except ValueError as error:
        reason = f"{name} {text!r} is not a number" if text.strip() else f"no {name}"
        raise FixError(reason) from error
    if not abs(degrees) <= most:
        raise FixError(f"{name} {text.strip()} is not within {most:.0f} degrees")
    return degrees


def _measure(text: str, name: str) -> float:
    """NaN: unknown, which devices also say by a number below 0."""
    if not text:
        return math.nan
    try:
        number = float(text)
    except ValueError as error:
        if text.strip().lower() in _UNKNOWN:
            return math.nan
        raise FixError(f"{name} {text!r} is not a number") from error
    return number if 0 <= number < math.inf else math.nan
