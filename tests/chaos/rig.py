"""Broker, database, ingest and gateways under full load, with faults put to them while it lasts;
then everything is counted: each offset sent must lie in the store, once.
"""

import random
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos.clusters import PluggedDatabase, plugged_database
from tests.chaos.gateways import Gateways, Outbox
from tests.integration.ingest.test_any_order import contents
from tests.support.brokers import Broker, mosquitto, nats
from tests.support.processes import wait_until
from tests.support.proxy import Proxy
from tests.support.workers import Worker
from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.schema import application_name
from waystock_demo.bench import load

BROKERS = {
    "nats": nats,
    "mosquitto": mosquitto,
    "forgetful": lambda: mosquitto(forgetful=True),
}
DONE_WITHIN_S = 180.0
RECOVER_WITHIN_S = 90.0
POLL_S = 0.02
FIRST_AT, LAST_AT = 0.08, 0.95
"""Shares of the readings acknowledged between which faults happen."""


@dataclass
class Rig:
    """All that runs, with its plugs and wires."""

    broker: Broker
    database: PluggedDatabase
    database_url: str
    to_broker: Proxy
    """The wire between ingest and the broker."""
    to_database: Proxy
    """The wire between ingest and the database."""
    workers: list[Worker]
    gateways: Gateways
    boxes: Sequence[Outbox]
    recover_s: list[float] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)
    """What a fault measured besides."""

    @property
    def is_done(self) -> bool:
        """Whether the gateways know that everything is stored."""
        return self.gateways.acknowledged == self.gateways.total

    def committed(self) -> int:
        """Offsets whose effects are in the store."""
        return sum(audit.committed_by_gateway(self.database_url).values())

    def in_transaction(self, worker: Worker) -> bool:
        """Whether this worker is in the middle of a batch right now."""
        with (
            suppress(psycopg.Error),
            psycopg.connect(self.database_url, connect_timeout=2) as connection,
        ):
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                " AND xact_start IS NOT NULL AND datname = current_database()",
                (application_name(worker.name),),
            ).fetchone()
            return bool(row and row[0])
        return False

    def recover(self, since_s: float) -> None:
        """Note how long it is from `since_s` (monotonic) to the next reading stored."""
        before = self.gateways.acknowledged
        total = self.gateways.total
        wait_until(
            lambda: self.gateways.acknowledged > before or before == total,
            "readings are stored again",
            within_s=RECOVER_WITHIN_S,
            every_s=POLL_S,
        )
        self.recover_s.append(time.monotonic() - since_s)


Fault = Callable[[Rig], None]


@dataclass(frozen=True)
class Outcome:
    """What was sent and what of it is where."""

    sent: int
    stored: int
    lost: int
    doubled: int
    recover_s: float
    ledger_mismatches: int
    seconds: float
    tables: dict[str, list[str]]
    notes: dict[str, float]

    @property
    def wrong(self) -> str:
        """What must not be, in words; '' where all is well."""
        faults = {
            "lost": self.lost,
            "doubled": self.doubled,
            "ledger mismatches": self.ledger_mismatches,
        }
        return ", ".join(f"{count} {name}" for name, count in faults.items() if count)


@contextmanager
def rig(
    boxes: Sequence[Outbox],
    *,
    broker: str = "nats",
    tier: str = "plain",
    workers: int = 1,
    group: str | None = None,
    events_per_s: float | None = None,
    database: PluggedDatabase | None = None,
) -> Generator[Rig]:
    """Everything started and listening, the gateways not sending yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-rig-")))
        if database is None:
            database = stack.enter_context(plugged_database(tier))
        url = stack.enter_context(database.migrated_database())
        pallets = sum(box.events for box in boxes) // 30 + 1
        with connect(url, "chaos") as connection:
            import_master_data(connection, load.master_data(pallets))
        running = stack.enter_context(BROKERS[broker]())
        to_broker, to_database = Proxy(running.port), Proxy(database.port)
        stack.callback(to_broker.close)
        stack.callback(to_database.close)
        started: list[Worker] = []
        for number in range(workers):
            worker = Worker(
                f"w{number + 1}",
                url.replace(f":{database.port}/", f":{to_database.port}/"),
                running.url.replace(f":{running.port}", f":{to_broker.port}"),
                folder,
                group,
            )
            stack.callback(worker.stop)
            worker.start()
            started.append(worker)
        for worker in started:
            worker.wait_listening()
        gateways = Gateways(running.url, boxes, events_per_s)
        stack.callback(gateways.close)
        yield Rig(running, database, url, to_broker, to_database, started, gateways, boxes)


def run(
    rig: Rig,
    faults: Sequence[Fault],
    *,
    within_s: float = DONE_WITHIN_S,
    first_at: float = FIRST_AT,
    seed: int = 1,
) -> Outcome:
    """Send everything; let the faults happen one after another, from the share `first_at` of it
    on, at moments that a seed fixes; count.
    """
    dice = random.Random(seed)
    began_s = time.monotonic()
    rig.gateways.start()
    total = rig.gateways.total
    for number, fault in enumerate(faults):
        share = first_at + (LAST_AT - first_at) * (number + dice.random() / 2) / len(faults)
        due = int(total * share) if number else int(total * first_at)
        wait_until(
            lambda due=due: rig.gateways.acknowledged >= due,
            f"{due} of {total} readings are acknowledged",
            within_s=within_s,
            every_s=POLL_S,
        )
        fault(rig)
    wait_until(
        lambda: rig.is_done,
        f"all {total} readings are acknowledged",
        within_s=within_s,
        every_s=POLL_S,
    )
    seconds = time.monotonic() - began_s
    assert all(worker.is_alive for worker in rig.workers)
    return _count(rig, seconds)


def _count(rig: Rig, seconds: float) -> Outcome:
    stored = audit.stored_offsets(rig.database_url)
    lost = sum(box.events - stored.get(box.stream, (0, 0))[1] for box in rig.boxes)
    rows = sum(of_stream[0] for of_stream in stored.values())
    offsets = sum(of_stream[1] for of_stream in stored.values())
    tables = contents(rig.database_url)
    # A message that is no batch is put aside once for each time it got through: not to be compared.
    tables["dead_letter"] = [row for row in tables["dead_letter"] if ",," not in row]
    return Outcome(
        sent=rig.gateways.total,
        stored=rows,
        lost=lost,
        doubled=rows - offsets,
        recover_s=round(max(rig.recover_s, default=0.0), 1),
        ledger_mismatches=len(audit.verify_ledger(rig.database_url)[1]),
        seconds=round(seconds, 1),
        tables=tables,
        notes=rig.notes,
    )


def differing(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, list[str]]:
    """Tables that differ, each with some of the rows that only one side has."""
    return {
        table: sorted(set(one[table]) ^ set(other[table]))[:4] or ["other number of equal rows"]
        for table in one
        if one[table] != other[table]
    }
