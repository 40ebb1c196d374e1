"""The table of EPC binary coding schemes (GS1 EPC Tag Data Standard, sections 14.5 and 14.6): one
row each, so that a further scheme is a further row. Upstream: `decode`.

All share header, filter, partition and company prefix; a row says what follows and which GS1 key
it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from waystock_gateway.check_digit import check_digit
from waystock_gateway.epc.bits import BitReader, MalformedError
from waystock_gateway.epc.characters import escape_uri

COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)
COMPANY_DIGITS = (12, 11, 10, 9, 8, 7, 6)
PARTITIONS = len(COMPANY_BITS)

Elements = tuple[tuple[str, str], ...]


class Identity(NamedTuple):
    """What one tag names: the parts of its URI behind the filter, and its GS1 key."""

    uri_parts: tuple[str, ...]
    elements: Elements


@dataclass(frozen=True, slots=True)
class Scheme:
    """One binary coding scheme. `read` takes what follows filter and partition."""

    name: str
    header: int
    bits: int
    read: Callable[[BitReader, int], Identity]

    @property
    def urn(self) -> str:
        """The name in a pure-identity URI: `sgtin` for `sgtin-96`."""
        return self.name.partition("-")[0]


def _company(bits: BitReader, partition: int) -> str:
    return bits.digits(COMPANY_BITS[partition], COMPANY_DIGITS[partition], "company prefix")


def _reference(bits: BitReader, partition: int, total_bits: int, total_digits: int) -> str:
    """The reference beside the company prefix: together they fill a fixed number of bits."""
    return bits.digits(
        total_bits - COMPANY_BITS[partition],
        total_digits - COMPANY_DIGITS[partition],
        "reference",
    )


def _serial(bits: BitReader, numeric_bits: int | None, text_bits: int) -> str:
    if numeric_bits is not None:
        return str(bits.number(numeric_bits))
    return bits.text(text_bits, "serial")


def _sgtin(serial_bits: int | None, text_bits: int = 0) -> Callable[[BitReader, int], Identity]:
    def read(bits: BitReader, partition: int) -> Identity:
        company = _company(bits, partition)
        item = _reference(bits, partition, 44, 13)
        serial = _serial(bits, serial_bits, text_bits)
        gtin = _checked(item[0] + company + item[1:])
        return Identity((company, item, escape_uri(serial)), (("01", gtin), ("21", serial)))

    return read


def _sscc(bits: BitReader, partition: int) -> Identity:
    company = _company(bits, partition)
    reference = _reference(bits, partition, 58, 17)
    bits.zeros(24, "reserved bits")
    sscc = _checked(reference[0] + company + reference[1:])
    return Identity((company, reference), (("00", sscc),))


def _sgln(extension_bits: int | None, text_bits: int = 0) -> Callable[[BitReader, int], Identity]:
    def read(bits: BitReader, partition: int) -> Identity:
        company = _company(bits, partition)
        location = _reference(bits, partition, 41, 12)
        extension = _serial(bits, extension_bits, text_bits)
        elements: Elements = (("414", _checked(company + location)),)
        if extension != "0":
            elements += (("254", extension),)
        return Identity((company, location, escape_uri(extension)), elements)

    return read


def _grai(serial_bits: int | None, text_bits: int = 0) -> Callable[[BitReader, int], Identity]:
    def read(bits: BitReader, partition: int) -> Identity:
        company = _company(bits, partition)
        asset_type = _reference(bits, partition, 44, 12)
        serial = _serial(bits, serial_bits, text_bits)
        key = "0" + _checked(company + asset_type) + serial
        return Identity((company, asset_type, escape_uri(serial)), (("8003", key),))

    return read


def _giai(total_bits: int, *, is_text: bool) -> Callable[[BitReader, int], Identity]:
    def read(bits: BitReader, partition: int) -> Identity:
        company = _company(bits, partition)
        left = total_bits - COMPANY_BITS[partition]
        asset = bits.text(left, "asset reference") if is_text else str(bits.number(left))
        if len(company) + len(asset) > 30:
            raise MalformedError("asset reference too long")
        return Identity((company, escape_uri(asset)), (("8004", company + asset),))

    return read


def _gsrn(bits: BitReader, partition: int) -> Identity:
    company = _company(bits, partition)
    reference = _reference(bits, partition, 58, 17)
    bits.zeros(24, "reserved bits")
    return Identity((company, reference), (("8018", _checked(company + reference)),))


def _gdti(serial_bits: int | None, text_bits: int = 0) -> Callable[[BitReader, int], Identity]:
    def read(bits: BitReader, partition: int) -> Identity:
        company = _company(bits, partition)
        document_type = _reference(bits, partition, 41, 12)
        serial = _serial(bits, serial_bits, text_bits)
        key = _checked(company + document_type) + serial
        return Identity((company, document_type, escape_uri(serial)), (("253", key),))

    return read


def _checked(digits: str) -> str:
    return digits + check_digit(digits)


SCHEMES: dict[int, Scheme] = {
    scheme.header: scheme
    for scheme in (
        Scheme("gdti-96", 0x2C, 96, _gdti(41)),
        Scheme("gsrn-96", 0x2D, 96, _gsrn),
        Scheme("sgtin-96", 0x30, 96, _sgtin(38)),
        Scheme("sscc-96", 0x31, 96, _sscc),
        Scheme("sgln-96", 0x32, 96, _sgln(41)),
        Scheme("grai-96", 0x33, 96, _grai(38)),
        Scheme("giai-96", 0x34, 96, _giai(82, is_text=False)),
        Scheme("sgtin-198", 0x36, 198, _sgtin(None, 140)),
        Scheme("grai-170", 0x37, 170, _grai(None, 112)),
        Scheme("giai-202", 0x38, 202, _giai(188, is_text=True)),
        Scheme("sgln-195", 0x39, 195, _sgln(None, 140)),
        Scheme("gdti-174", 0x3E, 174, _gdti(None, 119)),
    )
}
"""By header byte."""
