"""What must hold of everything a decoder gives, whatever it was fed. Each check raises `Broken`.
Upstream: `trial`. The ranges are those that the contract and the store's columns can hold, and
beyond which a figure of a vehicle, a tag or a receiver can't be true.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from waystock.contract.events import Barcode, Event, Rfid, decode_event, encode_event
from waystock.contract.identifiers import iso_utc
from waystock_firmware_sim.protocol.gs1 import check_digit
from waystock_gateway.epc.encode import encode_tag_uri
from waystock_gateway.epc.schemes import SCHEMES_BY_NAME
from waystock_gateway.readings import Answer, Decoded, Fix, Reject, Scan

RAW_BYTES_MAX = 512
"""How much of a refused stretch a reject may keep."""
RETAINED_BYTES_MAX = 100_000
"""What a decoder may hold after whatever it was fed."""
_REASON = re.compile(r"[a-zA-Z][a-zA-Z_]{2,40}")
_LITERAL_REASONS = {"garbage", "checksum", "truncated", "too_long", "no_checksum", "no_end"}
"""Rejects that hold the very bytes that were refused."""
_PREFIX_BYTES_MAX = 8
_RANGES = {
    "lat": (-90, 90),
    "lon": (-180, 180),
    "speed_mps": (0, 1e4),
    "course_deg_true": (0, 360),
    "altitude_m": (-1e4, 1e5),
    "accuracy_m": (0, 1e6),
    "hdop": (0, 1e3),
    "satellites": (0, 255),
    "antenna": (0, 255),
    "rssi_dbm": (-128, 127),
    "reads": (1, 1e9),
    "filter": (0, 63),
}
_CHECKED = {"00": 18, "01": 14, "02": 14, "414": 13}
"""Keys whose last digit proves them."""


class Broken(Exception):
    """A decoder does what none may; `rule` names which promise."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule
        self.burst = 0
        """Number of the burst that showed it."""


def check_decoded(found: Sequence[Decoded], stream: bytes, new_bytes: int) -> None:
    """`stream`: all bytes so far, the last `new_bytes` of which led to `found`."""
    _check_amount(found, new_bytes)
    for item in found:
        if isinstance(item, Reject):
            _check_reject(item, stream)
        elif isinstance(item, Fix) and not 0 <= item.at <= len(stream):
            raise Broken("place", f"a fix at byte {item.at} of {len(stream)}")
        elif isinstance(item, Answer) and not 0 < len(item.data) <= 64:
            raise Broken("amount", f"an answer of {len(item.data)} bytes")


def _check_amount(found: Sequence[Decoded], new_bytes: int) -> None:
    """A reading takes bytes of its own; a text that many rejects share counts once."""
    if len(found) > 2 * new_bytes + 8:
        raise Broken("amount", f"{len(found)} readings of {new_bytes} bytes")
    kept = {id(item.raw): len(item.raw) for item in found if isinstance(item, Reject | Scan | Fix)}
    if sum(kept.values()) > 8 * new_bytes + 64 * RAW_BYTES_MAX:
        raise Broken("amount", f"{sum(kept.values())} bytes kept of {new_bytes}")


def _check_reject(reject: Reject, stream: bytes) -> None:
    if _REASON.fullmatch(reject.reason) is None:
        raise Broken("reason", f"{reject.reason!r} is no reason that can be counted")
    if len(reject.raw) > RAW_BYTES_MAX:
        raise Broken("amount", f"a reject ({reject.reason}) keeps {len(reject.raw)} bytes")
    if not 0 <= reject.at <= len(stream):
        raise Broken("place", f"a reject ({reject.reason}) at byte {reject.at} of {len(stream)}")
    window = stream[reject.at : reject.at + len(reject.raw) + _PREFIX_BYTES_MAX]
    if reject.reason in _LITERAL_REASONS and reject.raw not in window:
        raise Broken("place", f"a reject ({reject.reason}) whose bytes don't stand at {reject.at}")


def check_event(event: Event) -> None:
    """It crosses the wire unchanged, and what it says can be true."""
    try:
        received = decode_event(encode_event(event))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Broken("contract", f"{error}: {event}") from error
    if received != event:
        raise Broken("contract", f"{event} arrives as {received}")
    _check_numbers(event)
    for text in _texts(msgspec.structs.asdict(event)):
        if "\x00" in text:
            raise Broken("text", f"a NUL, which no database takes, in {text!r}")
    for instant in (event.time, event.captured_at):
        _check_instant(instant)
    if isinstance(event, Barcode):
        _check_elements(event)
    elif isinstance(event, Rfid) and event.tag_uri and event.scheme in SCHEMES_BY_NAME:
        _check_identity(event.epc, event.tag_uri)


def _check_instant(instant: datetime) -> None:
    try:
        is_same = datetime.fromisoformat(iso_utc(instant)) == instant
    except ValueError:
        is_same = False
    if not is_same:
        raise Broken("contract", f"{instant!r} is written as {iso_utc(instant)}")


def _check_numbers(event: Event) -> None:
    for name, value in msgspec.structs.asdict(event).items():
        low, high = _RANGES.get(name, (-math.inf, math.inf))
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and not low <= value <= high
        ):
            raise Broken("range", f"{name} {value}: {event}")
    values: dict[str, float] = getattr(event, "values", {})
    if not all(map(math.isfinite, values.values())):
        raise Broken("range", f"{values}")


def _check_identity(epc: str, tag_uri: str) -> None:
    """No two banks are the same tag."""
    written = encode_tag_uri(tag_uri)
    if written != epc:
        raise Broken("wrong reading", f"{epc} is {tag_uri}, which is written {written}")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _check_elements(event: Barcode) -> None:
    """Element strings are of the GS1 set, and a key that nobody doubts has its right digit."""
    for ai, value in event.elements:
        if not (
            ai.isascii() and ai.isdigit() and value and value.isascii() and value.isprintable()
        ):
            raise Broken("wrong reading", f"({ai}){value!r} of {event.data!r}")
        length = _CHECKED.get(ai)
        if length is None or event.quality:
            continue
        if len(value) != length or check_digit(value[:-1]) != value[-1]:
            raise Broken("wrong reading", f"({ai}){value!r} of {event.data!r} without a mark")
