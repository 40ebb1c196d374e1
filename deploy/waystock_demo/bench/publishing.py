"""Batches to the broker as gateways send them: MQTT, QoS 1, a bounded number under way."""

import threading
from collections.abc import Iterable
from uuid import uuid4

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Batch, encode_batch
from waystock.contract.topics import gateway_topic
from waystock_demo.bench import load

PUBLISHES_IN_FLIGHT = 500
CONNECTED_WITHIN_S = 15.0


def connected_client(broker_url: str) -> Client:
    """A client with its network thread running; stop it with `leave`."""
    broker = parse_broker_url(broker_url)
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{uuid4().hex[:8]}")
    client.username_pw_set(broker.username, broker.password)
    client.max_inflight_messages_set(PUBLISHES_IN_FLIGHT)
    ready = threading.Event()
    client.on_connect = lambda client, data, flags, reason, properties: ready.set()
    client.connect(broker.host, broker.port)
    client.loop_start()
    if not ready.wait(CONNECTED_WITHIN_S):
        raise RuntimeError("the broker took no connection")
    return client


def leave(client: Client) -> None:
    """Disconnect."""
    client.disconnect()
    client.loop_stop()


def publish_all(broker_url: str, batches: Iterable[Batch]) -> None:
    """Publish until the broker has them all; batches are made as they are needed."""
    client = connected_client(broker_url)
    window = threading.Semaphore(PUBLISHES_IN_FLIGHT)
    client.on_publish = lambda client, data, mid, reason, properties: window.release()
    topic = gateway_topic(*load.OWNER, "events")
    for batch in batches:
        window.acquire()
        client.publish(topic, encode_batch(batch), 1)
    for _ in range(PUBLISHES_IN_FLIGHT):
        window.acquire()
    leave(client)
