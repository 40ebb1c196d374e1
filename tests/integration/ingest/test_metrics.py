"""What Prometheus is told of a running ingest: figures that follow what really happens, in an
outage too, for an operator who has nothing else to go by.
"""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.processes import wait_until
from tests.support.proxy import Proxy
from tests.support.workers import Worker
from waystock.contract import acks, topics
from waystock.contract.events import (
    Barcode,
    Batch,
    Event,
    Health,
    Position,
    Rfid,
    Telemetry,
    encode_batch_of_raw,
    encode_event,
)

OWNER = ("sha", "gw-dock")


def events(kind: str, outcome: str) -> str:
    return f'waystock_ingest_events_total{{kind="{kind}",outcome="{outcome}"}}'


@pytest.fixture
def wire(plain_database_url: str) -> Iterator[Proxy]:
    """Between ingest and its database."""
    proxy = Proxy(urlsplit(plain_database_url).port or 5432)
    yield proxy
    proxy.close()


@pytest.fixture
def worker(
    plain_database_url: str, nats_broker: Broker, wire: Proxy, tmp_path: Path
) -> Iterator[Worker]:
    port = urlsplit(plain_database_url).port
    url = plain_database_url.replace(f":{port}/", f":{wire.port}/")
    worker = Worker("w1", url, nats_broker.url, tmp_path)
    worker.start()
    worker.wait_listening()
    yield worker
    assert worker.stop()


@pytest.fixture
def gateway(nats_broker: Broker) -> Iterator[FakeGateway]:
    gateway = FakeGateway(nats_broker.url)
    yield gateway
    gateway.close()


def one_of_each(at: datetime) -> tuple[Event, ...]:
    return (
        Barcode(device="a", time=at, captured_at=at, format="text", data="1"),
        Barcode(device="a", time=at, captured_at=at, format="text", data="2"),
        Rfid(device="b", time=at, captured_at=at, epc="0" * 24),
        Position(device="c", time=at, captured_at=at, lat=31.0, lon=121.0),
        Telemetry(device="d", time=at, captured_at=at, values={"temperature_c": 4.0}),
        Health(device="e", time=at, captured_at=at),
    )


def test_events_are_counted_by_kind_and_by_what_became_of_them(
    worker: Worker, gateway: FakeGateway
) -> None:
    stream, now = uuid.uuid4(), datetime.now(UTC)
    batch = Batch(stream=stream, first=0, sent_at=now, events=one_of_each(now))
    gateway.send(OWNER, batch)
    gateway.wait_for(stream, range(6))
    gateway.acknowledged.clear()
    gateway.send(OWNER, batch)
    gateway.wait_for(stream, range(6))
    nul = encode_event(Barcode(device="a", time=now, captured_at=now, format="text", data="a\0"))
    spoilt = encode_batch_of_raw(stream, 6, now, [b'{"kind":"smell"}', nul])
    gateway.publish(topics.gateway_topic(*OWNER, "events"), spoilt)
    gateway.wait_for(stream, range(6, 8))
    figures = worker.metrics()
    assert {kind: figures[events(kind, "committed")] for kind in ("barcode", "rfid")} == {
        "barcode": 2,
        "rfid": 1,
    }
    for kind in ("position", "telemetry", "health"):
        assert figures[events(kind, "committed")] == 1, kind
    assert figures[events("any", "already_committed")] == 6
    assert figures[events("barcode", "dead_letter")] == 1
    assert figures[events("any", "dead_letter")] == 1, "the one whose kind nobody can tell"
    letters = [value for name, value in figures.items() if "dead_letters_total" in name]
    assert sum(letters) == 2
    assert figures["waystock_ingest_commit_seconds_count"] == 3
    assert 0 < figures["waystock_ingest_commit_seconds_sum"] < 30


def test_the_age_of_the_newest_event_is_its_way_from_capture_to_commit(
    worker: Worker, gateway: FakeGateway
) -> None:
    stream, now = uuid.uuid4(), datetime.now(UTC)
    batch = Batch(stream=stream, first=0, sent_at=now, events=one_of_each(now))
    gateway.send(OWNER, batch)
    gateway.wait_for(stream, range(6))
    figures = worker.metrics()
    lasted_s = time.time() - now.timestamp()
    assert 0 < figures["waystock_ingest_newest_event_age_seconds"] < lasted_s
    captured = figures["waystock_ingest_newest_event_captured_timestamp_seconds"]
    assert captured == pytest.approx(now.timestamp(), abs=1e-3)


def test_an_outage_of_the_store_shows_as_what_waits_and_what_fails(
    worker: Worker, gateway: FakeGateway, wire: Proxy, plain_database_url: str
) -> None:
    stream, now = uuid.uuid4(), datetime.now(UTC)
    wire.cut()
    for first in range(0, 60, 6):
        gateway.send(OWNER, Batch(stream=stream, first=first, sent_at=now, events=one_of_each(now)))
    unacknowledged = "waystock_ingest_unacknowledged_messages"
    wait_until(lambda: worker.metrics()[unacknowledged] == 10, "ten messages are held")
    failed = 'waystock_ingest_commits_total{outcome="failed"}'
    wait_until(lambda: worker.metrics()[failed] > 0, "the failures are counted")
    assert worker.metrics()["waystock_ingest_broker_connected"] == 1
    wire.mend()
    gateway.wait_for(stream, range(60), within_s=30)
    wait_until(lambda: worker.metrics()[unacknowledged] == 0, "nothing is held any more")
    figures = worker.metrics()
    assert figures["waystock_ingest_waiting_messages"] == 0
    assert figures["waystock_ingest_waiting_bytes"] == 0
    with psycopg.connect(plain_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM fix").fetchone() == (10,)


def test_what_waits_in_the_gateways_is_told_too(worker: Worker, gateway: FakeGateway) -> None:
    for name, depth, unsent_s in (("gw-1", 40, 2.5), ("gw-2", 2, 60.0)):
        status = acks.Status(
            state="online", at=datetime.now(UTC), queue_depth=depth, oldest_unsent_s=unsent_s
        )
        gateway.publish(topics.gateway_topic("sha", name, "status"), acks.encode(status))
    online = "waystock_ingest_gateways_online"
    wait_until(lambda: worker.metrics()[online] == 2, "both are known")
    figures = worker.metrics()
    assert figures["waystock_ingest_gateways_waiting_events"] == 42
    assert figures["waystock_ingest_gateways_oldest_unsent_seconds"] == 60.0
    gone = acks.Status(state="offline", at=datetime.now(UTC), queue_depth=7)
    gateway.publish(topics.gateway_topic("sha", "gw-2", "status"), acks.encode(gone))
    wait_until(lambda: worker.metrics()[online] == 1, "one has left")
    assert worker.metrics()["waystock_ingest_gateways_waiting_events"] == 47


def test_a_broker_that_is_gone_shows(worker: Worker, nats_broker: Broker) -> None:
    connected = "waystock_ingest_broker_connected"
    assert worker.metrics()[connected] == 1
    nats_broker.kill()
    wait_until(lambda: worker.metrics()[connected] == 0, "the loss shows")
    nats_broker.start()
    wait_until(lambda: worker.metrics()[connected] == 1, "it is back")
