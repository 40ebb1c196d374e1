"""Raw readings on their way into their tables: events of one kind as columns, then binary COPY.
Upstream: ingest, which makes the columns while the batch before is being committed; downstream: the
raw tables, and the stages that derive from the same columns.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, LiteralString, NamedTuple, overload

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from waystock.contract.events import (
    Barcode,
    Event,
    Health,
    Position,
    Rfid,
    Telemetry,
    decode_event,
)
from waystock.store import binary_copy as cells
from waystock.store.binary_copy import Cells, Floats, Int32s, Int64s, Rows
from waystock.store.connection import Database
from waystock.store.device_names import UnreadNames
from waystock.store.plain_fixes import CLOCKS, NUMBERS, QUALITIES, Plain, distinct
from waystock.store.plain_json import Bytes


class Reading(NamedTuple):
    """An event with what names it for ever."""

    stream_id: int
    stream_offset: int
    event: Event


class UnreadEvents(Sequence[Event]):
    """Events as they stand in their batches' text; each is read when it is asked for."""

    def __init__(self, data: Bytes, spans: Int64s) -> None:
        """`spans`: (2, events), from where to before where each stands in `data`."""
        self._data = data
        self._spans = spans

    def __len__(self) -> int:
        return self._spans.shape[1]

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        if isinstance(index, slice):
            return UnreadEvents(self._data, self._spans[:, index])
        begin, end = self._spans[:, index].tolist()
        return decode_event(self._data[begin:end].tobytes())

    def take(self, index: Int64s) -> "UnreadEvents":
        """Some of them."""
        return UnreadEvents(self._data, self._spans[:, index])


class Readings(NamedTuple):
    """Events of one kind by columns, all of the same length but `devices`."""

    kind: type[Event]
    events: Sequence[Event]
    position: Int64s
    """Where each stands among all events of the batch, whatever their kind."""
    source: Int32s
    """Which of the batch's messages each came by."""
    stream_offset: Int64s
    devices: Sequence[str]
    """Distinct names; `device` counts in them."""
    device: Int32s
    time_us: Int64s
    captured_us: Int64s
    """Microseconds since 1970, UTC."""
    numbers: dict[str, Floats]
    """The kind's 4- and 8-byte numbers, as the table keeps them; NaN is unknown."""
    rows: Rows
    """As COPY wants them: all columns but those of `_ADDED`."""

    @property
    def size(self) -> int:
        """How many readings these are."""
        return len(self.position)

    def written(self, source_from: int) -> "Readings":
        """What is derived from, once the rows themselves are in the table: no rows, and of fixes no
        events; sources counted from `source_from`."""
        events = () if self.kind is Position else self.events
        return self._replace(events=events, rows=_NO_ROWS, source=self.source + source_from)

    def take(self, which: NDArray[Any]) -> "Readings":
        """Some of them: a mask, or indices in order."""
        index = np.flatnonzero(which) if which.dtype == np.bool_ else which
        events = self.events
        return self._replace(
            events=events.take(index)
            if isinstance(events, UnreadEvents)
            else [events[i] for i in index.tolist()],
            position=self.position[index],
            source=self.source[index],
            stream_offset=self.stream_offset[index],
            device=self.device[index],
            time_us=self.time_us[index],
            captured_us=self.captured_us[index],
            numbers={name: values[index] for name, values in self.numbers.items()},
            rows=self.rows.take(index),
        )


_NO_ROWS = Rows(np.zeros(0, np.uint8), np.zeros((0, 0), np.int64), np.zeros((0, 0), np.int32))


class _Table(NamedTuple):
    name: LiteralString
    columns: tuple[LiteralString, ...]
    cells: Callable[[Sequence[Any]], list[Cells]]
    """The columns that are no numbers."""
    float8: tuple[LiteralString, ...] = ()
    float4: tuple[LiteralString, ...] = ()


_SHARED: tuple[LiteralString, ...] = (
    "time",
    "captured_at",
    "device",
    "clock",
    "quality",
    "raw",
)
_ADDED: tuple[LiteralString, ...] = ("stream_id", "stream_offset", "received_at")
_json = msgspec.json.Encoder().encode


