"""The fold's alert rows in words and figures: one episode each. Upstream: the fold's rows;
downstream: ingest's alerts, `waystock fleet replay`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from waystock.alerts.types import severity_of
from waystock.contract.identifiers import iso_utc
from waystock.fleet.derived import CAUSES, MODELS, instant_from_us, instant_or_none
from waystock.fleet.plan import FleetPlan
from waystock.fleet.rows import (
    DWELL,
    GPS_FROZEN,
    GPS_JUMP,
    GPS_SILENT,
    LATE,
    NO_GO,
    OFF_HOURS,
    OFF_ROUTE,
    SPEEDING,
    UNASSIGNED,
    UNPLANNED_STOP,
    Row,
)

EpisodeType = Literal[
    "shipment.late_predicted",
    "vehicle.off_route",
    "vehicle.no_go",
    "vehicle.dwell",
    "vehicle.speeding",
    "vehicle.unplanned_stop",
    "vehicle.off_hours",
    "vehicle.no_shipment",
    "gps.silent",
    "gps.jump",
    "gps.frozen",
]
EPISODES: dict[int, EpisodeType] = {
    LATE: "shipment.late_predicted",
    OFF_ROUTE: "vehicle.off_route",
    NO_GO: "vehicle.no_go",
    DWELL: "vehicle.dwell",
    SPEEDING: "vehicle.speeding",
    UNPLANNED_STOP: "vehicle.unplanned_stop",
    OFF_HOURS: "vehicle.off_hours",
    UNASSIGNED: "vehicle.no_shipment",
    GPS_SILENT: "gps.silent",
    GPS_JUMP: "gps.jump",
    GPS_FROZEN: "gps.frozen",
}
"""By kind of row."""
OF_VEHICLES = tuple(kind for kind in EPISODES.values() if kind != "shipment.late_predicted")
"""Those whose subject is a vehicle."""
ENDED = (None, "recovered", "arrived", "shipment_over", "hours_over")

_NAMES = {
    DWELL: ("dwell_s", "limit_s"),
    SPEEDING: ("speed_mps", "limit_mps"),
    UNPLANNED_STOP: ("stopped_s", "limit_s"),
    GPS_SILENT: ("silent_s", "limit_s"),
    GPS_JUMP: ("distance_m", "jumps"),
    GPS_FROZEN: ("frozen_s", None),
    NO_GO: ("inside_s", None),
    OFF_HOURS: ("distance_m", None),
    UNASSIGNED: ("distance_m", None),
}
"""What `figure` and `limit` are called."""

Figures = dict[str, float | str]


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
    figures: Figures
    captured_at: datetime


class Codes(NamedTuple):
    """What a row's keys stand for; None for no shipment or fence."""

    vehicle: str
    shipment: str | None
    fence: str | None


def is_known(row: Row, names: Mapping[int, str]) -> bool:
    """Whether what the row names is among `names`."""
    is_of_fence = row.kind in {NO_GO, DWELL, SPEEDING} and row.key != 0
    if is_of_fence and row.key not in names:
        return False
    return row.shipment == 0 or row.shipment in names


def episode(row: Row, vehicle: str, plan: FleetPlan, names: Mapping[int, str]) -> Episode:
    """The episode a row of one of the kinds EPISODES tells of. `names` are those of shipments and
    fences that may be planned no longer; KeyError for one that is not among them either."""
    codes = _codes(row, vehicle, {**names, **plan.names} if names else plan.names)
    kind = EPISODES[row.kind]
    figures = _figures(row, codes, plan)
    ended = ENDED[row.ended]
    if ended is not None:
        figures["ended"] = ended
    return Episode(
        type=kind,
        severity=severity_of(kind),
        subject=codes.shipment or "" if row.kind == LATE else vehicle,
        vehicle=vehicle,
        shipment=codes.shipment,
        opened_at=instant_from_us(row.begin_us),
        cleared_at=instant_or_none(row.end_us),
        figures=figures,
        captured_at=instant_from_us(row.captured_us),
    )


def _codes(row: Row, vehicle: str, names: Mapping[int, str]) -> Codes:
    shipment = names[row.shipment] if row.shipment != 0 else None
    is_of_fence = row.kind in {NO_GO, DWELL, SPEEDING} and row.key != 0
    return Codes(vehicle, shipment, names[row.key] if is_of_fence else None)


def _figures(row: Row, codes: Codes, plan: FleetPlan) -> Figures:
    if row.kind == LATE:
        return _late(row, codes, plan)
    if row.kind == OFF_ROUTE:
        return _off_route(row, codes)
    figures: Figures = {"vehicle": codes.vehicle}
    if codes.shipment is not None:
        figures["shipment"] = codes.shipment
    if codes.fence is not None:
        figures |= _fence(codes.fence, plan)
    for name, value in zip(_NAMES[row.kind], (row.figure, row.limit), strict=True):
        if name is not None:
            figures[name] = round(value, 1)
    if row.kind == DWELL:
        figures["detention_s"] = round(max(0.0, row.figure - row.limit), 1)
    return figures | {"lat": round(row.lat, 6), "lon": round(row.lon, 6)}


def _fence(fence: str, plan: FleetPlan) -> Figures:
    known = plan.fences.by_code.get(fence)
    words = known[0].name if known else {}
    english = words.get("en", fence)
    return {"fence": fence, "fence_en": english, "fence_zh": words.get("zh", english)}


def _late(row: Row, codes: Codes, plan: FleetPlan) -> Figures:
    figures: Figures = {"vehicle": codes.vehicle, "seq": float(row.seq)}
    stop = plan.stop(codes.shipment or "", row.seq)
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
        "cause": CAUSES[row.cause],
    }


def _off_route(row: Row, codes: Codes) -> Figures:
    return {
        "vehicle": codes.vehicle,
        "shipment": codes.shipment or "",
        "distance_m": float(round(row.distance_m)),
        "limit_m": float(round(row.limit_m)),
        "lat": round(float(row.lat), 6),
        "lon": round(float(row.lon), 6),
    }
