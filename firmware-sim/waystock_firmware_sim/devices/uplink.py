"""A device's connection to the broker: QoS 1, kept in flash while the broker is away. Upstream:
trackers, sensors and readers; downstream: the broker, which answers when it has a message.
"""

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from waystock.contract.broker import parse_broker_url

FLASH_FIXES_MAX = 10_000
RECONNECT_S_MIN, RECONNECT_S_MAX = 1, 8
KEEPALIVE_S = 30
CLOSE_S_MAX = 0.05

_log = structlog.get_logger()


class Message(NamedTuple):
    """What a device publishes."""

    payload: bytes
    topic: str = ""
    """Empty: where its readings go."""


class Uplink(Protocol):
    """Where a device puts its messages."""

    def publish(self, message: Message, delivered: Callable[[], None]) -> bool:
        """Take one message; False when flash is full. `delivered` is called from `poll`."""
        ...

    def poll(self) -> None:
        """Call `delivered` of what the broker has answered since."""
        ...

    def waiting(self) -> int:
        """Messages that the broker has not answered."""
        ...


class CutUplink(Uplink, Protocol):
    """An uplink that may end without a goodbye."""

    def cut(self) -> None:
        """Lose the connection as at a loss of power; it comes back by itself."""
        ...


class MqttUplink:
    """A connection of its own to the broker, as each tracker has; paho runs its network thread.

    One message is in flight at a time: after a lost connection at most one is sent twice, and the
    receiver knows it by its time.
    """

    def __init__(self, url: str, device: str, topic: str, will: bytes = b"") -> None:
        self._topic = topic
        self._waiting: dict[int, Callable[[], None]] = {}
        self._answered: deque[int] = deque()
        self._lock = threading.Lock()
        self._is_refused = False
        address = parse_broker_url(url)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"tracker-{device}", protocol=mqtt.MQTTv311
        )
        if address.username:
            self._client.username_pw_set(address.username, address.password)
        if address.tls:
            # paho's own annotation is incomplete here.
            context = ssl.create_default_context()
            self._client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        if will:
            self._client.will_set(topic, will, qos=1)
        self._client.max_inflight_messages_set(1)
        self._client.max_queued_messages_set(FLASH_FIXES_MAX)
        self._client.reconnect_delay_set(RECONNECT_S_MIN, RECONNECT_S_MAX)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        self._client.connect_async(address.host, address.port, KEEPALIVE_S)
        # Not paho's loop_start: its stop waits as long as a lost broker makes it wait.
        self._thread = threading.Thread(
            target=self._client.loop_forever, kwargs={"retry_first_connection": True}, daemon=True
        )
        self._thread.start()

    def publish(self, message: Message, delivered: Callable[[], None]) -> bool:
        """See Uplink.publish."""
        info = self._client.publish(message.topic or self._topic, message.payload, qos=1)
        if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            return False
        self._waiting[info.mid] = delivered
        return True

    def poll(self) -> None:
        """See Uplink.poll."""
        with self._lock:
            answered, self._answered = self._answered, deque()
        for mid in answered:
            self._waiting.pop(mid)()

    def waiting(self) -> int:
        """See Uplink.waiting."""
        return len(self._waiting)

    def cut(self) -> None:
        """See CutUplink.cut."""
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with suppress(OSError):  # it was lost already
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up; a thread that waits for a lost broker is left to end with the process."""
        self._client.disconnect()
        self._thread.join(CLOSE_S_MAX)

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        if reason.is_failure and not self._is_refused:
            _log.error("broker_refuses_tracker", topic=self._topic, reason=str(reason))
        self._is_refused = reason.is_failure

    def _on_publish(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties,
    ) -> None:
        # Runs in paho's thread: `publish` may not have returned the number yet, `poll` comes later.
        del client, userdata, reason, properties
        with self._lock:
            self._answered.append(mid)
