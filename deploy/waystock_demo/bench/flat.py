"""Whether an event costs the same in a large company as in a small one: the rate at which ingest
drains the same backlog onto 1 M and onto 20 M stored readings, and from 100 and from 20,000
vehicles. Two databases on one server, drained in turn, so that a busy moment hits both.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock.store.prefill import prefill
from waystock_demo.bench import load
from waystock_demo.bench.draining import Drain, drain, subscribe_once
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import Servers, scratch_servers

EVENTS = 600_000
"""Drained onto each database, in ROUNDS parts."""
ROUNDS = 2
EVENTS_PER_BATCH = 500
ROWS_FEW, ROWS_MANY = 1_000_000, 20_000_000
VEHICLES_FEW, VEHICLES_MANY = 100, 20_000
PAST = timedelta(days=30)


class Subject(NamedTuple):
    """One of the two databases."""

    database_url: str
    shape: load.Shape
    import_s: float
    prefill_s: float = 0.0


def run_rows(options: BenchOptions) -> BenchResult:
    """20 M stored readings against 1 M, 500 vehicles each."""
    with scratch_servers(options) as servers:
        few, many = (
            _subject(servers, f"rows_{rows}", load.Shape(), _events(options), rows=rows)
            for rows in (ROWS_FEW, ROWS_MANY)
        )
        return _compare(
            "flat-rows", options, servers, few, many,
            {
                "rows_few": ROWS_FEW,
                "rows_many": ROWS_MANY,
                "prefill_many_s": round(many.prefill_s, 1),
            },
        )  # fmt: skip


def run_devices(options: BenchOptions) -> BenchResult:
    """20,000 vehicles against 100, each with a fix every 10 s."""
    with scratch_servers(options) as servers:
        few, many = (
            _subject(servers, f"vehicles_{count}", load.shape_of(count), _events(options))
            for count in (VEHICLES_FEW, VEHICLES_MANY)
        )
        return _compare(
            "flat-devices", options, servers, few, many,
            {
                "vehicles_few": VEHICLES_FEW,
                "vehicles_many": VEHICLES_MANY,
                "import_many_s": round(many.import_s, 1),
            },
        )  # fmt: skip


def _events(options: BenchOptions) -> int:
    return options.events or EVENTS


def _subject(servers: Servers, name: str, shape: load.Shape, events: int, rows: int = 0) -> Subject:
    database_url = servers.database(name)
    migrate(database_url)
    master_data = load.master_data(load.pallets_of(events, shape), shape)

    def import_it() -> None:
        with connect(database_url, "bench") as database:
            import_master_data(database, master_data)

    def fill_it() -> None:
        if rows:
            first = load.START - PAST
            prefill(
                database_url, readings=rows, vehicles=shape.vehicles, first=first, end=load.START
            )

    return Subject(database_url, shape, _seconds(import_it), _seconds(fill_it))


def _seconds(do: Callable[[], None]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started


def _compare(
    name: str,
    options: BenchOptions,
    servers: Servers,
    few: Subject,
    many: Subject,
    details: dict[str, float],
) -> BenchResult:
    batches = {
        subject: load.batches(load.events(_events(options), shape=subject.shape), EVENTS_PER_BATCH)
        for subject in (few, many)
    }
    subscribe_once(servers)
    part = _events(options) // ROUNDS // EVENTS_PER_BATCH
    drains: dict[Subject, list[Drain]] = {few: [], many: []}
    for turn in range(ROUNDS):
        for subject in (few, many) if turn % 2 == 0 else (many, few):
            now = [next(batches[subject]) for _ in range(part)]
            drains[subject].append(
                drain(servers, subject.database_url, now, part * EVENTS_PER_BATCH)
            )
    limit, ours = _rate(drains[few]), _rate(drains[many])
    return BenchResult(
        name=name,
        ours=ours,
        limit=limit,
        ratio=ours / limit,
        unit="events/s at the large size (limit: at the small one)",
        details={
            "tier": audit.tier(many.database_url),
            "broker": options.broker,
            "events_each": part * EVENTS_PER_BATCH * ROUNDS,
            "small_rounds_events_per_s": [round(one.steady_rate()) for one in drains[few]],
            "large_rounds_events_per_s": [round(one.steady_rate()) for one in drains[many]],
            "small_start_s": round(_start_s(drains[few]), 2),
            "large_start_s": round(_start_s(drains[many]), 2),
            "ingest_peak_rss_small_mb": max(one.ingest_peak_rss_mb for one in drains[few]),
            "ingest_peak_rss_large_mb": max(one.ingest_peak_rss_mb for one in drains[many]),
            **details,
        },
    )


def _rate(drains: list[Drain]) -> float:
    """Over all rounds; what ingest does once at its start (reading master data) is left out, for
    it is no cost of an event.
    """
    return sum(one.events for one in drains) / sum(one.events / one.steady_rate() for one in drains)


def _start_s(drains: list[Drain]) -> float:
    """From listening to the first commit, the mean of the rounds."""
    return sum(one.committed_first_s for one in drains) / len(drains)
