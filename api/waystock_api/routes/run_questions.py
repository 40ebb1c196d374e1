"""How vehicles fare on their shipments: load against plan, breakdowns. Upstream: trips, stands,
ledger and plans, through waystock.store.questions_run. Downstream: pages and programs.
"""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from waystock.fleet.settings import FleetSettings
from waystock.store.questions_run import (
    BREAKDOWN_SHARES,
    BREAKDOWNS,
    TRIP_LOADS,
    Breakdown,
    BreakdownShare,
    TripLoad,
)
from waystock_api.asking import (
    Minutes,
    PeriodPage,
    PeriodQuery,
    VehicleFilter,
    period_frame,
    read_answer,
)
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/fleet", tags=["fleet questions"])

USUAL = timedelta(days=7)
LONGEST = timedelta(days=92)
EXPIRE_S = FleetSettings().expire_s
"""The fold gives an overdue shipment up after this; so do we."""


class LoadQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    shipment: Annotated[str | None, Field(description="only trips on this shipment")] = None


class BreakdownQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    kind: Annotated[
        Literal["stopped", "reported"] | None,
        Field(description="stopped: an unplanned stand; reported: a unit on board said so"),
    ] = None
    minutes: Annotated[Minutes, Field(description="an unplanned stand of at least so long")] = 30
    gap_minutes: Annotated[
        Minutes, Field(gt=0, description="a report not repeated for so long is over")
    ] = 30


class BreakdownShareQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    window_minutes: Annotated[Minutes, Field(ge=1, description="length of a window")] = 10


@router.get("/loads")
def list_loads(
    services: ServicesOfApp, query: Annotated[LoadQuery, Query()]
) -> PeriodPage[TripLoad]:
    """How full did vehicles drive, beside what was planned? One row for each trip that began within
    the period (usually the last 7 days): what the ledger had on the vehicle at the start and on the
    mean over the trip's time, and what its shipment planned for: the quantities of its sales
    orders, else those that suppliers announced for its pallets."""
    frame = period_frame(TRIP_LOADS, query, services.now(), usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "expire_s": EXPIRE_S,
        "vehicle": query.vehicle,
        "shipment": query.shipment,
    }
    rows, cursor = read_answer(services.store, TRIP_LOADS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/breakdowns")
def list_breakdowns(
    services: ServicesOfApp, query: Annotated[BreakdownQuery, Query()]
) -> PeriodPage[Breakdown]:
    """Which vehicles broke down? Stands of at least `minutes` that began while a shipment was under
    way and touch no fence of a site or a customer; and reports from on board (the telemetry value
    `breakdown` above 0). Usually of the last 7 days. A shipment is under way from when its vehicle
    stands at the door until its last stop is reached, it is closed, or it is a day overdue."""
    frame = period_frame(BREAKDOWNS, query, services.now(), usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "expire_s": EXPIRE_S,
        "stood_s_min": query.minutes * 60,
        "gap_s": query.gap_minutes * 60,
        "vehicle": query.vehicle,
        "kind": query.kind,
    }
    rows, cursor = read_answer(services.store, BREAKDOWNS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/breakdown-shares")
def list_breakdown_shares(
    services: ServicesOfApp, query: Annotated[BreakdownShareQuery, Query()]
) -> PeriodPage[BreakdownShare]:
    """How often is each vehicle out of action? The period (usually the last 7 days) is cut into
    windows of `window_minutes`; of those that began while a shipment was under way, the share in
    which the vehicle stood unplanned for more than half of the window. Vehicles without a shipment
    in the period are left out. At most 31 days."""
    frame = period_frame(
        BREAKDOWN_SHARES, query, services.now(), usual=USUAL, longest=timedelta(days=31)
    )
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "expire_s": EXPIRE_S,
        "window_s": query.window_minutes * 60,
        "vehicle": query.vehicle,
    }
    rows, cursor = read_answer(services.store, BREAKDOWN_SHARES, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)
