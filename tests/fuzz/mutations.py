"""Spoils bytes and JSON documents as lines, firmware and strangers do. Seeded by the `Random` that
is passed in. Upstream: `grammars`, which has the good frames. Downstream: `trial`.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

_TELLING_BYTES = (
    b'\x00\x01\x02\x03\x04\x05\t\n\r\x1d "$!*,.;<>[]{}-+/0179AZ_|~\x7e\x7f\x80\xbb\xee\xff'
)
"""What protocols build their frames of."""
_TELLING_TEXTS = (
    b"", b"-", b"+1", b" 1", b"1_0", b"0x1", b"1e9", b"NaN", b"Infinity", b"240000", b"235960",
    b"999999", b"-0", b"9" * 30, b"9" * 200, b"0000.0001", b"9000.0000", b"18000.0000", b"\xd9\xa1",
    b"\xff", b"\xc3\xa9", b"%00", b"%2F", b"\x1d", b"?", b"NOREAD",
)  # fmt: skip
_TELLING_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.1, -0.0, 90.000001, 180.5, 360, 255, 65_536, 2**31, 2**63, 2**64,
    10**30, 10**400, 1e-320, 1e38, 1e39, 1e308, -1e308, float("nan"), float("inf"), 1e11, -1e11,
    253402300799.9, -62135596800, "", "0", "NaN", "1e999", "1_0", "open", "\x00", "\ud800", "é",
    "\u0661", "x" * 600, "2026-11-23T06:01:02Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-11-23T06:01:02", "0999-01-01T00:00:00Z",
    "2026-11-23T24:00:00Z", "54.687,25.279", "nan,0", "1_0,2", "91,181", [], {}, [[]], [1, [2]],
    {"": 1}, {"a": {"b": {"c": 1}}},
)  # fmt: skip
CROWD_BYTES_MAX = 280_000
"""How large an array may grow: a little beyond what any decoder takes."""

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]


def spoil(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One to eight things go wrong with `data`; `others` may run into it."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice(_MUTATIONS)(rng, data, others)
    return data


def _flip(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def _replace(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes((rng.choice(_TELLING_BYTES),)) + data[at + 1 :]


def _count_up(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Lengths and counters that are a little wrong; they stand near the front."""
    if not data:
        return data
    at = rng.randrange(min(len(data), 6))
    return data[:at] + bytes(((data[at] + rng.randint(-3, 3)) & 0xFF,)) + data[at + 1 :]


def _insert(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    new = rng.choice((rng.randbytes(rng.randint(1, 40)), rng.choice(_TELLING_TEXTS)))
    return data[:at] + new + data[at:]


def _cut(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _slice(rng, data)
    return data[:start] + data[stop:]


def _keep(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _slice(rng, data)
    return data[start:stop]


def _repeat(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _slice(rng, data)
    return data[:stop] + data[start:stop] * rng.choice((1, 1, 2, 5, 60)) + data[stop:]


def _swap(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, stop = _slice(rng, data)
    middle = rng.randint(start, stop)
    return data[:start] + data[middle:stop] + data[start:middle] + data[stop:]


def _join(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else b""
    start, stop = _slice(rng, other)
    at = rng.randint(0, len(data))
    return data[:at] + other[start:stop] + data[at:]


def _replace_field(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """One of the fields that commas part holds something else."""
    fields = data.split(b",")
    fields[rng.randrange(len(fields))] = rng.choice(_TELLING_TEXTS)
    return b",".join(fields)


def _slice(rng: Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, rng.randint(start, min(len(data), start + 300))


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _replace, _replace, _count_up, _insert, _cut, _keep, _repeat, _swap, _join,
    _replace_field, _replace_field,
)  # fmt: skip


def spoil_json(rng: Random, payload: bytes) -> bytes:
    """The JSON document `payload` with other values, fields and levels, in JSON if a lax one."""
    document = json.loads(payload)
    for _ in range(rng.choice((1, 1, 2, 4))):
        document = _spoil_node(rng, document)
    text = json.dumps(document, ensure_ascii=rng.random() < 0.8)
    return text.encode("utf-8", "surrogatepass")


def _spoil_node(rng: Random, node: Any) -> Any:
    if isinstance(node, dict) and node and rng.random() < 0.85:
        key = rng.choice(list(node))
        return _spoil_field(rng, node, key)
    if isinstance(node, list) and node and rng.random() < 0.85:
        at = rng.randrange(len(node))
        if rng.random() < 0.004:
            return node + [node[at]] * _crowd(rng, node[at])
        return [*node[:at], _spoil_node(rng, node[at]), *node[at + 1 :]]
    return _other_value(rng, node)


def _crowd(rng: Random, member: Any) -> int:
    return rng.randint(1, CROWD_BYTES_MAX // (len(json.dumps(member)) + 2) + 1)


def _spoil_field(rng: Random, node: dict[str, Any], key: str) -> dict[str, Any]:
    rest = {name: value for name, value in node.items() if name != key}
    chance = rng.random()
    if chance < 0.1:
        return rest
    if chance < 0.2:
        return {**rest, key.upper(): node[key], "": 1}
    return {**rest, key: _spoil_node(rng, node[key])}


def _other_value(rng: Random, node: Any) -> Any:
    chance = rng.random()
    if chance < 0.1:
        return [node] * rng.choice((1, 2, 2, min(300, _crowd(rng, node))))
    if chance < 0.12:
        return _nested(rng)
    if isinstance(node, int | float) and chance < 0.5:
        return rng.choice(
            (-node, node * 10, node * 1000, node + 1, node * 0.1 if abs(node) < 1e300 else 1, -1)
        )
    return rng.choice(_TELLING_VALUES)


def _nested(rng: Random) -> Any:
    value: Any = 1
    for _ in range(rng.choice((2, 20, 400))):
        value = [value] if rng.random() < 0.5 else {"x": value}
    return value
