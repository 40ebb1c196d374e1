"""`python -m tests.chaos.scanner_kills`: a gateway with two dozen scanners that bring 2,000 codes a
second is killed (SIGKILL) a hundred times at random moments, with the real broker, ingest and
database behind it; then each code that a scanner was told to be kept must be in the store, once.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.scanner_fleet import ScannerFleet
from tests.integration.gateway.rig import GatewayRig
from tests.support.brokers import nats
from tests.support.ingesting import ingest_command, ingesting
from tests.support.postgres import embedded_postgres
from tests.support.processes import wait_until
from waystock.store.audit import stored_keys

KILLS, SCANNERS, CODES_PER_S = 100, 24, 2_000.0
LIFE_S_MIN, LIFE_S_MAX = 0.2, 2.5
"""From a start of the gateway to its end; it reads its first code after about half a second."""
STORED_WITHIN_S = 120.0


@dataclass(frozen=True)
class Result:
    """`codes_per_s` counts from the first start to the last code, dead moments included."""

    kills: int
    acknowledged: int
    stored: int
    lost: int
    doubled: int
    resent: int
    codes_per_s: float
    codes_per_s_peak: float
    """In the best second."""


def main() -> int:
    """Exit status 0 where nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="scanner_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--codes-per-s", type=float, default=CODES_PER_S)
    options = parser.parse_args()
    result = run(options.kills, random.Random(options.seed), options.codes_per_s)
    for name, value in asdict(result).items():
        print(f"{name:18} {value:,}")
    return 1 if result.lost or result.doubled else 0


def run(kills: int, dice: random.Random, codes_per_s: float = CODES_PER_S) -> Result:
    """Everything started, `kills` lives of the gateway, one more to deliver, then the count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waystock-scans-")))
        url = stack.enter_context(
            stack.enter_context(embedded_postgres(durable=True)).migrated_database()
        )
        broker = stack.enter_context(nats())
        stack.enter_context(ingesting(ingest_command(url, broker), folder / "ingest.log"))
        fleet = ScannerFleet(folder, SCANNERS, codes_per_s)
        stack.callback(fleet.close)
        rig = GatewayRig(folder, broker.url)
        for device in fleet.devices:
            rig.adopt_port(device, "barcode", 'framing = "ssi"\nrepeat_window_s = 0')
        since, began_s = datetime.now(UTC), time.monotonic()
        fleet.start()
        rates = _kill(rig, fleet, kills, dice)
        with rig.running():
            fleet.stop()
            seconds = time.monotonic() - began_s
            taken = Counter(fleet.acknowledged)

            def missing() -> int:
                return len(taken - _stored(url, since))

            with suppress(AssertionError):  # what is missing for good is counted below
                wait_until(
                    lambda: not missing(), "all is stored", within_s=STORED_WITHIN_S, every_s=0.5
                )
        stored = _stored(url, since)
    return Result(
        kills=kills,
        acknowledged=taken.total(),
        stored=stored.total(),
        lost=(taken - stored).total(),
        doubled=(stored - taken).total(),
        resent=fleet.resent,
        codes_per_s=round(taken.total() / seconds, 1),
        codes_per_s_peak=max(rates, default=0.0),
    )


def _kill(rig: GatewayRig, fleet: ScannerFleet, kills: int, dice: random.Random) -> list[float]:
    """Lives of random length; what was acknowledged in the best stretch of each, per second."""
    rates: list[float] = []
    for _ in range(kills):
        with rig.running() as process:
            ends_s = time.monotonic() + dice.uniform(LIFE_S_MIN, LIFE_S_MAX)
            best, before, since_s = 0.0, len(fleet.acknowledged), time.monotonic()
            while (now_s := time.monotonic()) < ends_s:
                if now_s - since_s >= 0.5:
                    best = max(best, (len(fleet.acknowledged) - before) / (now_s - since_s))
                    before, since_s = len(fleet.acknowledged), now_s
                time.sleep(min(0.02, max(0.0, ends_s - now_s)))
            process.kill()
            process.wait()
            rates.append(round(best, 1))
    return rates


def _stored(database_url: str, since: datetime) -> Counter[str]:
    return Counter(one.key for one in stored_keys(database_url, since) if one.kind == "barcode")


if __name__ == "__main__":
    sys.exit(main())
