"""Databases whose plug can be pulled: a durable cluster that is killed, started again, stopped in
its tracks and let go on. The wheel's PostgreSQL or a real TimescaleDB.
"""

import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

from tests.support.postgres import DatabaseServer
from tests.support.processes import wait_until
from tests.support.timescale import timescale_cluster
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, Cluster, wheel_install
from waystock_demo.process import Process, start, stop


class PluggedDatabase:
    """A running cluster; `port` stays the same through every restart."""

    def __init__(self, cluster: Cluster, log: Path) -> None:
        self._cluster = cluster
        self._log = log
        self._process: Process | None = None
        self._server = DatabaseServer(cluster.url("postgres"))

    @property
    def port(self) -> int:
        return self._cluster.port

    @contextmanager
    def migrated_database(self) -> Generator[str]:
        """URL of a database with today's schema, dropped at the end."""
        made = self._server.migrated_database()
        yield made.__enter__()
        with suppress(psycopg.OperationalError):  # a test that failed may have left the server dead
            made.__exit__(None, None, None)

    def start(self) -> None:
        """Start, recovering from whatever happened, and wait until it takes connections. As long as
        a child of a killed server is still about, PostgreSQL refuses to start: then again.
        """
        wait_until(self._starts, "the database starts", within_s=60, every_s=0.1)

    def _starts(self) -> bool:
        self._cluster.prepare()
        with self._log.open("ab") as output:
            self._process = start(self._cluster.command(), output)
        try:
            self._cluster.wait_ready(self._process)
        except RuntimeError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to the server and all its children at once, as when the power goes."""
        self._signal_all(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: every connection stays open, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.thaw()
            stop(self._process, self._cluster.command().stop_signal)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(self._process.pid)
            for one in (server, *server.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(number)


@contextmanager
def plugged_database(tier: str) -> Generator[PluggedDatabase]:
    """A running, durable server of tier `plain` or `apache`. Raises TimescaleMissingError."""
    with _cluster(tier) as (cluster, log):
        database = PluggedDatabase(cluster, log)
        try:
            database.start()
            yield database
        finally:
            database.stop()


@contextmanager
def _cluster(tier: str) -> Generator[tuple[Cluster, Path]]:
    if tier == "apache":
        with timescale_cluster(durable=True) as made:
            yield made
        return
    folder = Path(tempfile.mkdtemp(prefix="waystock-chaos-"))
    try:
        cluster = Cluster(
            install=wheel_install(),
            data_dir=folder / "data",
            port=free_port(),
            password=secrets.token_hex(8),
            settings=DURABLE,
        )
        yield cluster, folder / "log"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
