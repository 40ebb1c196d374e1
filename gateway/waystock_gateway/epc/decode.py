"""An EPC memory bank as URIs, Digital Link and GS1 elements (GS1 EPC Tag Data Standard). Pure.
Upstream: the RFID sessions and the `decode` command. A tag that is no GS1 tag, or only pretends to
be one, is `raw`.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from waystock_gateway.epc.bits import BitReader, MalformedError
from waystock_gateway.epc.schemes import PARTITIONS, SCHEMES, Elements, Identity, Scheme

CACHED_EPCS_MAX = 4096
"""A portal hears the same tags thousands of times."""
_DIGITAL_LINK = "https://id.gs1.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Epc:
    """One tag's identity; `fault` says why a tag with a GS1 header is `raw` all the same."""

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
    scheme = SCHEMES.get(bank[0]) if bank else None
    if scheme is None:
        return _raw(bank, None)
    try:
        return _decode(bank, scheme)
    except MalformedError as error:
        return _raw(bank, str(error))


def _decode(bank: bytes, scheme: Scheme) -> Epc:
    word_bits = -(-scheme.bits // 16) * 16
    if len(bank) * 8 != word_bits:
        raise MalformedError(f"{len(bank) * 8} bits where {scheme.name} has {word_bits}")
    if int.from_bytes(bank, "big") & ((1 << (word_bits - scheme.bits)) - 1):
        raise MalformedError("padding not zero")
    bits = BitReader(bank, scheme.bits)
    bits.number(8)
    filter_value = bits.number(3)
    partition = bits.number(3)
    if partition >= PARTITIONS:
        raise MalformedError("partition 7 does not exist")
    identity = scheme.read(bits, partition)
    path = ".".join(identity.uri_parts)
    return Epc(
        scheme=scheme.name,
        tag_uri=f"urn:epc:tag:{scheme.name}:{filter_value}.{path}",
        epc_uri=f"urn:epc:id:{scheme.urn}:{path}",
        digital_link=_digital_link(identity),
        elements=identity.elements,
        filter=filter_value,
    )


def _digital_link(identity: Identity) -> str:
    segments = (f"{ai}/{quote(value, safe='')}" for ai, value in identity.elements)
    return "/".join((_DIGITAL_LINK, *segments))


def _raw(bank: bytes, fault: str | None) -> Epc:
    return Epc(
        scheme="raw",
        tag_uri=f"urn:epc:raw:{len(bank) * 8}.x{bank.hex().upper()}",
        fault=fault,
    )
