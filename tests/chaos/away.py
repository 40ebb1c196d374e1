"""`python -m tests.chaos.away`: one part stays away for minutes under load (killed on sight), then
is back. Measures how soon the screen shows fresh readings of every truck, and how soon everything
that was sent meanwhile is stored.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.faults import fresh_vehicles
from tests.support.demo import RunningDemo, demo
from tests.support.processes import wait_until
from waystock.store.audit import stored_keys
from waystock_demo.audit import compare, read_truth

PARTS = ("ingest", "nats", "postgres")
BEFORE_S, AFTER_S = 10.0, 60.0
FRESH_S = 5.0


def main() -> int:
    """Exit status 0 where nothing was lost or doubled."""
    parser = argparse.ArgumentParser(prog="away", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=150.0, help="how long it is away")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="waystock-away-") as folder:
        result = run(Path(folder), options.part, options.seconds)
    print(json.dumps(result, indent=1))
    return 1 if result["lost"] or result["doubled"] else 0


def run(folder: Path, part: str, away_s: float) -> dict[str, Any]:
    """What was waiting when `part` came back, and how long everything took."""
    state, report = folder / "state", folder / "report.json"
    seconds = BEFORE_S + away_s + AFTER_S
    with demo(state, "--for", str(seconds), "--report", str(report)) as running:
        running.wait_ready()
        _hold(BEFORE_S)
        trucks = fresh_vehicles(running, _now_s() - FRESH_S)
        _keep_away(running, part, away_s)
        back_s = _now_s()
        sent = read_truth(Path(running.file()["truth"])).sent
        waits_s: dict[str, float] = {}

        def done() -> bool:
            if "screen_s" not in waits_s and trucks <= fresh_vehicles(running, back_s):
                waits_s["screen_s"] = round(_now_s() - back_s, 1)
            with suppress(Exception):  # the database may still be coming up
                since = datetime.fromisoformat(running.file()["started_at"])
                stored = stored_keys(running.file()["database_url"], since)
                if "stored_s" not in waits_s and not compare(sent, stored).lost:
                    waits_s["stored_s"] = round(_now_s() - back_s, 1)
            return len(waits_s) == 2

        with suppress(AssertionError):
            wait_until(done, "all is stored", within_s=AFTER_S - FRESH_S, every_s=0.2)
        assert running.wait_over(within_s=seconds) == 0, running.said()
    counted = json.loads(report.read_text())
    return {
        "part": part,
        "away_s": away_s,
        "trucks": len(trucks),
        "sent_by_then": sent.total(),
        **waits_s,
        **{name: counted[name] for name in ("sent", "stored", "lost", "doubled", "latency_ms")},
        "lost_sample": counted["lost_sample"],
    }


def _keep_away(running: RunningDemo, part: str, seconds: float) -> None:
    until_s = time.monotonic() + seconds

    def killed_long_enough() -> bool:
        pid = running.file().get("processes", {}).get(part)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return time.monotonic() >= until_s

    wait_until(killed_long_enough, "long enough", within_s=seconds + 10, every_s=0.05)


def _hold(seconds: float) -> None:
    until_s = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until_s, "its time", within_s=seconds + 10)


def _now_s() -> float:
    return datetime.now(UTC).timestamp()


if __name__ == "__main__":
    sys.exit(main())
