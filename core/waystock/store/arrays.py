"""Columns as parameters: one array in PostgreSQL's binary form instead of an object per value, for
`unnest`. Upstream: set-wise writes; downstream: psycopg, which sends the bytes.

An array has no NULL here: statements make NULL of NaN and of -infinity themselves. Format: an array
header, then each value as int32 length and bytes, big-endian.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

from waystock.compiled import compiled
from waystock.store import binary_copy as cells
from waystock.store.binary_copy import Cells, Int64s

EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts its timestamps from 2000, in microseconds."""
_HEADER_BYTES = 20
_LEAST = -(2**63)


class _Type(NamedTuple):
    oid: int
    array_oid: int
    form: str


_TYPES = {
    "bool": _Type(16, 1000, "u1"),
    "bytea": _Type(17, 1001, ""),
    "int8": _Type(20, 1016, ">i8"),
    "int4": _Type(23, 1007, ">i4"),
    "text": _Type(25, 1009, ""),
    "xid": _Type(28, 1011, ">u4"),
    "float8": _Type(701, 1022, ">f8"),
    "timestamptz": _Type(1184, 1185, ">i8"),
}


class Column:
    """An array parameter, ready to be sent."""

    data: bytes

    def __init__(self, data: bytes) -> None:
        self.data = data


class _ColumnDumper(Dumper):
    """Its type is the instance's, not the class's: registering a class that has one would make it
    the dumper of all arrays of that type, lists too."""

    format = Format.BINARY
    array_oid: int

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self.oid = self.array_oid

    def dump(self, obj: Column) -> bytes:
        return obj.data


def _column_of(name: str) -> type[Column]:
    """One class per type: psycopg asks the class for the type to declare."""
    column = type(f"{name.title()}Column", (Column,), {})
    psycopg.adapters.register_dumper(
        column,
        type(f"{name.title()}Dumper", (_ColumnDumper,), {"array_oid": _TYPES[name].array_oid}),
    )
    return column


_COLUMNS = {name: _column_of(name) for name in _TYPES}


def numbers(name: str, values: NDArray[Any]) -> Column:
    """bool, int4, int8, xid or float8."""
    known = _TYPES[name]
    fields = [("length", ">i4"), ("value", known.form)]
    pairs = np.empty(len(values), np.dtype(fields))
    pairs["length"] = pairs.dtype["value"].itemsize
    pairs["value"] = values
    return _COLUMNS[name](_header(known, len(values)) + pairs.tobytes())


def instants(values_us: NDArray[np.int64]) -> Column:
    """timestamptz, from microseconds since 1970; the least int64 is -infinity."""
    known = _TYPES["timestamptz"]
    is_known = values_us != _LEAST
    pairs = np.empty(len(values_us), np.dtype([("length", ">i4"), ("value", ">i8")]))
    pairs["length"] = 8
    pairs["value"] = np.where(is_known, values_us - EPOCH_US * is_known, _LEAST)
    return _COLUMNS["timestamptz"](_header(known, len(values_us)) + pairs.tobytes())


def texts(values: Sequence[str]) -> Column:
    """text."""
    return _strung("text", cells.texts(values))


def texts_by(table: Sequence[str], rows: NDArray[np.integer[Any]]) -> Column:
    """text, given as row numbers of a table."""
    return _strung("text", cells.coded_by(table, rows))


def blobs(data: NDArray[np.uint8], ends: Int64s) -> Column:
    """bytea: value i goes from ends[i] to before ends[i + 1]."""
    lengths = np.diff(ends).astype(np.int32)
    return _strung("bytea", Cells(data, ends[:-1], lengths))


def read_numbers(array: bytes, form: str) -> NDArray[Any]:
    """The values of a binary array without NULLs, whose values are of this numpy form."""
    cells = np.frombuffer(
        array, np.dtype([("length", ">i4"), ("value", form)]), offset=_HEADER_BYTES
    )
    return cells["value"].astype(np.dtype(form).newbyteorder("="))


def read_instants(array: bytes) -> NDArray[np.int64]:
    """Microseconds since 1970 of a binary timestamptz array."""
    return read_numbers(array, ">i8") + EPOCH_US


def _strung(name: str, values: Cells) -> Column:
    count = len(values.lengths)
    out = np.empty(int(values.lengths.sum(dtype=np.int64)) + 4 * count, np.uint8)
    _lay(values.data, values.starts, values.lengths, out)
    return _COLUMNS[name](_header(_TYPES[name], count) + out.tobytes())


@compiled
def _lay(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None:
    """Value by value, each with its length before it."""
    at = 0
    for row in range(len(lengths)):
        length = lengths[row]
        out[at] = (length >> 24) & 255
        out[at + 1] = (length >> 16) & 255
        out[at + 2] = (length >> 8) & 255
        out[at + 3] = length & 255
        at += 4
        start = starts[row]
        for i in range(length):
            out[at + i] = data[start + i]
        at += length


def _header(known: _Type, count: int) -> bytes:
    """Dimensions, whether there are NULLs, type; then length and first index of the dimension."""
    if count == 0:
        return b"".join(n.to_bytes(4) for n in (0, 0, known.oid))
    return b"".join(n.to_bytes(4) for n in (1, 0, known.oid, count, 1))
