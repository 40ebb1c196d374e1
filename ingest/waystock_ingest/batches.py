"""From MQTT payloads to readings by columns. A payload that is no batch, and an event that is no
event, are put aside with the reason; their neighbours go on. Nothing here needs the store, so a
thread does it while the batch before is being committed. Downstream: the pipeline.

Fixes of the plain form are read by compiled code, all messages together; msgspec reads the rest,
and every message in which anything is not as it should be.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from waystock.contract import topics
from waystock.contract.events import (
    BATCH_BYTES_MAX,
    BatchEnvelope,
    Event,
    decode_batch,
    decode_batch_envelope,
    decode_event,
    decode_events,
    encode_event,
    inflate,
)
from waystock.contract.topics import GatewayTopic
from waystock.store.intake import Spoilt
from waystock.store.plain_fixes import read_events
from waystock.store.readings import Readings, as_columns, plain_columns
from waystock_ingest.source import Message

_EVENTS = b'"events":['
_END = b"]}"


class Incoming(NamedTuple):
    """A batch as it came: its offsets are first … end − 1."""

    topic: str
    site: str
    gateway: str
    stream: UUID
    first: int
    end: int
    payload: bytes


def owners_of(incoming: Iterable[Incoming]) -> dict[UUID, tuple[str, str]]:
    """Stream → (site, gateway) that it came from."""
    return {batch.stream: (batch.site, batch.gateway) for batch in incoming}


class Prepared(NamedTuple):
    """All that several messages hold, ready for one transaction."""

    incoming: list[Incoming]
    readings: list[Readings]
    """Their `source` counts in `incoming`, their `position` goes on from batch to batch."""
    spoilt: list[Spoilt]
    messages: Sequence[Message]
    """What it was read from."""


class _Offered(NamedTuple):
    """A message that may be a batch, as far as its head tells."""

    message: Message
    owner: GatewayTopic
    head: BatchEnvelope | None
    """None where it is not of the plain form."""
    body: bytes
    """Its events, without the brackets around them."""


def prepare(messages: Iterable[Message]) -> Prepared:
    """Read messages of the events topics."""
    spoilt: list[Spoilt] = []
    messages = list(messages)
    offered = [one for one in (_offer(message, spoilt) for message in messages) if one is not None]
    reading = _Reading(offered, spoilt)
    readings = [*reading.fixes(), *reading.others()]
    return Prepared(reading.incoming, readings, spoilt, messages)


def _offer(message: Message, spoilt: list[Spoilt]) -> _Offered | None:
    owner = topics.parse_gateway_topic(message.topic)
    if owner is None:
        spoilt.append(_whole(message, "topic is not waystock/v1/{site}/{gateway}/events"))
        return None
    if len(message.payload) > 2 * BATCH_BYTES_MAX:
        reason = f"{len(message.payload)} bytes; a batch has at most {BATCH_BYTES_MAX}"
        spoilt.append(_whole(message, reason))
        return None
    try:
        text = inflate(message.payload)
        begin = text.index(_EVENTS) + len(_EVENTS)
        head = decode_batch_envelope(text[:begin] + _END)
    except ValueError:  # msgspec's errors are among them
        return _Offered(message, owner, None, b"")
    if not text.endswith(_END):
        return _Offered(message, owner, None, b"")
    return _Offered(message, owner, head, text[begin : -len(_END)])


class _Reading:
    """The events of several messages while they are being read."""

    def __init__(self, offered: Sequence[_Offered], spoilt: list[Spoilt]) -> None:
        self.incoming: list[Incoming] = []
        self._spoilt = spoilt
        self._events: list[Event | None] = []
        self._places = np.zeros((0, 3), np.int64)
        """Of each event: source, offset, position."""
        ends = np.cumsum([len(one.body) for one in offered], dtype=np.int64)
        starts = ends - np.array([len(one.body) for one in offered], np.int64)
        self._data = np.frombuffer(b"".join(one.body for one in offered), np.uint8)
        self._plain = read_events(self._data, starts, ends)
        self._read: list[Event | None] = []
        self._counts = self._read_others(offered)
        self._bases = np.zeros((3, len(offered)), np.int64)
        """Of each message: source, first offset, first position."""
        position = 0
        for number, one in enumerate(offered):
            self._bases[2, number] = position
            position += self._take(number, one)
        self._add_others()

    def _read_others(self, offered: Sequence[_Offered]) -> list[int]:
        """Events of each message; −1 where msgspec must read the whole of it."""
        counts = [
            -1 if one.head is None else count
            for one, count in zip(offered, self._plain.counts.tolist(), strict=True)
        ]
        texts = [self._data[begin:end].tobytes() for begin, end in self._plain.others.T.tolist()]
        try:
            self._read += decode_events(texts)
        except msgspec.DecodeError:
            for number, text in zip(self._plain.others_of_list.tolist(), texts, strict=True):
                try:
                    self._read.append(decode_event(text))
                except msgspec.DecodeError:
                    self._read.append(None)
                    counts[number] = -1
        return counts

    def _take(self, number: int, one: _Offered) -> int:
        """How many events, spoilt ones too, the message holds."""
        count = self._counts[number]
        if one.head is None or count < 0:
            return self._take_whole(number, one)
        self._bases[:2, number] = len(self.incoming), one.head.first
        self._add_incoming(one, one.head.stream, one.head.first, count)
        return count

    def _take_whole(self, number: int, one: _Offered) -> int:
        events: Sequence[Event | None]
        try:
            batch = decode_batch(one.message.payload)
            events, stream, first = batch.events, batch.stream, batch.first
        except msgspec.DecodeError as error:
            try:
                envelope = decode_batch_envelope(one.message.payload)
            except msgspec.DecodeError:
                self._spoilt.append(_whole(one.message, str(error)))
                return 0
            stream, first = envelope.stream, envelope.first
            events = self._one_by_one(one.message, envelope)
        places = np.zeros((len(events), 3), np.int64)
        places[:] = len(self.incoming), first, self._bases[2, number]
        places[:, 1:] += np.arange(len(events), dtype=np.int64)[:, np.newaxis]
        self._places = np.concatenate([self._places, places])
        self._events += events
        self._add_incoming(one, stream, first, len(events))
        return len(events)

    def _one_by_one(self, message: Message, envelope: BatchEnvelope) -> list[Event | None]:
        events: list[Event | None] = []
        for offset, raw in enumerate(envelope.events, envelope.first):
            try:
                events.append(decode_event(raw))
            except msgspec.DecodeError as error:
                events.append(None)
                spoilt = (message.topic, envelope.stream, offset, "decode", str(error), bytes(raw))
                self._spoilt.append(Spoilt(*spoilt))
        return events

    def _add_incoming(self, one: _Offered, stream: UUID, first: int, count: int) -> None:
        owner, message = one.owner, one.message
        self.incoming.append(
            Incoming(
                message.topic,
                owner.site,
                owner.gateway,
                stream,
                first,
                first + count,
                message.payload,
            )
        )

    def _add_others(self) -> None:
        """Events beside the plain fixes of messages that were good as a whole."""
        lists = self._plain.others_of_list
        is_taken = np.array([count >= 0 for count in self._counts], np.bool_)[lists]
        places = self._bases[:, lists].T
        places[:, 1:] += self._plain.others_at[:, np.newaxis]
        self._events += [self._read[row] for row in np.flatnonzero(is_taken).tolist()]
        self._places = np.concatenate([self._places, places[is_taken]])

    def fixes(self) -> list[Readings]:
        """The plain fixes."""
        plain = self._plain
        is_taken = np.array([count >= 0 for count in self._counts], np.bool_)[plain.of_list]
        if not is_taken.all():
            plain = plain.take(is_taken)
        if not len(plain.at):
            return []
        source, first, position = self._bases[:, plain.of_list]
        at = plain.at.astype(np.int64)
        return [
            plain_columns(plain, self._data, position + at, source.astype(np.int32), first + at)
        ]

    def others(self) -> list[Readings]:
        """All other events; those that no column can hold are put aside."""
        places = self._places
        source, offsets = places[:, 0].astype(np.int32), places[:, 1]
        try:
            return as_columns(self._events, source, offsets, places[:, 2])
        except (ValueError, ArithmeticError):
            self._put_aside_unfit()
        return as_columns(self._events, source, offsets, places[:, 2])

    def _put_aside_unfit(self) -> None:
        for at, event in enumerate(self._events):
            if event is None:
                continue
            source, offset = int(self._places[at, 0]), int(self._places[at, 1])
            try:
                as_columns([event], np.zeros(1, np.int32), np.array([offset], np.int64))
            except (ValueError, ArithmeticError) as error:
                batch, payload = self.incoming[source], encode_event(event)
                self._spoilt.append(
                    Spoilt(batch.topic, batch.stream, offset, "decode", str(error), payload)
                )
                self._events[at] = None


def _whole(message: Message, reason: str) -> Spoilt:
    return Spoilt(
        message.topic, None, None, "decode", reason, message.payload[: 2 * BATCH_BYTES_MAX]
    )
