"""Fixes straight from the bytes of batches into columns, without an object for each: compiled code
that takes an event only if it is sure of it to the last byte. Whatever looks unusual is left for
msgspec, which knows the whole contract and says what is wrong. Both read the same event the same
(tests/unit/ingest/test_plain.py holds them to that). Upstream: ingest's batches; downstream:
`readings`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.contract.events import EVENTS_PER_BATCH_MAX, TEXT_CHARS_MAX
from waystock.store.plain_json import (
    CLOSE,
    CLOSE_LIST,
    COLON,
    COMMA,
    LINE_FEED,
    NO_INSTANT_US,
    OPEN_LIST,
    QUOTE,
    Bytes,
    Int64s,
    instant_us,
    is_digits,
    is_here,
    is_name,
    is_null,
    number,
    skip_object,
    text_end,
    word,
    words,
)

Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]

NUMBERS = (
    "lat",
    "lon",
    "speed_mps",
    "course_deg_true",
    "altitude_m",
    "accuracy_m",
    "hdop",
    "satellites",
)
CLOCKS = ("ntp", "gps", "device", "unsynced")
"""The first is what stands for none given."""
QUALITIES = (
    "",
    "clock_unsynced",
    "date_roll_over",
    "future_time",
    "low_accuracy",
    "no_fix_time",
    "no_fix_date",
    "teleport",
)
"""A fix with none or one of these is plain; with more it is left to msgspec."""

_FIX_BYTES_MIN = 60
"""No plain fix is as short; a list of many shorter events than this is left to msgspec."""
_KEYS = ("device", "time", "captured_at", "clock", "quality", "raw", *NUMBERS)
"""In the order in which gateways write them."""
_DEVICE, _TIME, _CAPTURED, _CLOCK, _QUALITY, _RAW, _LAT, _LON = range(8)
_NEEDED = 1 << _DEVICE | 1 << _TIME | 1 << _CAPTURED | 1 << _LAT | 1 << _LON
_OPENING = b'{"kind":"position",'

_KEY_DATA, _KEY_ENDS = words(_KEYS)
_CLOCK_DATA, _CLOCK_ENDS = words(CLOCKS)
_QUALITY_DATA, _QUALITY_ENDS = words(QUALITIES)
_OPENING_DATA = np.frombuffer(_OPENING, np.uint8).copy()


class Plain(NamedTuple):
    """What was read of several lists of events."""

    counts: Int64s
    """Events of each list; −1 where the list as such is not plain."""
    of_list: Int32s
    """Of each fix: which list, and which event of it."""
    at: Int32s
    spans: Int64s
    """(2, fixes): the whole event's first byte and the one behind its last."""
    devices: Int64s
    """(2, fixes): the same of the device's name."""
    raws: Int64s
    """(2, fixes): the same of the raw text; −1 where there is none."""
    time_us: Int64s
    captured_us: Int64s
    clocks: Int32s
    """Index into CLOCKS, and into QUALITIES."""
    qualities: Int32s
    numbers: Floats
    """(NUMBERS, fixes); NaN is unknown."""
    others_of_list: Int32s
    others_at: Int32s
    others: Int64s
    """(2, events): spans of the events that are left to msgspec."""

    def take(self, which: NDArray[np.bool_]) -> "Plain":
        """Some of the fixes."""
        return self._replace(
            of_list=self.of_list[which],
            at=self.at[which],
            spans=self.spans[:, which],
            devices=self.devices[:, which],
            raws=self.raws[:, which],
            time_us=self.time_us[which],
            captured_us=self.captured_us[which],
            clocks=self.clocks[which],
            qualities=self.qualities[which],
            numbers=self.numbers[:, which],
        )


