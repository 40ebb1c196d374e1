"""`python -m tests.chaos.week`: a gateway that was cut off for a week, a million readings in its
outbox, is connected again, with the real broker, ingest and database behind it. Fresh scans must be
in the store at once, beside the backlog; the backlog must drain, and everything be there once.
"""

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from tests.integration.gateway.rig import GatewayRig, Scanner
from tests.support.brokers import nats
from tests.support.ingesting import ingest_command, ingesting
from tests.support.postgres import embedded_postgres
from tests.support.processes import wait_until
from tests.support.proxy import Proxy
from waystock.store.audit import readings_by_kind, stored_offsets
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock_demo.bench import load
from waystock_demo.process import Process
from waystock_gateway.inspect_command import OUTBOX_FILE
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.sessions.session import Outcome

READINGS = 1_000_000
WEEK_S = 7 * 86_400.0
VEHICLES = 20
COMMIT_EVENTS = 10_000
SCAN_EVERY_S = 0.2
DRAINED_WITHIN_S = 900.0
_AGES = (
    "SELECT extract(epoch FROM received_at - captured_at) FROM barcode_reading"
    " WHERE device = 'fresh' ORDER BY captured_at"
)


@dataclass(frozen=True)
class Result:
    """Ages are from a fresh scan to its arrival in the store's transaction, while the backlog
    drains; the first one was made when the broker came back."""

    queued: int
    filled_per_s: float
    first_fresh_s: float
    fresh_scans: int
    fresh_s_max: float
    drain_s: float
    drained_per_s: float
    lost: int
    doubled: int
    gateway_rss_mb: float


def main() -> int:
    """Exit status 0 where nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="week", description=__doc__)
    parser.add_argument("--readings", type=int, default=READINGS)
    result = run(parser.parse_args().readings)
    for name, value in asdict(result).items():
        print(f"{name:16} {value:,}")
    return 1 if result.lost or result.doubled else 0


def run(readings: int) -> Result:
    """Fill, start everything with the broker away, let it come back, scan until all is stored."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-week-")))
        rig = GatewayRig(folder, "mqtt://127.0.0.1:9", owner=load.OWNER)
        scanner = rig.add_scanner("fresh")
        stack.callback(rig.close)
        began_s = time.monotonic()
        fill(rig.data / OUTBOX_FILE, readings)
        filled_per_s = readings / (time.monotonic() - began_s)
        url = stack.enter_context(
            stack.enter_context(embedded_postgres(durable=True)).migrated_database()
        )
        with connect(url, "chaos") as connection:
            import_master_data(connection, load.master_data(load.pallets_of(readings)))
        broker = stack.enter_context(nats())
        wire = Proxy(broker.port)
        stack.callback(wire.close)
        rig.set_broker(broker.url.replace(f":{broker.port}", f":{wire.port}"))
        stack.enter_context(ingesting(ingest_command(url, broker), folder / "ingest.log"))
        wire.cut()
        gateway = stack.enter_context(rig.running_cut_off())
        wire.mend()
        back_s = time.monotonic()
        scans, rss_mb = _scan_until_drained(rig, gateway, scanner, readings)
        drain_s = time.monotonic() - back_s
        wait_until(lambda: _readings(url) >= readings + scans, "the last scans too", within_s=10)
        return _result(url, readings, filled_per_s, scans, drain_s, rss_mb)


def fill(path: Path, readings: int) -> None:
    """A week of readings in the outbox of `load.OWNER`, by the outbox's own code."""
    shape = load.Shape(
        vehicles=VEHICLES,
        start=datetime.now(UTC) - timedelta(seconds=WEEK_S),
        events_per_s=readings / WEEK_S,
    )
    outbox = Outbox(path, 10**10)
    outbox.claim("/".join(load.OWNER))
    waiting = load.events(readings, shape=shape)
    while chunk := list(itertools.islice(waiting, COMMIT_EVENTS)):
        outbox.commit([Outcome("week", events=chunk)], datetime.now(UTC))
    outbox.close()


def _scan_until_drained(
    rig: GatewayRig, gateway: Process, scanner: Scanner, backlog: int
) -> tuple[int, float]:
    """Until the gateway has forgotten the backlog: it forgets what the store has committed."""
    reader = OutboxReader(rig.data / OUTBOX_FILE)

    def is_drained() -> bool:
        first = reader.first_offset()
        return first is None or first >= backlog

    process = psutil.Process(gateway.pid)
    scans, rss_bytes = 0, 0
    until_s = time.monotonic() + DRAINED_WITHIN_S
    while not is_drained() and time.monotonic() < until_s:
        next_s = time.monotonic() + SCAN_EVERY_S
        scanner.scan(f"FRESH-{scans}")
        scans += 1
        rss_bytes = max(rss_bytes, process.memory_info().rss)
        _hold(lambda next_s=next_s: time.monotonic() >= next_s or is_drained())
    reader.close()
    return scans, rss_bytes / 1e6


def _hold(over: Callable[[], bool]) -> None:
    with suppress(AssertionError):
        wait_until(over, "the next scan is due", within_s=SCAN_EVERY_S)


def _result(
    url: str, readings: int, filled_per_s: float, scans: int, drain_s: float, rss_mb: float
) -> Result:
    with psycopg.connect(url) as connection:
        ages_s = [float(row[0]) for row in connection.execute(_AGES)]
    stored = stored_offsets(url).values()
    return Result(
        queued=readings,
        filled_per_s=round(filled_per_s),
        first_fresh_s=round(ages_s[0], 3),
        fresh_scans=len(ages_s),
        fresh_s_max=round(max(ages_s), 3),
        drain_s=round(drain_s, 1),
        drained_per_s=round(readings / drain_s),
        lost=readings + scans - _readings(url),
        doubled=sum(rows - offsets for rows, offsets in stored),
        gateway_rss_mb=round(rss_mb, 1),
    )


def _readings(url: str) -> int:
    """What devices said; the gateway's own health comes on top."""
    return sum(count for kind, count in readings_by_kind(url).items() if kind != "health")


if __name__ == "__main__":
    sys.exit(main())
