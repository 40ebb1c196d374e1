"""How fast one ingest process drains a backlog from the broker, everything derived, beside a bare
binary COPY of the same readings into the same tables by the same library, before and after, in the
same run.
"""

from itertools import pairwise
from statistics import mean

from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock_demo.bench import load
from waystock_demo.bench.copying import Copied, copy_both_ways
from waystock_demo.bench.draining import Drain, drain, subscribe_once
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import Servers, scratch_servers

EVENTS, EVENTS_PER_BATCH = 1_000_000, 500
EVENTS_ONE_BY_ONE = 20_000
COPIED_MAX = 300_000
"""Enough rows for the limit; it is measured twice."""
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def run(options: BenchOptions) -> BenchResult:
    """A backlog in batches of 500, as gateways send it."""
    return _bench("ingest", options, options.events or EVENTS, EVENTS_PER_BATCH)


def run_one_by_one(options: BenchOptions) -> BenchResult:
    """The worst case: each reading is a message of its own."""
    return _bench("ingest-one-by-one", options, options.events or EVENTS_ONE_BY_ONE, 1)


def _bench(name: str, options: BenchOptions, count: int, per_batch: int) -> BenchResult:
    with scratch_servers(options) as servers:
        before = _copied(servers, count)
        database_url = servers.database("drained")
        migrate(database_url)
        with connect(database_url, "bench") as database:
            import_master_data(database, load.master_data(load.pallets_of(count)))
        subscribe_once(servers)
        batches = load.batches(load.events(count), per_batch)
        drained = drain(servers, database_url, batches, count)
        after = _copied(servers, count)
        _check(database_url, count)
        positions, _ = audit.verify_ledger(database_url)
        tier = audit.tier(database_url)
    limit = mean((before.by_psycopg, after.by_psycopg))
    own_encoder = mean((before.by_own_encoder, after.by_own_encoder))
    return BenchResult(
        name=name,
        ours=drained.rate(),
        limit=limit,
        ratio=drained.rate() / limit,
        unit="events/s (limit: psycopg's binary COPY of the same rows)",
        details={
            "events": count,
            "events_per_message": per_batch,
            "tier": tier,
            "broker": options.broker,
            "seconds": round(drained.seconds, 2),
            "quarters_events_per_s": _by_quarter(drained),
            "ingest_peak_rss_mb": drained.ingest_peak_rss_mb,
            "copy_before_rows_per_s": round(before.by_psycopg),
            "copy_after_rows_per_s": round(after.by_psycopg),
            "copy_by_own_encoder_rows_per_s": round(own_encoder),
            "ratio_to_own_encoder": round(drained.rate() / own_encoder, 3),
            "stock_positions": positions,
            "vehicles": load.VEHICLES,
        },
    )


def _copied(servers: Servers, count: int) -> Copied:
    database_url = servers.database("copied")
    migrate(database_url)
    return copy_both_ways(database_url, load.events(min(count, COPIED_MAX)))


def _by_quarter(drained: Drain) -> list[float]:
    return [round(drained.rate(first, last)) for first, last in pairwise(QUARTERS)]


def _check(database_url: str, count: int) -> None:
    """A rate counts only where everything is there, once, and the ledger holds."""
    stored = sum(audit.readings_by_kind(database_url).values())
    _, mismatches = audit.verify_ledger(database_url)
    letters = audit.dead_letters(database_url)
    if stored != count or mismatches or letters:
        raise RuntimeError(
            f"{stored} of {count} stored, {len(mismatches)} positions are wrong,"
            f" {letters} dead letters"
        )
