"""The broker's side of ingest: paho-mqtt with manual acknowledgement. Messages wait in a queue that
is bounded; they are acknowledged only after commit, so a broker that
keeps its session hands them out again if this process dies. Upstream: gateways; downstream: the
pipeline, by `take`.
"""

import queue
import ssl
import threading
import time
from typing import Any, NamedTuple

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from waystock.contract import topics
from waystock.contract.broker import BrokerAddress
from waystock_ingest import metrics

log = structlog.get_logger()

RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 15
KEEPALIVE_S = 20
FULL_POLL_S = 0.2
"""How often a thread that waits for room in the queue looks whether it is to end."""


class Message(NamedTuple):
    """One MQTT message that waits for its commit."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    connection: int
    """Which connection it came by: an acknowledgement only makes sense on the same one."""


class Source:
    """Subscribed to what gateways send; hands messages over in order of arrival."""

    def __init__(self, broker: BrokerAddress, worker: str, waiting_max: int) -> None:
        self._queue: queue.Queue[Message] = queue.Queue(waiting_max)
        self._connection = 0
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._broker = broker
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=worker, clean_session=False, manual_ack=True
        )
        self._client.max_queued_messages_set(10_000)
        self._client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            self._client.tls_set_context(  # pyright: ignore[reportUnknownMemberType]
                ssl.create_default_context()
            )
        self._client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker; what was not acknowledged it will hand out again."""
        self._stopping.set()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def take(self, linger_s: float, bytes_max: int, wait_s: float) -> list[Message]:
        """Messages that wait: the first within `wait_s`, then company for `linger_s`."""
        try:
            messages = [self._queue.get(timeout=wait_s)]
        except queue.Empty:
            return []
        deadline, size = time.monotonic() + linger_s, len(messages[0].payload)
        while size < bytes_max:
            try:
                left = deadline - time.monotonic()
                message = self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait()
            except queue.Empty:
                break
            messages.append(message)
            size += len(message.payload)
        metrics.WAITING.set(self._queue.qsize() + len(messages))
        return messages

    def acknowledge(self, messages: list[Message]) -> None:
        """Tell the broker that these are done; those of an older connection it sends again."""
        for message in messages:
            if message.qos and message.connection == self._connection:
                self._client.ack(message.mid, message.qos)

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Hand a message to the broker's connection; False where there is none now."""
        if not self._connected.is_set():
            return False
        return self._client.publish(topic, payload, qos).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("broker_refused_ingest", reason=str(reason), host=self._broker.host)
            return
        self._connection += 1
        self._connected.set()
        wanted = (topics.ALL_EVENTS, topics.ALL_HELLOS, topics.ALL_STATUSES)
        client.subscribe([(topic, 1) for topic in wanted])
        log.info("broker_connected", host=self._broker.host, port=self._broker.port)

    def _on_subscribe(
        self,
        client: Client,
        userdata: Any,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("broker_refused_subscription", reasons=refused, host=self._broker.host)
        else:
            log.info("ingest_listening", topics=len(reasons))

    def _on_disconnect(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._connected.clear()
        if reason.is_failure:
            log.warning("broker_connection_lost", reason=str(reason))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        # A full queue blocks paho's thread, so nothing more is read from the socket: the broker
        # keeps what comes, and if it loses patience the session survives the reconnect.
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"
        payload = bytes(message.payload)
        waiting = Message(topic, payload, message.mid, message.qos, self._connection)
        while not self._stopping.is_set():
            try:
                self._queue.put(waiting, timeout=FULL_POLL_S)
            except queue.Full:
                continue
            return
