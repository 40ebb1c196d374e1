"""The table of "+" EPC binary schemes (GS1 EPC Tag Data Standard 2.x, section 14.6): header, a bit
that says whether more data follows, filter, then whole GS1 keys, so that the length of the company
prefix needn't be known. Upstream: `decode` and `encode`.
"""

from dataclasses import dataclass

from waystock_gateway.check_digit import has_valid_check_digit
from waystock_gateway.epc.bits import BitReader, BitWriter, MalformedError
from waystock_gateway.epc.characters import COMPONENT, ENCODABLE
from waystock_gateway.epc.plus_fields import Alphanumeric, Date, Delimited, Digits, Numeric, Value
from waystock_gateway.epc.schemes import Elements

_DATE_AIS = ("11", "13", "15", "16", "17", "7006", "7007")
"""By date type indicator (section 14.5.3)."""

_KEYS: dict[str, tuple[Value, ...]] = {
    "00": (Digits(18),),
    "01": (Digits(14),),
    "21": (Alphanumeric(20),),
    "253": (Digits(13), Alphanumeric(17)),
    "254": (Alphanumeric(20),),
    "255": (Digits(13), Numeric(12)),
    "414": (Digits(13),),
    "8003": (Digits(14), Alphanumeric(16)),
    "8004": (Delimited(30),),
    "8006": (Digits(18),),
    "8010": (Delimited(30),),
    "8011": (Numeric(12),),
    "8017": (Digits(18),),
    "8018": (Digits(18),),
}
"""How the value of each key is written (table F)."""
_CHECKED_DIGITS = {
    "00": 18, "01": 14, "253": 13, "255": 13, "414": 13, "8003": 14, "8006": 14, "8017": 18,
    "8018": 18,
}  # fmt: skip
"""Keys of which the first n digits end in a check digit."""
_FOLLOWING: dict[str, Value] = {
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), Date()),
    **dict.fromkeys(("10", "21", "22"), Alphanumeric(20)),
    **dict.fromkeys(("240", "241", "250", "400"), Alphanumeric(30)),
    **dict.fromkeys(("30", "37"), Numeric(8)),
}
"""What may follow the key and is understood (section 15.3)."""
_COMPANY_DIGITS_MIN = 4
"""No GS1 company prefix is shorter."""
_FOLLOWING_PADDING_BITS_MAX = 15


@dataclass(frozen=True, slots=True)
class PlusScheme:
    """One scheme: the application identifiers it holds, in order."""

    name: str
    header: int
    ais: tuple[str, ...]
    dated: bool = False


_ROWS = (
    PlusScheme("cpi+", 0xF0, ("8010", "8011")),
    PlusScheme("grai+", 0xF1, ("8003",)),
    PlusScheme("sgln+", 0xF2, ("414", "254")),
    PlusScheme("itip+", 0xF3, ("8006", "21")),
    PlusScheme("gsrn+", 0xF4, ("8018",)),
    PlusScheme("gsrnp+", 0xF5, ("8017",)),
    PlusScheme("gdti+", 0xF6, ("253",)),
    PlusScheme("sgtin+", 0xF7, ("01", "21")),
    PlusScheme("sgcn+", 0xF8, ("255",)),
    PlusScheme("sscc+", 0xF9, ("00",)),
    PlusScheme("giai+", 0xFA, ("8004",)),
    PlusScheme("dsgtin+", 0xFB, ("01", "21"), dated=True),
)
PLUS_SCHEMES: dict[int, PlusScheme] = {scheme.header: scheme for scheme in _ROWS}
"""By header byte."""
PLUS_SCHEMES_BY_NAME: dict[str, PlusScheme] = {scheme.name: scheme for scheme in _ROWS}


