"""How much room tables take on disk, and how much their bare rows would. Upstream: `waystock db
info` and the benchmark of bytes; downstream: `stored_size`, which each tier defines in its own way.
"""

from typing import NamedTuple

from psycopg import sql

from waystock.store.connection import Database
from waystock.store.sql import queries

_ROW_HEADER_BYTES = 24


class TableSize(NamedTuple):
    """What a table takes on disk, with its chunks."""

    table: str
    table_bytes: int
    index_bytes: int
    toast_bytes: int
    rows_estimated: int
    """By statistics: it may lag by what was written in the last minute."""
    chunks: int | None
    """None where the table has none: ordinary tables, and all without TimescaleDB."""
    chunks_compressed: int | None

    @property
    def bytes(self) -> int:
        """All together."""
        return self.table_bytes + self.index_bytes + self.toast_bytes


class BareSize(NamedTuple):
    """The same rows in a table of the same columns that has no index."""

    rows: int
    bytes: int
    payload_bytes: int
    """Of the columns' values alone, as PostgreSQL aligns them, without rows' headers."""


def table_sizes(database: Database) -> list[TableSize]:
    """Every table of the store, by name."""
    return [TableSize(*row) for row in database.execute(queries("sizes")["tables"])]


def bare_size(database: Database, table: str) -> BareSize:
    """Copies the table once; the copy is gone at the end."""
    named = {"table": sql.Identifier(table)}
    with database.transaction():
        database.execute(sql.SQL(queries("sizes")["make_bare"]).format(**named))
        database.execute(sql.SQL(queries("sizes")["fill_bare"]).format(**named))
        row = database.execute(
            queries("sizes")["bare"], {"row_header": _ROW_HEADER_BYTES}
        ).fetchone()
    return BareSize(*row) if row else BareSize(0, 0, 0)
