"""What portals could not tell: passages of unknown direction, and a person's decision on them."""

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from waystock.store.errors import RefusedError
from waystock.store.pool import StorePool
from waystock.store.portal import (
    DecidedPassage,
    Decision,
    UndecidedPassage,
    decide_passage,
    undecided_passages,
)
from waystock_api.access import Principal, needs
from waystock_api.paging import NoQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/portal-passages", tags=["stock"])

_CHANGED = ("stock", "transit", "alerts", "movements")
"""Live streams that a decision touches."""


class PassageOut(BaseModel):
    """A pallet that passed a portal nobody knows which way."""

    reading: str
    occurred_at: AwareDatetime
    device: str
    lpn: str
    door: str
    reason: str
    evidence: dict[str, Any] | None
    """The portal's numbers."""


class DecisionIn(BaseModel):
    """Which way it went; `none`: it did not go through."""

    model_config = ConfigDict(extra="forbid")

    direction: Literal["in", "out", "none"]


class DecisionOut(BaseModel):
    """What follows: an operation (load, unload, receive …; empty with `none`) and its movements."""

    reading: str
    lpn: str
    direction: Decision
    kind: str
    reason: str
    movements: int


@router.get("")
def list_passages(services: ServicesOfApp, _query: Annotated[NoQuery, Query()]) -> list[PassageOut]:
    """Those that wait for a decision, oldest first, 500 at the most."""
    with services.store.connection() as database:
        return [_shown(passage) for passage in undecided_passages(database)]


@router.put("/{reading}/decision", responses={403: {}, 404: {}})
async def decide(
    reading: str,
    decision: DecisionIn,
    services: ServicesOfApp,
    principal: Annotated[Principal, Depends(needs("operator"))],
) -> DecisionOut:
    """Book it as if the portal had told this direction; `reading` may be the pallet's SSCC. A later
    decision replaces an earlier one. Needs the role operator."""
    try:
        done = await to_thread.run_sync(
            _decide, services.store, reading, decision.direction, principal.name
        )
    except RefusedError as error:
        raise HTTPException(404, str(error)) from error
    services.loader.request(*_CHANGED)
    return DecisionOut(**done._asdict())


def _decide(store: StorePool, reading: str, direction: Decision, by: str) -> DecidedPassage:
    with store.connection() as database:
        return decide_passage(database, reading, direction, by)


def _shown(passage: UndecidedPassage) -> PassageOut:
    return PassageOut(**passage._asdict())
