"""One transaction of the batches gathered: lock the streams, drop what is already there, run the
stages, unite the offsets, commit. A batch that the store refuses is cut in halves under savepoints
until the offending event stands alone and goes to dead_letter. Upstream: batches; downstream: the
store.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
import structlog

from waystock.contract.acks import OffsetRange
from waystock.contract.events import decode_batch_envelope, encode_batch_of_raw, encode_event
from waystock.contract.topics import gateway_topic
from waystock.store import offsets
from waystock.store.binary_copy import Int32s
from waystock.store.connection import Database
from waystock.store.errors import DATA_REFUSED, SCHEMA_DIFFERS
from waystock.store.intake import Spoilt, put_aside
from waystock.store.readings import Reading, Readings, as_columns
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest import metrics
from waystock_ingest.batches import Incoming, Prepared, owners_of
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.stages import STAGES, Dirty, Work

log = structlog.get_logger()

REFUSED = (*DATA_REFUSED, ValueError, LookupError, ArithmeticError)
"""What a spoilt event can cause. Lost connections and deadlocks are not among them: those are
tried again whole."""


TURN_POLL_S = 0.1
"""How often raw rows that wait for their turn look whether somebody waits for them."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(NamedTuple):
    """A reading that a stage could not take, alone among its neighbours."""

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


class _Offered(NamedTuple):
    """What the batches bring beyond what the store has."""

    streams: Mapping[UUID, offsets.StreamState]
    own: list[bool]
    """Of each batch, whether its gateway owns its stream: the first one to use it does."""
    gained: dict[UUID, list[OffsetRange]]
    gaps: list[list[OffsetRange]]
    """Of each batch, the offsets that are new."""

    def is_all_new(self, incoming: Sequence[Incoming]) -> bool:
        return all(
            is_own and found == [(batch.first, batch.end)]
            for batch, is_own, found in zip(incoming, self.own, self.gaps, strict=True)
        )


class _TakeInPiecesError(Exception):
    """Something of the batches is known already, or their raw rows stand in somebody's way."""


def commit_batches(
    database: Database, gathering: Gathering, master: Master, states: VehicleStates
) -> Committed:
    """Take these batches in, exactly once; a StoreError leaves the store as it was.

    Raw rows go in before the streams are locked, while the batches before are still being derived
    from; they come out again should the lock show that some are known.
    """
    started = time.monotonic()
    dirty: Dirty = defaultdict(set)
    refused = list[Refused]()
    if gathering.owners:
        offsets.find_streams(database, gathering.owners)
    with database.transaction():
        try:
            with database.transaction():
                taken = _write_ahead(database, gathering, master, states)
                offered = _lock(database, taken.incoming, master)
                if not offered.is_all_new(taken.incoming):
                    raise _TakeInPiecesError
                fresh = taken.readings
                work = _work(database, fresh, _stream_ids(taken, offered), master, states, dirty)
                for stage in STAGES[1:]:
                    stage(work)
        except (_TakeInPiecesError, *REFUSED):
            gathering.await_turn()
            dirty.clear()
            states.forget_told()
            taken = gathering.whole()
            offered = _lock(database, taken.incoming, master)
            fresh = _fresh(taken, offered.gaps)
            work = _work(database, fresh, _stream_ids(taken, offered), master, states, dirty)
            refused = _write(work)
        _put_aside(database, taken, offered, refused)
        if offered.gained:
            offsets.unite(
                database,
                {offered.streams[stream].stream_id: new for stream, new in offered.gained.items()},
            )
    _measure(started, fresh, taken, offered, refused)
    covered = _covered(taken.incoming, offered.own)
    return Committed(covered, owners_of(taken.incoming), dirty, _count(fresh))


def _write_ahead(
    database: Database, gathering: Gathering, master: Master, states: VehicleStates
) -> Prepared:
    """Keep the raw rows of piece after piece, until it is their turn; what is left to do of all of
    them. Raises _TakeInPiecesError."""
    written = Prepared([], [], [], [])
    for piece in _pieces(database, gathering):
        streams = offsets.known_streams(database, owners_of(piece.incoming))
        if any(batch.stream not in streams for batch in piece.incoming):
            raise _TakeInPiecesError  # a new stream is not made where others would wait for it
        offered = _offered(piece.incoming, streams)
        if not offered.is_all_new(piece.incoming):
            raise _TakeInPiecesError
        ids = _stream_ids(piece, offered)
        STAGES[0](_work(database, piece.readings, ids, master, states, defaultdict(set)))
        written.readings.extend(one.written(len(written.incoming)) for one in piece.readings)
        written.incoming.extend(piece.incoming)
        written.spoilt.extend(piece.spoilt)
    return written


