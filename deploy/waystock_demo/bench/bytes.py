"""What a stored position takes on disk, indexes and all, beside its bare row. How rows lie is
decided by these figures (docs/decisions/0007).
"""

from itertools import islice

import numpy as np

from waystock.contract.events import Position
from waystock.store.connection import Database, connect
from waystock.store.migrate import migrate, tier
from waystock.store.readings import as_columns, copy_readings
from waystock.store.sizes import bare_size, table_sizes
from waystock_demo.bench import load
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import scratch_servers

POSITIONS = 300_000
ROWS_PER_COMMIT = 500
"""As ingest commits in the day's run, not when it catches up."""


def run(options: BenchOptions) -> BenchResult:
    """Bytes on disk per stored position, indexes and all; the limit is a table without any."""
    count = options.events or POSITIONS
    with scratch_servers(options) as servers:
        database_url = servers.database("bytes")
        migrate(database_url)
        with connect(database_url, "bench") as database:
            _store_positions(database, count)
            (size,) = [one for one in table_sizes(database) if one.table == "fix"]
            bare = bare_size(database, "fix")
        found_tier = tier(database_url)
    if bare.rows != count:
        raise RuntimeError(f"{bare.rows} of {count} positions are stored")
    return BenchResult(
        name="bytes",
        ours=size.bytes / count,
        limit=bare.bytes / count,
        ratio=size.bytes / bare.bytes,
        unit="bytes on disk per position (limit: the same rows without an index)",
        details={
            "positions": count,
            "tier": found_tier,
            "table_bytes": size.table_bytes / count,
            "index_bytes": size.index_bytes / count,
            "toast_bytes": size.toast_bytes / count,
            "payload_bytes": bare.payload_bytes / count,
        },
    )


def _store_positions(database: Database, count: int) -> None:
    events = (event for event in load.events(2 * count) if isinstance(event, Position))
    wanted = islice(events, count)
    first, stream_ids = 0, np.ones(1, np.int32)
    while chunk := list(islice(wanted, ROWS_PER_COMMIT)):
        offsets = np.arange(first, first + len(chunk), dtype=np.int64)
        readings = as_columns(chunk, np.zeros(len(chunk), np.int32), offsets)
        copy_readings(database, readings, stream_ids, load.START)
        database.commit()
        first += len(chunk)
