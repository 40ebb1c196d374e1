"""Dead letters through the pipeline once more: what the stages take now is in the store, and its
letter gone, in one transaction; what they refuse stays a letter with its newest reason. Upstream:
`waystock dead-letter`; downstream: the pipeline and the store.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import structlog

from waystock.contract.events import decode_event
from waystock.store import dead_letters, offsets
from waystock.store.connection import Database
from waystock.store.dead_letters import COLLISIONS, Letter, Refusal, Waiting
from waystock.store.readings import Reading, as_columns
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest.batches import Incoming, Prepared, prepare
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import Committed, commit_batches, write_again
from waystock_ingest.source import Message

log = structlog.get_logger()

EVENTS_PER_TRANSACTION_MAX = 100
"""So that locks are held briefly, and a kill leaves little to do again."""
TRIES_MAX = 5
"""Of a transaction that collides with ingest's; each time at least one of the two goes on."""
NOT_THERE = "there is no such dead letter (any more), or another retry or drop has it in hand"


class Correction(NamedTuple):
    """What a person made of a letter's payload, and who it was."""

    payload: bytes
    by: str


class Outcome(NamedTuple):
    """What became of one letter."""

    dead_letter_id: int
    result: Literal["stored", "refused", "gone"]
    reason: str = ""
    is_whole: bool = True
    """False where a message is in the store but for events that are letters of their own now."""


class _Refused(NamedTuple):
    stage: str
    reason: str


def retry_letters(
    database: Database,
    waiting: Sequence[Waiting],
    master: Master,
    correction: Correction | None = None,
) -> Iterator[Outcome]:
    """Each letter's outcome, told once it is certain: events many to a transaction, each whole
    message in one of its own. A correction stands in for the payload of the only letter given.
    """
    for group in _groups(waiting):
        attempt = _try_message if group[0].is_message else _try_events
        ids = [one.dead_letter_id for one in group]
        yield from _certainly(database, partial(attempt, database, ids, master, correction))


def why_unreadable(database: Database, letter: Letter) -> str | None:
    """What another try of this letter would meet before any stage; None where nothing."""
    try:
        if letter.stream_offset is not None:
            _reading(letter, letter.payload)
            return None
        (batch, *_) = _message(letter, letter.payload).incoming
    except (ValueError, ArithmeticError) as error:
        return str(error)
    known = offsets.committed(database, batch.stream)
    return None if known is None else _foreign(batch, known[0], known[1])


