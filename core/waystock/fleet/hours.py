"""Hours of a week by the clock on the wall, for compiled rules: which minutes of a week are within
them, and how far each time zone was and will be from UTC. Summer time counts as people live it: an
hour that is skipped is in nobody's hours, one that comes twice counts twice. Upstream: hours of the
master data and sites' time zones; downstream: the plan.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.contract.limits import DayHours
from waystock.fleet.week_hours import DAY_MIN, WEEK_MIN, minutes_of, time_zone_of

ANY_TIME = -1
"""The schedule of what has no hours."""
_MONDAY_MIN = 3 * DAY_MIN
"""1970 began on a Thursday."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_DAY = timedelta(days=1)


class Hours(NamedTuple):
    """Schedules one after the other; schedule i is told in zone `zone[i]`."""

    within: NDArray[np.bool_]
    """By minute of the week, Monday first."""
    zone: NDArray[np.int32]
    first: NDArray[np.int64]
    """Where a zone's changes begin among the next two; one more than there are zones."""
    from_us: NDArray[np.int64]
    ahead_s: NDArray[np.int64]
    """Seconds ahead of UTC from that instant on."""


class Schedules:
    """Hours as they are met; equal ones are one schedule."""

    def __init__(self) -> None:
        self._places: dict[tuple[tuple[DayHours, ...], str], int] = {}
        self._zones: dict[str, int] = {}

    def place(self, hours: Sequence[DayHours] | None, time_zone: str) -> int:
        """Number of the schedule; ANY_TIME where there are no hours."""
        if not hours:
            return ANY_TIME
        self._zones.setdefault(time_zone, len(self._zones))
        return self._places.setdefault((tuple(hours), time_zone), len(self._places))

    def arrays(self) -> Hours:
        """All of them."""
        changes = [_changes(zone) for zone in self._zones]
        none = np.zeros(0, np.int64)
        return Hours(
            np.frombuffer(b"".join(minutes_of(one) for one, _ in self._places), np.bool_).copy(),
            np.array([self._zones[zone] for _, zone in self._places], np.int32),
            np.cumsum([0, *(len(from_us) for from_us, _ in changes)], dtype=np.int64),
            np.concatenate([none, *(from_us for from_us, _ in changes)]),
            np.concatenate([none, *(ahead_s for _, ahead_s in changes)]),
        )


@compiled
def is_within(hours: Hours, schedule: int, time_us: int) -> bool:
    """Whether the instant is in the schedule's hours."""
    if schedule < 0:
        return True
    zone = hours.zone[schedule]
    low, high = hours.first[zone], hours.first[zone + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if hours.from_us[middle] <= time_us:
            low = middle
        else:
            high = middle
    minute = (time_us // 1_000_000 + hours.ahead_s[low]) // 60 + _MONDAY_MIN
    return bool(hours.within[schedule * WEEK_MIN + minute % WEEK_MIN])


@cache
def _changes(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Instants from which a zone is so many seconds ahead of UTC: found day by day, then to the
    second. A zone that is not known is UTC."""
    zone = time_zone_of(name) or UTC
    day, end = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    from_us, ahead_s = [np.iinfo(np.int64).min], [_ahead_s(zone, day)]
    while day < end:
        if _ahead_s(zone, day + _DAY) != ahead_s[-1]:
            from_us.append(_change_us(zone, day))
            ahead_s.append(_ahead_s(zone, day + _DAY))
        day += _DAY
    return np.array(from_us, np.int64), np.array(ahead_s, np.int64)


def _change_us(zone: tzinfo, day: datetime) -> int:
    """The first second of the day at which its offset is that of the day after."""
    low, high, after = 0, 86_400, _ahead_s(zone, day + _DAY)
    while high - low > 1:
        middle = (low + high) // 2
        if _ahead_s(zone, day + timedelta(seconds=middle)) == after:
            high = middle
        else:
            low = middle
    return round((day.timestamp() + high) * 1e6)


def _ahead_s(zone: tzinfo, instant: datetime) -> int:
    ahead = instant.astimezone(zone).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds())
