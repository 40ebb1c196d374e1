"""People are told of an alert once, when they may be disturbed, and of no alert that is over."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.integration.api.test_worker import surroundings
from tests.integration.api.world import fill
from tests.support.brokers import Broker
from tests.support.processes import wait_until
from waystock.contract.live import decode_live
from waystock.store.connection import connect
from waystock.store.pool import StorePool
from waystock_api.jobs import JOBS, Surroundings
from waystock_api.live.publisher import Publisher
from waystock_demo.bench.publishing import connected_client, leave

PUSH = next(job for job in JOBS if job.name == "push_alerts")
NIGHT = '[{"days": ["mon","tue","wed","thu","fri","sat","sun"], "start": "22:00", "end": "06:00"}]'


class People:
    """Who listens to the pushes of all sites."""

    def __init__(self, broker_url: str) -> None:
        self.heard: list[tuple[str, str]] = []
        self._subscribed: list[bool] = []
        self._client = connected_client(broker_url)
        self._client.on_message = lambda client, data, message: self._on(message)
        self._client.on_subscribe = lambda *_: self._subscribed.append(True)
        self._client.subscribe("waystock/v1/push/+", 1)
        wait_until(lambda: self._subscribed, "the subscription holds")

    def _on(self, message: Any) -> None:
        site = message.topic.rpartition("/")[2]
        for raw in decode_live(bytes(message.payload)).entities:
            self.heard.append((site, msgspec.json.decode(raw)["subject"]))

    def close(self) -> None:
        leave(self._client)


@pytest.fixture
def people(nats_broker: Broker) -> Iterator[People]:
    one = People(nats_broker.url)
    yield one
    one.close()


@pytest.fixture
def around(plain_database_url: str, nats_broker: Broker, people: People) -> Iterator[Surroundings]:
    fill(plain_database_url)
    execute(plain_database_url, "DELETE FROM alert")
    made = surroundings(plain_database_url, nats_broker.url)
    made.store.open()
    made.publisher.start()
    wait_until(made.publisher._client.is_connected, "the worker's publisher is connected")
    yield made
    made.publisher.stop()
    made.store.close()


def execute(url: str, statement: str, *values: object) -> None:
    with connect(url, "test") as database:
        database.execute(statement, values)  # type: ignore[arg-type]


def put_alert(url: str, subject: str, severity: str = "warning", age_s: float = 0.0) -> None:
    execute(
        url,
        "INSERT INTO alert (alert_id, type, severity, site, subject, opened_at, figures, orders,"
        " captured_at, recorded_at, changed_at, decided_at) VALUES (%s, 'vehicle.off_hours', %s,"
        " 'sha', %s, now(), '{}', '{}', now() - make_interval(secs => %s), now(), now(), now())",
        subject, severity, subject, age_s,
    )  # fmt: skip


def at(around: Surroundings, text: str) -> Surroundings:
    """The same worker at this hour of Tuesday in UTC."""
    instant = datetime.fromisoformat(f"2026-11-24T{text}:00+00:00").astimezone(UTC)
    publisher: Publisher = around.publisher
    publisher.now = lambda: instant
    return around


def run(around: Surroundings) -> int:
    return PUSH.run(around, PUSH.number)


def test_an_alert_is_pushed_once_and_what_is_old_or_minor_or_over_is_not(
    around: Surroundings, people: People, plain_database_url: str
) -> None:
    put_alert(plain_database_url, "fresh")
    put_alert(plain_database_url, "minor", severity="info")
    put_alert(plain_database_url, "backlog", age_s=1000.0)
    put_alert(plain_database_url, "over")
    execute(plain_database_url, "UPDATE alert SET cleared_at = now() WHERE subject = 'over'")
    assert run(around) == 1
    assert run(around) == 0
    wait_until(lambda: people.heard, "the push arrives")
    assert people.heard == [("sha", "fresh")]


def test_in_quiet_hours_an_alert_waits_and_is_pushed_afterwards_if_it_is_still_open(
    around: Surroundings, people: People, plain_database_url: str
) -> None:
    url = plain_database_url
    # The site's clock is eight hours ahead: 22:00 to 06:00 there is 14:00 to 22:00 in UTC.
    execute(
        url,
        "UPDATE site SET quiet_hours = %s, time_zone = 'Asia/Shanghai' WHERE site = 'sha'",
        NIGHT,
    )
    for subject, severity in (("waits", "warning"), ("grave", "critical"), ("clears", "warning")):
        put_alert(url, subject, severity)
    assert run(at(around, "14:30")) == 1
    execute(url, "UPDATE alert SET cleared_at = now() WHERE subject = 'clears'")
    assert run(at(around, "21:59")) == 0
    assert run(at(around, "22:00")) == 1
    wait_until(lambda: len(people.heard) == 2, "both pushes arrive")
    assert people.heard == [("sha", "grave"), ("sha", "waits")]


def test_without_a_broker_nothing_counts_as_told(plain_database_url: str) -> None:
    fill(plain_database_url)
    put_alert(plain_database_url, "fresh")
    away = surroundings(plain_database_url, "mqtt://127.0.0.1:1")
    away.store.open()
    assert run(away) == 0
    with StorePool.connection(away.store) as database:
        row = database.execute("SELECT pushed_at FROM alert WHERE subject = 'fresh'").fetchone()
    assert row == (None,)
    away.store.close()
