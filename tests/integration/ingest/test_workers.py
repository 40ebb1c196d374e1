"""Several workers on one broker: the work is shared, each question answered once, and whoever
leaves or dies takes nothing with him.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.processes import wait_until
from tests.support.vandal import connect as connect_by_hand
from tests.support.workers import Worker
from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Barcode, Batch

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
OWNER = ("sha", "gw-dock")
COMMITTED = 'waystock_ingest_events_total{kind="barcode",outcome="committed"}'
KNOWN = 'waystock_ingest_events_total{kind="any",outcome="already_committed"}'
HELLOS = 'waystock_ingest_messages_total{outcome="hello"}'
StartWorker = Callable[..., Worker]


@pytest.fixture
def start_worker(plain_database_url: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a worker that listens; all are stopped at the end."""
    with ExitStack() as stack:

        def started(name: str, broker_url: str, group: str | None = None) -> Worker:
            worker = Worker(name, plain_database_url, broker_url, tmp_path, group)
            stack.callback(worker.stop)
            worker.start()
            worker.wait_listening()
            return worker

        yield started


def batch(stream: uuid.UUID, first: int, count: int) -> Batch:
    codes = (f"C{number}" for number in range(first, first + count))
    scans = tuple(
        Barcode(device="recv", time=NOW, captured_at=NOW, format="text", data=code)
        for code in codes
    )
    return Batch(stream=stream, first=first, sent_at=NOW, events=scans)


def stored(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM barcode_reading").fetchone()
    return row[0] if row else 0


def test_workers_of_a_group_share_the_load_and_answer_each_hello_once(
    plain_database_url: str, mosquitto_broker: Broker, start_worker: StartWorker
) -> None:
    workers = [start_worker(name, mosquitto_broker.url, "ingest") for name in ("w1", "w2")]
    gateway = FakeGateway(mosquitto_broker.url)
    streams = [uuid.uuid4() for _ in range(10)]
    for stream in streams:
        gateway.send((*OWNER[:1], f"gw-{stream}"), batch(stream, 0, 20))
    for stream in streams:
        gateway.wait_for(stream, range(20))
    for stream in streams:
        gateway.hello((*OWNER[:1], f"gw-{stream}"), stream, 0, 20)

    def answered() -> float:
        return sum(worker.metrics().get(HELLOS, 0) for worker in workers)

    wait_until(lambda: answered() == len(streams), "every hello is answered")
    gateway.close()
    shares = [worker.metrics()[COMMITTED] for worker in workers]
    assert sum(shares) == stored(plain_database_url) == 200
    assert min(shares) > 0, "one of them had all the work"
    assert [worker.metrics()[KNOWN] for worker in workers] == [0, 0]


def test_a_worker_that_leaves_hands_its_share_over_at_once(
    mosquitto_broker: Broker, start_worker: StartWorker
) -> None:
    workers = [start_worker(name, mosquitto_broker.url, "ingest") for name in ("w1", "w2")]
    gateway = FakeGateway(mosquitto_broker.url)
    stream = uuid.uuid4()
    gateway.send(OWNER, batch(stream, 0, 1))
    gateway.wait_for(stream, range(1))
    assert workers[0].stop()
    for first in range(1, 21):
        gateway.send(OWNER, batch(stream, first, 1))
    gateway.wait_for(stream, range(21), within_s=5)
    gateway.close()


def test_what_a_dead_worker_was_dealt_reaches_the_others_when_it_is_sent_again(
    plain_database_url: str, mosquitto_broker: Broker, start_worker: StartWorker
) -> None:
    workers = [start_worker(name, mosquitto_broker.url, "ingest") for name in ("w1", "w2")]
    gateway = FakeGateway(mosquitto_broker.url)
    stream = uuid.uuid4()
    workers[0].kill()
    for first in range(20):
        gateway.send(OWNER, batch(stream, first, 1))

    def sent_again_until_stored() -> bool:
        missing = set(range(20)) - gateway.acknowledged[stream]
        for first in missing:
            gateway.send(OWNER, batch(stream, first, 1))
        return not missing

    wait_until(sent_again_until_stored, "the survivor has all", within_s=30, every_s=0.5)
    workers[0].start()
    wait_until(lambda: workers[0].said("ingest_listening") == 2, "it is back")
    gateway.send(OWNER, batch(stream, 20, 1))
    gateway.wait_for(stream, range(21))
    gateway.close()
    assert stored(plain_database_url) == 21


def test_without_shared_subscriptions_every_worker_hears_all_and_each_reading_is_stored_once(
    plain_database_url: str, nats_broker: Broker, start_worker: StartWorker
) -> None:
    workers = [start_worker(name, nats_broker.url) for name in ("w1", "w2")]
    gateway = FakeGateway(nats_broker.url)
    stream = uuid.uuid4()
    for first in range(0, 200, 10):
        gateway.send(OWNER, batch(stream, first, 10))
    gateway.wait_for(stream, range(200))

    def heard() -> list[float]:
        figures = [worker.metrics() for worker in workers]
        return [one[COMMITTED] + one[KNOWN] for one in figures]

    wait_until(lambda: heard() == [200, 200], "both have heard all")
    gateway.close()
    assert stored(plain_database_url) == 200


@pytest.mark.parametrize("group", [None, "ingest"])
def test_an_account_or_group_that_the_broker_refuses_is_said_and_ingest_still_stops_when_asked(
    plain_database_url: str, nats_broker: Broker, tmp_path: Path, group: str | None
) -> None:
    url = nats_broker.url if group else nats_broker.url.replace("test:test", "test:wrong")
    assert group or url != nats_broker.url
    worker = Worker("w1", plain_database_url, url, tmp_path, group)
    worker.start()
    try:
        wait_until(lambda: worker.said("broker_refused_ingest"), "the refusal is in the log")
        assert worker.is_alive
    finally:
        assert worker.stop()


def test_a_stranger_with_a_wrong_password_is_not_let_in(nats_broker: Broker) -> None:
    broker = parse_broker_url(nats_broker.url)
    socket, code = connect_by_hand(broker.host, broker.port, broker.username, "guessed")
    socket.close()
    assert code != 0
