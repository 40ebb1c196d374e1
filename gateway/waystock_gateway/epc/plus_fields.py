"""The fields of the "+" EPC binary schemes and of the data that may follow them (GS1 EPC Tag Data
Standard 2.x, section 14.5): values of application identifiers, each as long as it says itself.
Upstream: the rows of `plus`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from waystock_gateway.epc.bits import BitReader, BitWriter, MalformedError
from waystock_gateway.epc.characters import COMPONENT, ENCODABLE

_UPPER_HEX = "0123456789ABCDEF"
_LOWER_HEX = "0123456789abcdef"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE_40 = "\x00ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
"""Table 14-8; the first is padding."""
_CODE_40_MAX = 64_000
_ALPHABETS = {1: (_UPPER_HEX, 4), 2: (_LOWER_HEX, 4), 3: (_BASE64, 6)}
"""Encoding indicators with a fixed width per character: alphabet and bits."""
_INTEGER, _ASCII, _CODE_40_INDICATOR = 0, 4, 5
_DELIMITER, _TERMINATOR = 0xE, 0xF
_LENGTH_BITS = 5


class Value(Protocol):
    """(Part of) the value of an application identifier. `write` returns what it left over."""

    def read(self, bits: BitReader) -> str: ...
    def write(self, bits: BitWriter, value: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Digits:
    """A fixed number of digits, four bits each (section 14.5.4)."""

    count: int

    def read(self, bits: BitReader) -> str:
        digits = [bits.number(4) for _ in range(self.count)]
        if max(digits) > 9:
            raise MalformedError("a digit above 9")
        return "".join(map(str, digits))

    def write(self, bits: BitWriter, value: str) -> str:
        digits = value[: self.count]
        if len(digits) != self.count or not _is_digits(digits):
            raise MalformedError(f"{value!r} must begin with {self.count} digits")
        for digit in digits:
            bits.number(int(digit), 4)
        return value[self.count :]


@dataclass(frozen=True, slots=True)
class Numeric:
    """One to `most` digits as a number behind its length (section 14.5.13)."""

    most: int
    length_bits: int = 4

    def read(self, bits: BitReader) -> str:
        length = bits.number(self.length_bits)
        if not 1 <= length <= self.most:
            raise MalformedError("length out of range")
        return _read_integer(bits, length)

    def write(self, bits: BitWriter, value: str) -> str:
        if not 1 <= len(value) <= self.most or not _is_digits(value):
            raise MalformedError(f"{value!r} is no number of up to {self.most} digits")
        bits.number(len(value), self.length_bits)
        bits.number(int(value), _integer_bits(len(value)))
        return ""


@dataclass(frozen=True, slots=True)
class Alphanumeric:
    """One to `most` characters of set 82 in the shortest of six encodings, behind its indicator and
    their number (section 14.5.6)."""

    most: int

    def read(self, bits: BitReader) -> str:
        indicator = bits.number(3)
        length = bits.number(_LENGTH_BITS)
        if not 1 <= length <= self.most:
            raise MalformedError("length out of range")
        return _checked(_read_text(bits, indicator, length))

    def write(self, bits: BitWriter, value: str) -> str:
        if not 1 <= len(_checked(value)) <= self.most:
            raise MalformedError(f"{value!r} is longer than {self.most}")
        costs = {i: cost for i in range(6) if (cost := _text_bits(i, value)) is not None}
        indicator = min(costs, key=lambda i: costs[i])
        bits.number(indicator, 3)
        bits.number(len(value), _LENGTH_BITS)
        _write_text(bits, indicator, value)
        return ""


@dataclass(frozen=True, slots=True)
class Delimited:
    """Digits of four bits; then the end, or other characters as in Alphanumeric (section
    14.5.5)."""

    most: int

    def read(self, bits: BitReader) -> str:
        value = ""
        while (nibble := bits.number(4)) <= 9:
            value += str(nibble)
        if nibble == _DELIMITER:
            rest = Alphanumeric(self.most).read(bits)
            if rest[0].isdigit():
                raise MalformedError("a digit behind the delimiter")
            value += rest
        elif nibble != _TERMINATOR:
            raise MalformedError("neither digit nor delimiter nor end")
        return self._sized(value)

    def write(self, bits: BitWriter, value: str) -> str:
        rest = self._sized(value).lstrip("0123456789")
        for digit in value[: len(value) - len(rest)]:
            bits.number(int(digit), 4)
        bits.number(_DELIMITER if rest else _TERMINATOR, 4)
        return Alphanumeric(self.most).write(bits, rest) if rest else ""

    def _sized(self, value: str) -> str:
        if not 1 <= len(value) <= self.most:
            raise MalformedError("length out of range")
        return value


@dataclass(frozen=True, slots=True)
class Date:
    """YYMMDD in 7, 4 and 5 bits (section 14.5.8); day 00 means the month (General Specifications
    3.4)."""

    def read(self, bits: BitReader) -> str:
        year, month, day = bits.number(7), bits.number(4), bits.number(5)
        return _dated(year, month, day)

    def write(self, bits: BitWriter, value: str) -> str:
        if len(value) != 6 or not _is_digits(value):
            raise MalformedError(f"{value!r} is no date YYMMDD")
        year, month, day = int(value[:2]), int(value[2:4]), int(value[4:])
        _dated(year, month, day)
        for number, width in ((year, 7), (month, 4), (day, 5)):
            bits.number(number, width)
        return ""


def _dated(year: int, month: int, day: int) -> str:
    try:
        date(2000 + year, month, day or 1)
    except ValueError as error:
        raise MalformedError("no such date") from error
    if year > 99:
        raise MalformedError("no such date")
    return f"{year:02d}{month:02d}{day:02d}"


def _read_text(bits: BitReader, indicator: int, length: int) -> str:
    if indicator == _INTEGER:
        return _read_integer(bits, length)
    if indicator == _ASCII:
        return "".join(chr(bits.number(7)) for _ in range(length))
    if indicator == _CODE_40_INDICATOR:
        return _read_code_40(bits, length)
    if indicator not in _ALPHABETS:
        raise MalformedError("reserved encoding indicator")
    alphabet, width = _ALPHABETS[indicator]
    return "".join(alphabet[bits.number(width)] for _ in range(length))


def _write_text(bits: BitWriter, indicator: int, text: str) -> None:
    if indicator == _INTEGER:
        bits.number(int(text), _integer_bits(len(text)))
    elif indicator == _CODE_40_INDICATOR:
        _write_code_40(bits, text)
    else:
        alphabet, width = _ALPHABETS.get(indicator, (None, 7))
        for character in text:
            bits.number(alphabet.index(character) if alphabet else ord(character), width)


def _text_bits(indicator: int, text: str) -> int | None:
    """How many bits `text` takes in one of the encodings; None if it can't be written in it."""
    if indicator == _INTEGER:
        return _integer_bits(len(text)) if _is_digits(text) else None
    if indicator == _ASCII:
        return 7 * len(text)
    if indicator == _CODE_40_INDICATOR:
        return 16 * -(-len(text) // 3) if set(text) <= set(_CODE_40) else None
    alphabet, width = _ALPHABETS[indicator]
    return width * len(text) if set(text) <= set(alphabet) else None


def _read_code_40(bits: BitReader, length: int) -> str:
    """Three characters in sixteen bits (section 14.5.6.5)."""
    text = ""
    for _ in range(-(-length // 3)):
        number = bits.number(16) - 1
        if not 0 <= number < _CODE_40_MAX:
            raise MalformedError("no URN Code 40")
        codes = (number // 1600, number // 40 % 40, number % 40)
        text += "".join(_CODE_40[code] for code in codes)
    if text[length:].strip("\x00") or "\x00" in text[:length]:
        raise MalformedError("URN Code 40 of another length")
    return text[:length]


def _write_code_40(bits: BitWriter, text: str) -> None:
    text = text.ljust(-(-len(text) // 3) * 3, "\x00")
    for i in range(0, len(text), 3):
        first, second, third = (_CODE_40.index(character) for character in text[i : i + 3])
        bits.number(first * 1600 + second * 40 + third + 1, 16)


def _read_integer(bits: BitReader, length: int) -> str:
    value = str(bits.number(_integer_bits(length)))
    if len(value) > length:
        raise MalformedError("number out of range")
    return value.zfill(length)


def _integer_bits(digits: int) -> int:
    return (10**digits - 1).bit_length()


def _checked(text: str) -> str:
    if not (ENCODABLE | COMPONENT).issuperset(text):
        raise MalformedError("characters outside the GS1 set")
    return text


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
