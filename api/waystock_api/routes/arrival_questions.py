"""What was predicted of arrivals, how good that was, and what customers may be told. Upstream: the
history of predictions, through waystock.store.predictions. Downstream: pages and programs.
"""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from waystock.store.predictions import (
    ACCURACY,
    PREDICTIONS,
    PROMISES,
    Accuracy,
    Prediction,
    Promise,
)
from waystock_api.asking import (
    InstantPage,
    PeriodPage,
    PeriodQuery,
    instant_frame,
    period_frame,
    read_answer,
)
from waystock_api.paging import ListQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/arrivals", tags=["arrival times"])

MONTH = timedelta(days=28)
LONGEST = timedelta(days=400)
ModelFilter = Annotated[
    Literal["learned", "pace", "straight_line"] | None,
    Field(description="only what this model said"),
]


class AccuracyQuery(PeriodQuery):
    by: Annotated[
        Literal["all", "lane", "carrier", "vehicle"],
        Field(description="one row for each of these, model and time away"),
    ] = "all"
    model: ModelFilter = None


class PredictionQuery(ListQuery):
    shipment: Annotated[str, Field(description="of this shipment")]
    seq: Annotated[int | None, Field(ge=-(2**31), lt=2**31, description="of this stop alone")] = (
        None
    )


class PromiseQuery(PeriodQuery):
    customer: Annotated[str | None, Field(description="only this customer's orders")] = None
    shipment: Annotated[str | None, Field(description="only orders on this shipment")] = None
    state: Annotated[
        Literal["kept", "moved", "unknown", "arrived"] | None,
        Field(description="`moved`: expected later than promised"),
    ] = None


@router.get("/accuracy")
def list_accuracy(
    services: ServicesOfApp, query: Annotated[AccuracyQuery, Query()]
) -> PeriodPage[Accuracy]:
    """How good were the arrival times that screens showed? What was predicted within the period
    (usually the last 28 days) of stops that were reached, by how long it really still took."""
    frame = period_frame(ACCURACY, query, services.now(), usual=MONTH, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "by": query.by,
        "model": query.model,
    }
    rows, cursor = read_answer(services.store, ACCURACY, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/predictions")
def list_predictions(
    services: ServicesOfApp, query: Annotated[PredictionQuery, Query()]
) -> InstantPage[Prediction]:
    """When was a shipment expected at its stops, as it was told at the time? The newest first: the
    first of each stop is what is expected now."""
    frame = instant_frame(PREDICTIONS, query, None, services.now())
    asked: dict[str, object] = {"shipment": query.shipment, "seq": query.seq}
    rows, cursor = read_answer(services.store, PREDICTIONS, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=frame.instants[0])


@router.get("/promises")
def list_promises(
    services: ServicesOfApp, query: Annotated[PromiseQuery, Query()]
) -> PeriodPage[Promise]:
    """What may customers be told? Orders on a shipment that were promised within the period
    (usually the last 28 days and the next), with what is to be expected of each by rule."""
    frame = period_frame(PROMISES, query, services.now() + MONTH, usual=2 * MONTH, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "customer": query.customer,
        "shipment": query.shipment,
        "state": query.state,
    }
    rows, cursor = read_answer(services.store, PROMISES, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)
