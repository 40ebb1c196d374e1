"""`waystock db retention list|set` on the command line, and the part of `waystock db info` about
room on disk. Output is one JSON object a line.
"""

import argparse
from collections.abc import Callable

from waystock.store.connection import connect
from waystock.store.retention import (
    DAY_S,
    Retention,
    retention_of,
    retentions,
    set_retention,
)
from waystock.store.sizes import TableSize, table_sizes

Print = Callable[[dict[str, object]], None]


def add_parser(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the subcommand to `waystock db`, by its subparsers' `add_parser`."""
    parser = add("retention", help="how long raw readings are kept")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="each table's age in days")
    setter = actions.add_parser("set", help="change a table's; what is older goes within the hour")
    setter.add_argument("table")
    setter.add_argument("days", type=_days, help="rows older than this go")
    setter.add_argument(
        "--compress-after",
        type=_days,
        metavar="DAYS",
        help="compress rows older than this (TimescaleDB's Community edition)",
    )


def run(options: argparse.Namespace, database_url: str, tell: Print) -> int:
    """Exit status 0. Raises RefusedError, psycopg.Error."""
    with connect(database_url, "retention") as database:
        if options.action == "list":
            for one in retentions(database):
                tell(_told(one))
            return 0
        compress_after = options.compress_after
        set_retention(
            database,
            options.table,
            round(options.days * DAY_S),
            None if compress_after is None else round(compress_after * DAY_S),
        )
        tell(_told(retention_of(database, options.table)))
    return 0


def room(database_url: str) -> dict[str, object]:
    """`retention_days` and `tables` for `waystock db info`."""
    with connect(database_url, "info") as database:
        kept = {one.table: one.keep_s / DAY_S for one in retentions(database)}
        return {
            "retention_days": kept,
            "tables": {one.table: _size_told(one) for one in table_sizes(database)},
        }


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= 36_500:
        raise ValueError(text)
    return days


def _told(one: Retention) -> dict[str, object]:
    after_s = one.compress_after_s
    return {
        "table": one.table,
        "keep_days": one.keep_s / DAY_S,
        "compress_after_days": None if after_s is None else after_s / DAY_S,
    }


def _size_told(one: TableSize) -> dict[str, object]:
    told: dict[str, object] = {
        "bytes": one.bytes,
        "index_bytes": one.index_bytes,
        "rows_estimated": one.rows_estimated,
    }
    if one.chunks is not None and one.chunks_compressed is not None:
        told["chunks"] = one.chunks
        told["compressed_share"] = one.chunks_compressed / one.chunks if one.chunks else 0.0
    return told