def _pieces(database: Database, gathering: Gathering) -> Iterator[Prepared]:
    yield from gathering.pieces()
    while not gathering.is_turn:
        # It may be the batch before that waits (both make the same new chunk), for a turn that
        # then never comes; the database can't see that this is a deadlock.
        if offsets.is_waited_for(database):
            raise _TakeInPiecesError
        piece = gathering.more(TURN_POLL_S)
        if piece is not None:
            yield piece


def _lock(database: Database, incoming: Sequence[Incoming], master: Master) -> _Offered:
    """From here to the commit nobody else adds to these streams."""
    owners = owners_of(incoming)
    streams = offsets.lock_streams(database, owners) if owners else {}
    master.refresh(database)
    return _offered(incoming, streams)


def _stream_ids(taken: Prepared, offered: _Offered) -> Int32s:
    return np.array([offered.streams[one.stream].stream_id for one in taken.incoming], np.int32)


def _offered(incoming: Sequence[Incoming], streams: Mapping[UUID, offsets.StreamState]) -> _Offered:
    own = [(batch.site, batch.gateway) == streams[batch.stream][2:] for batch in incoming]
    have = {stream: list(state.committed) for stream, state in streams.items()}
    gained: dict[UUID, list[OffsetRange]] = defaultdict(list)
    gaps: list[list[OffsetRange]] = []
    for batch, is_own in zip(incoming, own, strict=True):
        found: list[OffsetRange] = []
        if is_own:
            found = offsets.missing(batch.first, batch.end, have[batch.stream])
            have[batch.stream] = offsets.merged([*have[batch.stream], (batch.first, batch.end)])
            gained[batch.stream] += found
        gaps.append(found)
    return _Offered(streams, own, gained, gaps)


def _covered(incoming: Sequence[Incoming], own: Sequence[bool]) -> dict[UUID, list[OffsetRange]]:
    covered: dict[UUID, list[OffsetRange]] = defaultdict(list)
    for batch, is_own in zip(incoming, own, strict=True):
        if is_own:
            covered[batch.stream].append((batch.first, batch.end))
    return {stream: offsets.merged(parts) for stream, parts in covered.items()}


def write_again(
    database: Database, readings: Sequence[Reading], master: Master, dirty: Dirty
) -> list[Refused]:
    """Run the stages over readings whose offsets already count as committed: dead letters that are
    tried again. What is refused again is returned; the rest is in the store."""
    stream_ids = np.array([one.stream_id for one in readings], np.int32)
    columns = as_columns(
        [one.event for one in readings],
        np.arange(len(readings), dtype=np.int32),
        np.array([one.stream_offset for one in readings], np.int64),
    )
    return _write(_work(database, columns, stream_ids, master, VehicleStates(), dirty))


def _work(
    database: Database,
    columns: Sequence[Readings],
    stream_ids: Int32s,
    master: Master,
    states: VehicleStates,
    dirty: Dirty,
) -> Work:
    return Work(
        database,
        columns,
        stream_ids,
        master.snapshot,
        master.plan,
        states,
        datetime.now(UTC),
        dirty,
        {},
    )


def _fresh(prepared: Prepared, gaps: Sequence[Sequence[OffsetRange]]) -> list[Readings]:
    """The readings whose offsets are in the gaps of their batches."""
    is_new: list[np.ndarray[tuple[int], np.dtype[np.bool_]]] = []
    for batch, found in zip(prepared.incoming, gaps, strict=True):
        mask = np.zeros(batch.end - batch.first, np.bool_)
        for first, end in found:
            mask[first - batch.first : end - batch.first] = True
        is_new.append(mask)
    every = np.concatenate(is_new) if is_new else np.zeros(0, np.bool_)
    return _some(prepared.readings, every)


