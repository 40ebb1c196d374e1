"""Raw readings into their hypertables by binary COPY."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import sql

from waystock.contract.events import Barcode, Event, Health, Position, Rfid, Telemetry
from waystock.store.connection import Database


class Reading(NamedTuple):
    """An event with what names it for ever, and who sent it."""

    stream_id: int
    stream_offset: int
    event: Event


class _Table(NamedTuple):
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
    columns: tuple[tuple[LiteralString, LiteralString], ...],
    values: Callable[[Any], tuple[object, ...]],
) -> _Table:
    both = _SHARED + columns
    return _Table(tuple(name for name, _ in both), tuple(kind for _, kind in both), values)


_TABLES: dict[type[Event], tuple[LiteralString, _Table]] = {
    Barcode: (
        "barcode_reading",
        _table(
            (
                ("aim", "text"),
                ("format", "text"),
                ("data", "text"),
                ("elements", "jsonb"),
                ("repeats", "int4"),
            ),
            lambda e: (e.aim, e.format, e.data, e.elements, e.repeats),
        ),
    ),
    Rfid: (
        "rfid_reading",
        _table(
            (
                ("epc", "text"),
                ("presence", "text"),
                ("scheme", "text"),
                ("tag_uri", "text"),
                ("epc_uri", "text"),
                ("digital_link", "text"),
                ("elements", "jsonb"),
                ("filter", "int2"),
                ("antenna", "int2"),
                ("rssi_dbm", "float4"),
                ("reads", "int4"),
            ),
            lambda e: (
                e.epc,
                e.presence,
                e.scheme,
                e.tag_uri,
                e.epc_uri,
                e.digital_link,
                e.elements,
                e.filter,
                e.antenna,
                e.rssi_dbm,
                e.reads,
            ),
        ),
    ),
    Position: (
        "fix",
        _table(
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
    ),
    Telemetry: ("telemetry_reading", _table((("measured", "jsonb"),), lambda e: (e.values,))),
    Health: (
        "health_report",
        _table(
            (("state", "text"), ("message", "text"), ("measured", "jsonb")),
            lambda e: (e.state, e.message, e.values),
        ),
    ),
}


def copy_readings(database: Database, readings: Iterable[Reading], received_at: datetime) -> int:
    """Write readings, each into its kind's table; how many there were.

    Raises psycopg.DataError for a value that the table refuses.
    """
    by_kind: dict[type[Event], list[Reading]] = {}
    for reading in readings:
        by_kind.setdefault(type(reading.event), []).append(reading)
    for kind, rows in by_kind.items():
        name, table = _TABLES[kind]
        copy_rows(database, name, table.columns, table.types, _rows(rows, table, received_at))
    return sum(map(len, by_kind.values()))


def copy_rows(
    database: Database,
    table: LiteralString,
    columns: Sequence[LiteralString],
    types: Sequence[LiteralString],
    rows: Iterable[Sequence[object]],
) -> None:
    """Binary COPY of rows whose values stand in the order of `columns`."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with database.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _rows(
    readings: list[Reading], table: _Table, received_at: datetime
) -> Iterable[tuple[object, ...]]:
    values = table.values
    for stream_id, stream_offset, event in readings:
        yield (
            event.time,
            event.captured_at,
            received_at,
            stream_id,
            stream_offset,
            event.device,
            event.clock,
            list(event.quality),
            event.raw,
            *values(event),
        )
