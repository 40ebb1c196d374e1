"""Derived rows one by one, in words and instants: for alerts, replays and tests. Upstream: the
fold's records; downstream: ingest's alerts, `waystock.fleet.replay`. The store takes the records
as they are, by columns.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

import msgspec

from waystock.alerts.types import severity_of
from waystock.contract.identifiers import iso_utc
from waystock.fleet.plan import FleetPlan
from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import FUTURE_TIME, LATE, LOW_ACCURACY, TELEPORT, Progress, Row

Motion = Literal["moving", "stopped", "unknown"]
Mark = Literal["future_time", "low_accuracy", "teleport"]
"""Why a fix was skipped; the wire contract's words for it."""
EpisodeType = Literal["shipment.late_predicted", "vehicle.off_route"]

MOTIONS: tuple[Motion, ...] = ("unknown", "unknown", "stopped", "moving")
"""By phase."""
MARKS: dict[int, Mark] = {
    FUTURE_TIME: "future_time",
    LOW_ACCURACY: "low_accuracy",
    TELEPORT: "teleport",
}
ENDED = (None, "recovered", "arrived", "shipment_over")
MODELS = ("planned_speed", "trip_pace", "own_pace")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_from_us(us: int) -> datetime:
    """The instant `us` microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def instant_or_none(us: int) -> datetime | None:
    """None for UNKNOWN_US."""
    return None if us == UNKNOWN_US else instant_from_us(us)


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


def episode(row: Row, vehicle: str, plan: FleetPlan, names: Mapping[int, str]) -> Episode:
    """The episode a row of the kinds LATE and OFF_ROUTE tells of. `names` are those of shipments
    that may be planned no longer; KeyError for one that is not among them either."""
    shipment = plan.names[row.shipment] if row.shipment in plan.names else names[row.shipment]
    is_late = row.kind == LATE
    kind: EpisodeType = "shipment.late_predicted" if is_late else "vehicle.off_route"
    figures = _late(row, vehicle, shipment, plan) if is_late else _off_route(row, vehicle, shipment)
    ended = ENDED[row.ended]
    if ended is not None:
        figures["ended"] = ended
    return Episode(
        type=kind,
        severity=severity_of(kind),
        subject=shipment if is_late else vehicle,
        vehicle=vehicle,
        shipment=shipment,
        opened_at=instant_from_us(row.begin_us),
        cleared_at=instant_or_none(row.end_us),
        figures=figures,
        captured_at=instant_from_us(row.captured_us),
    )


def _late(row: Row, vehicle: str, shipment: str, plan: FleetPlan) -> dict[str, float | str]:
    figures: dict[str, float | str] = {"vehicle": vehicle, "seq": float(row.seq)}
    stop = plan.stop(shipment, row.seq)
    if stop is not None:
        english = stop.name.get("en", stop.fence)
        figures["destination_en"] = english
        figures["destination_zh"] = stop.name.get("zh", english)
    return figures | {
        "late_s": float(round(row.late_s)),
        "late_min": float(round(row.late_s / 60)),
        "remaining_m": float(round(row.remaining_m)),
        "pace_mps": round(float(row.pace_mps), 2),
        "eta": iso_utc(instant_from_us(row.eta_us)),
        "window_end": iso_utc(instant_from_us(row.window_end_us)),
        "model": MODELS[row.model],
    }


def _off_route(row: Row, vehicle: str, shipment: str) -> dict[str, float | str]:
    return {
        "vehicle": vehicle,
        "shipment": shipment,
        "distance_m": float(round(row.distance_m)),
        "limit_m": float(round(row.limit_m)),
        "lat": round(float(row.lat), 6),
        "lon": round(float(row.lon), 6),
    }


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
