"""Which vehicle stands at which door, or in the yard, of a site: since when, how much free time is
left, what it is there for, and whether the plan has another one there.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from waystock.fleet.settings import FleetSettings
from waystock.store.yard import YARD, YardStay
from waystock_api.asking import InstantPage, VehicleFilter, instant_frame, read_answer
from waystock_api.paging import ListQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/yard", tags=["fleet"])


class YardQuery(ListQuery):
    site: str | None = None
    door: Annotated[str | None, Query(description="location of a dock door")] = None
    vehicle: VehicleFilter = None


@router.get("")
def list_yard(
    services: ServicesOfApp, query: Annotated[YardQuery, Query()]
) -> InstantPage[YardStay]:
    """Vehicles that stand at a dock, in the yard or elsewhere at a site, by vehicle. `detained_s`
    runs when the free time of the fence is over."""
    frame = instant_frame(YARD, query, None, services.now())
    asked: dict[str, object] = {
        **dict.fromkeys(YARD.may),
        **query.filters(),
        "at": frame.instants[0],
        "free_time_s": FleetSettings().free_time_s,
    }
    rows, cursor = read_answer(services.store, YARD, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=frame.instants[0])
