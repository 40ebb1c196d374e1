"""A real api on a free port in a thread of the test's process, a WebSocket client that follows the
protocol, and a publisher that stands in for ingest.
"""

import dataclasses
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from websockets.sync.client import ClientConnection, connect

from tests.support.processes import wait_until
from waystock.contract.broker import parse_broker_url
from waystock.contract.live import Entity, LiveMessage, encode_entity, encode_live
from waystock.contract.topics import LiveStream, live_topic
from waystock.store.accounts import Role, put_account, put_token
from waystock.store.connection import connect as connect_store
from waystock_api.app import create_app
from waystock_api.passwords import hash_password, token_hash
from waystock_api.services import Services
from waystock_api.settings import ApiSettings
from waystock_demo.ports import free_port

PASSWORD = "correct horse battery"
NO_BROKER = "mqtt://127.0.0.1:1"


def settings(database_url: str, mqtt_url: str = NO_BROKER, **changed: Any) -> ApiSettings:
    plain = ApiSettings(database_url, parse_broker_url(mqtt_url), Path("/nonexistent"))
    return dataclasses.replace(plain, **changed)


@dataclasses.dataclass
class Api:
    """A running api."""

    url: str
    port: int
    services: Services
    database_url: str

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        # Without `verify`, each client would read the machine's certificates: plain http here.
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, verify=False)

    def get(self, path: str, token: str | None = None, **params: Any) -> httpx.Response:
        with self.client(token) as client:
            return client.get(path, params=params)

    def wait_ready(self) -> None:
        wait_until(lambda: self.get("/readyz").status_code == 200, "the api is ready")

    def count(self, name: str, **labels: str) -> float:
        """The value of one of its counters."""
        return self.services.metrics.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def running_api(chosen: ApiSettings) -> Generator[Api]:
    """The api on a free port; stopped at the end."""
    port = free_port()
    app = create_app(chosen)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, ws="websockets-sansio", ws_per_message_deflate=False,
        timeout_graceful_shutdown=1, log_config=None, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "the api listens")
        yield Api(f"http://127.0.0.1:{port}", port, app.state.services, chosen.database_url)
    finally:
        server.should_exit = True
        thread.join(timeout=15)
        assert not thread.is_alive(), "the api did not stop"


def add_token(database_url: str, token: str = "wst_test", role: Role = "viewer") -> str:
    with connect_store(database_url, "test") as database:
        assert put_token(database, token_hash(token), token.replace("_", "-"), role)
    return token


def add_user(database_url: str, name: str = "ann", role: Role = "operator") -> None:
    with connect_store(database_url, "test") as database:
        put_account(database, name, hash_password(PASSWORD, b"0123456789abcdef"), role)


def login(api: Api, name: str = "ann", password: str = PASSWORD, **headers: str) -> httpx.Response:
    with api.client() as client:
        return client.post(
            "/api/v1/login", json={"username": name, "password": password}, headers=headers
        )


class Screen:
    """A WebSocket client that applies what it is told, as a page does."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.seen: dict[str, dict[str, Any]] = {}
        self.epoch = ""
        self.seq = 0

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def sub(self, channel: str, **more: Any) -> None:
        self.send(type="sub", id=1, ch=channel, **more)

    def receive(self, *, ack: bool = True, timeout_s: float = 5.0) -> dict[str, Any]:
        """The next frame that is no beat, applied."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            frame = json.loads(self.socket.recv(timeout=deadline_s - time.monotonic()))
            if frame["type"] != "beat":
                break
        self.frames.append(frame)
        if frame["type"] == "snap":
            if frame["part"] == 1:
                self.seen = {}
            self.seen |= {entity["key"]: entity for entity in frame["d"]}
            self.epoch = frame["epoch"]
        elif frame["type"] == "delta":
            assert frame["prev"] == self.seq, "a gap"
            self.seen |= {entity["key"]: entity for entity in frame["up"]}
            for key in frame["rm"]:
                self.seen.pop(key, None)
        if frame["type"] in {"snap", "delta"}:
            self.seq = frame["seq"]
            if ack and frame.get("part") == frame.get("of"):
                self.send(type="ack", id=1, seq=self.seq)
        return frame

    def receive_until(self, key: str, **wanted: Any) -> None:
        """Apply frames until `key` shows these values (or, without values, until it is gone)."""
        for _ in range(200):
            shown = self.seen.get(key)
            if wanted and shown and all(shown.get(name) == wanted[name] for name in wanted):
                return
            if not wanted and shown is None:
                return
            self.receive()
        raise AssertionError(f"{key} never showed {wanted}")


@contextmanager
def screen(api: Api, token: str | None = None, **options: Any) -> Generator[Screen]:
    """A signed-in screen, where a token is given."""
    url = f"ws://127.0.0.1:{api.port}/api/v1/live"
    with connect(url, max_size=None, **options) as socket:
        client = Screen(socket)
        if token is not None:
            client.send(type="auth", token=token)
        yield client


class Ingest:
    """Publishes live messages as ingest does after a commit."""

    def __init__(self, client: Client, name: str = "ingest-1", epoch: str = "e1") -> None:
        self.client = client
        self.name = name
        self.epoch = epoch
        self.seqs: dict[str, int] = {}

    def publish(self, stream: LiveStream, *entities: Entity, lost: bool = False) -> None:
        """One message; a `lost` one takes its number and never arrives."""
        topic = live_topic("sha", stream)
        seq = self.seqs[topic] = self.seqs.get(topic, 0) + 1
        message = LiveMessage(
            publisher=self.name, epoch=self.epoch, seq=seq, sent_at=datetime.now(UTC),
            entities=tuple(encode_entity(entity) for entity in entities),
        )  # fmt: skip
        if not lost:
            self.raw(topic, encode_live(message))

    def raw(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(5)


@contextmanager
def ingest(mqtt_url: str) -> Generator[Ingest]:
    address = parse_broker_url(mqtt_url)
    client = Client(CallbackAPIVersion.VERSION2)
    if address.username:
        client.username_pw_set(address.username, address.password)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        wait_until(client.is_connected, "the publisher is connected")
        yield Ingest(client)
    finally:
        client.disconnect()
        client.loop_stop()
