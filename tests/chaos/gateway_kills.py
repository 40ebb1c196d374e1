"""`python -m tests.chaos.gateway_kills`: one long demo in which parts are killed every few seconds,
in a mixture that a seed fixes; then every lost or doubled reading is named with its distance to the
kills. What a GPS unit said and the gateway had not stored when it died is gone, for the unit cannot
be asked again: at most one fix for each kill. Anything beyond is a fault.
"""

import argparse
import json
import os
import random
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.demo import RunningDemo, demo
from tests.support.processes import wait_until
from waystock.store.audit import stored_keys
from waystock_demo.audit import compare, read_truth

SECONDS = 150.0
GAP_S_MIN, GAP_S_MAX = 3.0, 5.0
FIRST_AFTER_S, LAST_BEFORE_S = 6.0, 8.0
VICTIMS = ("gateway", "gateway-one", "ingest", "nats", "postgres")
"""`gateway` is all gateways at once, `gateway-one` one of them."""


@dataclass(frozen=True)
class Kill:
    """What was killed and when (seconds since 1970)."""

    at_s: float
    processes: tuple[str, ...]


def main() -> int:
    """Exit status 0 where nothing was lost but open epochs, and nothing doubled."""
    parser = argparse.ArgumentParser(prog="gateway_kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the kills and of the world")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--kill", choices=VICTIMS, action="append", help="only these")
    parser.add_argument("--out", type=Path, help="kills and readings as JSON")
    parser.add_argument("--count-into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.count_into is not None:
        options.count_into.write_text(json.dumps(_count(Path(os.environ["WAYSTOCK_DEMO_FILE"]))))
        return 0
    with tempfile.TemporaryDirectory(prefix="waystock-kills-") as folder:
        result = run(Path(folder), options.seed, options.seconds, options.kill or VICTIMS)
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    for name in ("kills", "sent", "stored", "lost", "open_epochs", "doubled", "unsent", "restarts"):
        print(f"{name:12} {len(result[name]) if name == 'kills' else result[name]}")
    print(*result["lost_readings"], *result["doubled_readings"], sep="\n")
    return 1 if result["lost"] > result["open_epochs"] or result["doubled"] else 0


def run(folder: Path, seed: int, seconds: float, victims: Sequence[str]) -> dict[str, Any]:
    """A demo of `seconds` with kills; what was lost and doubled, and when."""
    state, counted, report = folder / "state", folder / "counted.json", folder / "report.json"
    then = shlex.join([sys.executable, "-m", "tests.chaos.gateway_kills", "--count-into"])
    options = ("--seed", str(seed), "--for", str(seconds), "--report", str(report))
    with demo(state, *options, "--then", f"{then} {shlex.quote(str(counted))}") as running:
        running.wait_ready()
        kills = _kill_until(running, random.Random(seed), time.monotonic() + seconds, victims)
        assert running.wait_over(within_s=200) == 0, running.said()
    found = json.loads(counted.read_text())
    lost = [describe(one, kills) for one in found["lost"]]
    return {
        **{name: json.loads(report.read_text())[name] for name in ("sent", "stored", "restarts")},
        "seed": seed,
        "kills": [asdict(kill) for kill in kills],
        "lost": len(lost),
        "open_epochs": open_epochs(found["lost"], kills),
        "doubled": len(found["doubled"]),
        "unsent": len(found["unsent"]),
        "lost_readings": lost,
        "doubled_readings": [describe(one, kills) for one in found["doubled"]],
    }


def _kill_until(
    running: RunningDemo, chance: random.Random, end_s: float, victims: Sequence[str]
) -> list[Kill]:
    kills: list[Kill] = []
    next_s = time.monotonic() + FIRST_AFTER_S
    while next_s < end_s - LAST_BEFORE_S:
        due_s = next_s
        wait_until(lambda due_s=due_s: time.monotonic() >= due_s, "its time", within_s=60)
        processes: dict[str, int] = running.file().get("processes", {})
        gateways = sorted(name for name in processes if name.startswith("gateway-"))
        victim, lot = chance.choice(list(victims)), chance.random()
        chosen = [name for name in (victim,) if name in processes]
        if victim == "gateway":
            chosen = gateways
        elif victim == "gateway-one" and gateways:
            chosen = [gateways[int(lot * len(gateways))]]
        killed = tuple(name for name in chosen if _kill(processes[name]))
        if killed:
            kills.append(Kill(datetime.now(UTC).timestamp(), killed))
        next_s += chance.uniform(GAP_S_MIN, GAP_S_MAX)
    return kills


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _count(demo_file: Path) -> dict[str, list[list[str]]]:
    """Runs beside the demo, before its database stops."""
    running = json.loads(demo_file.read_text())
    since = datetime.fromisoformat(running["started_at"])
    truth = read_truth(Path(running["truth"]))
    compared = compare(truth.sent, stored_keys(running["database_url"], since))
    return {
        name: [list(key) for key in sorted(keys.elements())]
        for name, keys in (
            ("lost", compared.lost),
            ("doubled", compared.doubled),
            ("unsent", compared.unsent),
        )
    }


def open_epochs(lost: Sequence[Sequence[str]], kills: Sequence[Kill]) -> int:
    """How many of the lost are one fix of one unit per kill of a gateway: the kill that came next
    after the fix was sent."""
    worst: Counter[tuple[str, float]] = Counter()
    for kind, device, key in lost:
        if kind == "position":
            later = [kill.at_s for kill in _of_gateways(kills) if kill.at_s >= _epoch_s(key)]
            if later:
                worst[device, min(later)] += 1
    return len(worst)


def describe(one: Sequence[str], kills: Sequence[Kill]) -> str:
    """A reading in words, with its distance to the kill before and after it."""
    kind, device, key = one
    if kind != "position":
        return f"{kind} {device} {key}"
    at_s = _epoch_s(key)
    near = [
        f"{kill.at_s - at_s:+.2f} s {'+'.join(kill.processes)}"
        for kill in kills
        if abs(kill.at_s - at_s) < GAP_S_MAX * 2
    ]
    return f"{kind} {device} {key}: {', '.join(near)}"


def _of_gateways(kills: Sequence[Kill]) -> list[Kill]:
    return [kill for kill in kills if any(name.startswith("gateway") for name in kill.processes)]


def _epoch_s(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


if __name__ == "__main__":
    sys.exit(main())
