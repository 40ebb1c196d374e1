"""A store with a past, for benchmarks: old readings, and the stock that old scans led to, made by
the server itself in a fraction of the time that ingest would need. Pallets of the past are complete
(operations, ledger, positions), so the ledger still proves itself.
"""

from datetime import datetime

from waystock.store.connection import Database, connect
from waystock.store.sql import queries

ROWS_PER_STATEMENT = 1_000_000
OLD_SCANNERS = 200
FIXES_OF_20, SCANS_OF_20, TAGS_OF_20 = 17, 2, 1
SCANS_PER_PALLET = 3


def prefill(
    database_url: str, *, readings: int, vehicles: int, first: datetime, end: datetime
) -> None:
    """`readings` evenly over [first, end): of 20, 17 are fixes, 2 scans, 1 a tag. The fixes are of
    as many `vehicles` as work today, but others: they have left, and nothing is derived from their
    fixes any more. Ends with ANALYZE.
    """
    counts = {
        "fixes": readings * FIXES_OF_20 // 20,
        "scans": readings * SCANS_OF_20 // 20,
        "tags": readings * TAGS_OF_20 // 20,
    }
    pallets = counts["scans"] // SCANS_PER_PALLET
    counts |= dict.fromkeys(("operations", "movements", "lpns", "positions"), pallets)
    with connect(database_url, "prefill", autocommit=True) as database:
        for name, count in counts.items():
            shared: dict[str, object] = {
                "first": first, "step": (end - first) / max(1, count), "vehicles": vehicles,
                "scanners": OLD_SCANNERS,
            }  # fmt: skip
            _fill(database, name, count, shared)
        database.execute(queries("prefill")["supplier_positions"], {"pallets": pallets})
        database.execute(queries("prefill")["analyze"])


def _fill(database: Database, name: str, count: int, shared: dict[str, object]) -> None:
    for start in range(0, count, ROWS_PER_STATEMENT):
        span = {"from": start, "to": min(count, start + ROWS_PER_STATEMENT)}
        database.execute(queries("prefill")[name], shared | span)
