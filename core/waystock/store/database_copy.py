"""All rows of one database carried into another of whichever tier: table by table through the
hypertable itself, so that each side lays them out its own way. Upstream: `waystock db copy`, the
way from one tier to another; downstream: a database that has just been migrated.
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.databases import name_of, refuse_while_in_use
from waystock.store.errors import RefusedError
from waystock.store.manifest import Difference, compare_rows, count_rows
from waystock.store.retention import apply_retention
from waystock.store.sql import queries

_LIST = "schema_migration"


def copy_database(source_url: str, target_url: str) -> tuple[dict[str, int], list[Difference]]:
    """Migrate the empty target, carry one snapshot of the source into it; (rows, differences). All
    in one transaction of the target. Raises RefusedError, psycopg.Error.
    """
    with connect(source_url, "copy") as source:
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        source.read_only = True
        _check(source, target_url)
        migrate.migrate(target_url)
        with connect(target_url, "copy") as target:
            source_names, target_names = migrate.applied(source), migrate.applied(target)
            if source_names != target_names:
                differing = ", ".join(sorted(source_names ^ target_names))
                raise RefusedError(
                    f"the two schemas differ by {differing}: run `waystock db migrate --post` on"
                    f" the source first"
                )
            rows = count_rows(source)
            tables = [table for table in _in_order(target) if table != _LIST]
            target.execute(queries("copy")["carry"])
            _empty(target, tables)
            target.execute(queries("copy")["quiet"])
            for table in tables:
                _carry(source, target, table)
            target.execute(queries("copy")["loud"])
            target.execute(queries("copy")["set_sequences"])
            differences = compare_rows(rows, count_rows(target))
            if differences:
                target.rollback()
            else:
                apply_retention(target)
    if not differences:
        _finish(target_url)
    return rows, differences


def _finish(target_url: str) -> None:
    """What can't be done in a transaction: roll-ups of what was carried, the planner's statistics.
    A refresh policy looks at recent rows alone, and older ones would be missing from the roll-ups.
    """
    with connect(target_url, "copy", autocommit=True) as target:
        if migrate.tier_in(target) == "full":
            for (rollup,) in target.execute(queries("copy")["rollups"]).fetchall():
                target.execute(queries("copy")["refresh"], {"rollup": rollup})
        target.execute(queries("backup")["analyze"])


def _check(source: Database, target_url: str) -> None:
    if not migrate.applied(source):
        raise RefusedError("the database to copy is not Waystock's: it has seen no migration")
    refuse_while_in_use(source)
    with connect(target_url, "copy", autocommit=True) as target:
        if target.execute(queries("backup")["tables"]).fetchall():
            raise RefusedError(f"database {name_of(target_url)} is not empty: make an empty one")


def _in_order(target: Database) -> list[str]:
    """Every table after those that its foreign keys name."""
    waiting = {row[0] for row in target.execute(queries("backup")["tables"])}
    needs: dict[str, set[str]] = {table: set() for table in waiting}
    for table, named in target.execute(queries("copy")["foreign_keys"]):
        if table != named:
            needs[table].add(named)
    ordered: list[str] = []
    while waiting:
        ready = sorted(table for table in waiting if not needs[table] & waiting)
        if not ready:
            raise RefusedError(f"foreign keys go in a circle: {', '.join(sorted(waiting))}")
        ordered += ready
        waiting -= set(ready)
    return ordered


def _empty(target: Database, tables: Iterable[str]) -> None:
    """What migrations have put into a new database comes with the source's rows."""
    names = sql.SQL(", ").join(sql.Identifier(table) for table in tables)
    target.execute(sql.SQL(queries("copy")["empty"]).format(tables=names))


def _carry(source: Database, target: Database, table: str) -> None:
    columns = [row[0] for row in target.execute(queries("copy")["columns"], {"table": table})]
    names = {
        "table": sql.Identifier(table),
        "columns": sql.SQL(", ").join(sql.Identifier(column) for column in columns),
    }
    reading = sql.SQL(queries("copy")["read"]).format(**names)
    writing = sql.SQL(queries("copy")["write"]).format(**names)
    with (
        source.cursor().copy(reading) as rows,
        target.cursor().copy(writing) as into,
    ):
        for chunk in rows:
            into.write(chunk)
