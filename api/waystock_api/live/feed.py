"""Subscribes to the live topics at the broker and carries each message to the pictures. Upstream:
ingest and the worker, who publish after commit. Downstream: the pictures and the hub; whatever was
missed or can't be read is counted, and a reload from the store is asked for.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from waystock.contract.broker import BrokerAddress
from waystock.contract.identifiers import is_name
from waystock.contract.live import ENTITY_TYPES, Entity, LiveMessage, TransitEntity, decode_live
from waystock.contract.topics import ALL_LIVE
from waystock_api.live.hub import Hub
from waystock_api.live.loader import LOADED_STREAMS, Loader
from waystock_api.live.picture import Gone, make_entry
from waystock_api.live.sequences import Sequences

log = structlog.get_logger()

INBOX_MESSAGES_MAX = 20_000
INBOX_BYTES_MAX = 64 * 1024 * 1024
MESSAGES_PER_TURN = 100
"""So that a flood leaves the event loop to others now and then."""
RECONNECT_MIN_S, RECONNECT_MAX_S = 1, 10
KEEPALIVE_S = 15

UserData = object


class _Head(msgspec.Struct):
    """What every entity has; one that is gone has nothing else."""

    key: str
    version: int
    gone: bool = False


_head_decoder = msgspec.json.Decoder(_Head)


class Feed:
    """paho's thread fills the inbox, the event loop empties it."""

    def __init__(
        self,
        hub: Hub,
        loader: Loader,
        address: BrokerAddress,
        client_id: str,
        now: Callable[[], datetime],
    ) -> None:
        self.connected = False
        self._hub = hub
        self._loader = loader
        self._metrics = hub.metrics
        self._now = now
        self._sequences = Sequences()
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._inbox_bytes = 0
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._address = address
        self._client = mqtt_client(address, client_id)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect in the background, for as long as it takes."""
        self._loop = loop
        self._client.connect_async(self._address.host, self._address.port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; waits for paho's thread, so not to be called on the event loop."""
        self._loop = None
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, topic: str, payload: bytes) -> None:
        """One message, on the event loop: into the picture, or refused and counted."""
        stream = _stream_of(topic)
        if stream is None:
            self._metrics.live_refused.labels("topic").inc()
            return
        try:
            message = decode_live(payload)
            told = _entities_of(stream, message)
        except msgspec.DecodeError:
            self._metrics.live_refused.labels("malformed").inc()
            return
        self._metrics.live_messages.labels(stream).inc()
        age_s = (self._now() - message.sent_at).total_seconds()
        self._metrics.live_age_seconds.labels(stream).observe(max(0.0, age_s))
        self._watch_sequence(topic, stream, message)
        self._apply(stream, told)

    def _watch_sequence(self, topic: str, stream: str, message: LiveMessage) -> None:
        finding = self._sequences.observe(topic, message.publisher, message.epoch, message.seq)
        if finding == "new_epoch":
            self._loader.request(*LOADED_STREAMS)
        elif finding == "gap":
            self._loader.request(stream)

    def _apply(self, stream: str, told: list[Entity | Gone]) -> None:
        sites = self._loader.shipment_sites
        if any(isinstance(each, TransitEntity) and _is_unknown(each, sites) for each in told):
            self._loader.request("transit")
        news = (each if isinstance(each, Gone) else make_entry(each, sites) for each in told)
        outcome = self._hub.pictures[stream].apply(news)
        self._metrics.live_stale.labels(stream).inc(outcome.stale)
        self._metrics.picture_dropped.labels(stream).inc(outcome.refused)
        self._hub.publish(stream, outcome.changes)

    def _drain(self) -> None:
        try:
            for _ in range(min(MESSAGES_PER_TURN, len(self._inbox))):
                topic, payload = self._inbox.popleft()
                self._inbox_bytes -= len(payload)
                self.take(topic, payload)
        finally:
            self._draining = bool(self._inbox) and self._loop is not None
            if self._loop is not None and self._draining:
                self._loop.call_soon(self._drain)

    def _enqueue(self, topic: str, payload: bytes) -> None:
        full = self._inbox_bytes + len(payload) > INBOX_BYTES_MAX
        if full or len(self._inbox) >= INBOX_MESSAGES_MAX:
            self._metrics.live_refused.labels("inbox_full").inc()
            self._loader.request(*LOADED_STREAMS)
            return
        self._inbox.append((topic, payload))
        self._inbox_bytes += len(payload)
        if not self._draining:
            self._draining = True
            self._drain()

    # What follows runs in paho's thread.

    def _on_message(self, _client: Client, _data: UserData, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        if loop := self._loop:
            loop.call_soon_threadsafe(self._enqueue, topic, bytes(message.payload))

    def _on_connect(
        self, client: Client, _data: UserData, _flags: ConnectFlags, code: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        if code.is_failure:
            log.warning("broker_refused", reason=str(code))
            return
        client.subscribe(ALL_LIVE, qos=0)

    def _on_subscribe(
        self, _client: Client, _data: UserData, _mid: int, codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        if any(code.is_failure for code in codes):
            log.error("broker_refused_subscription", topic=ALL_LIVE)
            return
        self.connected = True
        log.info("broker_connected")
        if loop := self._loop:
            # Whatever was published before this moment is in the store, or will be told to us.
            loop.call_soon_threadsafe(self._loader.request, *LOADED_STREAMS)

    def _on_disconnect(
        self, _client: Client, _data: UserData, _flags: DisconnectFlags, code: ReasonCode,
        _properties: Properties | None,
    ) -> None:  # fmt: skip
        if self.connected and self._loop is not None:
            log.warning("broker_lost", reason=str(code))
        self.connected = False


def mqtt_client(address: BrokerAddress, client_id: str) -> Client:
    """A client for `address`, not yet connected, that reconnects by itself."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv311
    )
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.tls:
        client.tls_set_context(ssl.create_default_context())  # pyright: ignore[reportUnknownMemberType]
    client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
    client.on_socket_open = _send_at_once
    return client


def _send_at_once(_client: Client, _data: UserData, sock: object) -> None:
    """A delta must not wait for the broker's delayed TCP acknowledgement of the one before."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _stream_of(topic: str) -> str | None:
    """The stream of a live topic that is loaded from the store too; kpi is our own."""
    parts = topic.split("/")
    usable = len(parts) == 5 and is_name(parts[3]) and parts[4] in LOADED_STREAMS
    return parts[4] if usable else None


def _entities_of(stream: str, message: LiveMessage) -> list[Entity | Gone]:
    """Raises msgspec.ValidationError where one isn't the stream's type: then none is used."""
    entity_type = ENTITY_TYPES[stream]
    told: list[Entity | Gone] = []
    for raw in message.entities:
        head = _head_decoder.decode(raw)
        gone = Gone(head.key, head.version)
        told.append(gone if head.gone else msgspec.json.decode(raw, type=entity_type))
    return told


def _is_unknown(vehicle: TransitEntity, sites: Mapping[str, str | None]) -> bool:
    return vehicle.shipment is not None and vehicle.shipment not in sites
