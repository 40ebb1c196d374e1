"""The limit of every rate: bare binary COPY of the same readings into the same tables by psycopg,
the library that ingest uses; rows stand ready in memory, nothing is derived. Beside it the same
with the store's own encoder of rows, which is quicker than psycopg's.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, LiteralString, NamedTuple

import numpy as np

from waystock.contract.events import Barcode, Event, Position, Rfid
from waystock.store.connection import Database, connect
from waystock.store.readings import as_columns, copy_readings, copy_rows

ROWS_PER_COMMIT = 10_000


class Copied(NamedTuple):
    """Rows per second."""

    by_psycopg: float
    by_own_encoder: float


class _Table(NamedTuple):
    name: LiteralString
    columns: tuple[LiteralString, ...]
    types: tuple[LiteralString, ...]
    values: Callable[[Any], tuple[object, ...]]


_SHARED: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("time", "timestamptz"),
    ("captured_at", "timestamptz"),
    ("received_at", "timestamptz"),
    ("stream_id", "int4"),
    ("stream_offset", "int8"),
    ("device", "text"),
    ("clock", "text"),
    ("quality", "text[]"),
    ("raw", "text"),
)


def _table(
    name: LiteralString,
    own: tuple[tuple[LiteralString, LiteralString], ...],
    values: Callable[[Any], tuple[object, ...]],
) -> _Table:
    both = _SHARED + own
    return _Table(name, tuple(each for each, _ in both), tuple(kind for _, kind in both), values)


_TABLES: dict[type[Event], _Table] = {
    Barcode: _table(
        "barcode_reading",
        (
            ("aim", "text"),
            ("format", "text"),
            ("data", "text"),
            ("elements", "jsonb"),
            ("repeats", "int4"),
        ),
        lambda e: (e.aim, e.format, e.data, e.elements, e.repeats),
    ),
    Rfid: _table(
        "rfid_reading",
        (
            ("epc", "text"),
            ("presence", "text"),
            ("scheme", "text"),
            ("elements", "jsonb"),
            ("antenna", "int2"),
            ("rssi_dbm", "float4"),
            ("reads", "int4"),
        ),
        lambda e: (e.epc, e.presence, e.scheme, e.elements, e.antenna, e.rssi_dbm, e.reads),
    ),
    Position: _table(
        "fix",
        (
            ("lat", "float8"),
            ("lon", "float8"),
            ("speed_mps", "float4"),
            ("course_deg_true", "float4"),
            ("altitude_m", "float4"),
            ("accuracy_m", "float4"),
            ("hdop", "float4"),
            ("satellites", "int2"),
        ),
        lambda e: (
            e.lat,
            e.lon,
            e.speed_mps,
            e.course_deg_true,
            e.altitude_m,
            e.accuracy_m,
            e.hdop,
            e.satellites,
        ),
    ),
}


def copy_both_ways(database_url: str, events: Iterable[Event]) -> Copied:
    """Chunk by chunk in turn, so that a busy moment hits both. Making readings is not counted."""
    following = iter(events)
    rows, psycopg_s, own_s = 0, 0.0, 0.0
    with connect(database_url, "bench") as database:
        while chunk := list(islice(following, ROWS_PER_COMMIT)):
            psycopg_s += _by_psycopg(database, rows, chunk)
            own_s += _by_own_encoder(database, rows, chunk)
            rows += len(chunk)
    return Copied(rows / psycopg_s, rows / own_s)


def _by_psycopg(database: Database, first: int, chunk: Sequence[Event]) -> float:
    by_table = [(table, list(_rows(table, kind, first, chunk))) for kind, table in _TABLES.items()]
    started = time.monotonic()
    for table, rows in by_table:
        copy_rows(database, table.name, table.columns, table.types, rows)
    database.commit()
    return time.monotonic() - started


def _rows(
    table: _Table, kind: type[Event], first: int, chunk: Sequence[Event]
) -> Iterator[tuple[object, ...]]:
    now = datetime.now(UTC)
    for offset, event in enumerate(chunk, first):
        if isinstance(event, kind):
            yield (
                event.time,
                event.captured_at,
                now,
                1,
                offset,
                event.device,
                event.clock,
                list(event.quality),
                event.raw,
                *table.values(event),
            )


def _by_own_encoder(database: Database, first: int, chunk: Sequence[Event]) -> float:
    offsets = np.arange(first, first + len(chunk), dtype=np.int64)
    source, stream_ids = np.zeros(len(chunk), np.int32), np.ones(1, np.int32)
    started = time.monotonic()
    readings = as_columns(chunk, source, offsets)
    copy_readings(database, readings, stream_ids, datetime.now(UTC))
    database.commit()
    return time.monotonic() - started
