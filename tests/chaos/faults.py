"""Faults put to a running demo under load: SIGKILL to one of its parts, and the time until every
truck that was on the screen before is on it again with a newer reading.
"""

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.demo import RunningDemo, demo
from tests.support.processes import wait_until

FAULTS = ("gateway", "ingest", "nats", "postgres", "api")
"""`gateway` kills all gateways at once."""
FIRST_KILL_AFTER_S = 8.0
RECOVER_WITHIN_S = 30.0
FRESH_S = 5.0


@dataclass
class Outcome:
    """What a run with kills came to."""

    report: dict[str, Any]
    recover_s: dict[str, float] = field(default_factory=dict)
    """Fault → the longest time until the screen was whole again."""


def run_with_kills(state: Path, kills: Sequence[str], seconds: float, gap_s: float) -> Outcome:
    """A demo of `seconds` under load in which each of `kills` happens in turn, `gap_s` apart."""
    report = state.with_name(state.name + ".report.json")
    recover_s: dict[str, float] = {}
    with demo(state, "--for", str(seconds), "--report", str(report)) as running:
        running.wait_ready()
        began_s = time.monotonic()
        for number, fault in enumerate(kills):
            _wait_till(began_s + FIRST_KILL_AFTER_S + number * gap_s)
            took_s = kill_and_recover(running, fault)
            recover_s[fault] = max(recover_s.get(fault, 0.0), took_s)
        status = running.wait_over(within_s=seconds + 150)
        assert status == 0, running.said()
    return Outcome(json.loads(report.read_text()), recover_s)


def kill_and_recover(running: RunningDemo, fault: str) -> float:
    """SIGKILL `fault`; seconds until the screen is whole again. Raises AssertionError if never."""
    fresh = fresh_vehicles(running, datetime.now(UTC).timestamp() - FRESH_S)
    victims = {
        name: pid
        for name, pid in running.file()["processes"].items()
        if name == fault or name.startswith(fault + "-")
    }
    assert victims, f"nothing called {fault} runs"
    assert fresh, "no truck is on the screen"
    for pid in victims.values():
        os.kill(pid, signal.SIGKILL)
    killed_at_s = datetime.now(UTC).timestamp()

    def whole_again() -> bool:
        now = running.file().get("processes", {})
        replaced = all(now.get(name, pid) != pid for name, pid in victims.items())
        return replaced and fresh <= fresh_vehicles(running, killed_at_s)

    wait_until(
        whole_again,
        f"after the kill of {fault} every truck is on the screen again",
        within_s=RECOVER_WITHIN_S,
        every_s=0.1,
    )
    return round(datetime.now(UTC).timestamp() - killed_at_s, 1)


def fresh_vehicles(running: RunningDemo, since_s: float) -> set[str]:
    """Trucks whose newest reading was captured after `since_s`; none while the api is away."""
    try:
        vehicles = running.ask("/api/v1/vehicles?limit=1000")["items"]
    except OSError:
        return set()
    return {
        one["vehicle"]
        for one in vehicles
        if one["captured_at"] is not None
        and datetime.fromisoformat(one["captured_at"]).timestamp() > since_s
    }


def _wait_till(instant_s: float) -> None:
    wait_until(lambda: time.monotonic() >= instant_s, "the time has come", within_s=600)
