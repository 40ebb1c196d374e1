"""GS1 element strings as read by a scanner, with the doubts that field defects leave: a check
digit that fails, a separator that was lost on the way. Upstream: `content`. The syntax of each
application identifier is biip's; the rules for doubt are ours (GS1 General Specifications, section
7.8).
"""

import re
from dataclasses import dataclass

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString

from waystock.contract.events import Quality
from waystock_gateway.check_digit import has_valid_check_digit

GS = "\x1d"

_CHECKED_DIGITS = {
    "00": 18,
    "01": 14,
    "02": 14,
    "03": 14,
    "253": 13,
    "255": 13,
    "402": 17,
    "410": 13,
    "411": 13,
    "412": 13,
    "413": 13,
    "414": 13,
    "415": 13,
    "416": 13,
    "417": 13,
    "8003": 14,
    "8006": 14,
    "8017": 18,
    "8018": 18,
    "8026": 14,
}
"""Application identifiers whose first n digits end in a mod-10 check digit."""

_GLUED_AIS = ("10", "21", "11", "13", "15", "17", "310", "37", "400", *(f"41{n}" for n in range(8)))
_GLUED_TO = frozenset({"10", "21", "37"})
"""What stands before a lost separator on real labels, and what comes after it: a lot, serial or
count whose end can be read as one of `_GLUED_AIS` may have swallowed it."""
_PRINTED_AI = re.compile(r"\(([0-9]{2,4})\)")
_GS1_ADDRESS = re.compile(r"https?://id\.gs1\.org/[A-Za-z0-9_-]{8,}(/|\?|$)", re.IGNORECASE)
_SHORT_KEYS = {
    "gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "party": "417",
    "gsrnp": "8017", "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "giai": "8004",
    "grai": "8003",
}  # fmt: skip
_SHORT_NAMES = _SHORT_KEYS | {
    "cpv": "22", "lot": "10", "ser": "21", "cpsn": "8011", "glnx": "254", "refno": "8020",
    "srin": "8019",
}  # fmt: skip
"""GS1 Digital Link 1.1, section 4.3: names in the path instead of application identifiers."""


@dataclass(frozen=True, slots=True)
class Gs1Content:
    """Element strings in the order read; `quality` says what is doubtful about them."""

    elements: tuple[tuple[str, str], ...]
    quality: tuple[Quality, ...]


def parse_message(message: str, *, separator_kept: bool) -> Gs1Content:
    """The element strings of `message` (AIs and data, FNC1 as GS, no AIM identifier).

    The same AI twice means that two codes ran into one another. With `gs1_error` nothing in the
    message is trusted and `elements` is empty; with `ambiguous_gs1` they are what the standard
    says the characters mean, though a separator may have been lost.
    """
    found: list[GS1ElementString] = []
    rest = message.strip(GS)
    if not rest:
        return Gs1Content((), ("gs1_error",))
    while rest:
        try:
            element = _extract(rest)
        except ParseError:
            return _broken(found, message)
        found.append(element)
        rest = rest[len(element) :]
        if rest and element.ai.separator_required and not rest.startswith(GS):
            return Gs1Content(_pairs(found[:-1]), ("ambiguous_gs1",))
        rest = rest.lstrip(GS)
    if len({element.ai.ai for element in found}) < len(found):
        return Gs1Content((), ("gs1_error",))
    quality = _check_marks(found)
    if not separator_kept and GS not in message and _may_be_glued(found):
        quality = (*quality, "ambiguous_gs1")
    return Gs1Content(_pairs(found), quality)


