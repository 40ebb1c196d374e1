"""What each index costs those who write: the rows of a table are copied into tables like it that
have all of its indexes, all but one, and none, in turn. Upstream: the benchmark of indexes.
"""

from collections.abc import Callable
from typing import NamedTuple

from psycopg import sql

from waystock.store.connection import Database
from waystock.store.sql import queries

ROUNDS = 3
"""The quickest of each counts: what disturbs a measurement only ever makes it longer."""


class IndexCosts(NamedTuple):
    """Seconds to COPY all rows."""

    table: str
    bare_s: float
    all_s: float
    without_s: dict[str, float]
    """By the index that is left out."""

    def share_of(self, index: str) -> float:
        """What the index adds, as a share of the bare COPY: 0.5 is half as long again."""
        return (self.all_s - self.without_s[index]) / self.bare_s


def index_costs(database: Database, table: str, clock_s: Callable[[], float]) -> IndexCosts:
    """`database` in autocommit; of the rows that `table` holds."""
    names = _indexes(database, table)
    rows = _rows(database, table)
    wanted: list[set[int]] = [set(range(len(names))), set()]
    wanted += [{other for other in wanted[0] if other != one} for one in wanted[0]]
    quickest = [float("inf")] * len(wanted)
    for _ in range(ROUNDS):
        for place, kept in enumerate(wanted):
            quickest[place] = min(quickest[place], _copy_s(database, table, rows, kept, clock_s))
    database.execute(queries("index_cost")["drop"])
    without = dict(zip(names, quickest[2:], strict=True))
    return IndexCosts(table, quickest[1], quickest[0], without)


def _rows(database: Database, table: str) -> list[bytes]:
    statement = sql.SQL(queries("index_cost")["take"]).format(table=sql.Identifier(table))
    with database.cursor() as cursor, cursor.copy(statement) as copy:
        return [bytes(block) for block in copy]


def _copy_s(
    database: Database,
    table: str,
    rows: list[bytes],
    kept: set[int],
    clock_s: Callable[[], float],
) -> float:
    statement = sql.SQL(queries("index_cost")["make"]).format(table=sql.Identifier(table))
    database.execute(queries("index_cost")["drop"])
    database.execute(statement)
    for place, index in enumerate(_indexes(database, "index_trial")):
        if place not in kept:
            _drop_index(database, index)
    started = clock_s()
    with database.cursor() as cursor, cursor.copy(queries("index_cost")["fill"]) as copy:
        for block in rows:
            copy.write(block)
    return clock_s() - started


def _indexes(database: Database, table: str) -> list[str]:
    """In an order that is the same for a table and its copy."""
    return [
        row[0] for row in database.execute(queries("index_cost")["indexes_of"], {"table": table})
    ]


def _drop_index(database: Database, index: str) -> None:
    is_key = database.execute(queries("index_cost")["is_key"], {"index": index}).fetchone()
    statement = queries("index_cost")["drop_key" if is_key and is_key[0] else "drop_index"]
    database.execute(sql.SQL(statement).format(index=sql.Identifier(index)))
