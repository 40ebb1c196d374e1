"""Acknowledgement: a gateway asks what is committed (`hello`), ingest says it (`ack`), and only
then does the gateway forget.
"""

from typing import Literal
from uuid import UUID

import msgspec

from waystock.contract.events import Count, Offset
from waystock.contract.identifiers import Utc
from waystock.contract.reading import read

OffsetRange = tuple[Offset, Offset]
"""Half open: (first, end) covers first … end − 1."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """After each (re)connect, once per stream it holds: what of [first, next) is stored?"""

    v: Literal[1] = 1
    stream: UUID
    first: Offset
    """Lowest offset the gateway still keeps."""
    next: Offset
    """The offset that the next reading will get."""


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """Offsets of one stream that the store has committed; sorted, disjoint."""

    v: Literal[1] = 1
    stream: UUID
    committed: tuple[OffsetRange, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Retained on the status topic: the birth certificate, the last will, and health every 30 s."""

    v: Literal[1] = 1
    state: Literal["online", "offline"]
    at: Utc
    """A status older than 90 s means nothing: the lease has run out."""
    stream: UUID | None = None
    queue_depth: Count = 0
    oldest_unsent_s: float = 0.0
    rejects: dict[str, int] = {}
    devices: dict[str, float] = {}
    """Device → seconds since its last frame; −1 where none has come yet."""
    silent: tuple[str, ...] = ()
    """Devices that have said nothing for longer than their setting allows."""
    shed: dict[str, int] = {}
    """Readings given up undelivered since the gateway started, by reason and kind, such as
    `thinned_position` or `full_barcode`."""
    clock: Literal["synchronised", "free", "unset", "unknown"] = "unknown"
    """The gateway's clock: kept by NTP or the like, running free, never set, or nobody can say."""
    clock_ahead_of_gps_s: float | None = None
    """How far the gateway's clock is ahead of the time its GPS units give."""
    box_temperature_c: float | None = None
    trouble: str = ""
    """What is wrong with the gateway itself, in words; empty where all is well."""


STATUS_LEASE_S = 90.0

_encoder = msgspec.json.Encoder()
_hello_decoder = msgspec.json.Decoder(Hello)
_ack_decoder = msgspec.json.Decoder(Ack)
_status_decoder = msgspec.json.Decoder(Status)


def encode(message: Hello | Ack | Status) -> bytes:
    """JSON of a control message."""
    return _encoder.encode(message)


def decode_hello(payload: bytes) -> Hello:
    """Raises msgspec.DecodeError or ValidationError."""
    return read(_hello_decoder, payload)


def decode_ack(payload: bytes) -> Ack:
    """Raises msgspec.DecodeError or ValidationError."""
    return read(_ack_decoder, payload)


def decode_status(payload: bytes) -> Status:
    """Raises msgspec.DecodeError or ValidationError."""
    return read(_status_decoder, payload)
