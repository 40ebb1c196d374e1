"""Drivers. Their names, licences and telephone numbers are for operators and admins; a viewer, a
person or a screen, is told their codes alone.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from waystock.contract.masterdata import Driver
from waystock.store.registry import DRIVERS, DriverRow, InUseError, remove, save
from waystock_api.access import RANK, Principal, SignedIn, needs
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.records import record
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/drivers", tags=["master data"])


class DriverQuery(ListQuery):
    driver: str | None = None
    vehicle: Annotated[str | None, Query(description="driven now")] = None


class DriverBody(BaseModel):
    """What is said of a driver."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    licence: Annotated[str | None, Field(max_length=64)] = None
    phone: Annotated[str | None, Field(max_length=64)] = None


@router.get("")
def list_drivers(
    services: ServicesOfApp, principal: SignedIn, query: Annotated[DriverQuery, Query()]
) -> Page[DriverRow]:
    """Drivers, by code, with the vehicle that each drives now. To the role viewer `name`, `licence`
    and `phone` are null."""
    rows, cursor = read_page(services.store, DRIVERS, query)
    return Page(items=[_as_seen_by(principal, row) for row in rows], next=cursor)


@router.get("/{driver}", responses={404: {}})
def get_driver(
    driver: str, services: ServicesOfApp, principal: SignedIn, _query: Annotated[NoQuery, Query()]
) -> DriverRow:
    """One driver; who may see what: as in the list."""
    return _as_seen_by(principal, _known(services, driver))


@router.put("/{driver}", dependencies=[Depends(needs("operator"))], responses={403: {}, 422: {}})
def put_driver(driver: str, body: DriverBody, services: ServicesOfApp) -> DriverRow:
    """Make or change a driver. Needs the role operator."""
    made = record(Driver, f"Driver {driver!r}", driver=driver, **body.model_dump())
    with services.store.connection() as database:
        save(database, made)
    return _known(services, driver)


@router.delete(
    "/{driver}",
    status_code=204,
    dependencies=[Depends(needs("operator"))],
    responses={403: {}, 404: {}, 409: {"description": "Assignments name the driver"}},
)
def delete_driver(driver: str, services: ServicesOfApp) -> None:
    """Remove a driver who has never driven. Needs the role operator."""
    try:
        with services.store.connection() as database:
            was_there = remove(database, "driver", driver)
    except InUseError as error:
        raise HTTPException(409, str(error)) from error
    if not was_there:
        raise HTTPException(404, f"There is no driver {driver!r}.")


def _known(services: ServicesOfApp, driver: str) -> DriverRow:
    found = read_one(services.store, DRIVERS, "driver", driver)
    if found is None:
        raise HTTPException(404, f"There is no driver {driver!r}.")
    return found


def _as_seen_by(principal: Principal, row: DriverRow) -> DriverRow:
    if RANK[principal.role] >= RANK["operator"]:
        return row
    return replace(row, name=None, licence=None, phone=None)
