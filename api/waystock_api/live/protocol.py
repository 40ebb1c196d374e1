"""Frames of the live protocol (waystock.contract.frames) as JSON text. What clients send is decoded
here, and what they get is put together here around bodies that were encoded once for all.
"""

from datetime import datetime

import msgspec

from waystock.contract.frames import ClientFrame
from waystock.contract.identifiers import iso_utc
from waystock.contract.reading import read

CLOSE_AUTH = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TRY_LATER = 1013
CLOSE_UNUSABLE = 1008
"""Too many messages that can't be used (RFC 6455 section 7.4.1: policy violation)."""

_decoder = msgspec.json.Decoder(ClientFrame)


def decode_frame(text: str) -> ClientFrame:
    """Raises msgspec.DecodeError, naming the spot."""
    return read(_decoder, text)


def snap_frame(subscription: int, epoch: str, seq: int, part: int, of: int, body: str) -> str:
    """One part of a snapshot; `body` is the inside of the array of entities."""
    return (
        f'{{"type":"snap","id":{subscription},"epoch":"{epoch}","seq":{seq},'
        f'"part":{part},"of":{of},"d":[{body}]}}'
    )


def delta_frame(subscription: int, seq: int, prev: int, body: str) -> str:
    """One delta; `body` is `"up":[…],"rm":[…]`."""
    return f'{{"type":"delta","id":{subscription},"seq":{seq},"prev":{prev},{body}}}'


def beat_frame(at: datetime) -> str:
    """The server lives; this is its time."""
    return f'{{"type":"beat","at":"{iso_utc(at)}"}}'


def error_frame(code: str, message: str, subscription: int | None = None) -> str:
    """What was refused, and why."""
    frame: dict[str, object] = {"type": "error", "code": code, "message": message}
    if subscription is not None:
        frame["id"] = subscription
    return msgspec.json.encode(frame).decode()
