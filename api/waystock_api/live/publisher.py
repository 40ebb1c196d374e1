"""Publishes live deltas of what the api's own processes find out (the worker's silent gateways), as
ingest does after a commit. While the broker is away messages are dropped and counted: screens get
the same from the store with the next load.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from paho.mqtt.enums import MQTTErrorCode

from waystock.contract.broker import BrokerAddress
from waystock.contract.live import Entity, LiveMessage, encode_entity, encode_live
from waystock.contract.topics import LiveStream, live_topic
from waystock_api.live.feed import KEEPALIVE_S, mqtt_client


class Publisher:
    """One epoch of one publisher."""

    def __init__(
        self, address: BrokerAddress, name: str, epoch: str, now: Callable[[], datetime]
    ) -> None:
        self.dropped = 0
        """Messages that found no broker."""
        self._name = name
        self._epoch = epoch
        self._now = now
        self._seqs: Counter[str] = Counter()
        self._address = address
        self._client = mqtt_client(address, name)

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, site: str, stream: LiveStream, entities: Sequence[Entity]) -> None:
        """One message; ValueError on an unusable site."""
        topic = live_topic(site, stream)
        self._seqs[topic] += 1
        message = LiveMessage(
            publisher=self._name,
            epoch=self._epoch,
            seq=self._seqs[topic],
            sent_at=self._now(),
            entities=tuple(encode_entity(entity) for entity in entities),
        )
        if not self._client.is_connected():
            self.dropped += 1
            return
        sent = self._client.publish(topic, encode_live(message), qos=0)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.dropped += 1
