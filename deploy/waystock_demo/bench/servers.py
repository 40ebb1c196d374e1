"""A database server and a broker for one benchmark, empty, durable, gone afterwards. With
WAYSTOCK_BENCH_DATABASE_URL (a superuser's) the databases are made on that server instead: that is
how the same benchmark runs on TimescaleDB.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from waystock.store.databases import make_database
from waystock_demo.nats import NatsServer, unlimited_account
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, Cluster, wheel_install
from waystock_demo.process import Command, Process, start, stop


@dataclass(frozen=True)
class Servers:
    """What a benchmark runs on."""

    folder: Path
    admin_url: str
    broker: NatsServer

    def database(self, name: str) -> str:
        """URL of a new, empty database; one left over from an earlier run is dropped."""
        make_database(self.admin_url, f"waystock_bench_{name}")
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/waystock_bench_{name}"))


@contextmanager
def scratch_servers() -> Generator[Servers]:
    """Start what is needed, stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="waystock-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        admin_url = os.environ.get("WAYSTOCK_BENCH_DATABASE_URL") or stack.enter_context(
            _postgres(folder)
        )
        broker = NatsServer(
            folder=folder / "nats",
            mqtt_port=free_port(),
            accounts=(unlimited_account("bench", secrets.token_hex(8)),),
        )
        broker.prepare()
        broker.wait_ready(stack.enter_context(_running(broker.command(), folder)))
        yield Servers(folder, admin_url, broker)


@contextmanager
def _postgres(folder: Path) -> Generator[str]:
    cluster = Cluster(
        install=wheel_install(),
        data_dir=folder / "postgres",
        port=free_port(),
        password=secrets.token_hex(8),
        settings=DURABLE,
    )
    cluster.prepare()
    with _running(cluster.command(), folder) as process:
        cluster.wait_ready(process)
        yield cluster.url("postgres")


@contextmanager
def _running(command: Command, folder: Path) -> Generator[Process]:
    with (folder / f"{command.name}.log").open("ab") as output:
        process = start(command, output)
    try:
        yield process
    finally:
        stop(process, command.stop_signal)
