"""One JSON message per reading, as bridges from MQTT to SQL need them, published as fast as a
broker takes them: QoS 1 packets put together here and sent by the thousand on one connection.
"""

import json
import socket
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Barcode, Event, Position, Rfid
from waystock.contract.identifiers import iso_utc

TABLES: dict[type[Event], str] = {
    Position: "fix",
    Barcode: "barcode_reading",
    Rfid: "rfid_reading",
}
COLUMNS: dict[str, tuple[str, ...]] = {
    "fix": (
        "lat", "lon", "speed_mps", "course_deg_true", "altitude_m", "accuracy_m", "hdop",
        "satellites",
    ),
    "barcode_reading": ("aim", "format", "data", "elements", "repeats"),
    "rfid_reading": ("epc", "presence", "scheme", "elements", "antenna", "rssi_dbm", "reads"),
}  # fmt: skip
SHARED = (
    "time", "captured_at", "received_at", "stream_id", "stream_offset", "device", "clock",
    "quality",
)  # fmt: skip
IN_FLIGHT_MAX = 20_000
PACKETS_PER_SEND = 1_000
PUBLISH_QOS_1 = 0x32
PUBACK_BYTES = 4


def row_message(offset: int, event: Event) -> tuple[str, bytes]:
    """Table and JSON of one reading: one field per column, in forms that COPY's text takes."""
    table = TABLES[type(event)]
    time = iso_utc(event.time)
    row: dict[str, Any] = {
        "time": time, "captured_at": iso_utc(event.captured_at), "received_at": time,
        "stream_id": 1, "stream_offset": offset, "device": event.device, "clock": event.clock,
        "quality": "{}",
    }  # fmt: skip
    for column in COLUMNS[table]:
        value = getattr(event, column)
        row[column] = json.dumps(value) if column == "elements" else value
    return table, json.dumps(row, separators=(",", ":")).encode()


def publish_rows(broker_url: str, events: Iterable[Event], first: int = 0) -> None:
    """Each reading to the topic `peer/TABLE`; returns when the broker has taken them all."""
    broker = parse_broker_url(broker_url)
    packets = (
        _publish_packet(f"peer/{table}", payload, offset % 65_535 + 1)
        for offset, (table, payload) in enumerate(
            (row_message(first + number, event) for number, event in enumerate(events))
        )
    )
    with socket.create_connection((broker.host, broker.port)) as connection:
        connection.sendall(_CONNECT)
        assert connection.recv(4)[3:] == b"\0", "the broker refused the connection"
        acknowledged = sent = 0
        while chunk := list(islice(packets, PACKETS_PER_SEND)):
            connection.sendall(b"".join(chunk))
            sent += len(chunk)
            while sent - acknowledged / PUBACK_BYTES > IN_FLIGHT_MAX:
                acknowledged += len(connection.recv(65_536))
        while acknowledged < sent * PUBACK_BYTES:
            acknowledged += len(connection.recv(65_536))


def _publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    name = topic.encode()
    rest = len(name).to_bytes(2) + name + packet_id.to_bytes(2) + payload
    return bytes((PUBLISH_QOS_1, *_length(len(rest)))) + rest


def _length(remaining: int) -> Iterator[int]:
    """MQTT 3.1.1 section 2.2.3: seven bits a byte, the lowest first."""
    while remaining > 127:
        yield remaining % 128 | 128
        remaining //= 128
    yield remaining


_BODY = b"\0\4MQTT\4\2\0\0" + b"\0\12bench-rows"
"""Protocol level 4, clean session, no keep-alive, client id."""
_CONNECT = bytes((0x10, len(_BODY))) + _BODY
