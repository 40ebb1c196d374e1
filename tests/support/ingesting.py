"""The real ingest process on a test's database and broker, and the small day sent to it."""

import itertools
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.processes import running, wait_until
from tests.support.small_day import STREAMS, batches, master_data
from waystock.contract.events import Batch
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock_demo.process import Command, Process

WAYSTOCK = str(Path(sys.executable).with_name("waystock"))


def ingest_command(database_url: str, broker: Broker, worker: str = "ingest-1") -> Command:
    """`waystock ingest` of this checkout."""
    environment = {
        **os.environ,
        "WAYSTOCK_DATABASE_URL": database_url,
        "WAYSTOCK_MQTT_URL": broker.url,
    }
    argv = (WAYSTOCK, "ingest", "--worker", worker)
    return Command(name="ingest", argv=argv, env=environment)


@contextmanager
def ingesting(command: Command, log: Path) -> Generator[Process]:
    """Start it and wait until it listens; stopped at the end."""
    with running(command, log) as process:

        def listens() -> bool:
            assert process.poll() is None, log.read_text()
            return "ingest_listening" in log.read_text()

        wait_until(listens, f"{command.name} listens", within_s=30)
        yield process


def import_day(database_url: str) -> None:
    """The small day's master data."""
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())


def whole_day(size: int = 50) -> list[tuple[tuple[str, str], Batch]]:
    """Its readings in batches of `size`, each with its gateway."""
    return [(owner, one) for owner in STREAMS for one in batches(owner, itertools.repeat(size))]


def send_day(gateway: FakeGateway, size: int = 50) -> None:
    """Send all of them and wait until all are acknowledged."""
    for owner, one in whole_day(size):
        gateway.send(owner, one)
    for owner, one in whole_day(size):
        gateway.wait_for(STREAMS[owner], range(one.first + len(one.events)), within_s=120)
