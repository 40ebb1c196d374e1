"""Scheduled jobs on a real store: what is old goes, what is needed stays, and screens are told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from tests.integration.api.running import add_token, running_api, screen, settings
from tests.integration.api.world import fill
from tests.support.brokers import Broker
from tests.support.processes import wait_until
from waystock.contract.broker import parse_broker_url
from waystock.store.connection import connect
from waystock.store.pool import StorePool
from waystock.store.retention import DAY_S, retentions, set_retention
from waystock_api.jobs import JOBS, Job, Surroundings
from waystock_api.live.publisher import Publisher
from waystock_api.worker import Schedule


def surroundings(database_url: str, mqtt_url: str, name: str = "worker") -> Surroundings:
    publisher = Publisher(parse_broker_url(mqtt_url), name, name, lambda: datetime.now(UTC))
    return Surroundings(StorePool(database_url, name), publisher, lambda: False)


@pytest.fixture
def around(database_url: str) -> Iterator[Surroundings]:
    keep_all(database_url, days=30)
    made = surroundings(database_url, "mqtt://127.0.0.1:1")
    made.store.open()
    yield made
    made.store.close()


def keep_all(database_url: str, days: int) -> None:
    with connect(database_url, "test") as database:
        for one in retentions(database):
            set_retention(
                database, one.table, days * DAY_S, min(one.compress_after_s or DAY_S, DAY_S)
            )


def run_all(around: Surroundings) -> None:
    schedule = Schedule(JOBS, lambda: 0.0, Random(1), CollectorRegistry())
    assert schedule.run_all(around)


def count(database_url: str, table: str) -> int:
    with connect(database_url, "test") as database:
        row = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # pyright: ignore
        assert row
        return row[0]


def put_fixes(database_url: str, days_ago: int, rows: int, devices: int = 1) -> None:
    with connect(database_url, "test") as database:
        database.execute(
            "INSERT INTO fix (time, captured_at, received_at, stream_id, stream_offset, device,"
            " clock, quality, lat, lon) SELECT now() - make_interval(days => %s), now(), now(), 1,"
            " n, 'gps-' || n %% %s, 'gps', '{}', 0, 0 FROM generate_series(1, %s) AS n",
            (days_ago, devices, rows),
        )


def test_old_raw_readings_go_and_the_ledger_stays(around: Surroundings, database_url: str) -> None:
    fill(database_url)
    movements = count(database_url, "movement")
    kept = count(database_url, "fix")
    put_fixes(database_url, days_ago=90, rows=25_000)
    put_fixes(database_url, days_ago=60, rows=25_000, devices=700)
    put_fixes(database_url, days_ago=29, rows=10)
    run_all(around)
    assert count(database_url, "fix") == kept + 10
    assert count(database_url, "movement") == movements > 0


def test_each_table_keeps_what_its_own_retention_says(
    around: Surroundings, database_url: str
) -> None:
    put_fixes(database_url, days_ago=60, rows=10)
    with connect(database_url, "test") as database:
        set_retention(database, "fix", 61 * DAY_S)
        database.execute(
            "INSERT INTO telemetry_reading (time, captured_at, received_at, stream_id,"
            " stream_offset, device, clock, quality, measured) SELECT now() - interval '60 days',"
            " now(), now(), 1, 1, 't-1', 'gps', '{}', '{}'"
        )
    run_all(around)
    assert count(database_url, "fix") == 10
    assert count(database_url, "telemetry_reading") == 0


def test_old_dead_letters_and_dead_sessions_go(around: Surroundings, database_url: str) -> None:
    fill(database_url)
    with connect(database_url, "test") as database:
        database.execute(
            "INSERT INTO dead_letter (received_at, topic, stage, reason, payload)"
            " VALUES (now() - interval '31 days', 't', 's', 'r', '')"
        )
        database.execute("INSERT INTO account VALUES ('ann', 'x', 'viewer')")
        database.execute(
            "INSERT INTO session (token_hash, username, expires_at) VALUES"
            " ('a', 'ann', now() - interval '1 s'), ('b', 'ann', now() + interval '1 day')"
        )
    run_all(around)
    assert count(database_url, "dead_letter") == 1
    assert count(database_url, "session") == 1


def test_checkpoints_thin_out_but_each_vehicle_keeps_its_last(
    around: Surroundings, database_url: str
) -> None:
    fill(database_url)
    with connect(database_url, "test") as database:
        for vehicle, days in (("truck-1", (1, 1, 20, 20, 20, 40)), ("truck-2", (50, 60))):
            for n, day in enumerate(days):
                database.execute(
                    "INSERT INTO fold_checkpoint VALUES (%s, date_trunc('day', now(), 'UTC')"
                    " - make_interval(days => %s, mins => -%s), '\\x00')",
                    (vehicle, day, n + 1),
                )
    run_all(around)
    with connect(database_url, "test") as database:
        rows = database.execute(
            "SELECT vehicle, date_part('day', date_trunc('day', now(), 'UTC') - "
            " date_trunc('day', at, 'UTC'))::int FROM fold_checkpoint ORDER BY 1, 2"
        ).fetchall()
    assert rows == [("truck-1", 1), ("truck-1", 1), ("truck-1", 20), ("truck-2", 50)]


def test_two_workers_at_once_do_the_work_once(database_url: str) -> None:
    keep_all(database_url, days=30)
    put_fixes(database_url, days_ago=90, rows=30_000)
    workers = [surroundings(database_url, "mqtt://127.0.0.1:1", f"worker-{n}") for n in range(2)]
    job = next(job for job in JOBS if job.name == "drop_old_readings")
    for worker in workers:
        worker.store.open()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: job.run(worker, job.number), workers))
        for worker in workers:
            job.run(worker, job.number)
    for worker in workers:
        worker.store.close()
    assert count(database_url, "fix") == 0


def test_a_failed_job_is_tried_again_and_holds_up_no_other(around: Surroundings) -> None:
    clock = [0.0]
    ran: list[str] = []

    def broken(_around: Surroundings, _lock: int) -> int:
        raise RuntimeError("broken")

    def good(_around: Surroundings, _lock: int) -> int:
        ran.append("good")
        return 1

    away = surroundings("postgresql://nobody@127.0.0.1:1/nothing", "mqtt://127.0.0.1:1")
    jobs = (Job(901, "broken", 60, broken), Job(902, "good", 60, good), *JOBS)
    schedule = Schedule(jobs, lambda: clock[0], Random(1), CollectorRegistry())
    away.store.open()
    assert schedule.run_due(away) is False
    away.store.close()
    clock[0] = 70.0
    assert schedule.run_due(around) is False
    assert ran == ["good", "good"]


def alerts(database_url: str, alert_type: str) -> list[tuple[str, bool]]:
    with connect(database_url, "test") as database:
        return database.execute(
            "SELECT subject, cleared_at IS NULL FROM alert WHERE type = %s ORDER BY 1, 2",
            (alert_type,),
        ).fetchall()


def test_a_silent_gateway_raises_one_alert_until_it_speaks_again(
    around: Surroundings, database_url: str
) -> None:
    fill(database_url)
    run_all(around)
    assert alerts(database_url, "gateway.silent") == []
    with connect(database_url, "test") as database:
        database.execute("UPDATE gateway_status SET received_at = now() - interval '95 s'")
    for _ in range(2):
        run_all(around)
        assert alerts(database_url, "gateway.silent") == [("sha/gw-1", True)]
    with connect(database_url, "test") as database:
        database.execute("UPDATE gateway_status SET received_at = now()")
    run_all(around)
    assert alerts(database_url, "gateway.silent") == [("sha/gw-1", False)]


def test_a_reading_put_aside_raises_an_alert_that_names_its_gateway(
    around: Surroundings, database_url: str
) -> None:
    fill(database_url)
    for _ in range(2):
        run_all(around)
        assert alerts(database_url, "ingest.dead_letter") == [("sha/gw-1", True)]
    with connect(database_url, "test") as database:
        database.execute("UPDATE dead_letter SET received_at = now() - interval '16 minutes'")
    run_all(around)
    assert alerts(database_url, "ingest.dead_letter") == [("sha/gw-1", False)]


def test_a_gateway_that_fell_silent_is_shown_so(
    plain_database_url: str, nats_broker: Broker
) -> None:
    fill(plain_database_url)
    add_token(plain_database_url)
    with connect(plain_database_url, "test") as database:
        database.execute("UPDATE gateway_status SET received_at = now() - interval '87 s'")
    around = surroundings(plain_database_url, nats_broker.url)
    around.store.open()
    around.publisher.start()
    tell = JOBS[0]
    with running_api(settings(plain_database_url, nats_broker.url)) as api:
        api.wait_ready()
        with screen(api, "wst_test") as client:
            client.sub("health")
            client.receive_until("sha/gw-1", state="online")
            wait_until(around.publisher._client.is_connected, "the worker's publisher is connected")
            wait_until(lambda: tell.run(around, tell.number), "the lease runs out")
            client.receive_until("sha/gw-1", state="silent")
    around.publisher.stop()
    around.store.close()
