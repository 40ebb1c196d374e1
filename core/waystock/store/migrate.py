"""Forward-only migrations. Finds out the tier (plain, apache, full), runs its stand-ins, then each
numbered file that the database has not seen, each in its own transaction under one lock. `pre`
migrations run beside older code; `post` ones only where none is left (docs/decisions/0008).
"""

import random
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Literal, LiteralString, cast

import psycopg
import structlog
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.rows import tuple_row

from waystock.store.connection import Database, connect
from waystock.store.errors import RefusedError
from waystock.store.retention import apply_retention
from waystock.store.schema import Migration, level_of, shipped
from waystock.store.sql import queries

log = structlog.get_logger()

Tier = Literal["full", "apache", "plain"]

MIGRATION_LOCK = 7_219_402
"""Advisory lock: two starters migrate one after the other."""


LOCK_TRIES_MAX = 60
LOCK_PAUSE_S = 0.5
"""Between two tries for a table's lock, with jitter; 60 tries are some two to three minutes."""


def migrate(database_url: str, *, post: bool = False) -> list[str]:
    """Bring the schema up to date; the names of the migrations that were run. Of a database that
    is in use the `pre` ones, with `post` all; of a new one all.

    Raises psycopg.Error where a statement fails; that migration then left no trace. RefusedError
    where older code is connected and `post` ones wait.
    """
    with connect(database_url, "migrate", autocommit=True) as database:
        database.execute(queries("schema")["lock"], {"lock": MIGRATION_LOCK})
        database.execute(queries("schema")["make_list"])
        seen = _seen(database)
        todo = [
            one
            for one in shipped()
            if one.name not in seen and (post or not seen or not one.is_post)
        ]
        if seen:
            _refuse_beside_older_code(database, [one for one in todo if one.is_post])
        _run_tier_files(database)
        for migration in todo:
            _apply(database, migration)
        # The server may meanwhile run another edition of TimescaleDB, or none.
        _give_way(database, "apply_retention", lambda: apply_retention(database))
        return [one.name for one in todo]


def pending(database_url: str) -> list[str]:
    """`pre` migrations that the database has not seen: without them this code can't work. Raises
    psycopg.Error where it cannot be asked.
    """
    return [one.name for one in _unseen(database_url) if not one.is_post]


def pending_post(database_url: str) -> list[str]:
    """`post` migrations that wait until older code is gone; raises psycopg.Error."""
    return [one.name for one in _unseen(database_url) if one.is_post]


def _unseen(database_url: str) -> list[Migration]:
    with connect(database_url, "migrate", autocommit=True) as database:
        seen = applied(database)
    return [one for one in shipped() if one.name not in seen]


def applied(database: Database) -> set[str]:
    """Names of the migrations that this database has seen; none where it is not Waystock's."""
    exists = database.execute(queries("schema")["list_exists"]).fetchone()
    return _seen(database) if exists and exists[0] else set()


def _seen(database: Database) -> set[str]:
    return {row[0] for row in database.execute(queries("schema")["list"])}


def _refuse_beside_older_code(database: Database, posts: list[Migration]) -> None:
    """A post migration takes away what code that does not know it may still use."""
    if not posts:
        return
    names = [row[0] for row in database.execute(queries("schema")["others_connected"])]
    older = sorted(
        name for name in names if (known := level_of(name)) is not None and known < posts[-1].number
    )
    if older:
        raise RefusedError(
            f"older Waystock processes are connected: {', '.join(older)}. Restart them with the new"
            f" version (or stop them), then run `waystock db migrate --post` again"
        )


def tier(database_url: str) -> Tier:
    """`full`, `apache` or `plain`: what this database can do (see the design's table of tiers)."""
    with psycopg.connect(database_url, autocommit=True, row_factory=tuple_row) as connection:
        return tier_in(connection)


def tier_in(connection: Database) -> Tier:
    """As `tier`, of a connection that is there."""
    row = connection.execute(
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'"
        " AND 'timescaledb' = ANY(string_to_array("
        "  replace(current_setting('shared_preload_libraries'), ' ', ''), ','))"
    ).fetchone()
    if not row or not row[0]:
        return "plain"
    licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return "full" if licence and licence[0] == "timescale" else "apache"


_TIER_FILES: dict[Tier, tuple[str, ...]] = {
    "plain": ("tier_plain.sql", "tier_worker.sql"),
    "apache": ("tier_timescale.sql", "tier_worker.sql"),
    "full": ("tier_timescale.sql", "tier_full.sql"),
}


def _run_tier_files(database: Database) -> None:
    for name in _TIER_FILES[tier_in(database)]:
        text = (files("waystock.store") / name).read_text("utf-8")
        database.execute(sql.SQL(cast(LiteralString, text)))


def _apply(database: Database, migration: Migration) -> None:
    """In one transaction."""

    def steps() -> None:
        database.execute(sql.SQL(migration.statements))
        database.execute(queries("schema")["add"], {"name": migration.name})

    _give_way(database, migration.name, steps)
    log.info("migration_applied", migration=migration.name)


def _give_way(database: Database, name: str, steps: Callable[[], None]) -> None:
    """Run `steps` in a transaction that never waits long for a table's lock, for whoever comes
    after it would wait behind it; it gives way and tries again.
    """
    for tries in range(1, LOCK_TRIES_MAX + 1):
        try:
            with database.transaction():
                database.execute(queries("schema")["wait_briefly"])
                steps()
        except (LockNotAvailable, DeadlockDetected) as error:
            if tries == LOCK_TRIES_MAX:
                raise
            log.info("migration_gives_way", migration=name, reason=str(error)[:200])
            time.sleep(LOCK_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        else:
            return
