"""A gateway reduced to its wire: publishes given batches and remembers what was acknowledged."""

import threading
import uuid
from collections import defaultdict
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.processes import wait_until
from waystock.contract import acks, topics
from waystock.contract.acks import Hello
from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Batch, encode_batch


class FakeGateway:
    """One MQTT connection for any number of gateways' topics."""

    def __init__(self, broker_url: str) -> None:
        self.acknowledged: dict[uuid.UUID, set[int]] = defaultdict(set)
        self._subscribed = threading.Event()
        broker = parse_broker_url(broker_url)
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{uuid.uuid4().hex[:8]}")
        self._client.username_pw_set(broker.username, broker.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(10), "the broker took no subscription"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, owner: tuple[str, str], batch: Batch) -> None:
        """Publish a batch as this gateway would, QoS 1."""
        self.publish(topics.gateway_topic(*owner, "events"), encode_batch(batch))

    def hello(self, owner: tuple[str, str], stream: uuid.UUID, first: int, following: int) -> None:
        """Ask what of [first, following) is stored."""
        hello = Hello(stream=stream, first=first, next=following)
        self.publish(topics.gateway_topic(*owner, "hello"), acks.encode(hello))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish anything anywhere, QoS 1, and wait until the broker has it."""
        wait_until(self._client.is_connected, "the broker is there")
        self._client.publish(topic, payload, 1, retain).wait_for_publish(10)

    def wait_for(self, stream: uuid.UUID, offsets: range, within_s: float = 15) -> None:
        """Until ingest has acknowledged these offsets."""
        wait_until(
            lambda: self.acknowledged[stream] >= set(offsets),
            f"acknowledgement of {offsets} of stream {stream}",
            within_s=within_s,
        )

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe("waystock/v1/+/+/ack", 1)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        ack = acks.decode_ack(bytes(message.payload))
        for first, end in ack.committed:
            self.acknowledged[ack.stream] |= set(range(first, end))
