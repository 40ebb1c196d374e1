"""One connection to an MQTT broker, kept up: a thread that connects, waits in `select` on the
socket and on a wake-up pipe, and connects again with jitter. paho does the protocol, driven from
outside, so that everything about one connection happens in one thread. Used by `uplink` and
`trackers`.
"""

import os
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Protocol

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from waystock.contract.broker import BrokerAddress
from waystock_gateway.backoff import Backoff
from waystock_gateway.clock import Clock

CONNECT_TIMEOUT_S = 10.0
MISC_S = 5.0
"""Keep-alives and time-outs of the protocol are looked after at least this often."""
SESSION_EXPIRY_S = 7 * 86_400
WAKE_BYTES = 4096
IN_FLIGHT_MAX = 200
"""QoS 1 messages that paho lets be under way; our own window is far below."""

_log = structlog.get_logger(__name__)


class LinkUser(Protocol):
    """What a connection is for. All calls come from the link's thread."""

    def up(self, client: mqtt.Client) -> None:
        """Connected and accepted."""
        ...

    def down(self) -> None:
        """The connection is gone."""
        ...

    def message(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        """A message came."""
        ...

    def work(self, client: mqtt.Client) -> float | None:
        """Do what is due; returns seconds until more is due, None if nothing will be."""
        ...

    def farewell(self, client: mqtt.Client) -> None:
        """The gateway is stopping: last words."""
        ...


class _Socket(Protocol):
    """A socket, TLS or not, as far as `select` needs it."""

    def fileno(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkConfig:
    """How to reach one broker."""

    name: str
    """For logs: `uplink` or `trackers`."""
    address: BrokerAddress
    client_id: str
    durable: bool
    """The broker keeps the session while we are away; messages are acknowledged by hand."""
    version: str = "3.1.1"
    keepalive_s: int = 30
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    will: tuple[str, bytes] | None = None


class MqttLink:
    """`run` in a thread of its own; `wake` and `stop` from any."""

    def __init__(self, config: LinkConfig, user: LinkUser, clock: Clock, backoff: Backoff) -> None:
        self._config = config
        self._user = user
        self._clock = clock
        self._backoff = backoff
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._is_up = False
        self._said = ""

    @property
    def is_up(self) -> bool:
        return self._is_up

    def wake(self) -> None:
        """There is work."""
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # a wake-up is already waiting

    def stop(self) -> None:
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        """Connect, serve, and connect again, until stopped."""
        while not self._stopping.is_set():
            client = self._make_client()
            try:
                self._connect(client)
                self._serve(client)
            except (OSError, ValueError) as error:
                self._say("mqtt_away", str(error))
            if self._is_up:
                self._is_up = False
                self._user.down()
            if not self._stopping.is_set():
                self._stopping.wait(self._backoff.next_s())

    def _serve(self, client: mqtt.Client) -> None:
        """Until the connection is gone or the gateway stops."""
        deadline_s = self._clock.now().mono_s + CONNECT_TIMEOUT_S
        _send_at_once(client.socket())
        while (sock := client.socket()) is not None:
            if self._stopping.is_set():
                self._part(client)
                return
            due_s = self._user.work(client) if self._is_up else 1.0
            if not self._is_up and self._clock.now().mono_s > deadline_s:
                raise TimeoutError("the broker does not answer")
            self._turn(client, sock, MISC_S if due_s is None else min(due_s, MISC_S))
        self._say("mqtt_away", self._said or "connection closed")

    def _turn(self, client: mqtt.Client, sock: _Socket, timeout_s: float) -> None:
        """One round of input, output and housekeeping."""
        writers = [sock.fileno()] if client.want_write() else []
        pending = _has_pending(sock)
        readers = [sock.fileno(), self._wake_read]
        readable, writable, _ = select.select(
            readers, writers, [], 0 if pending else max(0.0, timeout_s)
        )
        if self._wake_read in readable:
            os.read(self._wake_read, WAKE_BYTES)
        if pending or sock.fileno() in readable:
            client.loop_read()
        if writable:
            client.loop_write()
        client.loop_misc()

    def _part(self, client: mqtt.Client) -> None:
        if self._is_up:
            self._user.farewell(client)
        client.disconnect()
        deadline_s = self._clock.now().mono_s + 1.0
        while (sock := client.socket()) is not None:
            if self._clock.now().mono_s > deadline_s:
                return
            self._turn(client, sock, 0.1)

    def _make_client(self) -> mqtt.Client:
        config = self._config
        is_v5 = config.version == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id,
            clean_session=None if is_v5 else not config.durable,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=config.durable,
            reconnect_on_failure=False,
            transport="tcp" if config.address.websocket_path is None else "websockets",
        )
        if config.address.websocket_path is not None:
            client.ws_set_options(path=config.address.websocket_path)
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.username_pw_set(config.address.username, config.address.password)
        if config.will is not None:
            client.will_set(config.will[0], config.will[1], qos=1, retain=True)
        if config.address.tls:
            client.tls_set(  # pyright: ignore[reportUnknownMemberType]
                ca_certs=config.ca_file or None,
                certfile=config.certificate_file or None,
                keyfile=config.key_file or None,
            )
        client.on_connect = self._on_connect
        client.on_message = lambda client, _data, message: self._user.message(client, message)
        return client

    def _connect(self, client: mqtt.Client) -> None:
        config = self._config
        host, port = config.address.host, config.address.port
        if config.version != "5":
            client.connect(host, port, config.keepalive_s)
            return
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S if config.durable else 0
        client.connect(
            host,
            port,
            config.keepalive_s,
            clean_start=not config.durable,
            properties=properties,
        )

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: object, code: ReasonCode, _more: object
    ) -> None:
        if code.is_failure:
            self._say("mqtt_refused", str(code), is_error=True)
            return
        if self._said:
            _log.warning("mqtt_back", link=self._config.name)
        self._said = ""
        self._is_up = True
        self._backoff.reset()
        self._user.up(client)

    def _say(self, event: str, reason: str, *, is_error: bool = False) -> None:
        """Once per reason, not once per attempt."""
        if reason == self._said:
            return
        self._said = reason
        log = _log.error if is_error else _log.warning
        log(event, link=self._config.name, host=self._config.address.host, reason=reason)


def _has_pending(sock: _Socket) -> bool:
    """Whether TLS has decrypted more than was asked for: `select` would not tell of it. Paho's
    WebSocket, a wrapper around the socket, says the same of what lies below it."""
    if isinstance(sock, ssl.SSLSocket):
        return sock.pending() > 0
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0


def _send_at_once(sock: _Socket | None) -> None:
    """A scan must not wait 40 ms for the broker's delayed TCP acknowledgement."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
