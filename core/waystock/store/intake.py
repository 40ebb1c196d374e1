"""What ingest keeps besides readings: dead letters and the gateways' word of themselves."""

from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from waystock.contract.acks import Status
from waystock.store.connection import Database
from waystock.store.sql import queries

REASON_CHARS_MAX = 2_000


class Spoilt(NamedTuple):
    """Something that can't be taken in. With an offset it counts as committed once put aside."""

    topic: str
    stream: UUID | None
    offset: int | None
    stage: str
    """Where it was found out: decode, owner, or the name of the stage."""
    reason: str
    payload: bytes


def put_aside(database: Database, one: Spoilt) -> None:
    """Keep what can't be taken in, with the reason, for a person to look at."""
    database.execute(
        queries("ingest")["dead_letter"],
        {
            "topic": one.topic.replace("\0", "\ufffd"),
            "stream": one.stream,
            "stream_offset": one.offset,
            "stage": one.stage,
            "reason": one.reason.replace("\0", "\ufffd")[:REASON_CHARS_MAX],
            "payload": one.payload,
        },
    )


def keep_status(database: Database, site: str, gateway: str, status: Status) -> None:
    """The newest birth, health or last will of a gateway."""
    database.execute(
        queries("ingest")["gateway_status"],
        {
            "site": site,
            "gateway": gateway,
            "state": status.state,
            "reported_at": status.at,
            "report": Jsonb(msgspec.to_builtins(status)),
        },
    )
