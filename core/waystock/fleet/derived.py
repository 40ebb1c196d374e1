"""Derived rows one by one, in words and instants: for alerts, replays and tests. Upstream: the
fold's records; downstream: `alert_rows`, `replay`, `playback`. The store takes the records
as they are, by columns.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import FUTURE_TIME, LOW_ACCURACY, TELEPORT, Progress, Row

Motion = Literal["moving", "stopped", "unknown"]
Mark = Literal["future_time", "low_accuracy", "teleport"]
"""Why a fix was skipped; the wire contract's words for it."""
MOTIONS: tuple[Motion, ...] = ("unknown", "unknown", "stopped", "moving")
"""By phase."""
MARKS: dict[int, Mark] = {
    FUTURE_TIME: "future_time",
    LOW_ACCURACY: "low_accuracy",
    TELEPORT: "teleport",
}
MODELS = ("pace", "learned", "straight_line")
CAUSES = ("", "late_departure", "halt", "detour", "service", "slow")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_from_us(us: int) -> datetime:
    """The instant `us` microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def instant_or_none(us: int) -> datetime | None:
    """None for UNKNOWN_US."""
    return None if us == UNKNOWN_US else instant_from_us(us)


class Plain:
    """One record with Python's own numbers, read by field."""

    def __init__(self, record: Any) -> None:
        names = cast(tuple[str, ...], record.dtype.names)
        self.__dict__.update(zip(names, record.item(), strict=True))


def as_row(record: Any) -> Row:
    """An element of the fold's rows."""
    return cast(Row, Plain(record))


def as_progress(record: Any) -> Progress:
    """An element of the fold's progress."""
    return cast(Progress, Plain(record))
