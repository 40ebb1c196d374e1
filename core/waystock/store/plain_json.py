"""JSON values read from bytes by compiled code, in the plain forms that gateways write; whatever is
written otherwise is refused here and left to msgspec, which knows every form there is. Upstream:
`plain_fixes`; positions in the text are indices into one array of bytes.
"""

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]

NO_INSTANT_US = -(2**62)

QUOTE, COMMA, COLON, BACKSLASH = ord('"'), ord(","), ord(":"), ord("\\")
LINE_FEED = ord("\n")
OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = ord("{"), ord("}"), ord("["), ord("]")
_MINUS, _DOT, _ZERO, _NINE, _E, _BIG_E, _T, _Z = (ord(c) for c in "-.09eETZ")
_SMALL_A, _SMALL_Z, _SPACE, _TILDE = (ord(c) for c in "az ~")
_NULL = np.frombuffer(b"null", np.uint8).copy()
_DIGITS_MAX = 19
"""So many fit into 64 bits."""
_EXPONENT_MAX = 22
"""Powers of ten up to here are exact as a double."""
_TENS = 10.0 ** np.arange(_EXPONENT_MAX + 1)
_SPLIT = 134_217_729.0
"""2^27 + 1: splits a double into halves whose products are exact."""
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], np.int64)
_DAYS_IN = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_DAYS_TO_1970 = 719_162


def words(texts: tuple[str, ...]) -> tuple[Bytes, Int64s]:
    """Words one after the other, and where each begins and the last ends."""
    data = np.frombuffer("".join(texts).encode(), np.uint8).copy()
    return data, np.cumsum([0, *map(len, texts)]).astype(np.int64)


@compiled
def skip_object(data: Bytes, at: int, end: int) -> int:
    """Behind the object that begins here; −1 where none does, or it doesn't end."""
    if data[at] != OPEN:
        return -1
    depth = 0
    is_text = False
    while at < end:
        byte = data[at]
        if is_text:
            if byte == BACKSLASH:
                at += 1
            elif byte == QUOTE:
                is_text = False
        elif byte == QUOTE:
            is_text = True
        elif byte in (OPEN, OPEN_LIST):
            depth += 1
        elif byte in (CLOSE, CLOSE_LIST):
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return -1


@compiled
def text_end(data: Bytes, at: int, end: int) -> int:
    """Behind a string of printable ASCII without escapes; −1 for any other."""
    if data[at] != QUOTE:
        return -1
    at += 1
    while at < end:
        byte = data[at]
        if byte == QUOTE:
            return at + 1
        if byte == BACKSLASH or byte < _SPACE or byte > _TILDE:
            return -1
        at += 1
    return -1


@compiled
def is_name(data: Bytes, first: int, last: int) -> bool:
    """What identifiers.NAME_PATTERN says."""
    for i in range(first, last):
        byte = data[i]
        if not (_SMALL_A <= byte <= _SMALL_Z or _ZERO <= byte <= _NINE or byte == _MINUS):
            return False
    return 1 <= last - first <= 64


@compiled
def word(data: Bytes, first: int, last: int, words: Bytes, ends: Int64s) -> int:
    """Which of the words stands here; −1 for none."""
    for word in range(len(ends) - 1):
        if ends[word + 1] - ends[word] == last - first and is_here(
            data, first, words, ends[word], ends[word + 1]
        ):
            return word
    return -1


@compiled
def is_here(data: Bytes, at: int, words: Bytes, first: int, last: int) -> bool:
    """Whether `words[first:last]` stands at `at`, where there is room for it."""
    for i in range(last - first):  # noqa: SIM110 - compiled code has no generators
        if data[at + i] != words[first + i]:
            return False
    return True


@compiled
def is_null(data: Bytes, at: int, end: int) -> bool:
    """Whether `null` stands here."""
    return at + 4 <= end and is_here(data, at, _NULL, 0, 4)


@compiled
def is_digits(data: Bytes, first: int, last: int) -> bool:
    for i in range(first, last):
        if not _ZERO <= data[i] <= _NINE:
            return False
    return last > first


