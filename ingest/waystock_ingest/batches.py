"""From MQTT payloads to readings by columns. A payload that is no batch, and an event that is no
event, are put aside with the reason; their neighbours go on. Nothing here needs the store, so a
thread does it while the batch before is being committed. Downstream: the pipeline.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from waystock.contract import topics
from waystock.contract.events import (
    BATCH_BYTES_MAX,
    Event,
    decode_batch,
    decode_batch_envelope,
    decode_event,
    encode_event,
)
from waystock.store.binary_copy import Int32s, Int64s
from waystock.store.intake import Spoilt
from waystock.store.readings import Readings, as_columns
from waystock_ingest.source import Message


class Incoming(NamedTuple):
    """A batch as it came: its offsets are first … end − 1."""

    topic: str
    site: str
    gateway: str
    stream: UUID
    first: int
    end: int
    payload: bytes


class Prepared(NamedTuple):
    """All that several messages hold, ready for one transaction."""

    incoming: list[Incoming]
    readings: list[Readings]
    """Their `source` counts in `incoming`, their `position` goes on from batch to batch."""
    spoilt: list[Spoilt]


def prepare(messages: Iterable[Message]) -> Prepared:
    """Read messages of the events topics."""
    incoming: list[Incoming] = []
    spoilt: list[Spoilt] = []
    events: list[Event | None] = []
    for message in messages:
        owner = topics.parse_gateway_topic(message.topic)
        if owner is None:
            reason = "topic is not waystock/v1/{site}/{gateway}/events"
            spoilt.append(_whole(message, reason))
            continue
        if len(message.payload) > 2 * BATCH_BYTES_MAX:
            reason = f"{len(message.payload)} bytes; a batch has at most {BATCH_BYTES_MAX}"
            spoilt.append(_whole(message, reason))
            continue
        try:
            batch = decode_batch(message.payload)
        except msgspec.DecodeError as error:
            _decode_one_by_one(message, owner, str(error), incoming, events, spoilt)
            continue
        end = batch.first + len(batch.events)
        payload = message.payload
        incoming.append(
            Incoming(message.topic, *owner[:2], batch.stream, batch.first, end, payload)
        )
        events += batch.events
    readings = _columns(incoming, events, spoilt)
    return Prepared(incoming, readings, spoilt)


def _decode_one_by_one(
    message: Message,
    owner: topics.GatewayTopic,
    reason: str,
    incoming: list[Incoming],
    events: list[Event | None],
    spoilt: list[Spoilt],
) -> None:
    try:
        envelope = decode_batch_envelope(message.payload)
    except msgspec.DecodeError:
        spoilt.append(_whole(message, reason))
        return
    for offset, raw in enumerate(envelope.events, envelope.first):
        try:
            events.append(decode_event(raw))
        except msgspec.DecodeError as error:
            events.append(None)
            spoilt.append(
                Spoilt(message.topic, envelope.stream, offset, "decode", str(error), bytes(raw))
            )
    end = envelope.first + len(envelope.events)
    payload = message.payload
    incoming.append(
        Incoming(message.topic, *owner[:2], envelope.stream, envelope.first, end, payload)
    )


def _whole(message: Message, reason: str) -> Spoilt:
    return Spoilt(
        message.topic, None, None, "decode", reason, message.payload[: 2 * BATCH_BYTES_MAX]
    )


def _columns(
    incoming: Sequence[Incoming], events: list[Event | None], spoilt: list[Spoilt]
) -> list[Readings]:
    lengths = [batch.end - batch.first for batch in incoming]
    source = np.repeat(np.arange(len(incoming), dtype=np.int32), lengths)
    offsets = np.concatenate(
        [np.arange(batch.first, batch.end, dtype=np.int64) for batch in incoming]
        or [np.empty(0, np.int64)]
    )
    try:
        return as_columns(events, source, offsets)
    except (ValueError, ArithmeticError):
        _put_aside_unfit(incoming, events, source, offsets, spoilt)
    return as_columns(events, source, offsets)


def _put_aside_unfit(
    incoming: Sequence[Incoming],
    events: list[Event | None],
    source: Int32s,
    offsets: Int64s,
    spoilt: list[Spoilt],
) -> None:
    """Events that their table's columns can't hold become None."""
    for at, event in enumerate(events):
        try:
            as_columns([event], source[at : at + 1], offsets[at : at + 1])
        except (ValueError, ArithmeticError) as error:
            assert event is not None
            batch = incoming[int(source[at])]
            payload = encode_event(event)
            spoilt.append(
                Spoilt(batch.topic, batch.stream, int(offsets[at]), "decode", str(error), payload)
            )
            events[at] = None