def _some(
    readings: Sequence[Readings], wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> list[Readings]:
    """Those whose position is wanted."""
    parts = [one.take(wanted[one.position]) for one in readings]
    return [one for one in parts if one.size]


def _write(work: Work) -> list[Refused]:
    """Run the stages; what they refuse, alone among its neighbours, is returned."""
    if not work.columns:
        return []
    attempt = work._replace(dirty=defaultdict(set))
    stage_name = ""
    try:
        with work.database.transaction():
            for stage in STAGES:
                stage_name = getattr(stage, "__name__", "stage")
                stage(attempt)
    except SCHEMA_DIFFERS:
        raise  # not the readings' fault: they wait until the schema fits
    except REFUSED as error:
        work.states.forget_told()
        if _count(work.columns) == 1:
            reason = f"{type(error).__name__}: {error}".strip()
            return [Refused(work.readings[0], stage_name, reason)]
        refused: list[Refused] = []
        for half in _halves(work.columns):
            refused += _write(work._replace(columns=half))
        return refused
    for stream, keys in attempt.dirty.items():
        work.dirty[stream] |= keys
    return []


def _halves(readings: Sequence[Readings]) -> list[list[Readings]]:
    positions = np.sort(np.concatenate([one.position for one in readings]))
    is_first = np.zeros(int(positions[-1]) + 1, np.bool_)
    is_first[positions[: len(positions) // 2]] = True
    return [_some(readings, is_first), _some(readings, ~is_first)]


def _count(readings: Sequence[Readings]) -> int:
    return sum(one.size for one in readings)


def _foreign(
    incoming: Sequence[Incoming], own: Sequence[bool], streams: Mapping[UUID, offsets.StreamState]
) -> list[Spoilt]:
    """Batches of a gateway that doesn't own the stream, whole; each looks the same however often
    it is sent."""
    found: list[Spoilt] = []
    for batch, is_own in zip(incoming, own, strict=True):
        if is_own:
            continue
        owner = streams[batch.stream]
        events = decode_batch_envelope(batch.payload).events
        payload = encode_batch_of_raw(batch.stream, batch.first, _NEVER, list(map(bytes, events)))
        reason = f"stream {batch.stream} belongs to {owner.site}/{owner.gateway}"
        found.append(Spoilt(batch.topic, None, None, "owner", reason, payload))
    return found


def _not_known(
    spoilt: Sequence[Spoilt], gained: Mapping[UUID, Sequence[OffsetRange]]
) -> list[Spoilt]:
    """Spoilt events are put aside once, however often their batch comes, be it in one commit."""
    wholes: list[Spoilt] = []
    events: dict[tuple[UUID, int], Spoilt] = {}
    for one in spoilt:
        if one.stream is None or one.offset is None:
            wholes.append(one)
        elif any(first <= one.offset < end for first, end in gained.get(one.stream, ())):
            events[one.stream, one.offset] = one
    return [*wholes, *events.values()]


def _spoilt(refused: Refused, streams: Mapping[UUID, offsets.StreamState]) -> Spoilt:
    reading, stage, reason = refused
    stream, state = next(
        (uuid, one) for uuid, one in streams.items() if one.stream_id == reading.stream_id
    )
    topic = gateway_topic(state.site, state.gateway, "events")
    payload = encode_event(reading.event)
    return Spoilt(topic, stream, reading.stream_offset, stage, reason, payload)


def _put_aside(
    database: Database, prepared: Prepared, offered: _Offered, refused: Sequence[Refused]
) -> None:
    for one in (
        *_not_known(prepared.spoilt, offered.gained),
        *_foreign(prepared.incoming, offered.own, offered.streams),
        *(_spoilt(one, offered.streams) for one in refused),
    ):
        put_aside(database, one)
        metrics.DEAD_LETTERS.labels(one.stage).inc()
        log.warning(
            "dead_letter",
            topic=one.topic,
            offset=one.offset,
            stage=one.stage,
            reason=one.reason[:300],
        )


def _measure(
    started: float,
    fresh: Sequence[Readings],
    prepared: Prepared,
    offered: _Offered,
    refused: Sequence[Refused],
) -> None:
    metrics.COMMITS.labels("committed").inc()
    metrics.COMMIT_SECONDS.observe(time.monotonic() - started)
    unread = sum(one.offset is not None for one in _not_known(prepared.spoilt, offered.gained))
    metrics.EVENTS.labels("any", "dead_letter").inc(unread)
    refused_by_kind = Counter(type(one.reading.event) for one in refused)
    for batch, is_own, gaps in zip(prepared.incoming, offered.own, offered.gaps, strict=True):
        if is_own:
            new = sum(end - first for first, end in gaps)
            metrics.EVENTS.labels("any", "already_committed").inc(batch.end - batch.first - new)
    if not fresh:
        return
    metrics.BATCH_EVENTS.observe(_count(fresh))
    newest_s = max(int(one.captured_us.max()) for one in fresh) * 1e-6
    metrics.NEWEST_EVENT_CAPTURED.set(newest_s)
    metrics.NEWEST_EVENT_AGE.set(time.time() - newest_s)
    for one in fresh:
        kind, unfit = one.kind.__name__.lower(), refused_by_kind[one.kind]
        metrics.EVENTS.labels(kind, "committed").inc(one.size - unfit)
        metrics.EVENTS.labels(kind, "dead_letter").inc(unfit)
