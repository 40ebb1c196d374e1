"""Vehicles: where they are, what they carry, and where they have been."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from waystock.contract.masterdata import Vehicle as VehicleRecord
from waystock.store.api import TRACK, VEHICLES, Vehicle
from waystock.store.pool import StorePool
from waystock.store.registry import save
from waystock_api.access import needs
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.records import record
from waystock_api.services import ServicesOfApp

TRACK_MINUTES_DEFAULT = 60
TRACK_MINUTES_MAX = 31 * 24 * 60

router = APIRouter(prefix="/vehicles", tags=["fleet"])


class VehicleQuery(ListQuery):
    vehicle: str | None = None
    site: Annotated[str | None, Query(description="where its shipment leaves from")] = None
    shipment: str | None = None
    motion: Literal["moving", "stopped", "unknown"] | None = None
    off_route: bool | None = None


class VehicleBody(BaseModel):
    """What is said of a vehicle."""

    model_config = ConfigDict(extra="forbid")

    plate: Annotated[str, Field(min_length=1, max_length=64)]


class TrackQuery(ListQuery):
    minutes: Annotated[int | None, Field(ge=1, le=TRACK_MINUTES_MAX)] = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One fix. WGS 84; `quality` says what is doubtful about it."""

    time: datetime
    device: str
    lat: float
    lon: float
    speed_mps: float | None
    course_deg_true: float | None
    altitude_m: float | None
    accuracy_m: float | None
    quality: list[str]


@router.get("")
def list_vehicles(
    services: ServicesOfApp, query: Annotated[VehicleQuery, Query()]
) -> Page[Vehicle]:
    """Vehicles, by code, with their newest fix, shipment, arrival and load."""
    rows, cursor = read_page(services.store, VEHICLES, query)
    return Page(items=rows, next=cursor)


@router.get("/{vehicle}", responses={404: {}})
def get_vehicle(
    vehicle: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> Vehicle:
    """One vehicle."""
    return _known(services.store, vehicle)


@router.put("/{vehicle}", dependencies=[Depends(needs("operator"))], responses={403: {}, 422: {}})
def put_vehicle(vehicle: str, body: VehicleBody, services: ServicesOfApp) -> Vehicle:
    """Make a vehicle or change its plate. Needs the role operator."""
    made = record(VehicleRecord, f"Vehicle {vehicle!r}", vehicle=vehicle, plate=body.plate)
    with services.store.connection() as database:
        save(database, made)
    return _known(services.store, vehicle)


@router.get("/{vehicle}/track", responses={404: {}})
def get_track(
    vehicle: str, services: ServicesOfApp, query: Annotated[TrackQuery, Query()]
) -> Page[TrackPoint]:
    """Its fixes, oldest first: the last hour, `minutes`, or from `since` to `until`."""
    if query.minutes is not None and query.since is not None:
        raise HTTPException(422, "minutes: give either minutes or since")
    _known(services.store, vehicle)
    until = query.until or services.now() + timedelta(days=1)
    # Fixes may be ahead of our clock by a little; one day lets none of them go missing.
    minutes = timedelta(minutes=query.minutes or TRACK_MINUTES_DEFAULT)
    since = query.since or (query.until or services.now()) - minutes
    filters: dict[str, object] = {"vehicle": vehicle, "since": since, "until": until}
    rows, cursor = read_page(services.store, TRACK, query, filters)
    points = [
        TrackPoint(
            time=fix.time, device=fix.device, lat=fix.lat, lon=fix.lon, speed_mps=fix.speed_mps,
            course_deg_true=fix.course_deg_true, altitude_m=fix.altitude_m,
            accuracy_m=fix.accuracy_m, quality=fix.quality,
        )
        for fix in rows
    ]  # fmt: skip
    return Page(items=points, next=cursor)


def _known(store: StorePool, vehicle: str) -> Vehicle:
    found = read_one(store, VEHICLES, "vehicle", vehicle)
    if found is None:
        raise HTTPException(404, f"There is no vehicle {vehicle!r}.")
    return found
