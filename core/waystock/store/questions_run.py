"""What is asked of vehicles on their shipments: load against plan, breakdowns and how often.
Upstream: trips, stands and visits of the fleet fold, the ledger, orders and shipments. Downstream:
the routes of the api.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from waystock.contract.identifiers import iso_utc
from waystock.store.questions import Question


@dataclass(frozen=True, slots=True)
class TripLoad:
    """What was on a vehicle during one trip, beside what its shipment planned for."""

    vehicle: str
    plate: str
    started_at: datetime
    ended_at: datetime | None
    driven_s: float
    distance_m: float | None
    units_at_start: int
    mean_units: float
    """Mean over the trip's time, of all products in their smallest units."""
    shipment: str | None
    """The shipment under way; null: an empty run, or none was planned."""
    planned_units: int | None
    planned_lpns: int | None
    planned_by: Literal["orders", "asn"] | None
    """Where `planned_units` comes from: its sales orders, else the announced pallets on it."""
    mean_share: float | None
    """mean_units / planned_units; null where nothing was planned."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`stopped`: an unplanned stand on a shipment; `reported`: a unit on board said so."""

    vehicle: str
    plate: str
    kind: Literal["stopped", "reported"]
    started_at: datetime
    ended_at: datetime | None
    lasted_s: float
    lat: float | None
    lon: float | None
    shipment: str | None
    device: str | None
    """Which unit reported it."""


@dataclass(frozen=True, slots=True)
class BreakdownShare:
    """Of the windows that began on a shipment, those mostly stood through unplanned."""

    vehicle: str
    plate: str
    windows: int
    still: int
    still_share: float


TRIP_LOADS = Question(
    family="load_questions", query="trip_loads", row=TripLoad,
    must=("since", "until", "expire_s"), may=("vehicle", "shipment"),
    key=lambda row: (row.vehicle, iso_utc(row.started_at)),
)  # fmt: skip
BREAKDOWNS = Question(
    family="run_questions", query="breakdowns", row=Breakdown,
    must=("since", "until", "expire_s", "stood_s_min", "gap_s"), may=("vehicle", "kind"),
    key=lambda row: (row.vehicle, iso_utc(row.started_at), row.kind, row.device or ""),
)  # fmt: skip
BREAKDOWN_SHARES = Question(
    family="run_questions", query="breakdown_shares", row=BreakdownShare,
    must=("since", "until", "expire_s", "window_s"), may=("vehicle",),
    key=lambda row: (row.vehicle,),
)  # fmt: skip