def read_plus(bits: BitReader, scheme: PlusScheme) -> tuple[int, Elements]:
    """Filter and elements of what stands behind the header. Data that follows the key is left out
    where it isn't understood; the key itself is whole or refused."""
    more_follows = bits.number(1)
    filter_value = bits.number(3)
    dated = _read_date(bits) if scheme.dated else ()
    elements = tuple((ai, _read_key(bits, ai)) for ai in scheme.ais)
    if elements[-1] == ("254", "0"):
        elements = elements[:-1]
    if not more_follows:
        bits.zeros(bits.left, "padding")
        return filter_value, elements + dated
    known = elements + dated
    return filter_value, known + _read_following(bits, {ai for ai, _ in known})


def write_plus(scheme: PlusScheme, filter_value: int, elements: Elements) -> bytes:
    """A tag's bank with exactly the elements of `scheme`; a dated one needs one date as well."""
    values = dict(elements)
    if scheme.name == "sgln+":
        values.setdefault("254", "0")
    bits = BitWriter()
    bits.number(scheme.header, 8)
    bits.number(0, 1)
    bits.number(filter_value, 3, "filter")
    if scheme.dated:
        _write_date(bits, values)
    for ai in scheme.ais:
        if ai not in values:
            raise MalformedError(f"{scheme.name} needs ({ai})")
        _write_key(bits, ai, values.pop(ai))
    if values:
        raise MalformedError(f"{scheme.name} has no room for ({next(iter(values))})")
    return bits.words()


def _read_key(bits: BitReader, ai: str) -> str:
    return _checked(ai, "".join(field.read(bits) for field in _KEYS[ai]))


def _write_key(bits: BitWriter, ai: str, value: str) -> None:
    rest = _checked(ai, value)
    for field in _KEYS[ai]:
        rest = field.write(bits, rest)
    if rest:
        raise MalformedError(f"({ai}) is too long")


def _checked(ai: str, value: str) -> str:
    digits = _CHECKED_DIGITS.get(ai)
    if digits is not None and not has_valid_check_digit(value[:digits]):
        raise MalformedError(f"check digit of ({ai})")
    if ai == "8003" and value[0] != "0":
        raise MalformedError("(8003) must begin with 0")
    if ai in ("8004", "8010") and not value[:_COMPANY_DIGITS_MIN].isdigit():
        raise MalformedError(f"({ai}) must begin with a company prefix")
    allowed = COMPONENT if ai == "8010" else ENCODABLE
    if not allowed.issuperset(value):
        raise MalformedError(f"({ai}) holds characters it may not")
    return value


def _read_date(bits: BitReader) -> Elements:
    kind = bits.number(4)
    if kind >= len(_DATE_AIS):
        raise MalformedError("reserved date type")
    return ((_DATE_AIS[kind], Date().read(bits)),)


def _write_date(bits: BitWriter, values: dict[str, str]) -> None:
    found = [ai for ai in _DATE_AIS if ai in values]
    if len(found) != 1:
        raise MalformedError("needs exactly one date")
    bits.number(_DATE_AIS.index(found[0]), 4)
    Date().write(bits, values.pop(found[0]))


def _read_following(bits: BitReader, seen: set[str]) -> Elements:
    """All that follows, or nothing of it: half an understanding may be a wrong one."""
    elements: Elements = ()
    try:
        while bits.left >= 8 and (ai := _read_ai(bits)):
            if ai in seen:
                raise MalformedError(f"({ai}) twice")
            seen.add(ai)
            elements += ((ai, _FOLLOWING[ai].read(bits)),)
        bits.zeros(bits.left, "padding")
    except MalformedError:
        return ()
    return elements


def _read_ai(bits: BitReader) -> str:
    """The next application identifier; empty where only padding is left."""
    ai = Digits(2).read(bits)
    if ai == "00" and bits.left <= _FOLLOWING_PADDING_BITS_MAX:
        return ""
    while ai not in _FOLLOWING:
        if len(ai) == 4:
            raise MalformedError("an application identifier that isn't understood")
        ai += Digits(1).read(bits)
    return ai
