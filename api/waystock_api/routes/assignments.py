"""Who and what is on which vehicle, from when until when: trackers, drivers, trailers. The past can
be corrected; where that is a tracker's, ingest folds the vehicles again.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict

from waystock.contract.masterdata import Assignment
from waystock.store.assignments import (
    ASSIGNMENTS,
    AssignmentRefusedError,
    AssignmentRow,
    OverlapError,
    assign,
    change,
    remove,
)
from waystock_api.access import needs
from waystock_api.asking import Instant
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.records import record
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/assignments", tags=["master data"])

REFUSED: dict[int | str, dict[str, Any]] = {
    403: {}, 404: {}, 409: {"description": "Another one is in its way"}, 422: {},
}  # fmt: skip


class AssignmentQuery(ListQuery):
    of: Literal["device", "driver", "trailer"] | None = None
    device: str | None = None
    driver: str | None = None
    trailer: str | None = None
    vehicle: str | None = None
    at: Annotated[Instant | None, Query(description="those that held at this instant")] = None
    since: Annotated[Instant | None, Query(description="not over by then")] = None
    until: Annotated[Instant | None, Query(description="begun before")] = None


class NewAssignment(BaseModel):
    """A device, driver or trailer and its vehicle; or a device and its trailer."""

    model_config = ConfigDict(extra="forbid")

    device: str | None = None
    driver: str | None = None
    trailer: str | None = None
    vehicle: str | None = None
    since: Instant | None = None
    """Left out: always until `until`, as if it had never been otherwise."""
    until: Instant | None = None
    take_over: bool = False
    """End what is in its way and began earlier, at `since`."""


class Times(BaseModel):
    """What is left out stays; null takes away that end."""

    model_config = ConfigDict(extra="forbid")

    since: Instant | None = None
    until: Instant | None = None


@router.get("")
def list_assignments(
    services: ServicesOfApp, query: Annotated[AssignmentQuery, Query()]
) -> Page[AssignmentRow]:
    """The history of a device, driver, trailer or vehicle, newest first. Who drove truck 12 on
    Tuesday at 3, and which trailer was behind it: `?vehicle=truck-12&at=2026-11-24T15:00:00Z`."""
    _check_order(query.since, query.until)
    rows, cursor = read_page(services.store, ASSIGNMENTS, query)
    return Page(items=rows, next=cursor)


@router.get("/{number}", responses={404: {}})
def get_assignment(
    number: int, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> AssignmentRow:
    """One of them."""
    return _known(services, number)


@router.post(
    "", status_code=201, dependencies=[Depends(needs("operator"))], responses={**REFUSED, 404: {}}
)
def post_assignment(body: NewAssignment, services: ServicesOfApp) -> AssignmentRow:
    """Put a device, driver or trailer on a vehicle, now or in the past. Needs the role operator."""
    said = body.model_dump(exclude={"take_over"})
    wanted = record(Assignment, "Assignment", **said)
    try:
        with services.store.connection() as database:
            number = assign(database, wanted, take_over=body.take_over)
    except OverlapError as error:
        raise HTTPException(409, f"{error}.") from error
    except AssignmentRefusedError as error:
        raise HTTPException(422, f"{error}.") from error
    return _known(services, number)


@router.patch("/{number}", dependencies=[Depends(needs("operator"))], responses=REFUSED)
def patch_assignment(number: int, body: Times, services: ServicesOfApp) -> AssignmentRow:
    """End it, or correct its times. Needs the role operator."""
    now = _known(services, number)
    since = body.since if "since" in body.model_fields_set else now.since
    until = body.until if "until" in body.model_fields_set else now.until
    _check_order(since, until)
    try:
        with services.store.connection() as database:
            change(database, number, since, until)
    except OverlapError as error:
        raise HTTPException(409, f"{error}.") from error
    except KeyError as error:
        raise _unknown(number) from error
    return _known(services, number)


@router.delete(
    "/{number}", status_code=204, dependencies=[Depends(needs("operator"))], responses=REFUSED
)
def delete_assignment(number: int, services: ServicesOfApp) -> None:
    """Take back one that never was. (One that is over is ended, not removed.) Needs the role
    operator."""
    with services.store.connection() as database:
        was_there = remove(database, number)
    if not was_there:
        raise _unknown(number)


def _check_order(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and since >= until:
        raise HTTPException(422, "since: must be before until")


def _known(services: ServicesOfApp, number: int) -> AssignmentRow:
    found = read_one(services.store, ASSIGNMENTS, "assignment_id", str(number))
    if found is None:
        raise _unknown(number)
    return found


def _unknown(number: int) -> HTTPException:
    return HTTPException(404, f"There is no assignment {number}.")
