"""Gateways that keep pace: readings are captured evenly, each gateway sends what it has every 50 ms
and hears what is committed. Upstream: the load; downstream: the broker.
"""

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4
from zlib import crc32

from paho.mqtt.client import MQTTMessage

from waystock.contract import acks
from waystock.contract.events import Batch, Event, encode_batch
from waystock.contract.topics import gateway_topic
from waystock_demo.bench.publishing import connected_client, leave

LINGER_S = 0.05
"""How long a gateway gathers readings before it sends them."""
GATEWAYS = 4
ACKNOWLEDGED_WITHIN_S = 60.0
_POLL_S = 0.02


class _Gateway:
    def __init__(self, site: str, number: int) -> None:
        self.owner = (site, f"gw-{number}")
        self.stream: UUID = uuid4()
        self.sent = 0
        self.waiting: list[Event] = []

    def batch(self) -> Batch:
        taken, self.waiting = tuple(self.waiting), []
        batch = Batch(stream=self.stream, first=self.sent, sent_at=datetime.now(UTC), events=taken)
        self.sent += len(taken)
        return batch


class PacedGateways:
    """Some gateways of one site on one connection."""

    def __init__(self, broker_url: str, site: str) -> None:
        self.behind_s_max = 0.0
        """How late the latest batch was sent: the load is what it claims to be where this is
        small.
        """
        self._acknowledged = 0
        self._lock = threading.Lock()
        self._gateways = [_Gateway(site, number) for number in range(GATEWAYS)]
        self._client = connected_client(broker_url)
        self._client.on_message = lambda client, data, message: self._on_ack(message)
        self._client.subscribe([(gateway_topic(*one.owner, "ack"), 1) for one in self._gateways])

    @property
    def sent(self) -> int:
        """Readings sent."""
        return sum(gateway.sent for gateway in self._gateways)

    def send(self, events: Iterable[Event]) -> None:
        """Send each event once its time has come, until there are no more."""
        following = iter(events)
        event = next(following, None)
        turn, due_s = 0, time.time()
        while event is not None:
            due_s += LINGER_S / GATEWAYS
            time.sleep(max(0.0, due_s - time.time()))
            self.behind_s_max = max(self.behind_s_max, time.time() - due_s)
            now = datetime.now(UTC)
            while event is not None and event.captured_at <= now:
                self._gateways[crc32(event.device.encode()) % GATEWAYS].waiting.append(event)
                event = next(following, None)
            self._send_of(self._gateways[turn % GATEWAYS])
            turn += 1
        for gateway in self._gateways:
            self._send_of(gateway)

    def wait_acknowledged(self) -> bool:
        """Whether everything sent was acknowledged, which is waited for."""
        deadline = time.monotonic() + ACKNOWLEDGED_WITHIN_S
        while self._acknowledged < self.sent and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return self._acknowledged == self.sent

    def close(self) -> None:
        """Leave the broker."""
        leave(self._client)

    def _send_of(self, gateway: _Gateway) -> None:
        if gateway.waiting:
            payload = encode_batch(gateway.batch())
            self._client.publish(gateway_topic(*gateway.owner, "events"), payload, 1)

    def _on_ack(self, message: MQTTMessage) -> None:
        ack = acks.decode_ack(bytes(message.payload))
        with self._lock:
            self._acknowledged += sum(end - first for first, end in ack.committed)
