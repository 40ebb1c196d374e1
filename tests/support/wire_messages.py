"""Hypothesis strategies for anything that the contract can encode, derived from its structs, and
for what a careless hand would make of a message.
"""

import functools
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
GEOMETRY = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 7, 91.5, -181.25, 2**53 + 1, "", "a", "A b", "text", "gs1",
    "2026-11-23T06:00:00Z", "2026-11-23T06:00:00", "0" * 13, "0" * 14, "0" * 18, "x" * 9000,
    [], ["a"], [1, 2], [[1, 2]], [["01", "x"]], [["01"]], {}, {"en": "x"}, {"fr": "x"}, {"a": 1},
    {"site": None}, {"epoch": "e", "seq": 1}, {"type": "Point"}, {"kind": "barcode"},
)  # fmt: skip


@functools.cache
def messages(kind: Any, raw: Any = None) -> st.SearchStrategy[Any]:
    """Values of a type; `raw` is the type of what lies in its raw JSON."""
    return _of(inspect.type_info(kind), raw)


def _of(kind: inspect.Type, raw: Any) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StructType():
            return _struct(kind, raw)
        case inspect.UnionType():
            return st.one_of(*(_of(one, raw) for one in kind.types))
        case inspect.VarTupleType():
            return st.lists(_of(kind.item_type, raw), max_size=2).map(tuple)
        case inspect.TupleType():
            return st.tuples(*(_of(one, raw) for one in kind.item_types))
        case inspect.DictType():
            if isinstance(kind.value_type, inspect.AnyType):
                return st.just(GEOMETRY)
            return st.dictionaries(_of(kind.key_type, raw), _of(kind.value_type, raw), max_size=2)
        case inspect.RawType():
            return messages(raw).map(msgspec.json.encode).map(msgspec.Raw)
        case _:
            return _scalar(kind)


def _struct(kind: inspect.StructType, raw: Any) -> st.SearchStrategy[Any]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field in kind.fields:
        made = _of(field.type, raw)
        if field.name == "at" and isinstance(field.type, inspect.StrType):
            made = INSTANTS.map(lambda at: at.isoformat())
        if not field.required and field.default is not msgspec.NODEFAULT:
            made = st.just(field.default) | made
        fields[field.name] = made
    return st.builds(kind.cls, **fields)


def _scalar(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern.replace("$", r"\Z"), fullmatch=True)
        case inspect.StrType():
            return st.text(max_size=min(kind.max_length or 20, 20))
        case inspect.IntType():
            return st.integers(kind.ge if kind.ge is not None else -(2**31), kind.le or 2**40)
        case inspect.FloatType():
            return st.floats(kind.ge, kind.le, allow_nan=False, allow_infinity=False)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.DateTimeType():
            return INSTANTS
        case inspect.UUIDType():
            return st.uuids()
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case _:
            raise AssertionError(f"no strategy for {kind}")


@st.composite
def spoilt(draw: st.DrawFn, made: st.SearchStrategy[Any]) -> Any:
    """A message as decoded JSON with one value, at any depth, left out or replaced."""
    whole = msgspec.json.decode(msgspec.json.encode(draw(made)))
    parent = whole
    while True:
        spots = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if not spots:
            return whole
        spot = draw(st.sampled_from(spots))
        if not isinstance(parent[spot], dict | list) or not draw(st.booleans()):
            break
        parent = parent[spot]
    if draw(st.booleans()):
        del parent[spot]
    else:
        parent[spot] = draw(st.sampled_from(ODD_VALUES))
    return whole
