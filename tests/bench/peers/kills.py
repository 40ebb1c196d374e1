"""`python -m tests.bench.peers.kills`: what is lost and what is doubled when the consumer or the
database is killed with SIGKILL in the middle of draining a backlog, mq-bridge and Waystock, each on
the same broker and the same kind of server.
"""

import argparse
import json
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.bench.peers.mq_bridge import let_peer_subscribe
from tests.bench.peers.mq_bridge_process import mq_bridge
from tests.bench.peers.single_messages import TABLES, publish_rows
from tests.support.processes import wait_until
from waystock import logs
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock_demo.bench import load, processes
from waystock_demo.bench.draining import subscribe_once
from waystock_demo.bench.publishing import publish_all
from waystock_demo.bench.servers import Servers, mosquitto
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, Cluster, wheel_install
from waystock_demo.process import Process, start, stop

EVENTS, EVENTS_PER_BATCH = 50_000, 100
KILLED_AT = 0.3
AWAY_S = 2.0
SETTLED_S = 8.0
"""Nothing more has come for so long: it is over."""
OVER_WITHIN_S = 120.0

Consumer = Callable[[Servers, str], AbstractContextManager[Process]]


class Stored(NamedTuple):
    rows: int
    distinct: int


class Database:
    """A durable PostgreSQL that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(
            install=wheel_install(), data_dir=folder / "postgres", port=free_port(),
            password=secrets.token_hex(8), settings=DURABLE,
        )  # fmt: skip
        self.cluster.prepare()
        self._log = folder / "postgres.log"
        self._start()

    def kill_for(self, seconds: float) -> None:
        self._process.kill()
        self._process.wait()
        time.sleep(seconds)
        self.cluster.prepare()
        self._start()

    def stop(self) -> None:
        stop(self._process, signal.SIGINT)

    def _start(self) -> None:
        with self._log.open("ab") as output:
            self._process = start(self.cluster.command(), output)
        self.cluster.wait_ready(self._process)


def main(arguments: Sequence[str]) -> int:
    """One JSON object a line: who, what was killed, lost, doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers.kills")
    parser.add_argument("--events", type=int, default=EVENTS)
    events = parser.parse_args(arguments).events
    for who, prepare, consumer in (
        ("waystock", prepare_ours, processes.ingest),
        ("mq-bridge", prepare_peer, _peer),
    ):
        for killed in ("consumer", "database"):
            print(json.dumps({"who": who} | run(killed, prepare, consumer, events)), flush=True)
    return 0


def run(
    killed: str, prepare: Callable[[Servers, str, int], None], consumer: Consumer, events: int
) -> dict[str, Any]:
    """Drain `events`; kill when KILLED_AT of them are stored; count when all is quiet."""
    with _servers() as (servers, database):
        database_url = servers.database("kills")
        migrate(database_url)
        prepare(servers, database_url, events)
        wanted = round(KILLED_AT * events)
        with consumer(servers, database_url) as process:
            wait_until(
                lambda: stored(database_url).rows >= wanted, "a part is stored", within_s=60,
                every_s=0.005,
            )  # fmt: skip
            if killed == "consumer":
                process.kill()
                process.wait()
            else:
                database.kill_for(AWAY_S)
                _wait_over(database_url, events)
        if killed == "consumer":
            with consumer(servers, database_url):
                _wait_over(database_url, events)
        end = stored(database_url)
    return {
        "killed": killed, "sent": events, "stored": end.rows, "lost": events - end.distinct,
        "doubled": end.rows - end.distinct,
    }  # fmt: skip


def prepare_ours(servers: Servers, database_url: str, events: int) -> None:
    """Master data, a session, a backlog in a gateway's batches."""
    with connect(database_url, "bench") as database:
        import_master_data(database, load.master_data(load.pallets_of(events)))
    subscribe_once(servers)
    publish_all(servers.broker_url, load.batches(load.events(events), EVENTS_PER_BATCH))


def prepare_peer(servers: Servers, database_url: str, events: int) -> None:
    """A session, a backlog of single messages."""
    let_peer_subscribe(servers, database_url)
    publish_rows(servers.broker_url, load.events(events))


def stored(database_url: str) -> Stored:
    """Rows, and different offsets among them."""
    union = " UNION ALL ".join(
        f"SELECT stream_offset FROM {table} WHERE stream_offset >= 0" for table in TABLES.values()
    )
    with psycopg.connect(database_url) as connection:
        counted = connection.execute(
            f"SELECT count(*), count(DISTINCT stream_offset) FROM ({union}) AS every"  # type: ignore[arg-type]
        )
        ((rows, distinct),) = counted.fetchall()
        return Stored(rows, distinct)


def _wait_over(database_url: str, events: int) -> None:
    """Until all are there, or nothing more comes; a moment longer, for what may come twice."""
    last, since = stored(database_url), time.monotonic()
    deadline = since + OVER_WITHIN_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = stored(database_url)
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > (SETTLED_S / 2 if now.distinct == events else SETTLED_S):
            return


@contextmanager
def _servers() -> Generator[tuple[Servers, Database]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-kills-")))
        database = Database(folder)
        stack.callback(database.stop)
        broker_url = stack.enter_context(mosquitto(folder))
        yield Servers(folder, database.cluster.url("postgres"), broker_url), database


def _peer(servers: Servers, database_url: str) -> AbstractContextManager[Process]:
    return mq_bridge(servers.folder, servers.broker_url, database_url)


if __name__ == "__main__":
    logs.configure("warning")
    sys.exit(main(sys.argv[1:]))
