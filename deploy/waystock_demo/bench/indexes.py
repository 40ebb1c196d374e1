"""What each index costs those who write, beside a COPY without any. Which indexes there are is
decided by these figures (docs/decisions/0007). Where the server runs on this machine its processor
time counts, not the clock's: a ratio of the two would be as restless as the machine.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from waystock.store.connection import Database, connect
from waystock.store.index_cost import IndexCosts, index_costs
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate, tier
from waystock.store.prefill import prefill
from waystock_demo.bench import load
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import scratch_servers

READINGS = 1_000_000
PERIOD = timedelta(hours=6)
"""Within one chunk: an index is kept for each."""
TABLES = ("fix", "barcode_reading", "rfid_reading", "operation", "movement")


def run(options: BenchOptions) -> BenchResult:
    """What all indexes on readings, operations and the ledger cost; `details`, what each costs."""
    count = options.events or READINGS
    with scratch_servers(options) as servers:
        database_url = servers.database("indexes")
        migrate(database_url)
        with connect(database_url, "bench") as database:
            import_master_data(database, load.master_data(load.pallets_of(count)))
        prefill(
            database_url,
            readings=count,
            vehicles=load.VEHICLES,
            first=load.START,
            end=load.START + PERIOD,
        )
        with connect(database_url, "bench", autocommit=True) as database:
            clock_s = _server_clock(database)
            costs = [index_costs(database, table, clock_s) for table in TABLES]
        found_tier = tier(database_url)
    ours, limit = sum(one.all_s for one in costs), sum(one.bare_s for one in costs)
    details: dict[str, float | str | list[float]] = {"readings": count, "tier": found_tier}
    for cost in costs:
        details |= _told(cost)
    return BenchResult(
        name="indexes",
        ours=ours,
        limit=limit,
        ratio=ours / limit,
        unit="s to COPY all rows (limit: without any index)",
        details=details,
    )


def _server_clock(database: Database) -> Callable[[], float]:
    """Processor seconds of the connection's own server process; the clock's where it is away."""
    account = Path(f"/proc/{database.info.backend_pid}/schedstat")
    if not account.exists():
        return time.monotonic
    return lambda: int(account.read_text().split()[0]) / 1e9


def _told(cost: IndexCosts) -> dict[str, float | str | list[float]]:
    """Names of details: `table.index`, as a share of the bare COPY."""
    told: dict[str, float | str | list[float]] = {f"{cost.table}.all": cost.all_s / cost.bare_s - 1}
    for index in cost.without_s:
        told[f"{cost.table}.{index}"] = cost.share_of(index)
    return told
