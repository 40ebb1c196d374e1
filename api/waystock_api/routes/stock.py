"""Stock positions: what lies where, on vehicles too."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from waystock.store.api import POSITIONS, Position
from waystock_api.paging import ListQuery, Page, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/stock", tags=["stock"])


class PositionQuery(ListQuery):
    site: str | None = None
    location: str | None = None
    vehicle: Annotated[str | None, Query(description="short for location=vehicle/…")] = None
    gtin: str | None = None
    lot: str | None = None
    lpn: str | None = None
    outside: Annotated[
        bool, Query(description="also the ledger's suppliers, customers and adjustments")
    ] = False


@router.get("/positions")
def list_positions(
    services: ServicesOfApp, query: Annotated[PositionQuery, Query()]
) -> Page[Position]:
    """Positions that are not empty, by location, product, lot and licence plate."""
    filters = query.filters()
    vehicle = filters.pop("vehicle", None)
    if vehicle is not None:
        if query.location is not None:
            raise HTTPException(422, "vehicle: give either vehicle or location")
        filters["location"] = f"vehicle/{vehicle}"
    rows, cursor = read_page(services.store, POSITIONS, query, filters)
    return Page(items=rows, next=cursor)
