"""The unattended run: watch the live stream for so long, stop the devices, let what is under way
arrive, count, report. Upstream: a running demo; downstream: the report file.
"""

import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from waystock.store import audit as store
from waystock.store.api import ALERTS, fetch_page
from waystock.store.connection import connect
from waystock_demo.audit import Comparison, ExpectedAlert, Truth, compare, read_truth
from waystock_demo.process import Command, start, stop
from waystock_demo.report import Report, build_report
from waystock_demo.running import Demo
from waystock_demo.screen import Screen
from waystock_demo.state import DemoFile

_log = structlog.get_logger()

DRAIN_WITHIN_S = 60.0
"""From the end of the devices until every reading must be stored."""
SETTLE_S = 2.0
"""All is stored once nothing has changed for so long: a doubled reading would come late."""
THEN_WITHIN_S = 3600.0
_COUNT_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Unattended:
    """What `--for`, `--report` and `--then` asked for."""

    seconds: float
    report: Path | None
    then: str | None


def run_unattended(demo: Demo, running: DemoFile, asked: Unattended) -> Report:
    """Watch, drain, count. Raises StoppedError where the run was cut short."""
    screen = Screen(f"ws://{demo.local_address}/api/v1/live", running.viewer_token)
    screen.start()
    began_s = time.monotonic()
    try:
        demo.run_for(asked.seconds)
        seconds = time.monotonic() - began_s
        demo.stop_devices()
        demo.wait_for_database()
        truth = read_truth(demo.state.truth)
        compared = _drained(demo, running.database_url, truth)
    finally:
        seen = screen.finish()
    then_status = _run_then(demo, asked.then) if asked.then else None
    demo.logs.look()
    alerts, missing = _alerts(truth, running.database_url, demo.started_at)
    return build_report(
        compared=compared,
        seen=seen,
        alerts=alerts,
        alerts_missing=missing,
        errors=demo.logs.errors,
        error_count=demo.logs.error_count,
        restarts=demo.restarts(),
        tier=store.tier(running.database_url),
        dead_letters=store.dead_letters(running.database_url),
        then_status=then_status,
        started_at=running.started_at,
        seconds=seconds,
        seed=demo.settings.seed,
    )


def _drained(demo: Demo, database_url: str, truth: Truth) -> Comparison:
    """Wait until nothing is missing and nothing changes, or until the deadline."""
    deadline_s = time.monotonic() + DRAIN_WITHIN_S
    compared = _compared(demo, database_url, truth)
    changed_s = time.monotonic()
    while time.monotonic() < deadline_s:
        demo.run_for(_COUNT_EVERY_S)
        now = _compared(demo, database_url, truth)
        if now != compared:
            compared, changed_s = now, time.monotonic()
        if not compared.lost and time.monotonic() - changed_s >= SETTLE_S:
            return compared
    _log.error("readings_missing", lost=compared.lost.total(), after_s=DRAIN_WITHIN_S)
    return compared


def _compared(demo: Demo, database_url: str, truth: Truth) -> Comparison:
    return compare(truth.sent, store.stored_keys(database_url, demo.started_at))


def _run_then(demo: Demo, then: str) -> int:
    """Run the user's command by the shell, keeping the demo alive meanwhile; its exit status."""
    command = Command(
        name="then",
        argv=("/bin/sh", "-c", then),
        env={"WAYSTOCK_DEMO_FILE": str(demo.state.demo_file)},
    )
    process = start(command, os.dup(1))
    deadline_s = time.monotonic() + THEN_WITHIN_S
    try:
        while process.poll() is None and time.monotonic() < deadline_s:
            demo.tick()
    finally:
        stop(process, command.stop_signal)
    return process.returncode


def _alerts(
    truth: Truth, database_url: str, since: datetime
) -> tuple[dict[str, int], list[ExpectedAlert]]:
    """Alerts of this run by type, and those it should have given cause for but that aren't there.

    An expected alert that is still open from an earlier run on the same state counts: it stands
    on the screen, and is not raised a second time.
    """
    counts = Counter(store.alerts_by_type(database_url, since))
    raised = set(store.alert_subjects(database_url, since))
    missing: list[ExpectedAlert] = []
    with connect(database_url, "demo") as database:
        for alert in sorted(truth.alerts - {ExpectedAlert(*one) for one in raised}):
            looked_for = {"type": alert.type, "subject": alert.subject, "open": True}
            if fetch_page(database, ALERTS, looked_for, None, 1)[0]:
                counts[alert.type] += 1
            else:
                missing.append(alert)
    return dict(counts), missing
