"""The servers that every other integration test, and the demo, stand on."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psutil
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.brokers import Broker, nats
from tests.support.postgres import DatabaseServer
from tests.support.processes import is_alive, wait_until
from waystock_demo.nats import gateway_account, trackers_account
from waystock_demo.ports import PortBusyError, choose_port, free_port

ROOT = Path(__file__).parents[3]


def test_each_tier_gives_a_migrated_database_of_ones_own(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        count = connection.execute("SELECT count(*) FROM schema_migration").fetchone()
    assert count is not None
    assert count[0] > 0


def test_one_tests_rows_are_not_seen_by_the_next(postgres_server: DatabaseServer) -> None:
    for _ in range(2):
        with (
            postgres_server.migrated_database() as url,
            psycopg.connect(url) as connection,
        ):
            connection.execute("CREATE TABLE left_over (n int)")


def test_the_database_wants_its_password(postgres_server: DatabaseServer) -> None:
    url = urlsplit(postgres_server.admin_url)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://waystock:wrong@{url.hostname}:{url.port}/postgres")


class Client:
    """A paho client over one URL; `received` grows as messages come in."""

    def __init__(self, url: str, client_id: str) -> None:
        self.received: list[bytes] = []
        self.refusals: list[str] = []
        self.connected = False
        self._url = urlsplit(url)
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        if self._url.username:
            self.client.username_pw_set(self._url.username, self._url.password)
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _c, _u, message: self.received.append(
            bytes(message.payload)
        )
        self.client.on_subscribe = self._on_subscribe
        self.subscriptions: list[int] = []

    def open(self) -> "Client":
        self.client.connect(self._url.hostname or "", self._url.port or 0)
        self.client.loop_start()
        wait_until(lambda: self.connected or self.refusals, "the broker answers")
        return self

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        wait_until(lambda: self.subscriptions, f"{topic} is subscribed to")

    def publish(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(10)

    def _on_connect(self, _c, _u, _flags, reason, _properties) -> None:
        if reason.is_failure:
            self.refusals.append(str(reason))
        self.connected = not reason.is_failure

    def _on_subscribe(self, _c, _u, _mid, reasons, _properties) -> None:
        self.subscriptions += [reason.value for reason in reasons]


def test_messages_the_broker_took_survive_its_kill(nats_broker: Broker) -> None:
    listener = Client(nats_broker.url, "listener").open()
    listener.subscribe("waystock/v1/+/+/events")
    listener.close()
    speaker = Client(nats_broker.url, "speaker").open()
    sent = [str(n).encode() for n in range(500)]
    for payload in sent:
        speaker.publish("waystock/v1/sha/gw-dock/events", payload)
    nats_broker.kill()
    speaker.client.loop_stop()
    nats_broker.start()
    back = Client(nats_broker.url, "listener").open()
    wait_until(lambda: len(back.received) >= len(sent), "the session is delivered in full")
    assert back.received == sent
    back.close()


def test_mosquitto_delivers_to_a_session_that_was_away(mosquitto_broker: Broker) -> None:
    listener = Client(mosquitto_broker.url, "listener").open()
    listener.subscribe("waystock/v1/+/+/events")
    listener.close()
    speaker = Client(mosquitto_broker.url, "speaker").open()
    speaker.publish("waystock/v1/sha/gw-dock/events", b"1")
    speaker.close()
    back = Client(mosquitto_broker.url, "listener").open()
    wait_until(lambda: back.received, "the waiting message comes")
    back.close()


def test_a_gateway_cannot_speak_or_listen_for_another() -> None:
    accounts = (
        gateway_account("sha", "gw-a", "a", sources=("trackers/+/fix",)),
        gateway_account("sha", "gw-b", "b"),
        trackers_account("t"),
    )
    with nats(accounts) as broker:
        observer = Client(broker.url, "observer").open()
        observer.subscribe("waystock/v1/#")
        own = Client(broker.urls["gateway-sha-gw-a"], "gw-a").open()
        own.subscribe("waystock/v1/sha/gw-a/ack")
        own.subscribe("trackers/+/fix")
        tracker = Client(broker.urls["trackers"], "tracker").open()
        tracker.publish("trackers/t1/fix", b"fix")
        wait_until(lambda: own.received == [b"fix"], "the tracker's fix reaches its gateway")
        own.publish("waystock/v1/sha/gw-a/events", b"own")
        wait_until(lambda: observer.received == [b"own"], "its own batch passes")

        other = Client(broker.urls["gateway-sha-gw-b"], "gw-b").open()
        other.client.publish("waystock/v1/sha/gw-a/events", b"forged", qos=1)
        other.client.subscribe("waystock/v1/sha/gw-a/ack", qos=1)
        wait_until(lambda: 0x80 in other.subscriptions, "the foreign ack topic is refused")
        own.publish("waystock/v1/sha/gw-a/events", b"last")
        wait_until(lambda: b"last" in observer.received, "the last batch passes")
        assert observer.received == [b"own", b"last"]
        for client in (observer, own, tracker, other):
            client.close()


def test_a_wrong_password_is_refused() -> None:
    with nats((trackers_account("right"),)) as broker:
        stranger = Client(broker.urls["trackers"].replace("right", "wrong"), "stranger").open()
        assert not stranger.connected
        stranger.close()
        anonymous = Client(f"mqtt://127.0.0.1:{broker.port}", "anonymous").open()
        assert not anonymous.connected
        anonymous.close()


def test_a_killed_session_leaves_no_server_behind(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from tests.support.brokers import nats
        from tests.support.postgres import embedded_postgres
        with embedded_postgres() as server, nats() as broker:
            print("ready", flush=True)
            sys.stdin.read()
    """)
    session = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert session.stdin is not None
    assert session.stdout is not None
    assert b"ready\n" in iter(session.stdout.readline, b"")
    servers = psutil.Process(session.pid).children(recursive=True)
    assert {server.name() for server in servers} >= {"postgres", "nats-server"}
    session.send_signal(signal.SIGKILL)
    session.wait()
    session.stdin.close()
    session.stdout.close()
    wait_until(lambda: not any(is_alive(server) for server in servers), "every server has ended")


def test_a_busy_port_is_replaced_unless_it_was_asked_for() -> None:
    with nats() as broker:
        assert choose_port(None, broker.port, "--mqtt-port") != broker.port
        with pytest.raises(PortBusyError, match="--mqtt-port"):
            choose_port(broker.port, 18830, "--mqtt-port")
    port = free_port()
    assert choose_port(port, 18830, "--mqtt-port") == port
