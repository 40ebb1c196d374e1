"""The ingest process between a real broker and a real database: what is spoilt is put aside, what
is good goes on, what is acknowledged is stored, and a kill in the middle changes nothing.
"""

import os
import signal
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.postgres import DatabaseServer
from tests.support.processes import running, wait_until
from tests.support.small_day import START, STREAMS, batches, master_data
from waystock.contract import acks, topics
from waystock.contract.events import Barcode, Batch, encode_batch_of_raw, encode_event
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock_demo.process import Command, Process

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OWNER = ("sha", "gw-dock")
WAYSTOCK = str(Path(sys.executable).with_name("waystock"))
StartIngest = Callable[[], AbstractContextManager[Process]]


@pytest.fixture
def ingest(database_url: str, nats_broker: Broker, tmp_path: Path) -> StartIngest:
    """Starts `waystock ingest` on this test's database and broker, each time it is called."""
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())
    environment = {
        **os.environ,
        "WAYSTOCK_DATABASE_URL": database_url,
        "WAYSTOCK_MQTT_URL": nats_broker.url,
    }
    command = Command(name="ingest", argv=(WAYSTOCK, "ingest"), env=environment)

    @contextmanager
    def started() -> Generator[Process]:
        with running(command, log := tmp_path / "ingest.log") as process:
            starts = log.read_text().count("ingest_listening")
            wait_until(lambda: log.read_text().count("ingest_listening") > starts, "it listens")
            yield process

    return started


@pytest.fixture
def gateway(nats_broker: Broker) -> Iterator[FakeGateway]:
    gateway = FakeGateway(nats_broker.url)
    yield gateway
    gateway.close()


def scan(code: str) -> Barcode:
    return Barcode(device="recv", time=NOW, captured_at=NOW, format="text", data=code)


def batch(stream: uuid.UUID, first: int, *codes: str) -> Batch:
    return Batch(stream=stream, first=first, sent_at=NOW, events=tuple(map(scan, codes)))