def _column(events: Sequence[Any], name: str) -> list[Any]:
    return list(map(attrgetter(name), events))


def _barcode_cells(events: Sequence[Barcode]) -> list[Cells]:
    return [
        cells.coded(_column(events, "aim"), str.encode),
        cells.coded(_column(events, "format"), str.encode),
        cells.texts(_column(events, "data")),
        cells.jsons(_column(events, "elements"), _json),
        cells.int4s(_column(events, "repeats")),
    ]


def _rfid_cells(events: Sequence[Rfid]) -> list[Cells]:
    return [
        cells.texts(_column(events, "epc")),
        cells.coded(_column(events, "presence"), str.encode),
        cells.coded(_column(events, "scheme"), str.encode),
        cells.texts(_column(events, "tag_uri")),
        cells.texts(_column(events, "epc_uri")),
        cells.texts(_column(events, "digital_link")),
        cells.jsons(_column(events, "elements"), _json),
        cells.int2s(_column(events, "filter")),
        cells.int2s(_column(events, "antenna")),
        cells.int4s(_column(events, "reads")),
        cells.coded(_column(events, "direction"), cells.text_or_null),
        cells.jsons_or_null(_column(events, "evidence"), _json),
        cells.booleans(_column(events, "sighting")),
        cells.booleans(_column(events, "stationary")),
    ]


def _position_cells(events: Sequence[Position]) -> list[Cells]:
    return [cells.int2s(_column(events, "satellites"))]


def _telemetry_cells(events: Sequence[Telemetry]) -> list[Cells]:
    return [cells.jsons(_column(events, "values"), _json)]


def _health_cells(events: Sequence[Health]) -> list[Cells]:
    return [
        cells.coded(_column(events, "state"), str.encode),
        cells.texts(_column(events, "message")),
        cells.jsons(_column(events, "values"), _json),
    ]


_TABLES: dict[type[Event], _Table] = {
    Barcode: _Table(
        "barcode_reading", ("aim", "format", "data", "elements", "repeats"), _barcode_cells
    ),
    Rfid: _Table(
        "rfid_reading",
        (
            "epc",
            "presence",
            "scheme",
            "tag_uri",
            "epc_uri",
            "digital_link",
            "elements",
            "filter",
            "antenna",
            "reads",
            "direction",
            "evidence",
            "sighting",
            "stationary",
        ),
        _rfid_cells,
        float4=("rssi_dbm",),
    ),
    Position: _Table(
        "fix",
        ("satellites",),
        _position_cells,
        float8=("lat", "lon"),
        float4=("speed_mps", "course_deg_true", "altitude_m", "accuracy_m", "hdop"),
    ),
    Telemetry: _Table("telemetry_reading", ("measured",), _telemetry_cells),
    Health: _Table("health_report", ("state", "message", "measured"), _health_cells),
}


def as_columns(
    events: Sequence[Event | None],
    source: Int32s,
    stream_offset: Int64s,
    position: Int64s | None = None,
) -> list[Readings]:
    """Events of all kinds by columns, a Readings for each kind there is; None is left out.

    `source`, `stream_offset` and `position` (see Readings; counted from 0 where it is not given)
    belong to `events`, one for one. Raises ValueError (or a subclass) for a value that its column
    can't hold.
    """
    if position is None:
        position = np.arange(len(events), dtype=np.int64)
    types = list(map(type, events))
    kinds = [kind for kind in dict.fromkeys(types) if kind in _TABLES]
    if len(kinds) == 1 and len(set(types)) == 1:
        return [_by_columns(kinds[0], events, position, source, stream_offset)]
    codes = {kind: code for code, kind in enumerate(dict.fromkeys(types))}
    code = np.fromiter(map(codes.__getitem__, types), np.int32, len(types))
    found: list[Readings] = []
    for kind in kinds:
        at = np.flatnonzero(code == codes[kind])
        of_kind = [events[i] for i in at.tolist()]
        found.append(_by_columns(kind, of_kind, position[at], source[at], stream_offset[at]))
    return found