@compiled
def number(data: Bytes, at: int, end: int) -> tuple[int, float]:
    """Behind a JSON number and its value; (−1, …) if it is none, or too long to be exact."""
    is_negative = data[at] == _MINUS
    if is_negative:
        at += 1
    first, digits, fraction = at, 0, 0
    mantissa = np.uint64(0)
    while at < end and _ZERO <= data[at] <= _NINE:
        mantissa = mantissa * np.uint64(10) + np.uint64(data[at] - _ZERO)
        at += 1
    digits = at - first
    if digits == 0 or digits > _DIGITS_MAX or (digits > 1 and data[first] == _ZERO):
        return -1, 0.0
    if at < end and data[at] == _DOT:
        at += 1
        begin = at
        while at < end and _ZERO <= data[at] <= _NINE and digits + at - begin < _DIGITS_MAX:
            mantissa = mantissa * np.uint64(10) + np.uint64(data[at] - _ZERO)
            at += 1
        fraction = at - begin
        if fraction == 0:
            return -1, 0.0
    # An exponent, or more digits than fit, is not plain.
    if at < end and (data[at] in (_E, _BIG_E, _DOT) or _ZERO <= data[at] <= _NINE):
        return -1, 0.0
    if is_negative and mantissa == 0:
        return -1, 0.0
    value = _over_ten(mantissa, fraction)
    return at, -value if is_negative else value


@compiled
def _over_ten(mantissa: np.uint64, power: int) -> float:
    """mantissa ÷ 10^power, rounded once: the quotient of doubles, set right by what the division
    leaves over (T. J. Dekker, 1971: products of doubles as exact sums of two)."""
    high = np.float64(mantissa >> np.uint64(11)) * 2048.0
    low = np.float64(mantissa & np.uint64(2047))
    if power == 0:
        return high + low
    ten = _TENS[power]
    quotient = (high + low) / ten
    product = quotient * ten
    a = _SPLIT * quotient
    a_high = a - (a - quotient)
    a_low = quotient - a_high
    b = _SPLIT * ten
    b_high = b - (b - ten)
    b_low = ten - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    rest = ((high - product) + low) - error
    return quotient + rest / ten


@compiled
def instant_us(data: Bytes, first: int, last: int) -> int:
    """Of `2026-11-23T06:01:02[.123456]Z`, in µs since 1970; NO_INSTANT_US for any other form."""
    length = last - first
    if length < 20 or length > 27 or length == 21 or data[last - 1] != _Z:
        return NO_INSTANT_US
    if not (
        data[first + 4] == _MINUS
        and data[first + 7] == _MINUS
        and data[first + 10] == _T
        and data[first + 13] == COLON
        and data[first + 16] == COLON
    ):
        return NO_INSTANT_US
    year = _two(data, first) * 100 + _two(data, first + 2)
    month, day = _two(data, first + 5), _two(data, first + 8)
    hour, minute, second = _two(data, first + 11), _two(data, first + 14), _two(data, first + 17)
    if min(_two(data, first), _two(data, first + 2), month, day, hour, minute, second) < 0:
        return NO_INSTANT_US
    if year < 1 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return NO_INSTANT_US
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS_IN[month - 1] + (1 if is_leap and month == 2 else 0):
        return NO_INSTANT_US
    micros = 0
    if length > 20:
        if data[first + 19] != _DOT or not is_digits(data, first + 20, last - 1):
            return NO_INSTANT_US
        for i in range(6):
            place = first + 20 + i
            micros = micros * 10 + (data[place] - _ZERO if place < last - 1 else 0)
    before = year - 1
    days = (
        before * 365
        + before // 4
        - before // 100
        + before // 400
        + _DAYS_BEFORE[month - 1]
        + day
        - 1
    )
    if is_leap and month > 2:
        days += 1
    seconds = (days - _DAYS_TO_1970) * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds * 1_000_000 + micros


@compiled
def _two(data: Bytes, at: int) -> int:
    """Two digits as a number; negative where they are none."""
    tens, ones = data[at], data[at + 1]
    if not (_ZERO <= tens <= _NINE and _ZERO <= ones <= _NINE):
        return -1
    return (tens - _ZERO) * 10 + (ones - _ZERO)
