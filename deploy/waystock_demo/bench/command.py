"""`waystock bench NAME [--json]`: run a benchmark, or all of them, and print what came of it. What
needs a database is run on embedded PostgreSQL and, where it is to be had, on TimescaleDB.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from waystock_demo.bench import (
    anomalies,
    eta,
    flapping,
    flat,
    fleet,
    fleet_live,
    gateway,
    indexes,
    ingest,
    latency,
)
from waystock_demo.bench import bytes as bytes_per_position
from waystock_demo.bench.options import EMBEDDED, LOCAL_TIMESCALE, BenchOptions
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import BROKERS
from waystock_demo.postgres import timescale_install

URL_VARIABLE = "WAYSTOCK_BENCH_DATABASE_URL"
"""A server to run on instead (its superuser's URL)."""
TIMESCALE_VARIABLE = "WAYSTOCK_BENCH_TIMESCALE_URL"
"""A TimescaleDB to run on as well."""


class Bench(NamedTuple):
    """One benchmark: called once per server, or once in all where it needs none."""

    run: Callable[[BenchOptions], BenchResult]
    on_each_server: bool = True
    in_all: bool = True
    """Whether `all` runs it; what takes many minutes is asked for by name."""


BENCHES: dict[str, Bench] = {
    "ingest": Bench(ingest.run),
    "ingest-one-by-one": Bench(ingest.run_one_by_one),
    "gateway": Bench(gateway.run, on_each_server=False),
    "fleet": Bench(fleet.run, on_each_server=False),
    "fleet-live": Bench(fleet_live.run),
    "anomalies": Bench(anomalies.run, on_each_server=False),
    "flapping": Bench(flapping.run, on_each_server=False),
    "eta": Bench(eta.run, on_each_server=False),
    "latency": Bench(latency.run),
    "bytes": Bench(bytes_per_position.run),
    "indexes": Bench(indexes.run, in_all=False),
    "flat-rows": Bench(flat.run_rows, in_all=False),
    "flat-devices": Bench(flat.run_devices, in_all=False),
}


def run(arguments: Sequence[str]) -> int:
    """`waystock bench …`; exit status 2 on an unknown name."""
    options = _parse(arguments)
    names = [name for name, bench in BENCHES.items() if bench.in_all]
    for name in names if options.name == "all" else [options.name]:
        bench = BENCHES[name]
        for server in servers_wanted(options.database_url) if bench.on_each_server else [EMBEDDED]:
            print_result(bench.run(_told(options, server)), as_json=options.json)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="waystock bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHES, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON object a line, nothing else")
    parser.add_argument("--events", type=int, help="how many readings (each has its own default)")
    parser.add_argument("--seconds", type=float, help="how long, where it runs for a time")
    parser.add_argument("--broker", choices=BROKERS, default=BROKERS[0])
    parser.add_argument(
        "--database-url",
        default=os.environ.get(URL_VARIABLE),
        help=f"run on this server alone; its superuser's URL (default: {URL_VARIABLE})",
    )
    return parser.parse_args(arguments)


def servers_wanted(database_url: str | None) -> list[str]:
    """Each server that a benchmark of the store is run on."""
    if database_url:
        return [database_url]
    if timescale_url := os.environ.get(TIMESCALE_VARIABLE):
        return [EMBEDDED, timescale_url]
    return [EMBEDDED, LOCAL_TIMESCALE] if timescale_install() else [EMBEDDED]


def _told(options: argparse.Namespace, server: str) -> BenchOptions:
    return BenchOptions(
        events=options.events, seconds=options.seconds, broker=options.broker, server=server
    )


def print_result(result: BenchResult, *, as_json: bool) -> None:
    """On standard output, in words or as one JSON object."""
    text = msgspec.json.encode(result).decode() + "\n" if as_json else _words(result)
    sys.stdout.write(text)
    sys.stdout.flush()


def _words(result: BenchResult) -> str:
    lines = [
        f"{result.name}: {result.ours:,.5g} beside {result.limit:,.5g} {result.unit}"
        f" = {result.ratio:.2f}"
    ]
    lines += [f"    {key}: {_short(value)}" for key, value in result.details.items()]
    return "\n".join(lines) + "\n"


def _short(value: float | str | list[float]) -> str:
    if isinstance(value, list):
        return ", ".join(f"{each:,.0f}" for each in value)
    return value if isinstance(value, str) else f"{value:,.5g}"
