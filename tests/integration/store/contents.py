"""What lies in a database, so that two can be compared."""

from collections.abc import Callable
from typing import Any

import psycopg

from waystock.store import migrate

RunDb = Callable[..., tuple[int, list[dict[str, Any]], str]]
"""`waystock db …` on a URL: exit status, lines of standard output, standard error."""


def ask(database_url: str, query: str) -> list[Any]:
    """Rows of a query."""
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def tables(database_url: str) -> list[str]:
    """Every table of ours."""
    return [
        row[0]
        for row in ask(
            database_url,
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        )
    ]


def digests(database_url: str) -> dict[str, object]:
    """Every table: rows, and a digest of all their columns in order."""
    return {
        table: ask(
            database_url,
            f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t",
        )
        for table in tables(database_url)
    }


def layout(database_url: str) -> dict[str, object]:
    """Indexes, and on TimescaleDB the hypertables with their chunks."""
    out: dict[str, object] = {
        "indexes": ask(
            database_url,
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        )
    }
    if migrate.tier(database_url) != "plain":
        out["chunks"] = ask(
            database_url,
            "SELECT hypertable_name, range_start, range_end FROM timescaledb_information.chunks"
            " ORDER BY 1, 2",
        )
        out["intervals"] = ask(
            database_url,
            "SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions"
            " ORDER BY 1",
        )
    return out
