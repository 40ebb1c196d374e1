"""Dead letters: what came in and could not be used, with the reason."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from waystock.store.api import DEAD_LETTERS, DeadLetter
from waystock_api.access import needs
from waystock_api.paging import ListQuery, Page, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["devices"], dependencies=[Depends(needs("operator"))])


class DeadLetterQuery(ListQuery):
    stage: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class DeadLetterOut(BaseModel):
    dead_letter_id: int
    received_at: datetime
    topic: str
    stream: UUID | None
    stream_offset: int | None
    stage: str
    reason: str
    payload_bytes: int
    payload_head: str
    """The first 2,000 bytes as text; bytes that are none are shown as \\xNN."""


@router.get("/dead-letters", responses={403: {}})
def list_dead_letters(
    services: ServicesOfApp, query: Annotated[DeadLetterQuery, Query()]
) -> Page[DeadLetterOut]:
    """Dead letters, newest first. Needs the role operator."""
    rows, cursor = read_page(services.store, DEAD_LETTERS, query)
    return Page(items=[_shown(row) for row in rows], next=cursor)


def _shown(row: DeadLetter) -> DeadLetterOut:
    return DeadLetterOut(
        dead_letter_id=row.dead_letter_id, received_at=row.received_at, topic=row.topic,
        stream=row.stream, stream_offset=row.stream_offset, stage=row.stage, reason=row.reason,
        payload_bytes=row.payload_bytes,
        payload_head=row.payload_head.decode("utf-8", "backslashreplace"),
    )  # fmt: skip
