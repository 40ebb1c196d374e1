"""20,000 vehicles that each say where they are every ten seconds, through the real processes: what
share of the machine's cores each of them takes. Scans and tags come in proportion, a screen is
open; what others take of the machine meanwhile is told, too.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock_demo.bench import latency, load, processes, processor_time
from waystock_demo.bench.draining import subscribe_once
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.pacing import PacedGateways
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.servers import Servers, scratch_servers
from waystock_demo.ports import free_port

VEHICLES, FIX_EVERY_S, SECONDS = 20_000, 10.0, 60.0
WARM_UP_S = 15.0
"""Not counted: every vehicle is met once, states are read, screens get their snapshots."""
ITSELF = "publisher_and_screen"


class _Shares(NamedTuple):
    of_cores: dict[str, float]
    lasted_s: float
    others: float
    """Cores that neither we nor what we started kept busy, but somebody did."""


def run(options: BenchOptions) -> BenchResult:
    """Cores kept busy, of those there are."""
    vehicles, seconds = options.events or VEHICLES, options.seconds or SECONDS
    shape = load.shape_of(vehicles, FIX_EVERY_S)
    with scratch_servers(options) as servers:
        subscribe_once(servers)
        database_url = servers.database("fleet_live")
        migrate(database_url)
        tier = audit.tier(database_url)
        gateways, shares = _measure(servers, database_url, shape, seconds)
        stored = sum(audit.readings_by_kind(database_url).values())
    if stored != gateways.sent:
        raise RuntimeError(f"{gateways.sent} sent, {stored} stored")
    cores = os.cpu_count() or 1
    ours = sum(shares.of_cores.values())
    return BenchResult(
        name="fleet-live",
        ours=ours,
        limit=cores,
        ratio=ours / cores,
        unit="cores kept busy (limit: those there are)",
        details={
            "tier": tier,
            "broker": options.broker,
            "vehicles": vehicles,
            "fix_every_s": FIX_EVERY_S,
            "fixes_per_s": vehicles / FIX_EVERY_S,
            "events_per_s": shape.events_per_s,
            "seconds": round(shares.lasted_s, 1),
            **{f"{name}_cores": round(one, 3) for name, one in shares.of_cores.items()},
            "others_on_the_machine_cores": round(shares.others, 3),
            "gateway_behind_ms_max": round(gateways.behind_s_max * 1000, 1),
            "events_sent": gateways.sent,
            "events_stored": stored,
        },
    )


def _measure(
    servers: Servers, database_url: str, shape: load.Shape, seconds: float
) -> tuple[PacedGateways, _Shares]:
    warm_up = round(WARM_UP_S * shape.events_per_s)
    count = warm_up + round(seconds * shape.events_per_s)
    begins = datetime.now(UTC)
    with connect(database_url, "bench") as database:
        known = shape._replace(start=begins)
        import_master_data(database, load.master_data(load.pallets_of(count, known), known))
    port = free_port()
    with (
        processes.ingest(servers, database_url) as ingest,
        processes.api(servers, database_url, port) as api,
        processes.worker(servers, database_url) as worker,
        latency.screen(servers, database_url, port),
    ):
        names = {ingest.pid: "ingest", api.pid: "api", worker.pid: "worker"}
        names = {**processor_time.children_of_ours(), **names}
        gateways = PacedGateways(servers.broker_url, load.OWNER[0])
        paced = load.events(count, shape=shape._replace(start=datetime.now(UTC)))
        gateways.send(event for _, event in zip(range(warm_up), paced, strict=False))
        before, at_s, idle_s = processor_time.by_child(names), time.monotonic(), _idle_s()
        ours_s = processor_time.ours_s()
        gateways.send(paced)
        lasted_s = time.monotonic() - at_s
        after = processor_time.by_child(names)
        used = {name: after[name] - spent_s for name, spent_s in before.items()}
        used[ITSELF] = processor_time.ours_s() - ours_s
        busy = (os.cpu_count() or 1) - (_idle_s() - idle_s) / lasted_s
        if not gateways.wait_acknowledged():
            raise RuntimeError("not everything that was sent was acknowledged")
        gateways.close()
    of_cores = {name: spent_s / lasted_s for name, spent_s in sorted(used.items())}
    others = max(0.0, busy - sum(of_cores.values()))
    return gateways, _Shares(of_cores, lasted_s, others)


def _idle_s() -> float:
    """Time that the machine's cores have been idle, summed, since it started."""
    return float(Path("/proc/uptime").read_text("ascii").split()[1])
