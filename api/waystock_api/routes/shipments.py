"""Shipments: planned way, stops, what they carry and when they will arrive."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, BaseModel

from waystock.store.api import SHIPMENTS, Shipment, Stop, fetch_stops
from waystock.store.pool import StorePool
from waystock_api.geometry import centroid
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/shipments", tags=["fleet"])


class ShipmentQuery(ListQuery):
    shipment: str | None = None
    vehicle: str | None = None
    site: Annotated[str | None, Query(description="where it leaves from")] = None
    lpn: str | None = None
    status: Literal["planned", "loading", "in_transit", "arrived", "closed"] | None = None
    since: Annotated[AwareDatetime | None, Query(description="departs at or after")] = None
    until: Annotated[AwareDatetime | None, Query(description="departs before")] = None


class StopOut(BaseModel):
    seq: int
    name: dict[str, str]
    fence: str
    customer: str | None
    lat: float
    lon: float
    """Centroid of the fence, WGS 84."""
    window_start: datetime
    window_end: datetime
    arrived_at: datetime | None
    eta: datetime | None
    """As it was told last, at the fix of `predicted_at`; null once it has arrived, and where
    nothing is known."""
    eta_p10: datetime | None
    eta_p90: datetime | None
    eta_model: Literal["learned", "pace", "straight_line"] | None
    predicted_at: datetime | None


class ShipmentOut(BaseModel):
    shipment: str
    status: Literal["planned", "loading", "in_transit", "arrived", "closed"]
    vehicle: str
    plate: str
    from_site: str
    dock_door: str | None
    door_from: datetime | None
    door_to: datetime | None
    depart_at: datetime
    planned_speed_mps: float
    next_stop: int | None
    remaining_m: float | None
    eta: datetime | None
    eta_p10: datetime | None
    eta_p90: datetime | None
    eta_model: Literal["learned", "pace", "straight_line"] | None
    """What `eta` rests on: finished trips of the same way, planned and own pace, or the straight
    line."""
    late_s: float | None
    """Predicted arrival minus window end; negative is early, null is unknown (never "on time")."""
    off_route: bool
    lpns: list[str]
    orders: list[str]
    """Sales orders on it, most urgent first."""
    stops: list[StopOut]
    route: list[list[float]]
    """[lon, lat] vertices of the planned way, WGS 84."""


@router.get("")
def list_shipments(
    services: ServicesOfApp, query: Annotated[ShipmentQuery, Query()]
) -> Page[ShipmentOut]:
    """Shipments, by code."""
    rows, cursor = read_page(services.store, SHIPMENTS, query)
    return Page(items=_with_stops(services.store, rows), next=cursor)


@router.get("/{shipment}", responses={404: {}})
def get_shipment(
    shipment: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> ShipmentOut:
    """One shipment."""
    found = read_one(services.store, SHIPMENTS, "shipment", shipment)
    if found is None:
        raise HTTPException(404, f"There is no shipment {shipment!r}.")
    return _with_stops(services.store, [found])[0]


def _with_stops(store: StorePool, shipments: Sequence[Shipment]) -> list[ShipmentOut]:
    with store.connection() as database:
        stops = fetch_stops(database, [shipment.shipment for shipment in shipments])
    return [
        ShipmentOut(**asdict(shipment), stops=[_stop(stop) for stop in stops[shipment.shipment]])
        for shipment in shipments
    ]


def _stop(stop: Stop) -> StopOut:
    lat, lon = centroid(stop.geometry)
    return StopOut(
        seq=stop.seq, name=stop.name, fence=stop.fence, customer=stop.customer, lat=lat, lon=lon,
        window_start=stop.window_start, window_end=stop.window_end, arrived_at=stop.arrived_at,
        eta=stop.eta, eta_p10=stop.eta_p10, eta_p90=stop.eta_p90, eta_model=stop.eta_model,
        predicted_at=stop.predicted_at,
    )  # fmt: skip
