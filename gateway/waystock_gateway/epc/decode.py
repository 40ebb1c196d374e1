"""An EPC memory bank as URIs, Digital Link and GS1 elements (GS1 EPC Tag Data Standard). Pure.
Upstream: the RFID sessions and the `decode` command. A tag that is no GS1 tag, or only pretends to
be one, is `raw`.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from waystock_gateway.epc.bits import BitReader, MalformedError
from waystock_gateway.epc.characters import escape_uri
from waystock_gateway.epc.plus import PLUS_SCHEMES, PlusScheme, read_plus
from waystock_gateway.epc.schemes import SCHEMES, Elements, Scheme

CACHED_EPCS_MAX = 4096
"""A portal hears the same tags thousands of times."""
_DIGITAL_LINK = "https://id.gs1.org"
_QUALIFIERS: dict[str, tuple[str, ...]] = {
    "01": ("22", "10", "21"),
    "8006": ("22", "10", "21"),
    "414": ("254",),
    "8010": ("8011",),
}
"""What belongs into the path behind a key, in this order (GS1 Digital Link URI Syntax, section
4.9); all else goes into the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epc:
    """One tag's identity; `fault` says why a tag with a GS1 header is `raw` all the same.

    A "+" scheme has no tag URI or pure identity of its own (the tag doesn't say how long the
    company prefix is): its `tag_uri` is the raw one, its `epc_uri` None.
    """

    scheme: str
    tag_uri: str
    epc_uri: str | None = None
    digital_link: str | None = None
    elements: Elements = ()
    filter: int | None = None
    fault: str | None = None


@lru_cache(maxsize=CACHED_EPCS_MAX)
def decode_epc(epc_hex: str) -> Epc:
    """`epc_hex`: the EPC bank as read, whole words, hex. ValueError if it isn't hex."""
    bank = bytes.fromhex(epc_hex)
    header = bank[0] if bank else -1
    try:
        if header in SCHEMES:
            return _decode(bank, SCHEMES[header])
        if header in PLUS_SCHEMES:
            return _decode_plus(bank, PLUS_SCHEMES[header])
    except MalformedError as error:
        return _raw(bank, str(error))
    return _raw(bank, None)


def _decode(bank: bytes, scheme: Scheme) -> Epc:
    bits = BitReader(bank[1:])
    filter_value = bits.number(scheme.filter_bits) if scheme.filter_bits else None
    parts = [part for field in scheme.fields for part in field.read(bits)]
    if bits.left >= 16:
        raise MalformedError(f"{len(bank) * 8} bits are more than {scheme.name} has")
    bits.zeros(bits.left, "padding")
    elements = scheme.elements(*parts)
    path = ".".join(map(escape_uri, parts))
    filtered = path if filter_value is None else f"{filter_value}.{path}"
    return Epc(
        scheme=scheme.name,
        tag_uri=f"urn:epc:tag:{scheme.name}:{filtered}",
        epc_uri=f"urn:epc:id:{scheme.urn}:{path}",
        digital_link=_digital_link(elements) if elements else None,
        elements=elements,
        filter=filter_value,
    )


def _decode_plus(bank: bytes, scheme: PlusScheme) -> Epc:
    filter_value, elements = read_plus(BitReader(bank[1:]), scheme)
    return Epc(
        scheme=scheme.name,
        tag_uri=_raw_uri(bank),
        digital_link=_digital_link(elements),
        elements=elements,
        filter=filter_value,
    )


def _digital_link(elements: Elements) -> str:
    values = dict(elements)
    key = elements[0][0]
    path = [key, *(ai for ai in _QUALIFIERS.get(key, ()) if ai in values)]
    uri = "/".join((_DIGITAL_LINK, *(f"{ai}/{quote(values[ai], safe='')}" for ai in path)))
    query = "&".join(f"{ai}={quote(v, safe='')}" for ai, v in elements if ai not in path)
    return f"{uri}?{query}" if query else uri


def _raw(bank: bytes, fault: str | None) -> Epc:
    return Epc(scheme="raw", tag_uri=_raw_uri(bank), fault=fault)


def _raw_uri(bank: bytes) -> str:
    return f"urn:epc:raw:{len(bank) * 8}.x{bank.hex().upper()}"
