"""One batch, one transaction: lock the streams, drop what is already there, run the stages, unite
the offsets, commit. A batch that the store refuses is cut in halves under savepoints until the
offending event stands alone and goes to dead_letter. Upstream: source; downstream: the store.
"""

import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from waystock.contract.acks import OffsetRange
from waystock.contract.events import encode_event
from waystock.contract.topics import gateway_topic
from waystock.store import offsets
from waystock.store.connection import Database
from waystock.store.errors import DATA_REFUSED
from waystock.store.intake import Spoilt, put_aside
from waystock.store.readings import Reading
from waystock_ingest import metrics
from waystock_ingest.batches import Incoming, spans
from waystock_ingest.master import Master
from waystock_ingest.stages import STAGES, Dirty, Work

log = structlog.get_logger()

REFUSED = (*DATA_REFUSED, ValueError, LookupError, ArithmeticError)
"""What a spoilt event can cause. Lost connections and deadlocks are not among them: those are
tried again whole."""


class _Refused(NamedTuple):
    reading: Reading
    stage: str
    reason: str


class Committed(NamedTuple):
    """What a transaction has made certain."""

    ranges: dict[UUID, list[OffsetRange]]
    """Every offset of the batches given, new or known: all may be acknowledged."""
    owners: dict[UUID, tuple[str, str]]
    dirty: Dirty
    events_new: int


def commit_batches(
    database: Database, incoming: list[Incoming], spoilt: list[Spoilt], master: Master
) -> Committed:
    """Take these batches in, exactly once; a StoreError leaves the store as it was."""
    started = time.monotonic()
    dirty: Dirty = defaultdict(set)
    with database.transaction():
        owners = {batch.stream: (batch.site, batch.gateway) for batch in incoming}
        streams = offsets.lock_streams(database, owners) if owners else {}
        incoming, foreign = _own_streams_only(incoming, streams)
        master.refresh(database)
        fresh, gained = _fresh(incoming, streams)
        gained_by_id = {streams[stream].stream_id: ranges for stream, ranges in gained.items()}
        failed = _write(database, fresh, master, dirty)
        refused = [_spoilt(one, streams) for one in failed]
        for one in (*_not_known(spoilt, gained), *foreign, *refused):
            put_aside(database, one)
            metrics.DEAD_LETTERS.labels(one.stage).inc()
            log.warning(
                "dead_letter",
                topic=one.topic,
                offset=one.offset,
                stage=one.stage,
                reason=one.reason[:300],
            )
        if gained_by_id:
            offsets.unite(database, gained_by_id)
    _measure(started, fresh, len(failed))
    all_ranges = {stream: offsets.merged(parts) for stream, parts in spans(incoming).items()}
    return Committed(all_ranges, owners, dirty, len(fresh))


def _own_streams_only(
    incoming: list[Incoming], streams: dict[UUID, offsets.StreamState]
) -> tuple[list[Incoming], list[Spoilt]]:
    """A gateway may speak for its own streams only: the first one to use a stream owns it."""
    own: list[Incoming] = []
    foreign: list[Spoilt] = []
    for batch in incoming:
        state = streams[batch.stream]
        if (batch.site, batch.gateway) == (state.site, state.gateway):
            own.append(batch)
            continue
        reason = f"stream {batch.stream} belongs to {state.site}/{state.gateway}"
        payload = b"\n".join(encode_event(event) for event in batch.events.values())
        foreign.append(Spoilt(batch.topic, None, None, "owner", reason, payload))
    return own, foreign


def _fresh(
    incoming: list[Incoming], streams: dict[UUID, offsets.StreamState]
) -> tuple[list[Reading], dict[UUID, list[OffsetRange]]]:
    """Events whose offsets the store doesn't have, once each, and the ranges gained by them."""
    have = {stream: list(state.committed) for stream, state in streams.items()}
    gained: dict[UUID, list[OffsetRange]] = defaultdict(list)
    fresh: list[Reading] = []
    for batch in incoming:
        stream_id = streams[batch.stream].stream_id
        gaps = offsets.missing(batch.first, batch.end, have[batch.stream])
        gained[batch.stream] += gaps
        for first, end in gaps:
            for offset in range(first, end):
                event = batch.events.get(offset)
                if event is not None:
                    fresh.append(Reading(stream_id, offset, event))
        have[batch.stream] = offsets.merged([*have[batch.stream], (batch.first, batch.end)])
        known = batch.end - batch.first - sum(end - first for first, end in gaps)
        metrics.EVENTS.labels("any", "already_committed").inc(known)
    return fresh, gained


def _not_known(spoilt: list[Spoilt], gained: dict[UUID, list[OffsetRange]]) -> list[Spoilt]:
    """Spoilt events are put aside once, however often their batch comes."""
    return [
        one
        for one in spoilt
        if one.stream is None
        or one.offset is None
        or any(first <= one.offset < end for first, end in gained.get(one.stream, ()))
    ]


def _write(
    database: Database, readings: list[Reading], master: Master, dirty: Dirty
) -> list[_Refused]:
    """Run the stages; what they refuse, alone among its neighbours, is returned."""
    if not readings:
        return []
    attempt: Dirty = defaultdict(set)
    stage_name = ""
    try:
        with database.transaction():
            work = Work(
                database, readings, master.snapshot, master.plan, datetime.now(UTC), attempt
            )
            for stage in STAGES:
                stage_name = getattr(stage, "__name__", "stage")
                stage(work)
    except REFUSED as error:
        if len(readings) == 1:
            reason = f"{type(error).__name__}: {error}".strip()
            return [_Refused(readings[0], stage_name, reason)]
        middle = len(readings) // 2
        return _write(database, readings[:middle], master, dirty) + _write(
            database, readings[middle:], master, dirty
        )
    for stream, keys in attempt.items():
        dirty[stream] |= keys
    return []


def _spoilt(refused: _Refused, streams: dict[UUID, offsets.StreamState]) -> Spoilt:
    reading, stage, reason = refused
    stream, state = next(
        (uuid, one) for uuid, one in streams.items() if one.stream_id == reading.stream_id
    )
    topic = gateway_topic(state.site, state.gateway, "events")
    payload = encode_event(reading.event)
    return Spoilt(topic, stream, reading.stream_offset, stage, reason, payload)


def _measure(started: float, fresh: list[Reading], failed: int) -> None:
    metrics.COMMITS.labels("committed").inc()
    metrics.COMMIT_SECONDS.observe(time.monotonic() - started)
    if not fresh:
        return
    metrics.BATCH_EVENTS.observe(len(fresh))
    newest = max(reading.event.captured_at for reading in fresh)
    metrics.NEWEST_EVENT_AGE.set((datetime.now(UTC) - newest).total_seconds())
    kinds: dict[str, int] = defaultdict(int)
    for reading in fresh:
        kinds[type(reading.event).__name__.lower()] += 1
    for kind, count in kinds.items():
        metrics.EVENTS.labels(kind, "committed").inc(count)
    metrics.EVENTS.labels("any", "dead_letter").inc(failed)
