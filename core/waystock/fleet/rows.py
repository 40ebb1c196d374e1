"""What goes into the fold and what comes out of it: fixes in, derived rows out. Upstream: position
events; downstream: the store's tables of the same names. Each row carries a deterministic key; a
row given again under the same key replaces the earlier one.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

Motion = Literal["moving", "stopped", "unknown"]
Mark = Literal["future_time", "low_accuracy", "teleport"]
"""Why a fix was skipped; the wire contract's words for it."""
EpisodeType = Literal["shipment.late_predicted", "vehicle.off_route"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_us(instant: datetime) -> int:
    """Microseconds since 1970; exact. The fold reckons in these."""
    return round(instant.timestamp() * 1e6)


def instant_from_us(us: int) -> datetime:
    """The instant `us` microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=us)


class Fix(msgspec.Struct, frozen=True):
    """One position of one vehicle. WGS 84 degrees, UTC; None is unknown."""

    time: datetime
    lat: float
    lon: float
    speed_mps: float | None
    course_deg_true: float | None
    accuracy_m: float | None
    captured_at: datetime
    quality: tuple[str, ...] = ()


class TripRow(msgspec.Struct, frozen=True):
    """Key (vehicle, started_at). Open while `ended_at` is None; then `end_*` is where it is now."""

    vehicle: str
    started_at: datetime
    ended_at: datetime | None
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    distance_m: float


class StopRow(msgspec.Struct, frozen=True):
    """Key (vehicle, arrived_at). The vehicle stands while `departed_at` is None."""

    vehicle: str
    arrived_at: datetime
    departed_at: datetime | None
    lat: float
    lon: float


class VisitRow(msgspec.Struct, frozen=True):
    """Key (vehicle, fence, entered_at): from the first fix inside to the first one outside."""

    vehicle: str
    fence: str
    entered_at: datetime
    exited_at: datetime | None


class ArrivalRow(msgspec.Struct, frozen=True):
    """Key (shipment, seq)."""

    shipment: str
    seq: int
    vehicle: str
    arrived_at: datetime


class Episode(msgspec.Struct, frozen=True):
    """Key (type, subject, opened_at): one alert, with the figures that made it.

    `opened_at` is the first fix of the run that made it, `cleared_at` the first fix of the run that
    ended it; `captured_at` is when the fix was captured that led to this form of the row.
    """

    type: EpisodeType
    severity: Literal["critical", "warning", "info"]
    subject: str
    vehicle: str
    shipment: str | None
    opened_at: datetime
    cleared_at: datetime | None
    figures: dict[str, float | str]
    captured_at: datetime


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The vehicle after its last accepted fix. None is unknown, never "on time"."""

    fix: Fix
    motion: Motion
    at_fence: str | None = None
    """The smallest fence it is in."""
    shipment: str | None = None
    next_stop: int | None = None
    """`seq` of the stop."""
    remaining_m: float | None = None
    eta: datetime | None = None
    """p50."""
    eta_p10: datetime | None = None
    eta_p90: datetime | None = None
    window_end: datetime | None = None
    late_s: float | None = None
    """`eta` minus `window_end`; negative is early."""
    off_route: bool = False


class Skipped(msgspec.Struct, frozen=True):
    """A fix that the fold left out, and why."""

    time: datetime
    mark: Mark


class Derived(msgspec.Struct, frozen=True):
    """Rows new or changed in one call; `progress` is None if no fix was accepted."""

    trips: list[TripRow]
    stops: list[StopRow]
    visits: list[VisitRow]
    arrivals: list[ArrivalRow]
    episodes: list[Episode]
    skipped: list[Skipped]
    progress: Progress | None
