"""Forward-only migrations. Finds out the tier (plain, apache, full), runs its stand-ins, then each
numbered file that the database has not seen, each in its own transaction under one lock.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import LiteralString, cast

import psycopg
import structlog
from psycopg import sql
from psycopg.rows import tuple_row

log = structlog.get_logger()

MIGRATION_LOCK = 7_219_402
"""Advisory lock: two starters migrate one after the other."""


def migrate(database_url: str) -> list[str]:
    """Bring the schema up to date; the names of the migrations that were run.

    Raises psycopg.Error where a statement fails; that migration then left no trace.
    """
    with psycopg.connect(database_url, autocommit=True, row_factory=tuple_row) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration ("
            " name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        _run_tier_file(connection)
        seen = {row[0] for row in connection.execute("SELECT name FROM schema_migration")}
        new = [file for file in _migration_files() if file.name not in seen]
        for file in new:
            _apply(connection, file)
        return [file.name for file in new]


def pending(database_url: str) -> list[str]:
    """Migrations that the database has not seen; raises psycopg.Error where it cannot be asked."""
    with psycopg.connect(database_url, autocommit=True, row_factory=tuple_row) as connection:
        exists = connection.execute("SELECT to_regclass('schema_migration') IS NOT NULL").fetchone()
        seen: set[str] = set()
        if exists and exists[0]:
            seen = {row[0] for row in connection.execute("SELECT name FROM schema_migration")}
    return [file.name for file in _migration_files() if file.name not in seen]


def tier(database_url: str) -> str:
    """`full`, `apache` or `plain`: what this database can do (see the design's table of tiers)."""
    with psycopg.connect(database_url, autocommit=True, row_factory=tuple_row) as connection:
        return _tier(connection)


def _tier(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    row = connection.execute(
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'"
        " AND 'timescaledb' = ANY(string_to_array("
        "  replace(current_setting('shared_preload_libraries'), ' ', ''), ','))"
    ).fetchone()
    if not row or not row[0]:
        return "plain"
    licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return "full" if licence and licence[0] == "timescale" else "apache"


def _run_tier_file(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    name = "tier_plain.sql" if _tier(connection) == "plain" else "tier_timescale.sql"
    connection.execute(_statement(files("waystock.store") / name))


def _migration_files() -> list[Traversable]:
    folder = files("waystock.store") / "migrations"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )


def _apply(connection: psycopg.Connection[tuple[object, ...]], file: Traversable) -> None:
    with connection.transaction():
        connection.execute(_statement(file))
        connection.execute("INSERT INTO schema_migration (name) VALUES (%s)", (file.name,))
    log.info("migration_applied", migration=file.name)


def _statement(file: Traversable) -> sql.SQL:
    return sql.SQL(cast(LiteralString, file.read_text("utf-8")))
