"""Writes an EPC memory bank: the inverse of `decode`. Pure. Upstream: whoever commissions or checks
tags.
"""

from waystock_gateway.epc.bits import BitWriter, MalformedError
from waystock_gateway.epc.characters import unescape_uri
from waystock_gateway.epc.fields import Integer
from waystock_gateway.epc.plus import PLUS_SCHEMES_BY_NAME, write_plus
from waystock_gateway.epc.schemes import SCHEMES_BY_NAME, Elements, Scheme

_TAG_URI = "urn:epc:tag:"


def encode_tag_uri(tag_uri: str) -> str:
    """The bank of a classic tag as upper-case hex, whole words. MalformedError (a ValueError) says
    which part of the URI can't be on such a tag."""
    name, _, rest = tag_uri.removeprefix(_TAG_URI).partition(":")
    scheme = SCHEMES_BY_NAME.get(name)
    if scheme is None or not tag_uri.startswith(_TAG_URI):
        raise MalformedError(f"{tag_uri!r} is no tag URI of a known scheme")
    bits = BitWriter()
    bits.number(scheme.header, 8)
    components = _components(rest, scheme)
    if scheme.filter_bits:
        Integer(scheme.filter_bits, what="filter").write(bits, components.pop(0))
    parts = [unescape_uri(component) for component in components]
    for field in scheme.fields:
        field.write(bits, *parts[: field.parts])
        del parts[: field.parts]
    return bits.words().hex().upper()


def encode_elements(scheme_name: str, filter_value: int, elements: Elements) -> str:
    """The bank of a "+" tag as upper-case hex, whole words; `elements` are exactly the scheme's.
    MalformedError (a ValueError) says what can't be on such a tag."""
    scheme = PLUS_SCHEMES_BY_NAME.get(scheme_name)
    if scheme is None:
        raise MalformedError(f"{scheme_name!r} is no + scheme")
    return write_plus(scheme, filter_value, elements).hex().upper()


def _components(rest: str, scheme: Scheme) -> list[str]:
    """The last one may hold dots of its own, as serial numbers do."""
    count = scheme.parts + (1 if scheme.filter_bits else 0)
    components = rest.split(".", count - 1)
    if len(components) != count:
        raise MalformedError(f"{scheme.name} has {count} parts")
    return components
