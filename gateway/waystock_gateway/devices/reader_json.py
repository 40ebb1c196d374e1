"""What the RFID readers that publish JSON have in common: messages that come alone, in arrays or
one a line; tags named in hex. Pure. Upstream: the MQTT source and the `decode` command. Used by the
decoders of `zebra_fx`, `rfd40` and `impinj`.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, cast

import msgspec

from waystock.contract.reading import read
from waystock_gateway.readings import InputChange, Reading, Reject, TagRead

PAYLOAD_BYTES_MAX = 262_144
RAW_BYTES_MAX = 512
_EPC_BYTES_MAX = 62

Message = dict[str, Any]
Found = TagRead | InputChange
FoundIn = Callable[[Message], Iterator["Found | UnusableError"]]
"""A kind's reading of one message."""

_any_json: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_array = msgspec.json.Decoder(list[msgspec.Raw])


class UnusableError(ValueError):
    """The message is the reject's reason."""


def decode_payload(payload: bytes, found_in: FoundIn) -> list[Reading]:
    """One payload's tags and changes of inputs, and a reject for each message or tag in it that
    can't be used."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        return [Reject(reason="too_long", at=0, raw=payload[:RAW_BYTES_MAX])]
    readings: list[Reading] = []
    for message in _messages(payload):
        raw = message[:RAW_BYTES_MAX]  # one for all: thousands of bad tags keep it only once
        for found in _found(message, found_in):
            if isinstance(found, UnusableError):
                found = Reject(reason=str(found), at=0, raw=raw)
            readings.append(found)
    return readings


def _found(text: bytes, found_in: FoundIn) -> Iterator[Found | UnusableError]:
    try:
        message = read(_any_json, text)
        if not isinstance(message, dict):
            raise UnusableError("not_an_object")
        yield from found_in(cast("Message", message))
    except msgspec.DecodeError:
        yield UnusableError("not_json")
    except UnusableError as error:
        yield error


def epc_of(value: Any) -> str:
    """Upper-case hex of whole words, or UnusableError."""
    try:
        epc = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        epc = b""
    return checked_epc(epc)


def checked_epc(epc: bytes) -> str:
    """Upper-case hex of a bank that a tag can have, or UnusableError."""
    if not 2 <= len(epc) <= _EPC_BYTES_MAX or len(epc) % 2:
        raise UnusableError("no_epc")
    return epc.hex().upper()


def number_of(value: Any, low: float, high: float) -> float | None:
    """A plain number within its bounds; anything else is left out."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value)


def antenna_of(value: Any) -> int | None:
    """An antenna's number from 1 on."""
    number = number_of(value, 0, 255)
    return None if number is None or number != int(number) else int(number)


def reader_s_of(value: Any) -> float | None:
    """Seconds since 1970 by the reader's clock; None where it says nothing usable. ISO 8601."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        return None


def input_change_of(pin: Any, is_high: bool | None, reader_s: float | None) -> InputChange:
    """UnusableError where the pin or its level is missing."""
    number = number_of(pin, 1, 255)
    if number is None or number != int(number) or is_high is None:
        raise UnusableError("no_input")
    return InputChange(pin=int(number), is_high=is_high, reader_s=reader_s)


def table_of(message: Message, name: str) -> Message:
    """The object `name`, or UnusableError."""
    value = message.get(name)
    if not isinstance(value, dict):
        raise UnusableError(f"no_{name}")
    return cast("Message", value)


def _messages(payload: bytes) -> Iterator[bytes]:
    """A payload is one message or an array of them, or has one of these a line."""
    lines = [line for line in payload.splitlines() if line.strip()]
    for text in lines if lines and not _is_json(payload) else [payload]:
        try:
            yield from map(bytes, read(_array, text))
        except msgspec.DecodeError:
            yield text


def _is_json(text: bytes) -> bool:
    try:
        read(_any_json, text)
    except msgspec.DecodeError:
        return False
    return True
