"""From the capture of a reading to a screen's socket at a steady load, beside the bare broker's
round trip in the same run. A delta carries the newest state of an entity, at most one per entity
and 100 ms: what is measured is the age of the newest reading in each state that was shown; readings
that a newer one overtook on the way are not shown and not counted.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from waystock.store import audit
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.migrate import migrate
from waystock_demo import services
from waystock_demo.bench import load, processes
from waystock_demo.bench.draining import subscribe_once
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.pacing import LINGER_S, PacedGateways
from waystock_demo.bench.result import BenchResult
from waystock_demo.bench.round_trip import RoundTrips
from waystock_demo.bench.servers import Servers, scratch_servers
from waystock_demo.ports import free_port
from waystock_demo.process import Command, Process
from waystock_demo.process import run as run_to_end
from waystock_demo.report import Latency, latency
from waystock_demo.screen import Screen, ShownEntity

EVENTS_PER_S, SECONDS = 2000, 60.0
WARM_UP_S = 5.0
"""Not counted: ingest reads master data, PostgreSQL its catalogues."""
BATCH_BYTES = 6000
"""About 25 readings, as each gateway sends them."""
SCREEN_WITHIN_S = 20.0
SHAPE = load.Shape(scanners=EVENTS_PER_S // 10, events_per_s=EVENTS_PER_S)
MEASURED = ("transit", "stock")
_POLL_S = 0.02


class _Ages:
    """Ages on receipt, by channel, of states whose reading was captured from `since_s` on."""

    def __init__(self) -> None:
        self.since_s = float("inf")
        self.of_capture_ms: dict[str, list[float]] = defaultdict(list)
        self.of_change_ms: list[float] = []

    def on_entity(self, channel: str, entity: ShownEntity, received_at_s: float) -> None:
        """Called by the screen's thread."""
        captured_at = entity.captured_at
        if channel not in MEASURED or captured_at is None:
            return
        if captured_at.timestamp() >= self.since_s:
            self.of_capture_ms[channel].append((received_at_s - captured_at.timestamp()) * 1000)
            self.of_change_ms.append((received_at_s - entity.version / 1e6) * 1000)


class _Measured(NamedTuple):
    ages: _Ages
    round_trips: Latency
    sent: int
    stored: int
    behind_s_max: float
    rss_mb: dict[str, float]


def run(options: BenchOptions) -> BenchResult:
    """2,000 readings a second of 500 vehicles and 400 scanners, one ingest, one api, one screen."""
    seconds = options.seconds or SECONDS
    with scratch_servers(options) as servers:
        subscribe_once(servers)
        database_url = servers.database("latency")
        migrate(database_url)
        tier = audit.tier(database_url)
        measured = _measure(servers, database_url, seconds)
    whole = latency([ms for one in measured.ages.of_capture_ms.values() for ms in one])
    if not whole.n or whole.p50 is None or measured.round_trips.p50 is None:
        raise RuntimeError("nothing reached the screen")
    return BenchResult(
        name="latency",
        ours=whole.p50,
        limit=measured.round_trips.p50,
        ratio=whole.p50 / measured.round_trips.p50,
        unit="ms, median from capture to screen (limit: the bare broker's round trip)",
        details={
            "tier": tier,
            "broker": options.broker,
            "events_per_s": EVENTS_PER_S,
            "seconds": seconds,
            "vehicles": SHAPE.vehicles,
            "states_shown": whole.n,
            **_figures("capture_to_screen", whole),
            **_figures("broker_round_trip", measured.round_trips),
            **_figures("change_to_screen", latency(measured.ages.of_change_ms)),
            **{
                name: figure
                for channel, ages in measured.ages.of_capture_ms.items()
                for name, figure in _figures(channel, latency(ages)).items()
            },
            "gateway_linger_ms": LINGER_S * 1000,
            "gateway_behind_ms_max": round(measured.behind_s_max * 1000, 1),
            **measured.rss_mb,
            "events_sent": measured.sent,
            "events_stored": measured.stored,
        },
    )


def _measure(servers: Servers, database_url: str, seconds: float) -> _Measured:
    count = round((WARM_UP_S + seconds) * EVENTS_PER_S)
    with connect(database_url, "bench") as database:
        shape = SHAPE._replace(start=datetime.now(UTC))
        import_master_data(database, load.master_data(load.pallets_of(count, shape), shape))
    ages, port = _Ages(), free_port()
    with (
        processes.ingest(servers, database_url) as ingest,
        processes.api(servers, database_url, port) as api,
        screen(servers, database_url, port, ages.on_entity),
    ):
        gateways = PacedGateways(servers.broker_url, load.OWNER[0])
        round_trips = RoundTrips(servers.broker_url, BATCH_BYTES)
        round_trips.start()
        begins = datetime.now(UTC)
        ages.since_s = begins.timestamp() + WARM_UP_S
        gateways.send(load.events(count, shape=shape._replace(start=begins)))
        trips = latency(round_trips.finish())
        complete = gateways.wait_acknowledged()
        gateways.close()
        rss_mb = _peak_rss_mb(ingest=ingest, api=api)
    stored = sum(audit.readings_by_kind(database_url).values())
    if not complete or stored != gateways.sent:
        raise RuntimeError(f"{gateways.sent} sent, {stored} stored, acknowledged: {complete}")
    return _Measured(ages, trips, gateways.sent, stored, gateways.behind_s_max, rss_mb)


def _unseen(channel: str, entity: ShownEntity, received_at_s: float) -> None:
    """A screen that nobody looks at."""


@contextmanager
def screen(
    servers: Servers,
    database_url: str,
    port: int,
    on_entity: Callable[[str, ShownEntity, float], None] = _unseen,
) -> Generator[None]:
    """A screen that has its snapshots."""
    token = run_to_end(
        Command(
            name="api token add",
            argv=services.waystock("api", "token", "add", "bench", "--role", "viewer"),
            env=processes.endpoints(servers, database_url).environment(""),
        ),
        timeout_s=SCREEN_WITHIN_S,
    ).strip()
    shown = Screen(f"ws://127.0.0.1:{port}/api/v1/live", token, on_entity)
    shown.start()
    deadline = time.monotonic() + SCREEN_WITHIN_S
    while not shown.has_snapshots:
        if time.monotonic() > deadline:
            raise RuntimeError("the screen got no snapshots")
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        shown.finish()


def _peak_rss_mb(**running: Process) -> dict[str, float]:
    return {f"{name}_peak_rss_mb": processes.peak_rss_mb(each) for name, each in running.items()}


def _figures(name: str, of: Latency) -> dict[str, float]:
    return {f"{name}_p50_ms": of.p50 or 0.0, f"{name}_p99_ms": of.p99 or 0.0}