def _by_columns(
    kind: type[Event],
    events: Sequence[Any],
    position: Int64s,
    source: Int32s,
    stream_offset: Int64s,
) -> Readings:
    table = _TABLES[kind]
    names = _column(events, "device")
    devices = tuple(dict.fromkeys(names))
    index = {name: number for number, name in enumerate(devices)}
    device = np.fromiter(map(index.__getitem__, names), np.int32, len(names))
    time_us = cells.instants_us(_column(events, "time"))
    captured_us = cells.instants_us(_column(events, "captured_at"))
    numbers = {
        name: np.array(_column(events, name), np.float64) for name in table.float8 + table.float4
    }
    columns = [
        cells.timestamps(time_us),
        cells.timestamps(captured_us),
        cells.coded_by(devices, device),
        cells.coded(_column(events, "clock"), str.encode),
        cells.coded(_column(events, "quality"), cells.text_array),
        cells.coded(_column(events, "raw"), cells.text_or_null),
        *table.cells(events),
        *(cells.float8s(numbers[name]) for name in table.float8),
        *(cells.float4s(numbers[name], name) for name in table.float4),
    ]
    return Readings(
        kind,
        events,
        position,
        source,
        stream_offset,
        devices,
        device,
        time_us,
        captured_us,
        _as_stored(table, numbers),
        cells.side_by_side(columns),
    )


def plain_columns(
    plain: Plain, data: Bytes, position: Int64s, source: Int32s, stream_offset: Int64s
) -> Readings:
    """Fixes that were read without an object for each; the other arguments as of Readings."""
    device, firsts = distinct(data, plain.devices)
    devices = UnreadNames.at(data, plain.devices[:, firsts])
    table = _TABLES[Position]
    numbers = {name: plain.numbers[NUMBERS.index(name)] for name in table.float8 + table.float4}
    columns = [
        cells.timestamps(plain.time_us),
        cells.timestamps(plain.captured_us),
        cells.texts_in(data, plain.devices),
        cells.coded_by(CLOCKS, plain.clocks),
        cells.arrays_by([(word,) if word else () for word in QUALITIES], plain.qualities),
        cells.texts_in(data, plain.raws),
        cells.int2s_or_null(plain.numbers[NUMBERS.index("satellites")]),
        *(cells.float8s(numbers[name]) for name in table.float8),
        *(cells.float4s(numbers[name], name) for name in table.float4),
    ]
    return Readings(
        Position,
        UnreadEvents(data, plain.spans),
        position,
        source,
        stream_offset,
        devices,
        device,
        plain.time_us,
        plain.captured_us,
        _as_stored(table, numbers),
        cells.side_by_side(columns),
    )


def _as_stored(table: _Table, numbers: dict[str, Floats]) -> dict[str, Floats]:
    """4-byte numbers as they come back from the table."""
    narrow = {name: numbers[name].astype(np.float32).astype(np.float64) for name in table.float4}
    return {**numbers, **narrow}


def copy_readings(
    database: Database, readings: Iterable[Readings], stream_ids: Int32s, received_at: datetime
) -> None:
    """Write readings, each kind into its table; `stream_ids` gives each source's stream.

    Raises psycopg.DataError for a value that the table refuses.
    """
    received_us = int(cells.instants_us([received_at])[0])
    for one in readings:
        table = _TABLES[one.kind]
        added = cells.side_by_side(
            [
                cells.int4s(stream_ids[one.source]),
                cells.int8s(one.stream_offset),
                cells.timestamps(np.full(one.size, received_us, np.int64)),
            ]
        )
        names = _SHARED + table.columns + table.float8 + table.float4 + _ADDED
        # Device by device, as the index is ordered: neighbours in it go in one after the other.
        order = np.lexsort((one.time_us, one.device))
        rows = cells.beside(one.rows, added).take(order)
        cells.copy_binary(database, table.name, names, rows)


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
