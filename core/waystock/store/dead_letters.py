"""Dead letters in a person's hands: listed, locked for another try, dropped with a reason, brought
back. Upstream: `waystock dead-letter`; ingest puts them there (intake). Whoever deals with a letter
holds its row's lock; one that another holds is passed over, never waited for.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg.errors import DeadlockDetected, SerializationFailure

from waystock.store.connection import Database
from waystock.store.intake import REASON_CHARS_MAX
from waystock.store.sql import queries

COLLISIONS = (DeadlockDetected, SerializationFailure)
"""Two transactions were in each other's way: this one left no trace and may be run again."""


class ListedLetter(NamedTuple):
    """A dead letter as lists show it, without its payload."""

    dead_letter_id: int
    received_at: datetime
    topic: str
    stream: UUID | None
    stream_offset: int | None
    """None: not one event but a whole message, which could not be read at all."""
    stage: str
    reason: str
    times: int
    """How often it came, or was tried again, in vain."""
    payload_bytes: int


class DroppedLetter(NamedTuple):
    """A letter that somebody dropped, and why."""

    letter: ListedLetter
    dropped_at: datetime
    dropped_by: str
    dropped_because: str
    is_corrected: bool
    """A corrected form of it is in the store, so it can't be brought back."""


class Letter(NamedTuple):
    """A dead letter with what another try needs to know."""

    dead_letter_id: int
    received_at: datetime
    topic: str
    stream: UUID | None
    stream_offset: int | None
    stage: str
    reason: str
    times: int
    payload: bytes
    stream_id: int | None
    """None where the store doesn't know the stream."""
    is_committed: bool
    """Whether its offset counts as committed, so that no gateway will send it again."""


class Waiting(NamedTuple):
    """One to deal with."""

    dead_letter_id: int
    is_message: bool


class Refusal(NamedTuple):
    """Why a letter is one still. None leaves what was said before."""

    stage: str | None
    reason: str | None


def list_letters(
    database: Database, stage: str | None, since: datetime | None, after: int | None, limit: int
) -> list[ListedLetter]:
    """At most `limit` letters, newest first, behind the letter `after`."""
    parameters = {"stage": stage, "since": since, "after": after, "limit": limit}
    return [
        ListedLetter(*row) for row in database.execute(queries("dead_letters")["list"], parameters)
    ]


def list_dropped(
    database: Database, stage: str | None, since: datetime | None, after: int | None, limit: int
) -> list[DroppedLetter]:
    """The same of those that were dropped."""
    parameters = {"stage": stage, "since": since, "after": after, "limit": limit}
    rows = database.execute(queries("dead_letters")["list_dropped"], parameters)
    return [DroppedLetter(ListedLetter(*row[:9]), *row[9:]) for row in rows]


def read_letter(database: Database, dead_letter_id: int) -> Letter | None:
    """One letter with its payload, not locked."""
    row = database.execute(queries("dead_letters")["read"], {"ids": [dead_letter_id]}).fetchone()
    return Letter(*row) if row else None


def waiting(database: Database, ids: Sequence[int] | None, stage: str | None) -> list[Waiting]:
    """Those of `ids` that are there, or all (of a stage), in order of arrival."""
    parameters = {"ids": None if ids is None else list(ids), "stage": stage}
    rows = database.execute(queries("dead_letters")["waiting"], parameters)
    return [Waiting(*row) for row in rows]


def lock_letters(database: Database, ids: Sequence[int]) -> list[Letter]:
    """Lock these until the transaction ends; those that are gone or locked are left out."""
    rows = database.execute(queries("dead_letters")["lock"], {"ids": list(ids)})
    return [Letter(*row) for row in rows]


def delete_letters(database: Database, ids: Sequence[int]) -> None:
    """These are in the store now; call in the transaction that put them there."""
    database.execute(queries("dead_letters")["delete"], {"ids": list(ids)})


def put_aside_now(database: Database, stream: UUID) -> int:
    """How many events of a stream this transaction itself has put aside."""
    row = database.execute(queries("dead_letters")["put_aside_now"], {"stream": stream}).fetchone()
    return row[0] if row else 0


def refuse_again(database: Database, refused: Mapping[int, Refusal]) -> None:
    """These stay, with why, and one more time counted."""
    if not refused:
        return
    database.execute(
        queries("dead_letters")["refuse_again"],
        {
            "ids": list(refused),
            "stages": [one.stage for one in refused.values()],
            "reasons": [_storable(one.reason) for one in refused.values()],
        },
    )


def keep_corrected(database: Database, dead_letter_id: int, corrected: bytes, by: str) -> None:
    """Remember a letter as it came beside what a person made of it; call before it is deleted."""
    database.execute(
        queries("dead_letters")["keep_corrected"],
        {"id": dead_letter_id, "corrected": corrected, "by": by},
    )


def drop_letters(
    database: Database, ids: Sequence[int] | None, stage: str | None, because: str, by: str
) -> list[int]:
    """Do away with these, or with all of a stage; the ids of those it was done to."""
    rows = database.execute(
        queries("dead_letters")["drop"],
        {
            "ids": None if ids is None else list(ids),
            "stage": stage,
            "because": because,
            "by": by,
        },
    )
    return sorted(row[0] for row in rows)


def restore_letter(database: Database, dead_letter_id: int) -> int | None:
    """Bring a dropped letter back; the id it has now: another where the same message has come again
    meanwhile. None where none was dropped under this id, or it is in the store, corrected.
    """
    row = database.execute(queries("dead_letters")["restore"], {"id": dead_letter_id}).fetchone()
    return row[0] if row else None


def is_corrected(database: Database, dead_letter_id: int) -> bool:
    """Whether this letter is in the store in a corrected form."""
    row = database.execute(
        queries("dead_letters")["is_corrected"], {"id": dead_letter_id}
    ).fetchone()
    return bool(row and row[0])


def _storable(reason: str | None) -> str | None:
    return None if reason is None else reason.replace("\0", "\ufffd")[:REASON_CHARS_MAX]
