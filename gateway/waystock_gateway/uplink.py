"""The uplink: publishes what waits in the outbox, in batches of consecutive offsets, and forgets
what the store says it has committed. It asks after every (re)connect. Upstream: the outbox.
Downstream: ingest, over the broker; back from it come acknowledgements.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import paho.mqtt.client as mqtt
import structlog

from waystock.contract.acks import Hello, Status, decode_ack, encode
from waystock.contract.events import deflate, encode_batch_of_raw
from waystock.contract.topics import gateway_topic
from waystock_gateway.clock import Clock
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.remote import Remote
from waystock_gateway.send_plan import SendPlan, Todo

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class UplinkCounters:
    """What happened since the process began."""

    batches_sent: int = 0
    events_sent: int = 0
    acks: int = 0
    last_ack_mono_s: float | None = None
    foreign_messages: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkConfig:
    """How to batch and where to publish."""

    site: str
    gateway: str
    linger_s: float
    batch_events_max: int
    batch_bytes_max: int
    status_s: float
    deflate: bool


class Uplink:
    """A LinkUser: all methods but the constructor run in the link's thread."""

    def __init__(
        self,
        config: UplinkConfig,
        outbox: Outbox,
        reader: OutboxReader,
        plan: SendPlan,
        clock: Clock,
        status: Callable[[], Status],
        on_forget: Callable[[], None],
    ) -> None:
        self._config = config
        self._outbox = outbox
        self._reader = reader
        self._plan = plan
        self._clock = clock
        self._status = status
        self._on_forget = on_forget
        self._topics = {
            channel: gateway_topic(config.site, config.gateway, channel)
            for channel in ("events", "hello", "ack", "status")
        }
        self.remote: Remote | None = None
        """Set by `main` where the local configuration allows orders."""
        self._live_sent_s = -math.inf
        self._status_due_s = 0.0
        self.counters = UplinkCounters()

    def up(self, client: mqtt.Client) -> None:
        """Birth, subscription, and the question what the store has."""
        self.counters.connections += 1
        client.subscribe(self._topics["ack"], qos=1)
        if self.remote is not None:
            client.subscribe(self.remote.topic, qos=1)
        self._publish_status(client)
        next_offset = self._outbox.next_offset
        first = self._reader.first_offset()
        first = next_offset if first is None else first
        hello = Hello(stream=self._outbox.stream, first=first, next=next_offset)
        client.publish(self._topics["hello"], encode(hello), qos=1)
        self._plan.connected(first, next_offset)

    def down(self) -> None:
        """Nothing to do: the next connection starts afresh."""

    def message(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        """An acknowledgement, or an order; anything else is counted and ignored."""
        del client
        if self.remote is not None and message.topic == self.remote.topic:
            self.remote.receive(bytes(message.payload))
            return
        try:
            ack = decode_ack(bytes(message.payload))
        except msgspec.DecodeError as error:
            self.counters.foreign_messages += 1
            _log.warning("ack_unreadable", topic=message.topic, reason=str(error))
            return
        if ack.stream != self._outbox.stream:
            self.counters.foreign_messages += 1
            return
        self.counters.acks += 1
        self.counters.last_ack_mono_s = self._clock.now().mono_s
        self._plan.acknowledge(ack.committed)
        self._outbox.forget_later(ack.committed)
        self._on_forget()

    def work(self, client: mqtt.Client) -> float | None:
        """Send what the windows allow; returns seconds until the next thing is due."""
        mono_s = self._clock.now().mono_s
        if mono_s >= self._status_due_s:
            self._publish_status(client)
        self._plan.appended(self._outbox.next_offset)
        waits = [self._status_due_s - mono_s]
        while (todo := self._plan.next(mono_s)) is not None:
            linger_s = self._linger_left_s(todo, mono_s)
            if linger_s > 0:
                waits.append(linger_s)
                break
            self._send(client, todo, mono_s)
            self._plan.appended(self._outbox.next_offset)
        due_s = self._plan.due_in_s(mono_s)
        if due_s is not None:
            waits.append(due_s)
        return max(0.0, min(waits))

    def farewell(self, client: mqtt.Client) -> None:
        """Say that we leave on purpose, rather than have the last will say it."""
        offline = Status(
            state="offline",
            at=self._clock.now().at,
            stream=self._outbox.stream,
            queue_depth=self._outbox.depth,
        )
        client.publish(self._topics["status"], encode(offline), qos=1, retain=True)

    @property
    def is_drained(self) -> bool:
        """All that was taken in has been acknowledged. Callable from any thread."""
        if self._outbox.depth == 0:
            return True
        return self._plan.is_idle and self._plan.live_end == self._outbox.next_offset

    def _linger_left_s(self, todo: Todo, mono_s: float) -> float:
        """Fresh events wait a moment for company, unless none were sent just now."""
        if not todo.is_live or todo.end - todo.first >= self._config.batch_events_max:
            return 0.0
        return self._live_sent_s + self._config.linger_s - mono_s

    def _send(self, client: mqtt.Client, todo: Todo, mono_s: float) -> None:
        rows = self._reader.events(todo.first, todo.end, self._config.batch_events_max)
        if not rows:
            self._plan.passed(todo, todo.end)
            return
        first = rows[0][0]
        if first > todo.first:
            self._plan.passed(todo, first)
            return
        events = _consecutive(rows, self._config.batch_bytes_max)
        payload = encode_batch_of_raw(self._outbox.stream, first, self._clock.now().at, events)
        if self._config.deflate:
            payload = deflate(payload)
        client.publish(self._topics["events"], payload, qos=1)
        self._plan.sent(todo, first + len(events), mono_s)
        self.counters.batches_sent += 1
        self.counters.events_sent += len(events)
        if todo.is_live:
            self._live_sent_s = mono_s

    def _publish_status(self, client: mqtt.Client) -> None:
        client.publish(self._topics["status"], encode(self._status()), qos=1, retain=True)
        self._status_due_s = self._clock.now().mono_s + self._config.status_s


def _consecutive(rows: list[tuple[int, bytes]], bytes_max: int) -> list[bytes]:
    """The events from the first row on, up to a gap in the offsets or `bytes_max`."""
    first = rows[0][0]
    events: list[bytes] = []
    total = 0
    for i, (offset, body) in enumerate(rows):
        total += len(body) + 1
        if offset != first + i or (events and total > bytes_max):
            break
        events.append(body)
    return events
