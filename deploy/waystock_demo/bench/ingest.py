"""How fast ingest drains a backlog from the broker, everything derived, beside a bare binary COPY
of the same readings into the same tables by the same library, in the same run.
"""

import os
import sys
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from waystock.contract.events import Batch, Event, encode_batch
from waystock.contract.topics import gateway_topic
from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock.store.readings import Reading, copy_readings
from waystock_demo.bench import load
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import Servers, scratch_servers
from waystock_demo.process import Command, start, stop

EVENTS, EVENTS_PER_BATCH = 200_000, 500
EVENTS_ONE_BY_ONE = 4_000
DRAIN_WITHIN_S = 600.0
PUBLISHES_IN_FLIGHT = 500
POLL_S = 0.02


def run() -> BenchResult:
    """A backlog in batches of 500, as gateways send it."""
    return _bench("ingest", EVENTS, EVENTS_PER_BATCH)


def run_one_by_one() -> BenchResult:
    """The worst case: each reading is a message of its own."""
    return _bench("ingest-one-by-one", EVENTS_ONE_BY_ONE, 1)


def _bench(name: str, count: int, per_batch: int) -> BenchResult:
    readings = list(load.events(count))
    with scratch_servers() as servers:
        copied_url, drained_url = servers.database("copied"), servers.database("drained")
        migrate(copied_url)
        limit = count / _copy_s(copied_url, readings)
        migrate(drained_url)
        with connect(drained_url, "bench") as database:
            import_master_data(database, load.master_data(count // 30 + 1))
        ours = _drain_rate(servers, drained_url, list(load.batches(readings, per_batch)), count)
        stored = sum(audit.readings_by_kind(drained_url).values())
        positions, mismatches = audit.verify_ledger(drained_url)
        tier = audit.tier(drained_url)
    if stored != count or mismatches:
        raise RuntimeError(f"{stored} of {count} stored, {len(mismatches)} positions are wrong")
    return BenchResult(
        name=name,
        ours=ours,
        limit=limit,
        ratio=ours / limit,
        unit="events/s (limit: binary COPY of the same rows)",
        details={
            "events": count,
            "events_per_message": per_batch,
            "tier": tier,
            "stock_positions": positions,
            "vehicles": load.VEHICLES,
        },
    )


def _copy_s(database_url: str, readings: Iterable[Event]) -> float:
    rows = [Reading(1, offset, event) for offset, event in enumerate(readings)]
    with connect(database_url, "bench") as database:
        started = time.monotonic()
        for first in range(0, len(rows), 10_000):
            copy_readings(database, rows[first : first + 10_000], datetime.now(UTC))
            database.commit()
        return time.monotonic() - started


def _drain_rate(servers: Servers, database_url: str, batches: list[Batch], count: int) -> float:
    """Events per second from the moment that ingest listens to its last commit."""
    with _ingest(servers, database_url):
        pass  # its session with the broker exists now: what comes while it is away waits for it
    _publish(servers, batches)
    with _ingest(servers, database_url):
        started = time.monotonic()
        _wait_committed(database_url, count)
        return count / (time.monotonic() - started)


@contextmanager
def _ingest(servers: Servers, database_url: str) -> Generator[None]:
    """An ingest process that is subscribed."""
    environment = {
        **os.environ,
        "WAYSTOCK_DATABASE_URL": database_url,
        "WAYSTOCK_MQTT_URL": servers.broker.url("bench"),
    }
    waystock = str(Path(sys.executable).with_name("waystock"))
    command = Command(name="ingest", argv=(waystock, "ingest"), env=environment)
    log = servers.folder / "ingest.log"
    log.write_text("")
    with log.open("ab") as output:
        process = start(command, output)
    try:
        deadline = time.monotonic() + DRAIN_WITHIN_S
        while "ingest_listening" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"ingest did not start: {log.read_text()[-2000:]}")
            time.sleep(POLL_S)
        yield
    finally:
        stop(process, command.stop_signal)


def _publish(servers: Servers, batches: list[Batch]) -> None:
    """Publish with QoS 1, a bounded number in flight, until the broker has them all."""
    window = threading.Semaphore(PUBLISHES_IN_FLIGHT)
    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-gateway")
    account = servers.broker.accounts[0]
    client.username_pw_set(account.user, account.password)
    client.max_inflight_messages_set(100)
    client.on_publish = lambda client, userdata, mid, reason, properties: window.release()
    client.connect("127.0.0.1", servers.broker.mqtt_port)
    client.loop_start()
    topic = gateway_topic(*load.OWNER, "events")
    for batch in batches:
        window.acquire()
        client.publish(topic, encode_batch(batch), 1)
    for _ in range(PUBLISHES_IN_FLIGHT):
        window.acquire()
    client.disconnect()
    client.loop_stop()


def _wait_committed(database_url: str, count: int) -> None:
    """Until all events of the load are committed."""
    deadline = time.monotonic() + DRAIN_WITHIN_S
    while time.monotonic() < deadline:
        if audit.committed_by_gateway(database_url).get(load.OWNER, 0) >= count:
            return
        time.sleep(POLL_S)
    raise RuntimeError(f"{count} events were not committed within {DRAIN_WITHIN_S:.0f} s")
