"""From MQTT payloads to events with their offsets. A payload that is no batch, and an event that is
no event, are put aside with the reason; their neighbours go on. Downstream: the pipeline.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec

from waystock.contract import topics
from waystock.contract.acks import OffsetRange
from waystock.contract.events import (
    BATCH_BYTES_MAX,
    Event,
    decode_batch,
    decode_batch_envelope,
    decode_event,
)
from waystock.store.intake import Spoilt
from waystock_ingest.source import Message


class Incoming(NamedTuple):
    """A batch as it came: events by offset, without those that were spoilt."""

    topic: str
    site: str
    gateway: str
    stream: UUID
    first: int
    end: int
    events: dict[int, Event]


def decode_messages(messages: Iterable[Message]) -> tuple[list[Incoming], list[Spoilt]]:
    """Batches and what was spoilt among messages of the events topics."""
    incoming: list[Incoming] = []
    spoilt: list[Spoilt] = []
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
            _decode_one_by_one(message, owner, str(error), incoming, spoilt)
            continue
        events = dict(enumerate(batch.events, batch.first))
        end = batch.first + len(batch.events)
        incoming.append(
            Incoming(message.topic, owner[0], owner[1], batch.stream, batch.first, end, events)
        )
    return incoming, spoilt


def _decode_one_by_one(
    message: Message,
    owner: topics.GatewayTopic,
    reason: str,
    incoming: list[Incoming],
    spoilt: list[Spoilt],
) -> None:
    try:
        envelope = decode_batch_envelope(message.payload)
    except msgspec.DecodeError:
        spoilt.append(_whole(message, reason))
        return
    events: dict[int, Event] = {}
    for offset, raw in enumerate(envelope.events, envelope.first):
        try:
            events[offset] = decode_event(raw)
        except msgspec.DecodeError as error:
            spoilt.append(
                Spoilt(message.topic, envelope.stream, offset, "decode", str(error), bytes(raw))
            )
    end = envelope.first + len(envelope.events)
    incoming.append(
        Incoming(
            message.topic, owner.site, owner.gateway, envelope.stream, envelope.first, end, events
        )
    )


def _whole(message: Message, reason: str) -> Spoilt:
    return Spoilt(
        message.topic, None, None, "decode", reason, message.payload[: 2 * BATCH_BYTES_MAX]
    )


def spans(incoming: Iterable[Incoming]) -> dict[UUID, list[OffsetRange]]:
    """Which offsets of which streams these batches cover, as they came."""
    out: dict[UUID, list[OffsetRange]] = {}
    for batch in incoming:
        out.setdefault(batch.stream, []).append((batch.first, batch.end))
    return out
