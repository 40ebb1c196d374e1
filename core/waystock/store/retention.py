"""How long raw readings are kept and when they are compressed: the table `retention`, the one place
for it. Upstream: `waystock db retention|info`; downstream: the worker (upkeep), and on
TimescaleDB's Community edition the policies that follow the table.
"""

from typing import NamedTuple

from psycopg.errors import CheckViolation

from waystock.store.connection import Database
from waystock.store.errors import RefusedError
from waystock.store.sql import queries

DAY_S = 86_400


class Retention(NamedTuple):
    """Of one table. `compress_after_s` counts in TimescaleDB's Community edition alone."""

    table: str
    keep_s: int
    compress_after_s: int | None


def retentions(database: Database) -> list[Retention]:
    """Every table whose rows go after a time."""
    return [Retention(*row) for row in database.execute(queries("retention")["list"])]


def retention_of(database: Database, table: str) -> Retention:
    """Of one table; KeyError where its rows are kept for ever."""
    return {one.table: one for one in retentions(database)}[table]


def set_retention(
    database: Database, table: str, keep_s: int, compress_after_s: int | None = None
) -> None:
    """Change it, and policies with it; a None leaves the age of compression as it is.

    Raises RefusedError: no such table, or ages that can't be. The caller's transaction decides.
    """
    known = [one.table for one in retentions(database)]
    if table not in known:
        raise RefusedError(
            f"{table!r} has no retention; {', '.join(known)} have. The ledger and what is derived"
            " from readings are kept for ever"
        )
    try:
        database.execute(
            queries("retention")["set"],
            {"table": table, "keep_s": keep_s, "compress_after_s": compress_after_s},
        )
    except CheckViolation as error:
        raise RefusedError(
            "at least 7 days are kept, so that what a gateway brings after a week without network"
            " stays; and compression comes after 1 day at least, before rows go"
        ) from error
    apply_retention(database)


def apply_retention(database: Database) -> None:
    """Bring policies, where there are such, in line with the table."""
    database.execute(queries("retention")["apply"])
