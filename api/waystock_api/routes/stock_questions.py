"""What a warehouse manager asks of the past: stock at an instant, the way of an item, what a truck
carried, where a tag was read. Upstream: the ledger and raw RFID readings, through
waystock.store.questions_stock. Downstream: pages and programs.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from waystock.store.api import VEHICLES
from waystock.store.questions_stock import (
    EPC_READS,
    MOVEMENTS,
    STOCK_AS_OF,
    VEHICLE_CONTENTS,
    Content,
    EpcRead,
    MovementLine,
    PastPosition,
)
from waystock_api.asking import (
    CLOCK_LEAD,
    Instant,
    InstantPage,
    PeriodPage,
    PeriodQuery,
    instant_frame,
    period_frame,
    read_answer,
)
from waystock_api.epc_names import read_epc_name
from waystock_api.paging import ListQuery, read_one
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["stock questions"])

USUAL = timedelta(days=30)
LONGEST = timedelta(days=3660)
"""Ten years: answers come off an index in the order of the pages, however long the period."""
AtInstant = Annotated[Instant | None, Field(description="the instant; left out: now")]


class AsOfQuery(ListQuery):
    at: AtInstant = None
    site: str | None = None
    location: str | None = None
    gtin: str | None = None
    lot: str | None = None
    lpn: str | None = None
    outside: Annotated[
        bool, Query(description="also the ledger's suppliers, customers and adjustments")
    ] = False


class ContentsQuery(ListQuery):
    at: AtInstant = None


class MovementQuery(PeriodQuery):
    gtin: str | None = None
    lot: Annotated[str | None, Field(description="of this product: give gtin too")] = None
    lpn: str | None = None
    document: Annotated[str | None, Field(description="such as a purchase order")] = None
    location: Annotated[str | None, Field(description="from or to this location")] = None


class EpcQuery(PeriodQuery):
    epc: Annotated[
        str,
        Field(
            min_length=1,
            max_length=400,
            description="hex as read from the tag, urn:epc:id:… or urn:epc:tag:… of an SGTIN or"
            " SSCC, a GS1 Digital Link, or the 18 digits of an SSCC",
        ),
    ]


@router.get("/stock/as-of")
def list_stock_as_of(
    services: ServicesOfApp, query: Annotated[AsOfQuery, Query()]
) -> InstantPage[PastPosition]:
    """What lay where at an instant? Every position that was not empty then, by location, product,
    lot and licence plate, vehicles included: as the ledger knows it today, with what was scanned
    before that instant and came in later."""
    frame = instant_frame(STOCK_AS_OF, query, query.at, services.now())
    asked = query.filters() | {"at": frame.instants[0], "outside": query.outside}
    rows, cursor = read_answer(services.store, STOCK_AS_OF, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=frame.instants[0])


@router.get("/stock/movements")
def list_movements(
    services: ServicesOfApp, query: Annotated[MovementQuery, Query()]
) -> PeriodPage[MovementLine]:
    """Which way did an item go? The ledger's lines of a product, a lot of it, a licence plate or a
    document, newest first, usually of the last 30 days."""
    if query.gtin is None and query.lpn is None and query.document is None:
        raise HTTPException(422, "gtin: give gtin (and lot), lpn or document, to say which item")
    latest = services.now() + CLOCK_LEAD
    frame = period_frame(MOVEMENTS, query, latest, usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked = query.filters() | {"since": since, "until": until}
    rows, cursor = read_answer(services.store, MOVEMENTS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/vehicles/{vehicle}/contents", responses={404: {}})
def list_contents(
    vehicle: str, services: ServicesOfApp, query: Annotated[ContentsQuery, Query()]
) -> InstantPage[Content]:
    """What was on this vehicle at an instant? By licence plate and product, with when the plate
    came on and which shipment it belongs on."""
    if read_one(services.store, VEHICLES, "vehicle", vehicle) is None:
        raise HTTPException(404, f"There is no vehicle {vehicle!r}.")
    frame = instant_frame(VEHICLE_CONTENTS, query, query.at, services.now())
    asked: dict[str, object] = {"vehicle": vehicle, "at": frame.instants[0]}
    rows, cursor = read_answer(services.store, VEHICLE_CONTENTS, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=frame.instants[0])


@router.get("/stock/epc-reads")
def list_epc_reads(
    services: ServicesOfApp, query: Annotated[EpcQuery, Query()]
) -> PeriodPage[EpcRead]:
    """Where was this tag? Its readings, newest first, usually of the last 30 days: which reader at
    which place, whether it arrived or departed there, and the pallet it stands for. In hex it is
    that one tag; as URN, link or SSCC it is any tag that holds this identity."""
    try:
        name = read_epc_name(query.epc)
    except ValueError as error:
        raise HTTPException(422, f"epc: {error}") from error
    latest = services.now() + CLOCK_LEAD
    frame = period_frame(EPC_READS, query, latest, usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "epc": name.hex,
        "digital_link": name.digital_link,
    }
    rows, cursor = read_answer(services.store, EPC_READS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)