def read_events(data: Bytes, starts: Int64s, ends: Int64s) -> Plain:
    """Read lists of events: list i is `data[starts[i]:ends[i]]`, without its square brackets."""
    room = int(((ends - starts) // _FIX_BYTES_MIN + 1).clip(0, EVENTS_PER_BATCH_MAX).sum()) + 1
    counts = np.zeros(len(starts), np.int64)
    places, instants = np.zeros((4, room), np.int32), np.zeros((2, room), np.int64)
    spans = np.zeros((6, room), np.int64)
    numbers = np.zeros((len(NUMBERS), room), np.float64)
    other_places, others = np.zeros((2, room), np.int32), np.zeros((2, room), np.int64)
    fixes, left = _read(
        data, starts, ends, counts, places, instants, spans, numbers, other_places, others
    )
    return Plain(
        counts,
        places[0, :fixes],
        places[1, :fixes],
        spans[0:2, :fixes],
        spans[2:4, :fixes],
        spans[4:6, :fixes],
        instants[0, :fixes],
        instants[1, :fixes],
        places[2, :fixes],
        places[3, :fixes],
        numbers[:, :fixes],
        other_places[0, :left],
        other_places[1, :left],
        others[:, :left],
    )


def distinct(data: Bytes, spans: Int64s) -> tuple[Int32s, Int32s]:
    """Numbers the different texts at `spans` in order of appearance: each text's number, and where
    each number appeared first."""
    count = spans.shape[1]
    table = np.full(1 << (2 * count + 1).bit_length(), -1, np.int32)
    codes, firsts = np.empty(count, np.int32), np.empty(count, np.int32)
    found = _distinct(data, spans, table, codes, firsts)
    return codes, firsts[:found]


def names_at(data: Bytes, spans: Int64s) -> list[str]:
    """The names at `spans`, none of which holds a line feed."""
    if not spans.shape[1]:
        return []
    return one_a_line(data, spans)[:-1].tobytes().decode().split("\n")


def one_a_line(data: Bytes, spans: Int64s) -> Bytes:
    """The texts at `spans`, each with a line feed behind it."""
    out = np.empty(int((spans[1] - spans[0] + 1).sum()), np.uint8)
    _one_a_line(data, spans, out)
    return out


@compiled
def _one_a_line(data: Bytes, spans: Int64s, out: Bytes) -> None:
    at = 0
    for i in range(spans.shape[1]):
        for j in range(spans[0, i], spans[1, i]):
            out[at] = data[j]
            at += 1
        out[at] = LINE_FEED
        at += 1


@compiled
def _distinct(data: Bytes, spans: Int64s, table: Int32s, codes: Int32s, firsts: Int32s) -> int:
    found = 0
    for i in range(spans.shape[1]):
        first, length = spans[0, i], spans[1, i] - spans[0, i]
        place = np.uint64(14_695_981_039_346_656_037)
        for j in range(length):
            place = (place ^ np.uint64(data[first + j])) * np.uint64(1_099_511_628_211)
        slot = np.int64(place & np.uint64(len(table) - 1))
        while table[slot] >= 0:
            other = firsts[table[slot]]
            begin, behind = spans[0, other], spans[1, other]
            if behind - begin == length and is_here(data, first, data, begin, behind):
                break
            slot = (slot + 1) & (len(table) - 1)
        if table[slot] < 0:
            table[slot] = found
            firsts[found] = i
            found += 1
        codes[i] = table[slot]
    return found


@compiled
def _read(
    data: Bytes,
    starts: Int64s,
    ends: Int64s,
    counts: Int64s,
    places: Int32s,
    instants: Int64s,
    spans: Int64s,
    numbers: Floats,
    other_places: Int32s,
    others: Int64s,
) -> tuple[int, int]:
    """Fill the arrays; how many fixes, how many others. A list that isn't plain gives none."""
    fixes, left = 0, 0
    for of_list in range(len(starts)):
        fixes_before, left_before = fixes, left
        at, end, count = starts[of_list], ends[of_list], 0
        while at < end:
            room = min(EVENTS_PER_BATCH_MAX - count, spans.shape[1] - fixes, others.shape[1] - left)
            if room <= 0:
                count = -1
                break
            behind = _read_fix(data, at, end, fixes, places, instants, spans, numbers)
            is_fix = behind >= 0
            if not is_fix:
                behind = skip_object(data, at, end)
            if behind < 0:
                count = -1
                break
            if is_fix:
                places[0, fixes], places[1, fixes] = of_list, count
                spans[0, fixes], spans[1, fixes] = at, behind
                fixes += 1
            else:
                other_places[0, left], other_places[1, left] = of_list, count
                others[0, left], others[1, left] = at, behind
                left += 1
            count += 1
            at = behind
            if at < end:
                if data[at] != COMMA or at + 1 == end:
                    count = -1
                    break
                at += 1
        counts[of_list] = count
        if count < 0:
            fixes, left = fixes_before, left_before
    return fixes, left


@compiled
def _read_fix(
    data: Bytes,
    at: int,
    end: int,
    fix: int,
    places: Int32s,
    instants: Int64s,
    spans: Int64s,
    numbers: Floats,
) -> int:
    """Behind the plain fix that begins here, which then stands in column `fix`; −1 for anything
    else."""
    opening = len(_OPENING_DATA)
    if end - at <= opening or not is_here(data, at, _OPENING_DATA, 0, opening):
        return -1
    for row in range(len(NUMBERS)):
        numbers[row, fix] = np.nan
    places[2, fix], places[3, fix] = 0, 0
    spans[4, fix], spans[5, fix] = -1, -1
    at += opening
    seen, following = 0, 0
    while at < end and data[at] == QUOTE:
        key, at = _key(data, at + 1, end, following)
        if key < 0 or seen & (1 << key):
            return -1
        seen |= 1 << key
        following = key + 1
        at = _read_value(data, at, end, key, fix, places, instants, spans, numbers)
        if at < 0 or at >= end:
            return -1
        if data[at] == CLOSE:
            is_whole = seen & _NEEDED == _NEEDED
            is_on_earth = abs(numbers[0, fix]) <= 90.0 and abs(numbers[1, fix]) <= 180.0
            return at + 1 if is_whole and is_on_earth else -1
        if data[at] != COMMA:
            return -1
        at += 1
    return -1


@compiled
def _key(data: Bytes, at: int, end: int, expected: int) -> tuple[int, int]:
    """Which key stands here, and where its value begins; the expected one is tried first."""
    for turn in range(len(_KEYS)):
        key = expected + turn
        if key >= len(_KEYS):
            key -= len(_KEYS)
        length = _KEY_ENDS[key + 1] - _KEY_ENDS[key]
        if (
            at + length + 1 < end
            and data[at + length] == QUOTE
            and data[at + length + 1] == COLON
            and is_here(data, at, _KEY_DATA, _KEY_ENDS[key], _KEY_ENDS[key + 1])
        ):
            return key, at + length + 2
    return -1, at


@compiled
def _read_value(
    data: Bytes,
    at: int,
    end: int,
    key: int,
    fix: int,
    places: Int32s,
    instants: Int64s,
    spans: Int64s,
    numbers: Floats,
) -> int:
    """Behind the value of this key; −1 where it is not plain."""
    if at >= end:
        return -1
    if key >= _LAT:
        if key > _LON and is_null(data, at, end):
            return at + 4
        behind, value = number(data, at, end)
        if key == len(_KEYS) - 1 and (value > 32_767.0 or not is_digits(data, at, behind)):
            return -1
        numbers[key - _LAT, fix] = value
        return behind
    if key == _QUALITY:
        return _quality(data, at, end, fix, places)
    if key == _RAW and is_null(data, at, end):
        return at + 4
    behind = text_end(data, at, end)
    if behind < 0:
        return -1
    first, last = at + 1, behind - 1
    if key == _DEVICE:
        spans[2, fix], spans[3, fix] = first, last
        return behind if is_name(data, first, last) else -1
    if key == _CLOCK:
        places[2, fix] = word(data, first, last, _CLOCK_DATA, _CLOCK_ENDS)
        return behind if places[2, fix] >= 0 else -1
    if key == _RAW:
        spans[4, fix], spans[5, fix] = first, last
        return behind if last - first <= TEXT_CHARS_MAX else -1
    instants[0 if key == _TIME else 1, fix] = read_us = instant_us(data, first, last)
    return behind if read_us != NO_INSTANT_US else -1


@compiled
def _quality(data: Bytes, at: int, end: int, fix: int, places: Int32s) -> int:
    if at + 1 >= end or data[at] != OPEN_LIST:
        return -1
    if data[at + 1] == CLOSE_LIST:
        return at + 2
    behind = text_end(data, at + 1, end)
    if behind < 0 or behind >= end or data[behind] != CLOSE_LIST:
        return -1
    places[3, fix] = found = word(data, at + 2, behind - 1, _QUALITY_DATA, _QUALITY_ENDS)
    return behind + 1 if found > 0 else -1
