"""The limit of every latency: how long the bare broker takes with a message of a batch's size, from
a publisher to a subscriber of the same process, QoS 1, while everything else goes on.
"""

import threading
import time

from paho.mqtt.client import MQTTMessage

from waystock_demo.bench.publishing import connected_client, leave

TOPIC = "waystock/bench/round-trip"
EVERY_S = 0.05


class RoundTrips(threading.Thread):
    """Measures until `finish`."""

    def __init__(self, broker_url: str, payload_bytes: int) -> None:
        super().__init__(name="round-trips", daemon=True)
        self._taken_ms: list[float] = []
        self._padding = b" " * payload_bytes
        self._finished = threading.Event()
        self._publisher = connected_client(broker_url)
        self._subscriber = connected_client(broker_url)
        self._subscriber.on_message = lambda client, data, message: self._on_message(message)
        self._subscriber.subscribe(TOPIC, 1)

    def run(self) -> None:
        while not self._finished.wait(EVERY_S):
            self._publisher.publish(TOPIC, str(time.time()).encode() + self._padding, 1)

    def finish(self) -> list[float]:
        """Milliseconds, one a message."""
        self._finished.set()
        self.join()
        leave(self._publisher)
        leave(self._subscriber)
        return self._taken_ms

    def _on_message(self, message: MQTTMessage) -> None:
        self._taken_ms.append((time.time() - float(bytes(message.payload))) * 1000)
