"""A screen without a picture: signs in to the live WebSocket as a page would, and measures how old
each reading is when it arrives. Upstream: the api's `/api/v1/live`; downstream: the report.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

_log = structlog.get_logger()

CHANNELS = ("transit", "stock", "alerts", "movements")
LATENCIES_KEPT_MAX = 1_000_000
RECONNECT_PAUSE_S = 0.5
_MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class ShownEntity(msgspec.Struct):
    """What of an entity the measuring needs."""

    key: str
    version: int = 0
    """Microseconds of the store's clock."""
    captured_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Message(msgspec.Struct):
    type: str
    id: int = 0
    seq: int = 0
    prev: int = 0
    part: int = 1
    of: int = 1
    d: list[ShownEntity] = []
    up: list[ShownEntity] = []
    code: str = ""
    message: str = ""


@dataclass
class Seen:
    """What reached the screen. Written by the screen's thread, read once it has ended."""

    shown: Counter[str]
    """Entities in deltas, by channel."""
    latencies_ms: list[float]
    """Receipt minus capture, for each new state of an entity that a reading led to."""
    dropped: int = 0
    """Latencies beyond LATENCIES_KEPT_MAX, not kept."""
    connections: int = 0


OnEntity = Callable[[str, ShownEntity, float], None]
"""Channel, a new state of an entity that a reading led to, receipt as POSIX seconds."""


class Screen(threading.Thread):
    """Watches until `finish`."""

    def __init__(self, url: str, token: str, on_entity: OnEntity | None = None) -> None:
        super().__init__(name="screen", daemon=True)
        self.seen = Seen(Counter(dict.fromkeys(CHANNELS, 0)), [])
        self._on_entity = on_entity
        self._url = url
        self._token = token
        self._finished = threading.Event()
        self._connection: ClientConnection | None = None
        self._newest: dict[tuple[str, str], datetime] = {}
        self._seq: dict[int, int] = {}

    @property
    def has_snapshots(self) -> bool:
        """Whether every channel has been shown whole."""
        return len(self._seq) == len(CHANNELS)

    def run(self) -> None:
        """Connect, watch, connect again when the api goes away."""
        while not self._finished.is_set():
            try:
                with connect(self._url, max_size=_MESSAGE_BYTES_MAX, proxy=None) as connection:
                    self._connection = connection
                    self.seen.connections += 1
                    self._watch(connection)
            except (OSError, WebSocketException) as lost:
                if not self._finished.is_set():
                    _log.warning("screen_disconnected", reason=str(lost))
            self._finished.wait(RECONNECT_PAUSE_S)

    def finish(self) -> Seen:
        """Stop watching; what was seen."""
        self._finished.set()
        if self._connection is not None:
            self._connection.close()
        self.join(timeout=10)
        return self.seen

    def _watch(self, connection: ClientConnection) -> None:
        decoder = msgspec.json.Decoder(_Message)
        self._send(connection, {"type": "auth", "token": self._token})
        for number in range(len(CHANNELS)):
            self._subscribe(connection, number)
        for text in connection:
            self._take(connection, decoder.decode(text), time.time())

    def _take(self, connection: ClientConnection, message: _Message, received_at_s: float) -> None:
        if message.type == "error":
            _log.error("screen_refused", code=message.code, message=message.message)
        elif message.type == "snap":
            for entity in message.d:
                self._is_new(CHANNELS[message.id], entity)
            if message.part == message.of:
                self._acknowledge(connection, message)
        elif message.type == "delta" and self._seq.get(message.id) == message.prev:
            self._show(CHANNELS[message.id], message.up, received_at_s)
            self._acknowledge(connection, message)
        elif message.type == "delta":
            self._subscribe(connection, message.id)

    def _show(self, channel: str, entities: list[ShownEntity], received_at_s: float) -> None:
        self.seen.shown[channel] += len(entities)
        for entity in entities:
            if entity.captured_at is None or not self._is_new(channel, entity):
                continue
            if self._on_entity is not None:
                self._on_entity(channel, entity, received_at_s)
            if len(self.seen.latencies_ms) >= LATENCIES_KEPT_MAX:
                self.seen.dropped += 1
                continue
            age_s = received_at_s - entity.captured_at.astimezone(UTC).timestamp()
            self.seen.latencies_ms.append(age_s * 1000)

    def _is_new(self, channel: str, entity: ShownEntity) -> bool:
        """Whether this state comes from a later reading than any seen for the entity."""
        if entity.captured_at is None:
            return False
        before = self._newest.get((channel, entity.key))
        if before is not None and entity.captured_at <= before:
            return False
        self._newest[(channel, entity.key)] = entity.captured_at
        return True

    def _subscribe(self, connection: ClientConnection, number: int) -> None:
        self._seq.pop(number, None)
        self._send(connection, {"type": "sub", "id": number, "ch": CHANNELS[number], "args": {}})

    def _acknowledge(self, connection: ClientConnection, message: _Message) -> None:
        self._seq[message.id] = message.seq
        self._send(connection, {"type": "ack", "id": message.id, "seq": message.seq})

    def _send(self, connection: ClientConnection, message: dict[str, object]) -> None:
        connection.send(msgspec.json.encode(message).decode())
