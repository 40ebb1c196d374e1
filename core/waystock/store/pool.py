"""A bounded pool of connections for processes that ask the store from many threads (api, worker).
It opens without a database and finds it by itself when it comes; what goes wrong on the way reaches
the caller as StoreAwayError, in words.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg.errors import UndefinedColumn, UndefinedTable
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from waystock.store.connection import LINE, Database
from waystock.store.migrate import pending
from waystock.store.schema import application_name

CONNECTIONS_MAX = 8
STATEMENT_TIMEOUT_MS = 10_000
WAIT_FOR_CONNECTION_S = 3.0


class StoreAwayError(Exception):
    """The database can't be asked now: away, not migrated, or too busy. The text says which."""


class StorePool:
    """Connections in UTC, with a statement timeout, checked before they are handed out."""

    def __init__(
        self,
        database_url: str,
        name: str,
        *,
        connections_max: int = CONNECTIONS_MAX,
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    ) -> None:
        options = (
            f"-c timezone=UTC -c statement_timeout={statement_timeout_ms}"
            " -c plan_cache_mode=force_custom_plan"
        )
        self._database_url = database_url
        self._pool: ConnectionPool[Database] = ConnectionPool(
            database_url,
            min_size=1,
            max_size=connections_max,
            open=False,
            timeout=WAIT_FOR_CONNECTION_S,
            max_waiting=16 * connections_max,
            name=name,
            kwargs={
                "row_factory": tuple_row,
                "application_name": application_name(name),
                "options": options,
                **LINE,
            },
        )

    def open(self) -> None:
        """Start the pool; returns at once, whether or not there is a database yet."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Give the connections back; waits two seconds at most for those in use."""
        self._pool.close(timeout=2.0)

    @contextmanager
    def connection(self) -> Generator[Database]:
        """A connection in a transaction that commits at the end of the block.

        Raises StoreAwayError: the database is out of reach, not migrated, or takes too long.
        """
        try:
            database = self._living_connection()
            try:
                with database:
                    yield database
            finally:
                self._pool.putconn(database)
        except (UndefinedTable, UndefinedColumn) as error:
            raise StoreAwayError(f"the database is not migrated: {error}".strip()) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreAwayError(f"the database can't be asked now: {error}".strip()) from error

    def _living_connection(self) -> Database:
        """One that answers. Where one is dead, so are its neighbours, most likely: all are looked
        at and replaced at once. The pool's own check would try them one by one, a pause between
        each, and give up before it met a living one.
        """
        database = self._pool.getconn()
        try:
            ConnectionPool.check_connection(database)
        except psycopg.Error:
            self._pool.putconn(database)
            self._pool.check()
            database = self._pool.getconn()
        return database

    def pending_migrations(self) -> list[str]:
        """Migrations that the database has not seen; raises StoreAwayError."""
        try:
            return pending(self._database_url)
        except psycopg.Error as error:
            raise StoreAwayError(f"the database can't be asked now: {error}".strip()) from error