def parse_printed(text: str) -> Gs1Content | None:
    """The element strings of the form that is printed below a code, `(01)…(10)…`, or None if
    `text` is something else. A value that holds such brackets itself makes it `ambiguous_gs1`."""
    parts = _PRINTED_AI.split(text)
    if len(parts) < 3 or parts[0]:
        return None
    found: list[GS1ElementString] = []
    for ai, value in zip(parts[1::2], parts[2::2], strict=True):
        try:
            element = _extract(ai + value)
        except ParseError:
            return Gs1Content((), ("gs1_error",))
        if element.ai.ai != ai or len(element) != len(ai) + len(value):
            return Gs1Content((), ("gs1_error",))
        found.append(element)
    if len({element.ai.ai for element in found}) < len(found):
        return Gs1Content((), ("gs1_error",))
    quality = _check_marks(found)
    if any("(" in value for value in parts[2::2]):
        quality = (*quality, "ambiguous_gs1")
    return Gs1Content(_pairs(found), quality)


def parse_digital_link(uri: str) -> Gs1Content | None:
    """The element strings of a GS1 Digital Link URI, or None if `uri` is some other text. The
    short names of version 1.1 (`/gtin/…/lot/…`) are understood beside the numbers."""
    for spelling in dict.fromkeys((uri, _with_numbers(uri))):
        try:
            found = list(GS1DigitalLinkURI.parse(spelling).element_strings)
        except (ParseError, ValueError):
            continue
        if not all(map(_is_stated, found)):
            return Gs1Content((), ("gs1_error",))
        return Gs1Content(_pairs(found), _check_marks(found))
    return None


def is_compressed_link(uri: str) -> bool:
    """Whether `uri` is a GS1 address of which the path can't be read as it stands: compressed, or
    damaged."""
    return _GS1_ADDRESS.match(uri) is not None


def _with_numbers(uri: str) -> str:
    address, mark, query = uri.partition("?")
    segments = address.split("/")
    names = [i for i, segment in enumerate(segments) if segment in _SHORT_KEYS]
    if not names:
        return uri
    for i in range(names[0], len(segments), 2):
        segments[i] = _SHORT_NAMES.get(segments[i], segments[i])
    return "/".join(segments) + mark + query


def _extract(text: str) -> GS1ElementString:
    """The element string that `text` begins with; ParseError where there is none, or one that says
    nothing: biip lets an empty count pass, and the digits of other scripts."""
    element = GS1ElementString.extract(text)
    if not _is_stated(element):
        raise ParseError(f"({element.ai.ai}) holds no value of the GS1 character set")
    return element


def _is_stated(element: GS1ElementString) -> bool:
    return bool(element.value) and element.value.isascii()


def _broken(found: list[GS1ElementString], message: str) -> Gs1Content:
    lost_separator = GS not in message and any(e.ai.separator_required for e in found)
    return Gs1Content((), ("gs1_error", "ambiguous_gs1") if lost_separator else ("gs1_error",))


def _check_marks(found: list[GS1ElementString]) -> tuple[Quality, ...]:
    if any(_check_digit_fails(element) for element in found):
        return ("check_digit",)
    if any(e.gtin_error or e.sscc_error or e.gln_error for e in found):
        return ("gs1_error",)
    return ()


def _check_digit_fails(element: GS1ElementString) -> bool:
    checked = _CHECKED_DIGITS.get(element.ai.ai)
    return checked is not None and not has_valid_check_digit(element.value[:checked])


def _may_be_glued(found: list[GS1ElementString]) -> bool:
    """Whether the last value can also be read as a shorter value and more element strings."""
    if not found or found[-1].ai.ai not in _GLUED_TO:
        return False
    seen = {element.ai.ai for element in found}
    value = found[-1].value
    return any(_reads_as_elements(value[i:], seen) for i in range(1, len(value) - 1))


def _reads_as_elements(tail: str, seen: set[str]) -> bool:
    if not tail.startswith(_GLUED_AIS):
        return False
    while tail:
        try:
            element = _extract(tail)
        except ParseError:
            return False
        ai = element.ai.ai
        if ai in seen or (ai == "37" and "02" not in seen) or _check_digit_fails(element):
            return False
        tail = tail[len(element) :]
    return True


def _pairs(found: list[GS1ElementString]) -> tuple[tuple[str, str], ...]:
    return tuple((element.ai.ai, element.value) for element in found)
