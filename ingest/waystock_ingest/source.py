"""The broker's side of ingest: paho-mqtt with manual acknowledgement. Messages wait in a bounded
queue and are acknowledged only after commit, so a broker that keeps its session hands them out
again if this process dies. Alone, ingest subscribes plainly (MQTT 3.1.1, spoken by every broker);
in a group, workers share the gateways' messages by `$share` (MQTT 5). Upstream: gateways;
downstream: the pipeline, by `take`.
"""

import socket
import ssl
import threading
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from waystock.contract import topics
from waystock.contract.broker import BrokerAddress
from waystock.contract.events import BATCH_BYTES_MAX
from waystock_ingest import metrics
from waystock_ingest.waiting import Message, Waiting

__all__ = ["Message", "Source"]

log = structlog.get_logger()

RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 15
KEEPALIVE_S = 20
PUBLISHES_QUEUED_MAX = 10_000
GROUP_SESSION_S = 15
"""How long a broker keeps the session of a group's worker that has vanished. Brokers go on dealing
messages to such a session. Gateways send those again, to whoever is alive, but that costs time: so
it is kept no longer than a restart takes."""
WAITING_BYTES_MAX = 64_000_000
PACKET_BYTES_MAX = 4 * BATCH_BYTES_MAX
"""In a group: larger messages the broker doesn't even hand out. Smaller ones that are still no
batch are put aside with a reason."""


class Source:
    """Subscribed to what gateways send; hands messages over in order of arrival."""

    def __init__(
        self,
        broker: BrokerAddress,
        worker: str,
        waiting_max: int,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
        group: str | None = None,
    ) -> None:
        self._waiting = Waiting(waiting_max, waiting_bytes_max)
        self._waiting_max = waiting_max
        self._group = group
        self._broker = broker
        self._connection = 0
        self._connected = threading.Event()
        self._unacknowledged: set[int] = set()
        """Message numbers of this connection that wait here or are being committed."""
        self._numbers_lock = threading.Lock()
        self._client = _client(broker, worker, shared=group is not None)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        host, port = self._broker.host, self._broker.port
        if self._group is None:
            self._client.connect_async(host, port, KEEPALIVE_S)
        else:
            session = Properties(PacketTypes.CONNECT)
            session.SessionExpiryInterval = GROUP_SESSION_S
            # The broker stops here by itself, so that paho's thread never waits for room.
            session.ReceiveMaximum = min(self._waiting_max, 65_535)
            session.MaximumPacketSize = PACKET_BYTES_MAX
            self._client.connect_async(
                host, port, KEEPALIVE_S, clean_start=False, properties=session
            )
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker. What was not acknowledged it hands out again: to us when we are back,
        or, in a group, to nobody: gateways send it again, and the others have no gap to wait for.
        """
        self._waiting.close()
        if self._group is None:
            self._client.disconnect()
        else:
            end_of_session = Properties(PacketTypes.DISCONNECT)
            end_of_session.SessionExpiryInterval = 0
            self._client.disconnect(properties=end_of_session)
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def take(self, linger_s: float, bytes_max: int, wait_s: float) -> list[Message]:
        """Messages that wait: the first within `wait_s`, then company for `linger_s`."""
        messages = self._waiting.take(linger_s, bytes_max, wait_s)
        self._measure()
        return messages

    def acknowledge(self, messages: list[Message]) -> None:
        """Tell the broker that these are done; those of an older connection it sends again."""
        for message in messages:
            if not message.qos or message.connection != self._connection:
                continue
            with self._numbers_lock:
                # Before the broker knows: from then on it may use the number for another message.
                self._unacknowledged.discard(message.mid)
            self._client.ack(message.mid, message.qos)
        self._measure()

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
        with self._numbers_lock:
            self._connection += 1
            self._unacknowledged.clear()
        self._connected.set()
        metrics.BROKER_CONNECTED.set(1)
        if self._group is None:
            wanted = (topics.ALL_EVENTS, topics.ALL_HELLOS, topics.ALL_STATUSES)
            client.subscribe([(topic, 1) for topic in wanted])
        else:
            options = SubscribeOptions(qos=1)
            client.subscribe([(topic, options) for topic in shared_topics(self._group)])
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
            log.info("ingest_listening", topics=len(reasons), group=self._group)

    def _on_disconnect(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._connected.clear()
        metrics.BROKER_CONNECTED.set(0)
        if reason.is_failure:
            log.warning("broker_connection_lost", reason=str(reason))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        # A full queue blocks paho's thread, so nothing more is read from the socket: the broker
        # keeps what comes, and if it loses patience the session survives the reconnect.
        if message.qos and self._waits_already(message.mid):
            metrics.MESSAGES.labels("redelivered_early").inc()
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"
        payload = bytes(message.payload)
        self._waiting.put(Message(topic, payload, message.mid, message.qos, self._connection))
        self._measure()

    def _waits_already(self, mid: int) -> bool:
        """Some brokers send a message again while it still waits for its commit (NATS: every 30 s).
        Its number can't mean another message before we have acknowledged it.
        """
        with self._numbers_lock:
            if mid in self._unacknowledged:
                return True
            self._unacknowledged.add(mid)
            return False

    def _measure(self) -> None:
        metrics.WAITING_MESSAGES.set(self._waiting.messages)
        metrics.WAITING_BYTES.set(self._waiting.bytes)
        metrics.UNACKNOWLEDGED_MESSAGES.set(len(self._unacknowledged))


def shared_topics(group: str) -> tuple[str, ...]:
    """What a group's worker subscribes to. Statuses go to every worker: the newest one of a gateway
    counts, and only whoever gets all of them in order can tell which that is.
    """
    share = f"$share/{group}"
    return (f"{share}/{topics.ALL_EVENTS}", f"{share}/{topics.ALL_HELLOS}", topics.ALL_STATUSES)


def _client(broker: BrokerAddress, worker: str, *, shared: bool) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=worker,
        clean_session=None if shared else False,
        protocol=MQTTProtocolVersion.MQTTv5 if shared else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )
    client.max_queued_messages_set(PUBLISHES_QUEUED_MAX)
    client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set_context(  # pyright: ignore[reportUnknownMemberType]
            ssl.create_default_context()
        )
    client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
    return client


def _send_at_once(_client: Client, _data: Any, sock: Any) -> None:
    """An acknowledgement must not wait for the broker's delayed TCP acknowledgement."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
