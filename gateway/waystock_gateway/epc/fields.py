"""The fields of the classic EPC binary schemes, each read from bits and written to them (GS1 EPC
Tag Data Standard, section 14.3). A field is one or two parts of the tag's URI. Upstream: the rows
of `schemes`.
"""

from dataclasses import dataclass
from typing import Protocol

from waystock_gateway.epc.bits import BitReader, BitWriter, MalformedError
from waystock_gateway.epc.characters import COMPONENT, ENCODABLE

COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)
COMPANY_DIGITS = (12, 11, 10, 9, 8, 7, 6)
"""By partition value; 7 does not exist."""
_CAGE = frozenset("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")
"""CAGE codes and DoDAACs have neither I nor O."""
_CAGE_CHARACTERS = 6
"""A CAGE code of five is preceded by a space."""


class Field(Protocol):
    """`write` takes exactly as many parts as `read` gives: `parts` of them."""

    @property
    def parts(self) -> int: ...
    def read(self, bits: BitReader) -> tuple[str, ...]: ...
    def write(self, bits: BitWriter, *parts: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Integer:
    """A decimal number without leading zeros (section 14.3.1)."""

    bits: int
    maximum: int | None = None
    what: str = "serial"
    minimum: int = 0
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        return (str(self._checked(bits.number(self.bits))),)

    def write(self, bits: BitWriter, *parts: str) -> None:
        bits.number(self._checked(_unpadded(parts[0], self.what)), self.bits, self.what)

    def _checked(self, value: int) -> int:
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            raise MalformedError(f"{self.what} out of range")
        return value


@dataclass(frozen=True, slots=True)
class Padded:
    """A number of exactly `digits` digits (section 14.3.9)."""

    bits: int
    digits: int
    what: str
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        return (_padded(bits.number(self.bits), self.digits, self.what),)

    def write(self, bits: BitWriter, *parts: str) -> None:
        bits.number(_exactly(parts[0], self.digits, self.what), self.bits, self.what)


@dataclass(frozen=True, slots=True)
class NumericString:
    """Digits of which leading zeros count: a 1 is put before them (section 14.3.6)."""

    bits: int
    digits_max: int
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        digits = str(bits.number(self.bits))
        if digits[0] != "1" or not 1 <= len(digits) - 1 <= self.digits_max:
            raise MalformedError("serial is no numeric string")
        return (digits[1:],)

    def write(self, bits: BitWriter, *parts: str) -> None:
        serial = parts[0]
        if not 1 <= len(serial) <= self.digits_max:
            raise MalformedError("serial out of range")
        bits.number(int("1" + serial) if _is_digits(serial) else -1, self.bits, "serial")


@dataclass(frozen=True, slots=True)
class Text:
    """Seven-bit characters up to the first NUL; all behind it is NUL too (section 14.3.2)."""

    bits: int
    what: str = "serial"
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        codes = [bits.number(7) for _ in range(self.bits // 7)]
        bits.zeros(self.bits % 7, f"{self.what} padding")
        return (self._checked("".join(map(chr, codes)).rstrip("\x00")),)

    def write(self, bits: BitWriter, *parts: str) -> None:
        text = self._checked(parts[0])
        for character in text.ljust(self.bits // 7, "\x00"):
            bits.number(ord(character), 7, self.what)
        bits.number(0, self.bits % 7)

    def _checked(self, text: str) -> str:
        if not 1 <= len(text) <= self.bits // 7 or not ENCODABLE.issuperset(text):
            raise MalformedError(f"{self.what} holds characters outside the GS1 set")
        return text


@dataclass(frozen=True, slots=True)
class SixBitText:
    """Six-bit characters up to six zero bits (section 14.3.7)."""

    least: int
    most: int
    what: str
    marked: bool | None = None
    """Whether a `#` may stand at the front alone (True), nowhere (False), anywhere (None)."""
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        text = ""
        while code := bits.number(6):
            text += _from_six_bits(code)
        return (self._checked(text),)

    def write(self, bits: BitWriter, *parts: str) -> None:
        for character in self._checked(parts[0]):
            bits.number(ord(character) & 0x3F, 6)
        bits.number(0, 6)

    def _checked(self, text: str) -> str:
        hashes = {True: text[1:], False: text, None: ""}[self.marked]
        if not self.least <= len(text) <= self.most or not COMPONENT.issuperset(text):
            raise MalformedError(f"{self.what} out of range")
        if "#" in hashes or (self.marked and text == "#"):
            raise MalformedError(f"{self.what} holds a # where none may be")
        return text


@dataclass(frozen=True, slots=True)
class Cage:
    """A CAGE code (five characters) or DoDAAC (six) (sections 14.3.5 and 14.6.12)."""

    character_bits: int
    parts: int = 1

    def read(self, bits: BitReader) -> tuple[str, ...]:
        codes = [bits.number(self.character_bits) for _ in range(_CAGE_CHARACTERS)]
        characters = map(chr if self.character_bits == 8 else _from_six_bits, codes)
        return (self._checked("".join(characters).removeprefix(" ")),)

    def write(self, bits: BitWriter, *parts: str) -> None:
        mask = (1 << self.character_bits) - 1
        for character in self._checked(parts[0]).rjust(_CAGE_CHARACTERS):
            bits.number(ord(character) & mask, self.character_bits)

    @staticmethod
    def _checked(code: str) -> str:
        if not 5 <= len(code) <= _CAGE_CHARACTERS or not _CAGE.issuperset(code):
            raise MalformedError("neither CAGE code nor DoDAAC")
        return code


@dataclass(frozen=True, slots=True)
class Partitioned:
    """Partition, company prefix, and the reference that fills up to `bits` with it and to `digits`
    (section 14.3.3). Not `padded`: a number without leading zeros (section 14.3.4)."""

    bits: int
    digits: int
    padded: bool = True
    parts: int = 2

    def read(self, bits: BitReader) -> tuple[str, ...]:
        partition, company = _read_company(bits)
        reference = self._reference(partition)
        return (company, *reference.read(bits))

    def write(self, bits: BitWriter, *parts: str) -> None:
        partition = _write_company(bits, parts[0])
        self._reference(partition).write(bits, parts[1])

    def _reference(self, partition: int) -> "Field":
        bits = self.bits - COMPANY_BITS[partition]
        digits = self.digits - COMPANY_DIGITS[partition]
        if not self.padded:
            return Integer(bits, 10**digits - 1, "reference")
        return Padded(bits, digits, "reference")


@dataclass(frozen=True, slots=True)
class PartitionedAsset:
    """Partition, company prefix, and an asset reference: a number or text, 30 characters in all
    with the prefix (section 14.6.5)."""

    bits: int
    is_text: bool
    parts: int = 2

    def read(self, bits: BitReader) -> tuple[str, ...]:
        partition, company = _read_company(bits)
        return (company, *self._checked(company, *self._asset(partition).read(bits)))

    def write(self, bits: BitWriter, *parts: str) -> None:
        partition = _write_company(bits, parts[0])
        self._asset(partition).write(bits, *self._checked(*parts))

    def _asset(self, partition: int) -> "Field":
        bits = self.bits - COMPANY_BITS[partition]
        return Text(bits, "asset reference") if self.is_text else Integer(bits)

    @staticmethod
    def _checked(company: str, asset: str) -> tuple[str]:
        if len(company) + len(asset) > 30:
            raise MalformedError("asset reference too long")
        return (asset,)


@dataclass(frozen=True, slots=True)
class PartitionedComponent:
    """Partition, company prefix, and a component reference in six-bit characters (section
    14.6.9)."""

    parts: int = 2

    def read(self, bits: BitReader) -> tuple[str, ...]:
        partition, company = _read_company(bits)
        return (company, *self._component(partition).read(bits))

    def write(self, bits: BitWriter, *parts: str) -> None:
        self._component(_write_company(bits, parts[0])).write(bits, parts[1])

    @staticmethod
    def _component(partition: int) -> SixBitText:
        return SixBitText(1, 30 - COMPANY_DIGITS[partition], "component reference")


@dataclass(frozen=True, slots=True)
class Zeros:
    """Reserved bits; no part of the URI."""

    bits: int
    parts: int = 0

    def read(self, bits: BitReader) -> tuple[str, ...]:
        bits.zeros(self.bits, "reserved bits")
        return ()

    def write(self, bits: BitWriter, *parts: str) -> None:
        bits.number(0, self.bits)


def _read_company(bits: BitReader) -> tuple[int, str]:
    partition = bits.number(3)
    if partition >= len(COMPANY_BITS):
        raise MalformedError("partition 7 does not exist")
    value = bits.number(COMPANY_BITS[partition])
    return partition, _padded(value, COMPANY_DIGITS[partition], "company prefix")


def _write_company(bits: BitWriter, company: str) -> int:
    if len(company) not in COMPANY_DIGITS:
        raise MalformedError("company prefix out of range")
    partition = COMPANY_DIGITS.index(len(company))
    bits.number(partition, 3)
    value = _exactly(company, len(company), "company prefix")
    bits.number(value, COMPANY_BITS[partition], "company prefix")
    return partition


def _padded(value: int, digits: int, what: str) -> str:
    if value >= 10**digits:
        raise MalformedError(f"{what} out of range")
    return str(value).zfill(digits) if digits else ""


def _exactly(text: str, digits: int, what: str) -> int:
    if len(text) != digits or (digits and not _is_digits(text)):
        raise MalformedError(f"{what} must have {digits} digits")
    return int(text or "0")


def _unpadded(text: str, what: str) -> int:
    if not _is_digits(text) or len(text) > 30 or (text[0] == "0" and text != "0"):
        raise MalformedError(f"{what} is no number without leading zeros")
    return int(text)


def _from_six_bits(code: int) -> str:
    return chr(code if code & 0x20 else code | 0x40)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