def ask(database_url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def stored(database_url: str) -> list[str]:
    rows = ask(database_url, "SELECT data FROM barcode_reading ORDER BY stream_offset, data")
    return [str(row[0]) for row in rows]


def test_garbage_is_put_aside_with_its_reason_and_the_stream_goes_on(
    database_url: str, ingest: StartIngest, gateway: FakeGateway
) -> None:
    stream = uuid.uuid4()
    events = topics.gateway_topic(*OWNER, "events")
    good = encode_event(scan("A"))
    with ingest() as process:
        gateway.publish(events, b"\x00\x01 not a batch")
        gateway.publish("waystock/v1/SHA!/gw/events", b"{}")
        gateway.publish("waystock/v1/sha/gw-dock/hello", b"who's there")
        gateway.publish("waystock/v1/sha/gw-dock/status", b"[]")
        gateway.publish(events, encode_batch_of_raw(stream, 0, NOW, [good, b'{"kind":"smell"}']))
        spoilt_status = acks.Status(state="online", at=NOW, rejects={"a\0b": 1})
        gateway.publish("waystock/v1/sha/gw-dock/status", acks.encode(spoilt_status))
        gateway.publish("waystock/v1/sha/gw-dock/status", b'{"state":"online","at":"soon"}')
        huge = good[:-1] + b',"repeats":%d}' % 2**70
        gateway.publish(events, encode_batch_of_raw(stream, 5, NOW, [huge]))
        gateway.publish(events, encode_batch_of_raw(uuid.uuid4(), 2**63, NOW, [good]))
        gateway.publish(events, encode_batch_of_raw(uuid.uuid4(), 2**63, NOW, [good]))
        nul = encode_event(scan("has\u0000a zero that PostgreSQL refuses"))
        gateway.publish(events, encode_batch_of_raw(stream, 2, NOW, [good, nul, good]))
        gateway.wait_for(stream, range(6))
        assert process.poll() is None
    assert stored(database_url) == ["A", "A", "A"]
    letters = ask(database_url, "SELECT stream_offset, stage, reason FROM dead_letter ORDER BY 1")
    by_offset = {row[0]: row for row in letters if row[0] is not None}
    assert set(by_offset) == {1, 3, 5}
    assert "smell" in str(by_offset[1][2])
    assert by_offset[3][1] == "keep_readings"
    assert len(letters) == 7


def test_a_gateway_cannot_speak_for_the_stream_of_another(
    database_url: str, ingest: StartIngest, gateway: FakeGateway
) -> None:
    stream, own = uuid.uuid4(), uuid.uuid4()
    with ingest():
        gateway.send(OWNER, batch(stream, 0, "A"))
        gateway.wait_for(stream, range(1))
        gateway.send(("hgh", "gw-thief"), batch(stream, 1, "B"))
        gateway.send(("hgh", "gw-thief"), batch(own, 0, "C"))
        gateway.wait_for(own, range(1))
    assert sorted(stored(database_url)) == ["A", "C"]
    ((reason,),) = ask(database_url, "SELECT reason FROM dead_letter")
    assert "belongs to sha/gw-dock" in str(reason)


def test_a_gateway_that_lost_the_acknowledgement_learns_it_by_hello(
    database_url: str, ingest: StartIngest, gateway: FakeGateway
) -> None:
    stream = uuid.uuid4()
    with ingest():
        gateway.send(OWNER, batch(stream, 0, "A", "B", "C"))
        gateway.wait_for(stream, range(3))
        gateway.acknowledged.clear()
        gateway.hello(OWNER, stream, 1, 5)
        gateway.wait_for(stream, range(1, 3))
    assert gateway.acknowledged[stream] == {1, 2}


def test_killed_in_the_middle_nothing_is_lost_and_nothing_twice(
    database_url: str, ingest: StartIngest, gateway: FakeGateway
) -> None:
    stream = uuid.uuid4()
    codes = [f"C{number:05}" for number in range(3000)]
    for kill in range(3):
        with ingest() as process:
            for first in range(kill * 1000, (kill + 1) * 1000, 10):
                gateway.send(OWNER, batch(stream, first, *codes[first : first + 10]))
                if first == kill * 1000 + 700:
                    process.send_signal(signal.SIGKILL)
    with ingest():
        for first in range(0, 3000, 100):
            gateway.send(OWNER, batch(stream, first, *codes[first : first + 100]))
        gateway.wait_for(stream, range(3000), within_s=60)
    assert stored(database_url) == codes


def test_killed_broker_and_resent_batches_lose_and_double_nothing(
    database_url: str, ingest: StartIngest, gateway: FakeGateway, nats_broker: Broker
) -> None:
    stream = uuid.uuid4()
    codes = [f"C{number:03}" for number in range(200)]
    with ingest():
        for first in range(0, 100, 10):
            gateway.send(OWNER, batch(stream, first, *codes[first : first + 10]))
        nats_broker.kill()
        nats_broker.start()
        for first in range(0, 200, 10):
            gateway.send(OWNER, batch(stream, first, *codes[first : first + 10]))
        gateway.wait_for(stream, range(200), within_s=60)
    assert stored(database_url) == codes


def test_with_the_database_away_it_waits_and_goes_on_by_itself(
    postgres_server: DatabaseServer, nats_broker: Broker, gateway: FakeGateway, tmp_path: Path
) -> None:
    with postgres_server.migrated_database() as url:
        name = url.rpartition("/")[2]
        environment = {**os.environ, "WAYSTOCK_MQTT_URL": nats_broker.url}
        environment["WAYSTOCK_DATABASE_URL"] = url
        command = Command(name="ingest", argv=(WAYSTOCK, "ingest"), env=environment)
        stream = uuid.uuid4()
        with running(command, log := tmp_path / "ingest.log") as process:
            wait_until(lambda: "ingest_listening" in log.read_text(), "it listens")
            gateway.send(OWNER, batch(stream, 0, "A"))
            gateway.wait_for(stream, range(1))
            admin = url.rpartition("/")[0] + "/postgres"
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')  # type: ignore[arg-type]
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (name,),
                )
            gateway.send(OWNER, batch(stream, 1, "B"))
            wait_until(lambda: "store_unavailable" in log.read_text(), "the loss is logged")
            assert gateway.acknowledged[stream] == {0}
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')  # type: ignore[arg-type]
            gateway.wait_for(stream, range(2), within_s=30)
            assert process.poll() is None
        assert stored(url) == ["A", "B"]


def test_with_the_database_away_and_its_queue_full_it_still_stops_when_asked(
    postgres_server: DatabaseServer, nats_broker: Broker, gateway: FakeGateway, tmp_path: Path
) -> None:
    url = f"{postgres_server.admin_url.rpartition('/')[0]}/there_is_none"
    environment = {**os.environ, "WAYSTOCK_MQTT_URL": nats_broker.url}
    environment["WAYSTOCK_DATABASE_URL"] = url
    command = Command(name="ingest", argv=(WAYSTOCK, "ingest"), env=environment)
    stream = uuid.uuid4()
    with running(command, log := tmp_path / "ingest.log") as process:
        wait_until(lambda: "ingest_listening" in log.read_text(), "it listens")
        for first in range(800):  # three queues full
            gateway.send(OWNER, batch(stream, first, "A"))
        wait_until(lambda: log.read_text().count("store_unavailable") > 3, "it holds what it has")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_status_is_kept_and_a_whole_day_goes_through(
    database_url: str, ingest: StartIngest, gateway: FakeGateway
) -> None:
    status = acks.Status(state="online", at=NOW, queue_depth=3)
    with ingest():
        gateway.publish(topics.gateway_topic(*OWNER, "status"), acks.encode(status), retain=True)
        for owner, stream in STREAMS.items():
            day = list(batches(owner, iter(lambda: 17, 0)))
            for one in day:
                gateway.send(owner, one)
            gateway.wait_for(stream, range(day[-1].first + len(day[-1].events)))
    ((state,),) = ask(database_url, "SELECT state FROM gateway_status")
    assert state == "online"
    types = ask(database_url, "SELECT DISTINCT type FROM alert ORDER BY 1")
    assert len(types) == 5
    assert START.tzinfo is UTC
