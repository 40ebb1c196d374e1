"""A vehicle's state as the store keeps it: the record without the unused ends of its lists and
without the bytes that say nothing, half a kilobyte instead of two. A state is written with every
commit, so its size is most of what a vehicle costs there. Upstream and downstream: `vehicle_state`
and `fold_checkpoint`, whose statements find the form's number in the first two bytes.

The first words, with the form and the lengths of the lists, stand as they are. Of each word after
them, as eight bytes, low ones first, only those up to the last that isn't zero are kept; two words
share a byte before them that tells how many. A place and instant is told by what differs (exclusive
or) from the one before it, which is mostly the low half.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.records import Records
from waystock.fleet.settings import FENCES_MAX, FINISHED_MAX, RECENT_MAX, RESTS_MAX
from waystock.fleet.state import FORM, STATE, VehicleState, nothing_known

_WORD_BYTES = 8
_WORDS = STATE.itemsize // _WORD_BYTES
_PLAIN_WORDS = 2
"""Form, phase and the lists' lengths."""
_SPOT_WORDS = 4


class _Part(NamedTuple):
    """A list in the record, in words."""

    start: int
    size: int
    """Of one element."""


def _part(name: str) -> _Part:
    form, start = cast(Any, STATE.fields)[name]
    return _Part(start // _WORD_BYTES, form.base.itemsize // _WORD_BYTES)


_FINISHED, _FENCES, _RESTS, _RECENT = map(_part, ("finished", "fences", "rests", "recent"))


def _likely() -> NDArray[np.int32]:
    """For each word the one that it is told by its difference from; −1: none."""
    likely = np.full(_WORDS, -1, np.int32)
    fields = cast(Any, STATE.fields)
    places = [fields[name][1] // _WORD_BYTES for name in ("anchor", "since", "until", "left")]
    rests = [_RESTS.start + at for at in range(0, RESTS_MAX * _RESTS.size, _SPOT_WORDS)]
    recent = [_RECENT.start + at for at in range(0, RECENT_MAX * _RECENT.size, _SPOT_WORDS)]
    until = places[2]
    for chain in (places, [until, *rests], [until, *recent]):
        for before, after in pairwise(chain):
            likely[after : after + _SPOT_WORDS] = np.arange(before, before + _SPOT_WORDS)
    return likely


_LIKELY = _likely()


def pack(states: Records) -> list[bytes]:
    """Each state as the store keeps it."""
    data, ends = pack_together(states)
    packed = data.tobytes()
    return [packed[a:b] for a, b in pairwise(ends.tolist())]


def pack_together(states: Records) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The same as one run of bytes: state i goes from ends[i] to before ends[i + 1]."""
    out = np.empty(_bytes_max(states), np.uint8)
    ends = np.zeros(len(states) + 1, np.int64)
    _pack(states, _words_of(states), out, ends)
    return out[: int(ends[-1])], ends


def unpack(blobs: Sequence[bytes | None]) -> tuple[Records, NDArray[np.bool_]]:
    """The states, and which of them could be read; the others know nothing."""
    states = nothing_known(len(blobs))
    lengths = np.array([len(blob or b"") for blob in blobs], np.int64)
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    data = np.frombuffer(bytearray(b"".join(blob or b"" for blob in blobs)), np.uint8)
    is_read = np.zeros(len(blobs), np.bool_)
    _unpack(data, ends, states, _words_of(states), is_read)
    states[~is_read] = nothing_known(1)[0]
    return states, is_read


def _words_of(states: Records) -> NDArray[np.int64]:
    return states.view(np.int64).reshape(len(states), _WORDS)


def _bytes_max(states: Records) -> int:
    """What they take if no byte is zero: a state with every list full some 2.1 KB."""
    words = len(states) * _FINISHED.start
    for part, count in (
        (_FINISHED, "finished_count"),
        (_FENCES, "fence_count"),
        (_RESTS, "rest_count"),
        (_RECENT, "recent_count"),
    ):
        words += part.size * int(states[count].sum(dtype=np.int64))
    odd_words = 4 * len(states)
    return _WORD_BYTES * words + (words + odd_words) // 2


@compiled
def _pack(
    states: Records, words: NDArray[np.int64], out: NDArray[np.uint8], ends: NDArray[np.int64]
) -> None:
    at = 0
    for i in range(len(states)):
        row = words[i]
        for word in range(_PLAIN_WORDS):
            for byte in range(_WORD_BYTES):
                out[at + byte] = (row[word] >> (8 * byte)) & 255
            at += _WORD_BYTES
        for first, end in _used(states[i]):
            at = _pack_words(row, first, end, out, at)
        ends[i + 1] = at


@compiled
def _used(state: VehicleState) -> tuple[tuple[int, int], ...]:
    """From which word to before which one the record says something."""
    return (
        (_PLAIN_WORDS, _FINISHED.start + state.finished_count * _FINISHED.size),
        (_FENCES.start, _FENCES.start + state.fence_count * _FENCES.size),
        (_RESTS.start, _RESTS.start + state.rest_count * _RESTS.size),
        (_RECENT.start, _RECENT.start + state.recent_count * _RECENT.size),
    )


@compiled
def _pack_words(
    row: NDArray[np.int64], first: int, end: int, out: NDArray[np.uint8], at: int
) -> int:
    for word in range(first, end, 2):
        lengths_at = at
        at = _pack_word(row, word, out, at + 1)
        lengths = at - lengths_at - 1
        if word + 1 < end:
            middle = at
            at = _pack_word(row, word + 1, out, at)
            lengths |= (at - middle) << 4
        out[lengths_at] = lengths
    return at


@compiled
def _pack_word(row: NDArray[np.int64], word: int, out: NDArray[np.uint8], at: int) -> int:
    value = row[word]
    likely = _LIKELY[word]
    if likely >= 0:
        value ^= row[likely]
    while value != 0:
        out[at] = value & 255
        value = (value >> 8) & _LOW_56
        at += 1
    return at


_LOW_56 = 2**56 - 1


@compiled
def _unpack(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    states: Records,
    words: NDArray[np.int64],
    is_read: NDArray[np.bool_],
) -> None:
    for i in range(len(states)):
        at, end = ends[i], ends[i + 1]
        if end - at < _PLAIN_WORDS * _WORD_BYTES:
            continue
        row = words[i]
        for word in range(_PLAIN_WORDS):
            row[word] = _word_of(data, at, _WORD_BYTES)
            at += _WORD_BYTES
        if not _is_readable(states[i]):
            continue
        for first, past in _used(states[i]):
            at = _unpack_words(data, at, end, row, first, past)
        is_read[i] = at == end


@compiled
def _is_readable(state: VehicleState) -> bool:
    """Of this form, and with lists that have room."""
    if state.form != FORM or state.finished_count > FINISHED_MAX or state.fence_count > FENCES_MAX:
        return False
    return state.rest_count <= RESTS_MAX and state.recent_count <= RECENT_MAX


@compiled
def _unpack_words(
    data: NDArray[np.uint8], at: int, end: int, row: NDArray[np.int64], first: int, past: int
) -> int:
    """Where the next words stand; beyond `end` if these don't all stand before it."""
    lengths = 0
    for word in range(first, past):
        if (word - first) % 2 == 0:
            if at >= end:
                return end + 1
            lengths = int(data[at])
            at += 1
        size = lengths & 15
        lengths >>= 4
        if size > _WORD_BYTES or at + size > end:
            return end + 1
        value = _word_of(data, at, size)
        likely = _LIKELY[word]
        row[word] = value ^ row[likely] if likely >= 0 else value
        at += size
    return at


@compiled
def _word_of(data: NDArray[np.uint8], at: int, size: int) -> int:
    value = 0
    for byte in range(size):
        value |= int(data[at + byte]) << (8 * byte)
    return value