def _groups(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    group: list[Waiting] = []
    for one in waiting:
        if group and (
            one.is_message or group[0].is_message or len(group) == EVENTS_PER_TRANSACTION_MAX
        ):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _certainly(database: Database, attempt: Callable[[], list[Outcome]]) -> list[Outcome]:
    """The attempt in a transaction, committed; begun anew where another one was in its way."""
    for tries in range(1, TRIES_MAX):
        try:
            with database.transaction():
                return attempt()
        except COLLISIONS as error:
            log.info("dead_letter_retry_collided", tries=tries, reason=str(error)[:200])
    with database.transaction():
        return attempt()


def _try_events(
    database: Database, ids: Sequence[int], master: Master, correction: Correction | None
) -> list[Outcome]:
    letters = dead_letters.lock_letters(database, ids)
    master.refresh(database)
    readings: dict[int, Reading] = {}
    refused: dict[int, _Refused] = {}
    for letter in letters:
        payload = correction.payload if correction else letter.payload
        try:
            readings[letter.dead_letter_id] = _reading(letter, payload)
        except (ValueError, ArithmeticError) as error:
            refused[letter.dead_letter_id] = _Refused("decode", str(error))
    refused |= _refused_by_stages(database, readings, master)
    stored = readings.keys() - refused.keys()
    _settle(database, sorted(stored), refused, correction)
    outcomes = {name: Outcome(name, "stored") for name in stored}
    outcomes |= {name: Outcome(name, "refused", one.reason) for name, one in refused.items()}
    return [outcomes.get(name, Outcome(name, "gone", NOT_THERE)) for name in ids]


def _refused_by_stages(
    database: Database, readings: Mapping[int, Reading], master: Master
) -> dict[int, _Refused]:
    if not readings:
        return {}
    ids = {(one.stream_id, one.stream_offset): name for name, one in readings.items()}
    # Screens learn of the change when the api next loads its picture: no broker is needed here.
    failed = write_again(database, list(readings.values()), master, defaultdict(set))
    return {
        ids[one.reading.stream_id, one.reading.stream_offset]: _Refused(one.stage, one.reason)
        for one in failed
    }


def _reading(letter: Letter, payload: bytes) -> Reading:
    """The event under its own offset. Raises ValueError or ArithmeticError where it is none, or
    its columns can't hold it, or a gateway would send it again.
    """
    event = decode_event(payload)
    if letter.stream_id is None or letter.stream_offset is None:
        raise ValueError(f"stream {letter.stream} is not known to this store")
    if not letter.is_committed:
        raise ValueError("its offset does not count as committed: its gateway will send it again")
    as_columns([event], np.zeros(1, np.int32), np.array([letter.stream_offset], np.int64))
    return Reading(letter.stream_id, letter.stream_offset, event)


def _try_message(
    database: Database, ids: Sequence[int], master: Master, correction: Correction | None
) -> list[Outcome]:
    (name,) = ids
    letters = dead_letters.lock_letters(database, ids)
    if not letters:
        return [Outcome(name, "gone", NOT_THERE)]
    try:
        prepared = _message(letters[0], correction.payload if correction else letters[0].payload)
    except ValueError as error:
        return [_refuse(database, name, _Refused("decode", str(error)), correction)]
    (batch, *_) = prepared.incoming
    state = offsets.find_streams(database, {batch.stream: (batch.site, batch.gateway)})
    foreign = _foreign(batch, state[batch.stream].site, state[batch.stream].gateway)
    if foreign is not None:
        return [_refuse(database, name, _Refused("owner", foreign), correction)]
    committed = commit_batches(database, Gathering(prepared), master, VehicleStates())
    left = dead_letters.put_aside_now(database, batch.stream)
    _settle(database, ids, {}, correction)
    return [Outcome(name, "stored", _told(batch, committed, left), is_whole=not left)]


def _message(letter: Letter, payload: bytes) -> Prepared:
    """The letter as the batch that it is; ValueError where it is none."""
    prepared = prepare([Message(letter.topic, payload, mid=0, qos=0, connection=0)])
    if prepared.incoming:
        return prepared
    raise ValueError(prepared.spoilt[0].reason)


def _foreign(batch: Incoming, site: str, gateway: str) -> str | None:
    if (batch.site, batch.gateway) == (site, gateway):
        return None
    return f"stream {batch.stream} belongs to {site}/{gateway}"


def _refuse(
    database: Database, name: int, refused: _Refused, correction: Correction | None
) -> Outcome:
    _settle(database, [], {name: refused}, correction)
    return Outcome(name, "refused", refused.reason)


def _settle(
    database: Database,
    stored: Sequence[int],
    refused: Mapping[int, _Refused],
    correction: Correction | None,
) -> None:
    for name in stored if correction else ():
        assert correction is not None
        dead_letters.keep_corrected(database, name, correction.payload, correction.by)
    dead_letters.delete_letters(database, stored)
    # A correction that is refused leaves the payload as it came, so the reason too: they belong
    # together.
    again = {
        name: Refusal(None, None) if correction else Refusal(*refused[name]) for name in refused
    }
    dead_letters.refuse_again(database, again)


def _told(batch: Incoming, committed: Committed, left: int) -> str:
    events = batch.end - batch.first
    if left:
        return f"{left} of its {events} events are dead letters of their own now"
    if committed.events_new < events:
        return f"{events - committed.events_new} of its {events} events were in the store already"
    return ""
