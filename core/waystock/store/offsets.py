"""Exactly-once: which offsets of which streams the store has, and the rows that lock them."""

from collections.abc import Iterable, Mapping
from typing import LiteralString, NamedTuple
from uuid import UUID

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from waystock.contract.acks import OffsetRange
from waystock.store.connection import Database
from waystock.store.sql import queries


class StreamState(NamedTuple):
    """A stream as it was when it was asked for: `committed` is sorted, disjoint and half open."""

    stream_id: int
    committed: list[OffsetRange]
    site: str
    gateway: str


def find_streams(
    database: Database, owners: Mapping[UUID, tuple[str, str]]
) -> dict[UUID, StreamState]:
    """These streams (uuid → (site, gateway)), made where new; not locked, so others may gain
    offsets at any time. Outside a transaction, so that nobody waits for a new stream's row."""
    streams = sorted(owners)
    found = known_streams(database, streams)
    new = [stream for stream in streams if stream not in found]
    if not new:
        return found
    database.execute(
        queries("ingest")["register_streams"],
        {
            "streams": new,
            "sites": [owners[stream][0] for stream in new],
            "gateways": [owners[stream][1] for stream in new],
        },
    )
    return known_streams(database, streams)


def known_streams(database: Database, streams: Iterable[UUID]) -> dict[UUID, StreamState]:
    """Those of these streams that are there already; not locked."""
    return _states(database, "find_streams", sorted(streams))


def lock_streams(
    database: Database, owners: Mapping[UUID, tuple[str, str]]
) -> dict[UUID, StreamState]:
    """Lock these streams' rows, made where new, in sorted order, until the transaction ends."""
    find_streams(database, owners)
    return _states(database, "lock_streams", sorted(owners))


def _states(
    database: Database, statement: LiteralString, streams: list[UUID]
) -> dict[UUID, StreamState]:
    rows = database.execute(queries("ingest")[statement], {"streams": streams}).fetchall()
    return {row[1]: StreamState(row[0], ranges_of(row[2]), row[3], row[4]) for row in rows}


def is_waited_for(database: Database) -> bool:
    """Whether another session waits for a lock that this transaction holds."""
    row = database.execute(queries("ingest")["is_waited_for"]).fetchone()
    return bool(row and row[0])


def unite(database: Database, gained: Mapping[int, Iterable[OffsetRange]]) -> None:
    """Add ranges to the committed offsets of streams by stream_id."""
    stream_ids = sorted(gained)
    multiranges = [
        "{" + ",".join(f"[{first},{end})" for first, end in gained[stream_id]) + "}"
        for stream_id in stream_ids
    ]
    database.execute(
        queries("ingest")["unite_offsets"], {"stream_ids": stream_ids, "ranges": multiranges}
    )


def committed(database: Database, stream: UUID) -> tuple[str, str, list[OffsetRange]] | None:
    """(site, gateway, committed ranges) of a stream, or None where it was never seen."""
    row = database.execute(queries("ingest")["committed"], {"stream": stream}).fetchone()
    return (row[0], row[1], ranges_of(row[2])) if row else None


def ranges_of(multirange: Multirange[int]) -> list[OffsetRange]:
    """Half-open pairs of an int8multirange, as PostgreSQL keeps them: sorted and disjoint."""
    pairs: list[OffsetRange] = []
    for one in multirange:
        assert isinstance(one, Range)
        if one.lower is None or one.upper is None:
            raise ValueError(f"stream offsets are unbounded: {one}")
        pairs.append((one.lower, one.upper))
    return pairs


def missing(first: int, end: int, have: Iterable[OffsetRange]) -> list[OffsetRange]:
    """The parts of [first, end) that `have` (sorted, disjoint) doesn't cover."""
    gaps: list[OffsetRange] = []
    at = first
    for low, high in have:
        if high <= at:
            continue
        if low >= end:
            break
        if low > at:
            gaps.append((at, low))
        at = high
    if at < end:
        gaps.append((at, end))
    return gaps


def merged(ranges: Iterable[OffsetRange]) -> list[OffsetRange]:
    """The same offsets as few sorted, disjoint ranges."""
    out: list[OffsetRange] = []
    for first, end in sorted(ranges):
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((first, end))
    return out
