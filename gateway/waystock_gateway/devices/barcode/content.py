"""From the characters of one frame to a scan: encoding, AIM identifier, GS1 content, check digits.
Pure. Upstream: `framing` and `ssi` cut frames out of the byte stream. Downstream: `decoder`.

A doubtful code travels on with its marks; only what holds no code at all is refused.
"""

from collections.abc import Sequence

from waystock.contract.events import Elements, Quality
from waystock_gateway.check_digit import has_valid_check_digit
from waystock_gateway.devices.barcode.aim import Identified, identify
from waystock_gateway.devices.barcode.gs1 import (
    GS,
    Gs1Content,
    is_compressed_link,
    parse_digital_link,
    parse_message,
    parse_printed,
)
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.readings import BarcodeFormat, Scan

_GTIN_LENGTHS = (8, 12, 13, 14)
_COMPOSITE_MARK = "|]e0"
_KEY_AIS = frozenset({"00", "01", "02", "414", "415", "8003", "8004", "8006"})
"""What a code without AIM identifier must hold before it is believed to be GS1."""

_NO_READ_FRAME = "<>*#[](){}!-_. "
"""What scanners put around the word they send when they saw no code."""
_LONG_WORD = 5
_GTIN_PAIR_LENGTHS = (24, 26, 28)
"""Two GTINs of equal length that ran into one another."""

Content = tuple[BarcodeFormat, Elements, tuple[Quality, ...]]


def refusal(frame: bytes, settings: BarcodeSettings) -> str | None:
    """Why `frame` holds no code at all, or None if it may."""
    text = frame.decode("latin-1").strip()
    if not text:
        return "empty"
    if _says_no_read(identify(text).data, settings.no_read):
        return "no_read"
    if "\x00" in text:
        return "nul_byte"
    return None


def _says_no_read(code: str, words: Sequence[str]) -> bool:
    """One of the words, in brackets or alone; of a long one the case does not matter, a short one
    in another case may be a code."""
    framed = len(code) > 2 and code[0] in _NO_READ_FRAME and code[-1] in _NO_READ_FRAME
    said = code.strip(_NO_READ_FRAME) if framed else code
    if not said.strip("?"):
        return bool(said)
    return said in words or (
        len(said) >= _LONG_WORD and said.casefold() in {word.casefold() for word in words}
    )


def read_frame(frame: bytes, settings: BarcodeSettings) -> Scan:
    """The scan that `frame` (one code, framing and terminator cut off) means."""
    text, encoding_marks = _decode(frame, settings)
    identified = identify(text)
    separated = identified._replace(data=_with_separators(identified, settings.gs_substitute))
    barcode_format, elements, marks = _interpret(separated, settings.gs_kept)
    data = separated.data if barcode_format == "gs1" else identified.data
    if not identified.known:
        marks = (*marks, "unknown_aim")
    return Scan(
        aim=identified.aim,
        format=barcode_format,
        data=data,
        elements=elements,
        quality=(*encoding_marks, *marks),
        raw=frame,
    )


def _with_separators(identified: Identified, substitute: str) -> str:
    """The data with GS where the scanner sends something else; addresses keep what they hold, and
    so does the mark between the two halves of a composite."""
    data = identified.data
    if not substitute or identified.promise in ("link", "any") or _is_link(data):
        return data
    return data.replace(substitute, GS).replace(f"{GS}]e0", _COMPOSITE_MARK)


def _decode(frame: bytes, settings: BarcodeSettings) -> tuple[str, tuple[Quality, ...]]:
    encoding = "utf-8" if settings.encoding == "auto" else settings.encoding
    try:
        return frame.decode(encoding), ()
    except UnicodeDecodeError:
        return frame.decode("latin-1"), ("bad_encoding",)


def _interpret(identified: Identified, gs_kept: bool) -> Content:
    data = identified.data
    match identified.promise:
        case "gs1":
            content = parse_printed(data) or parse_message(data, separator_kept=gs_kept)
            return "gs1", content.elements, content.quality
        case "ean" | "ean_addon" | "ean8" if _COMPOSITE_MARK in data:
            return _composite(data, gs_kept)
        case "ean":
            return _ean(data, 13)
        case "ean_addon":
            return _ean(data[:13], 13)
        case "ean8":
            return _ean(data, 8)
        case "itf_checked":
            return _itf(data)
        case "link":
            return _link_or_text(data)
        case "any":
            return ("text", (), ())
        case "none":
            return _unidentified(data, gs_kept)


def _ean(data: str, length: int) -> Content:
    if _is_digits(data) and len(data) == length:
        return _gtin(data)
    return "text", (), ("truncated",) if len(data) < length else ("gs1_error",)


def _itf(data: str) -> Content:
    """Interleaved 2 of 5 holds digits in pairs: an odd number has lost one."""
    if _is_digits(data) and len(data) == 14:
        return _gtin(data)
    return "text", (), ("truncated",) if len(data) % 2 else ()


def _gtin(digits: str) -> Content:
    marks: tuple[Quality, ...] = () if has_valid_check_digit(digits) else ("check_digit",)
    return "gtin", (("01", digits.zfill(14)),), marks


def _composite(data: str, gs_kept: bool) -> Content:
    """An EAN/UPC with a GS1 composite component beside it: `9501101530003|]e01725…`."""
    linear, _, component = data.partition(_COMPOSITE_MARK)
    _, elements, marks = _ean(linear, 8 if len(linear) == 8 else 13)
    content = parse_message(component, separator_kept=gs_kept)
    return "gs1", (*elements, *content.elements), (*marks, *content.quality)


def _link_or_text(data: str) -> Content:
    content = parse_digital_link(data) if _is_link(data) else None
    if content is None:
        return "text", (), ("gs1_error",) if is_compressed_link(data) else ()
    return "digital_link", content.elements, content.quality


def _is_link(data: str) -> bool:
    return data.lower().startswith(("http://", "https://"))


def _unidentified(data: str, gs_kept: bool) -> Content:
    """No identifier: believe what proves itself by length, syntax and check digits, else text."""
    if _is_digits(data) and len(data) in _GTIN_LENGTHS:
        return _gtin(data)
    if _is_gtin_pair(data):
        return "text", (), ("gs1_error",)
    content = parse_printed(data) or parse_message(data, separator_kept=gs_kept)
    if _is_convincing(content) or data.startswith(GS):
        return "gs1", content.elements, content.quality
    return _link_or_text(data)


def _is_gtin_pair(data: str) -> bool:
    if not _is_digits(data) or len(data) not in _GTIN_PAIR_LENGTHS:
        return False
    half = len(data) // 2
    return all(has_valid_check_digit(part) for part in (data[:half], data[half:]))


def _is_convincing(content: Gs1Content) -> bool:
    """A key that begins the code with its right check digit; or, in a code that is nothing but one
    trade item or logistic unit, with a wrong one, which is then marked."""
    if "gs1_error" in content.quality or not any(ai in _KEY_AIS for ai, _ in content.elements):
        return False
    is_one_key = len(content.elements) == 1 and content.elements[0][0] in ("00", "01")
    return "check_digit" not in content.quality or is_one_key


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
