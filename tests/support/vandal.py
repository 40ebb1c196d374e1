"""A client with no manners: speaks MQTT 3.1.1 by hand over a socket, so that it can say what no
library would let it say.
"""

import socket
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Barcode, Batch, encode_batch

PUBLISH_QOS1 = 0x32
CONNECT_WITHIN_S = 5.0


class Nonsense(NamedTuple):
    """One message: topic as bytes, payload."""

    topic: bytes
    payload: bytes


class Vandal:
    """One connection, made again whenever the broker has had enough of it."""

    def __init__(self, broker_url: str) -> None:
        self._broker = parse_broker_url(broker_url)
        self._socket: socket.socket | None = None
        self._mid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def send_everything(self, stream_of_another: uuid.UUID) -> int:
        """One of each kind; how many the broker took."""
        return sum(self.publish(one) for one in nonsense(stream_of_another))

    def publish(self, one: Nonsense) -> bool:
        """QoS 1; whether the broker acknowledged it."""
        self._mid = self._mid % 60_000 + 1
        body = _text(one.topic) + self._mid.to_bytes(2, "big") + one.payload
        packet = bytes([PUBLISH_QOS1]) + _length(len(body)) + body
        with suppress(OSError):
            connection = self._connected()
            connection.sendall(packet)
            if connection.recv(4)[:1] == b"\x40":
                return True
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        return False

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket, code = connect(
                self._broker.host, self._broker.port, self._broker.username, self._broker.password
            )
            assert code == 0, code
        return self._socket


def connect(
    host: str, port: int, username: str | None, password: str | None
) -> tuple[socket.socket, int]:
    """A connection and the broker's return code (0 taken, 4 or 5 refused, −1 hung up)."""
    connection = socket.create_connection((host, port), CONNECT_WITHIN_S)
    flags, account = 0x02, b""
    if username is not None:
        flags, account = 0xC2, _text(username.encode()) + _text((password or "").encode())
    client_id = f"vandal-{time.monotonic_ns()}".encode()
    body = _text(b"MQTT") + bytes([4, flags]) + (60).to_bytes(2, "big") + _text(client_id) + account
    connection.sendall(b"\x10" + _length(len(body)) + body)
    answer = connection.recv(4)
    return connection, answer[3] if len(answer) == 4 else -1


def nonsense(stream_of_another: uuid.UUID) -> Iterator[Nonsense]:
    """Foreign topics, spoilt and oversized payloads, another gateway's stream, spoilt UTF-8."""
    events = b"waystock/v1/bench/gw-9/events"
    yield Nonsense(b"somebody/else", b"{}")
    yield Nonsense(b"waystock/v1/BENCH!/gw/events", b"{}")
    yield Nonsense(b"waystock/v1/live/gw/events", b"{}")
    yield Nonsense(b"waystock/v1/bench/gw-9/hello", b"who is there")
    yield Nonsense(b"waystock/v1/bench/gw-9/status", b"\x00")
    yield Nonsense(b"waystock/v1/\xff\xfe/gw-9/events", b"{}")
    yield Nonsense(b"waystock/v1/bench/\xc3\x28/events", b"{}")
    yield Nonsense(events, b"")
    yield Nonsense(events, b"not JSON")
    yield Nonsense(events, b"[" * 100_000)
    yield Nonsense(events, b'{"v":1,"stream":"x","first":-1,"sent_at":0,"events":[]}')
    yield Nonsense(events, zlib.compress(b"\0" * 50_000_000, 9))
    yield Nonsense(events, zlib.compress(b'{"v":1}')[:-3])
    yield Nonsense(events, b"x" * 1_000_000)
    yield Nonsense(events, b"x" * 3_000_000)
    yield Nonsense(events, b"x" * 6_000_000)
    now = datetime.now(UTC)
    scan = Barcode(device="recv-0", time=now, captured_at=now, format="text", data="stolen")
    batch = Batch(stream=stream_of_another, first=10**9, sent_at=now, events=(scan,))
    yield Nonsense(events, encode_batch(batch))


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _length(count: int) -> bytes:
    out = bytearray()
    while True:
        count, low = divmod(count, 128)
        out.append(low | (0x80 if count else 0))
        if not count:
            return bytes(out)
