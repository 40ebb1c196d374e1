"""Hours of a week by the clock on the wall: which minutes are in them, and whether an instant is.
Upstream: hours of the master data; downstream: `hours` for compiled rules, quiet hours of pushes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waystock.contract.limits import WEEKDAYS, DayHours

DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN


def time_zone_of(name: str) -> tzinfo | None:
    """None for a zone that this machine doesn't know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def minutes_of(hours: Sequence[DayHours]) -> bytearray:
    """1 for each minute of the week that is in the hours, Monday first."""
    within = bytearray(WEEK_MIN)
    for one in hours:
        start, end = _minute(one.start), _minute(one.end)
        lasts = end - start if end > start else end - start + DAY_MIN
        for day in one.days:
            first = WEEKDAYS.index(day) * DAY_MIN + start
            for minute in range(first, first + lasts):
                within[minute % WEEK_MIN] = 1
    return within


def holds_at(hours: Sequence[DayHours], time_zone: str, instant: datetime) -> bool:
    """Whether the instant is in the hours, told in that zone (UTC, if it is not known). No hours
    hold never."""
    local = instant.astimezone(time_zone_of(time_zone) or UTC)
    minute = local.weekday() * DAY_MIN + local.hour * 60 + local.minute
    return bool(minutes_of(hours)[minute])


def _minute(time_of_day: str) -> int:
    hour, minute = time_of_day.split(":")
    return int(hour) * 60 + int(minute)
