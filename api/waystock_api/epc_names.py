"""What people call a tag, brought to what the store knows it by: the tag's hex, or the Digital Link
that a gateway writes beside each GS1 tag. Pure. Upstream: the question where an EPC was. Sources:
GS1 EPC Tag Data Standard (URNs), GS1 Digital Link URI Syntax (paths).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

DIGITAL_LINK = "https://id.gs1.org"
"""Gateways write links with this host; the identity is in the path alone."""
RIGHT = "give the tag's hex, an SGTIN or SSCC as urn:epc:…, a GS1 Digital Link, or 18 digits"
KEY_DIGITS = {"00": 18, "01": 14}
QUALIFIERS = {"01": "21", "414": "254"}
"""Primary keys that a tag extends, and by what; lots and the like are not on tags."""
OTHER_KEYS = frozenset({"253", "255", "414", "8003", "8004", "8017", "8018"})
_HEX = re.compile(r"(?:[0-9A-Fa-f]{4}){1,31}")
_URN = re.compile(r"urn:epc:(id|tag|raw):([a-z0-9-]+)[:.](.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EpcName:
    """One of the two is set."""

    hex: str | None = None
    digital_link: str | None = None


def read_epc_name(text: str) -> EpcName:
    """Raises ValueError saying what is wrong and what would be right."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{18}", text):
        return EpcName(digital_link=_link((("00", _checked(text, 18)),)))
    if _HEX.fullmatch(text):
        return EpcName(hex=text.upper())
    if text.lower().startswith("urn:epc:"):
        return _read_urn(text)
    if re.match(r"https?://", text, re.IGNORECASE):
        return EpcName(digital_link=_read_link(text))
    raise ValueError(f"{text!r} is no name of a tag: {RIGHT}")


def _read_urn(text: str) -> EpcName:
    match = _URN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no EPC URN: {RIGHT}")
    form, scheme, body = match[1].lower(), match[2].lower(), match[3]
    if form == "raw":
        digits = body.lower().removeprefix("x")
        if not _HEX.fullmatch(digits):
            raise ValueError(f"{text!r} holds no hex of whole words, as in urn:epc:raw:96.x30…")
        return EpcName(hex=digits.upper())
    parts = body.split(".")
    if form == "tag":
        scheme, parts = scheme.rsplit("-", 1)[0], parts[1:]  # the first part is the filter value
    if scheme == "sgtin" and len(parts) >= 3:
        company, reference, serial = parts[0], parts[1], unquote(".".join(parts[2:]))
        gtin = _from_company(company, reference, 13)
        return EpcName(digital_link=_link((("01", gtin), ("21", serial))))
    if scheme == "sscc" and len(parts) == 2:
        return EpcName(digital_link=_link((("00", _from_company(parts[0], parts[1], 17)),)))
    raise ValueError(f"{text!r} is no SGTIN or SSCC: for other tags give their hex or Digital Link")


def _from_company(company: str, reference: str, digits: int) -> str:
    """TDS 7: the reference's first digit goes before the company prefix, the check digit last."""
    body = reference[:1] + company + reference[1:]
    if not re.fullmatch(r"[0-9]+", body) or len(body) != digits or not 6 <= len(company) <= 12:
        raise ValueError(
            f"{company}.{reference}: company prefix and reference must be {digits} digits in all"
        )
    return body + _check_digit(body)


def _read_link(text: str) -> str:
    path = re.split(r"[?#]", text, maxsplit=1)[0].split("/")[3:]  # after the scheme and the host
    segments = [unquote(segment) for segment in path if segment]
    for at, key in enumerate(segments[:-1]):
        value = segments[at + 1]
        if key in KEY_DIGITS and value.isascii() and value.isdigit():
            return _link(_with_qualifier(key, _checked(value, KEY_DIGITS[key]), segments[at + 2 :]))
        if key in OTHER_KEYS:
            return _link(_with_qualifier(key, value, segments[at + 2 :]))
    raise ValueError(f"{text!r} holds no GS1 key, as in {DIGITAL_LINK}/01/09501101530003/21/7")


def _with_qualifier(key: str, value: str, rest: list[str]) -> list[tuple[str, str]]:
    elements = [(key, value)]
    pairs = dict(zip(rest[::2], rest[1::2], strict=False))
    qualifier = QUALIFIERS.get(key)
    if qualifier in pairs:
        elements.append((qualifier, pairs[qualifier]))
    elif key == "01":
        raise ValueError(
            f"a product number alone is on no tag: add its serial, as in /01/{value}/21/7"
        )
    return elements


def _checked(digits: str, length: int) -> str:
    """Padded to `length`; ValueError where the check digit is wrong."""
    padded = digits.zfill(length)
    right = padded[:-1] + _check_digit(padded[:-1])
    if len(padded) != length or padded != right:
        raise ValueError(
            f"{digits} has {len(digits)} digits or a check digit that is wrong: {RIGHT}"
        )
    return padded


def _check_digit(body: str) -> str:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(reversed(body)))
    return str(-total % 10)


def _link(elements: Iterable[tuple[str, str]]) -> str:
    return "/".join((DIGITAL_LINK, *(f"{ai}/{quote(value, safe='')}" for ai, value in elements)))
