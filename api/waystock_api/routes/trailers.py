"""Trailers: what they are, which vehicle they are behind, where they are."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from waystock.contract.masterdata import Trailer
from waystock.store.registry import TRAILERS, InUseError, TrailerRow, remove, save
from waystock_api.access import needs
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.records import record
from waystock_api.services import ServicesOfApp

Kind = Literal["box", "curtain", "reefer", "tank", "flatbed", "container", "other"]

router = APIRouter(prefix="/trailers", tags=["master data"])


class TrailerQuery(ListQuery):
    trailer: str | None = None
    vehicle: Annotated[str | None, Query(description="that it is behind now")] = None
    kind: Kind | None = None


class TrailerBody(BaseModel):
    """What is said of a trailer."""

    model_config = ConfigDict(extra="forbid")

    plate: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Kind = "other"


@router.get("")
def list_trailers(
    services: ServicesOfApp, query: Annotated[TrailerQuery, Query()]
) -> Page[TrailerRow]:
    """Trailers, by code. `placed_by` says how it is known where one is: by its own tracker, by the
    vehicle it is behind, or by where the vehicle was that left it."""
    rows, cursor = read_page(services.store, TRAILERS, query)
    return Page(items=rows, next=cursor)


@router.get("/{trailer}", responses={404: {}})
def get_trailer(
    trailer: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> TrailerRow:
    """One trailer."""
    return _known(services, trailer)


@router.put("/{trailer}", dependencies=[Depends(needs("operator"))], responses={403: {}, 422: {}})
def put_trailer(trailer: str, body: TrailerBody, services: ServicesOfApp) -> TrailerRow:
    """Make or change a trailer. Needs the role operator."""
    made = record(Trailer, f"Trailer {trailer!r}", trailer=trailer, **body.model_dump())
    with services.store.connection() as database:
        save(database, made)
    return _known(services, trailer)


@router.delete(
    "/{trailer}",
    status_code=204,
    dependencies=[Depends(needs("operator"))],
    responses={403: {}, 404: {}, 409: {"description": "Assignments name the trailer"}},
)
def delete_trailer(trailer: str, services: ServicesOfApp) -> None:
    """Remove a trailer that was never drawn. Needs the role operator."""
    try:
        with services.store.connection() as database:
            was_there = remove(database, "trailer", trailer)
    except InUseError as error:
        raise HTTPException(409, str(error)) from error
    if not was_there:
        raise HTTPException(404, f"There is no trailer {trailer!r}.")


def _known(services: ServicesOfApp, trailer: str) -> TrailerRow:
    found = read_one(services.store, TRAILERS, "trailer", trailer)
    if found is None:
        raise HTTPException(404, f"There is no trailer {trailer!r}.")
    return found
