"""Trips, with who drove and which trailer was drawn. Upstream: the fleet fold, assignments;
downstream: pages and programs.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from waystock.store.registry import TRIPS, TripRow
from waystock_api.asking import PeriodPage, PeriodQuery, VehicleFilter, period_frame, read_answer
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/fleet", tags=["fleet questions"])

USUAL = timedelta(days=1)
LONGEST = timedelta(days=92)


class TripQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    driver: Annotated[str | None, Query(description="drove at some time of it")] = None
    trailer: Annotated[str | None, Query(description="was drawn at some time of it")] = None


@router.get("/trips")
def list_trips(
    services: ServicesOfApp, query: Annotated[TripQuery, Query()]
) -> PeriodPage[TripRow]:
    """Trips that touch the period, usually the last 24 hours, by vehicle and beginning."""
    frame = period_frame(TRIPS, query, services.now(), usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {"since": since, "until": until}
    asked |= {name: getattr(query, name) for name in TRIPS.may}
    rows, cursor = read_answer(services.store, TRIPS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)
