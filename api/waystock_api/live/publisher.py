"""Publishes live deltas of what the api's own processes find out (the worker's silent gateways), as
ingest does after a commit. While the broker is away messages are dropped and counted: screens get
the same from the store with the next load.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from paho.mqtt.enums import MQTTErrorCode

from waystock.contract.broker import BrokerAddress
from waystock.contract.live import Entity, LiveMessage, encode_entity, encode_gone, encode_live
from waystock.contract.topics import LiveStream, live_topic, push_topic
from waystock_api.live.feed import KEEPALIVE_S, mqtt_client

PUSH_TAKEN_WITHIN_S = 5.0


class Publisher:
    """One epoch of one publisher."""

    def __init__(
        self, address: BrokerAddress, name: str, epoch: str, now: Callable[[], datetime]
    ) -> None:
        self.dropped = 0
        """Messages that found no broker."""
        self._name = name
        self._epoch = epoch
        self.now = now
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

    def publish(
        self,
        site: str,
        stream: LiveStream,
        entities: Sequence[Entity],
        gone: Collection[str] = (),
    ) -> None:
        """One message, of entities and of keys that are no more; ValueError on an unusable site."""
        topic = live_topic(site, stream)
        message = self._message(topic, entities, gone)
        if not self._client.is_connected():
            self.dropped += 1
            return
        sent = self._client.publish(topic, message, qos=0)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.dropped += 1

    def push(self, site: str, alerts: Sequence[Entity]) -> bool:
        """Tell people of alerts; whether the broker has taken the message."""
        if not self._client.is_connected():
            return False
        topic = push_topic(site)
        sent = self._client.publish(topic, self._message(topic, alerts), qos=1)
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        sent.wait_for_publish(PUSH_TAKEN_WITHIN_S)
        return sent.is_published()

    def _message(self, topic: str, entities: Sequence[Entity], gone: Collection[str] = ()) -> bytes:
        self._seqs[topic] += 1
        version = round(self.now().timestamp() * 1e6)
        told = [encode_entity(entity) for entity in entities]
        told += [encode_gone(key, version) for key in sorted(gone)]
        message = LiveMessage(
            publisher=self._name,
            epoch=self._epoch,
            seq=self._seqs[topic],
            sent_at=self.now(),
            entities=tuple(told),
        )
        return encode_live(message)
