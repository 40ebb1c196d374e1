"""The table of classic EPC binary coding schemes (GS1 EPC Tag Data Standard, section 14.6): one row
each, so that a further scheme is a further row. Upstream: `decode` and `encode`.

GDTI-113 is deprecated by the standard for new tags; it is read and written all the same, because
tags of before are still out there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from waystock_gateway.check_digit import check_digit
from waystock_gateway.epc.fields import (
    Cage,
    Field,
    Integer,
    NumericString,
    Padded,
    Partitioned,
    PartitionedAsset,
    PartitionedComponent,
    SixBitText,
    Text,
    Zeros,
)

Elements = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One binary coding scheme. `elements` makes the GS1 key of the parts that `fields` read, in
    the order of the URI."""

    name: str
    header: int
    bits: int | None
    """None: as long as its fields are."""
    fields: tuple[Field, ...]
    elements: Callable[..., Elements]
    filter_bits: int = 3

    @property
    def urn(self) -> str:
        """The name in a pure-identity URI: `sgtin` for `sgtin-96`."""
        return self.name.partition("-")[0]

    @property
    def parts(self) -> int:
        return sum(field.parts for field in self.fields)


def _sgtin(company: str, item: str, serial: str) -> Elements:
    return (("01", _gtin(company, item)), ("21", serial))


def _itip(company: str, item: str, piece: str, total: str, serial: str) -> Elements:
    return (("8006", _gtin(company, item) + piece + total), ("21", serial))


def _sscc(company: str, reference: str) -> Elements:
    return (("00", _checked(reference[0] + company + reference[1:])),)


def _sgln(company: str, location: str, extension: str) -> Elements:
    """Extension 0 says that there is none (section 6.3.3)."""
    gln = ("414", _checked(company + location))
    return (gln,) if extension == "0" else (gln, ("254", extension))


def _grai(company: str, asset_type: str, serial: str) -> Elements:
    return (("8003", "0" + _checked(company + asset_type) + serial),)


def _giai(company: str, asset: str) -> Elements:
    return (("8004", company + asset),)


def _gsrn(company: str, reference: str) -> Elements:
    return (("8018", _checked(company + reference)),)


def _gsrnp(company: str, reference: str) -> Elements:
    return (("8017", _checked(company + reference)),)


def _gdti(company: str, document_type: str, serial: str) -> Elements:
    return (("253", _checked(company + document_type) + serial),)


def _sgcn(company: str, coupon: str, serial: str) -> Elements:
    return (("255", _checked(company + coupon) + serial),)


def _cpi(company: str, component: str, serial: str) -> Elements:
    return (("8010", company + component), ("8011", serial))


def _no_gs1_key(*parts: str) -> Elements:
    del parts
    return ()


def _gtin(company: str, item: str) -> str:
    return _checked(item[0] + company + item[1:])


def _checked(digits: str) -> str:
    return digits + check_digit(digits)


_ITEM = Partitioned(44, 13)
_UNIT = Partitioned(58, 17)
_PLACE = Partitioned(41, 12)
_ASSET_TYPE = Partitioned(44, 12)
_PIECES = (Padded(7, 2, "piece"), Padded(7, 2, "total"))
_CPI_SERIAL_MAX = 999_999_999_999

_ROWS = (
    Scheme("gdti-96", 0x2C, 96, (_PLACE, Integer(41)), _gdti),
    Scheme("gsrn-96", 0x2D, 96, (_UNIT, Zeros(24)), _gsrn),
    Scheme("gsrnp-96", 0x2E, 96, (_UNIT, Zeros(24)), _gsrnp),
    Scheme("usdod-96", 0x2F, 96, (Cage(8), Integer(36)), _no_gs1_key, filter_bits=4),
    Scheme("sgtin-96", 0x30, 96, (_ITEM, Integer(38)), _sgtin),
    Scheme("sscc-96", 0x31, 96, (_UNIT, Zeros(24)), _sscc),
    Scheme("sgln-96", 0x32, 96, (_PLACE, Integer(41)), _sgln),
    Scheme("grai-96", 0x33, 96, (_ASSET_TYPE, Integer(38)), _grai),
    Scheme("giai-96", 0x34, 96, (PartitionedAsset(82, is_text=False),), _giai),
    Scheme(
        "gid-96",
        0x35,
        96,
        (Integer(28, what="manager"), Integer(24, what="class"), Integer(36)),
        _no_gs1_key,
        filter_bits=0,
    ),
    Scheme("sgtin-198", 0x36, 198, (_ITEM, Text(140)), _sgtin),
    Scheme("grai-170", 0x37, 170, (_ASSET_TYPE, Text(112)), _grai),
    Scheme("giai-202", 0x38, 202, (PartitionedAsset(188, is_text=True),), _giai),
    Scheme("sgln-195", 0x39, 195, (_PLACE, Text(140)), _sgln),
    Scheme("gdti-113", 0x3A, 113, (_PLACE, NumericString(58, 17)), _gdti),
    Scheme(
        "adi-var",
        0x3B,
        None,
        (
            Cage(6),
            SixBitText(0, 32, "part number", marked=False),
            SixBitText(1, 30, "serial", marked=True),
        ),
        _no_gs1_key,
        filter_bits=6,
    ),
    Scheme("cpi-96", 0x3C, 96, (Partitioned(51, 15, padded=False), Integer(31)), _cpi),
    Scheme("cpi-var", 0x3D, None, (PartitionedComponent(), Integer(40, _CPI_SERIAL_MAX)), _cpi),
    Scheme("gdti-174", 0x3E, 174, (_PLACE, Text(119)), _gdti),
    Scheme("sgcn-96", 0x3F, 96, (_PLACE, NumericString(41, 12)), _sgcn),
    Scheme("itip-110", 0x40, 110, (_ITEM, *_PIECES, Integer(38)), _itip),
    Scheme("itip-212", 0x41, 212, (_ITEM, *_PIECES, Text(140)), _itip),
)
SCHEMES: dict[int, Scheme] = {scheme.header: scheme for scheme in _ROWS}
"""By header byte."""
SCHEMES_BY_NAME: dict[str, Scheme] = {scheme.name: scheme for scheme in _ROWS}
