"""Gateways reduced to what the contract asks of them: each has a stream of its own, keeps every
batch until the store has it, asks after each connection what that is, and sends again what nobody
acknowledged. As fast as the windows allow, or at a given rate without any window.
"""

import itertools
import random
import threading
import time
import uuid
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from waystock.contract import acks
from waystock.contract.acks import Hello, OffsetRange
from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Barcode, Event, Position, encode_batch_of_raw, encode_event
from waystock.contract.topics import gateway_topic
from waystock_demo.bench import load

SITE = "bench"
WINDOW_BATCHES = 8
HURRIED_S, UNHURRIED_S = (2.0, 8.0), (5.0, 60.0)
"""First and longest pause before a batch is sent again; the second pair is the real gateway's."""
TURN_S = 0.01


class Outbox(NamedTuple):
    """What one gateway has to deliver, cut into batches."""

    gateway: str
    stream: uuid.UUID
    firsts: list[int]
    """The first offset of each batch, and at the end the offset that would follow."""
    payloads: list[bytes]

    @property
    def events(self) -> int:
        return self.firsts[-1]


def outboxes(
    count: int, *, gateways: int, batch_events: int, poison_every: int = 0, seed: int = 7
) -> list[Outbox]:
    """`count` mixed readings dealt to gateways by device; every so many is one that can't be
    stored: by turns no event at all, or one that PostgreSQL refuses."""
    dealt: list[list[bytes]] = [[] for _ in range(gateways)]
    poison = itertools.cycle((b'{"kind":"smell"}', None))
    for index, event in enumerate(load.events(count, seed)):
        number = int(event.device[1:]) % gateways if isinstance(event, Position) else 0
        body = encode_event(event)
        if poison_every and index % poison_every == poison_every - 1:
            body = next(poison) or encode_event(_unstorable(event))
        dealt[number].append(body)
    return [_cut(number, bodies, batch_events) for number, bodies in enumerate(dealt)]


def _unstorable(event: Event) -> Barcode:
    return Barcode(
        device="recv-0", time=event.time, captured_at=event.captured_at, format="text", data="a\0b"
    )


def _cut(number: int, bodies: Sequence[bytes], size: int) -> Outbox:
    stream = uuid.UUID(int=0xC4A05000 + number)
    firsts = list(range(0, len(bodies), size))
    payloads = [
        encode_batch_of_raw(stream, first, load.START, list(bodies[first : first + size]))
        for first in firsts
    ]
    return Outbox(f"gw-{number}", stream, [*firsts, len(bodies)], payloads)


class Gateways:
    """All of them, each on a connection of its own, served by one thread."""

    def __init__(
        self, broker_url: str, boxes: Iterable[Outbox], events_per_s: float | None = None
    ) -> None:
        self._gateways = [_Gateway(broker_url, box) for box in boxes]
        self._paced = None if events_per_s is None else _Pace(events_per_s)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateways", daemon=True)

    @property
    def total(self) -> int:
        """How many events there are."""
        return sum(one.box.events for one in self._gateways)

    @property
    def acknowledged(self) -> int:
        """How many of them the gateways know to be stored."""
        return sum(one.acknowledged for one in self._gateways)

    @property
    def published(self) -> int:
        """Messages handed to the broker, repetitions included."""
        return sum(one.published for one in self._gateways)

    def start(self) -> None:
        """Connect in the background and send."""
        for one in self._gateways:
            one.start()
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(10)
        for one in self._gateways:
            one.close()

    def _run(self) -> None:
        while not self._stopping.wait(TURN_S):
            for one in self._gateways:
                one.turn(self._paced)


class _Pace:
    """Lets fresh events through at a rate; without windows, as a fleet of thousands would."""

    def __init__(self, events_per_s: float) -> None:
        self._events_per_s = events_per_s
        self._began_s = time.monotonic()
        self._sent = 0

    def allows(self, events: int) -> bool:
        if self._sent > (time.monotonic() - self._began_s) * self._events_per_s:
            return False
        self._sent += events
        return True


class _Gateway:
    def __init__(self, broker_url: str, box: Outbox) -> None:
        self.box = box
        self.published = 0
        self.acknowledged = 0
        self._lock = threading.Lock()
        self._fresh = deque(range(len(box.payloads)))
        self._under_way: dict[int, float] = {}
        self._tries = [0] * len(box.payloads)
        self._done = [False] * len(box.payloads)
        self._jitter = random.Random(box.stream.int)
        self._connected_anew = False
        self._broker = parse_broker_url(broker_url)
        self._topics = {
            name: gateway_topic(SITE, box.gateway, name) for name in ("events", "hello", "ack")
        }
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"chaos-{box.gateway}")
        self._client.username_pw_set(self._broker.username, self._broker.password)
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def start(self) -> None:
        self._client.connect_async(self._broker.host, self._broker.port, 20)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def turn(self, pace: _Pace | None) -> None:
        """Send what is due, if there is a connection."""
        if not self._client.is_connected():
            return
        with self._lock:
            anew, self._connected_anew = self._connected_anew, False
            if anew:
                waiting = [number for number, done in enumerate(self._done) if not done]
                self._fresh, self._under_way = deque(waiting), {}
        if anew:
            hello = Hello(stream=self.box.stream, first=0, next=self.box.events)
            self._client.publish(self._topics["hello"], acks.encode(hello), 1)
        while (number := self._next(pace)) is not None:
            self._client.publish(self._topics["events"], self.box.payloads[number], 1)
            self.published += 1

    def _next(self, pace: _Pace | None) -> int | None:
        now_s = time.monotonic()
        with self._lock:
            overdue = [number for number, due_s in self._under_way.items() if due_s <= now_s]
            for number in overdue:
                del self._under_way[number]
                self._fresh.appendleft(number)
            while self._fresh and self._done[self._fresh[0]]:
                self._fresh.popleft()
            if not self._fresh:
                return None
            number = self._fresh[0]
            size = self.box.firsts[number + 1] - self.box.firsts[number]
            if pace is None and len(self._under_way) >= WINDOW_BATCHES:
                return None
            if pace is not None and self._tries[number] == 0 and not pace.allows(size):
                return None
            self._fresh.popleft()
            first_s, most_s = HURRIED_S if pace is None else UNHURRIED_S
            pause_s = min(first_s * 2 ** self._tries[number], most_s)
            self._under_way[number] = now_s + pause_s * self._jitter.uniform(0.8, 1.2)
            self._tries[number] += 1
            return number

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe(self._topics["ack"], 1)
        with self._lock:
            self._connected_anew = True

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        ack = acks.decode_ack(bytes(message.payload))
        assert ack.stream == self.box.stream
        with self._lock:
            for stored in ack.committed:
                self._forget(stored)

    def _forget(self, stored: OffsetRange) -> None:
        firsts = self.box.firsts
        for number in range(bisect_left(firsts, stored[0]), bisect_right(firsts, stored[1]) - 1):
            if not self._done[number]:
                self._done[number] = True
                self._under_way.pop(number, None)
                self.acknowledged += firsts[number + 1] - firsts[number]
