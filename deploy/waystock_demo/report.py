"""The report of an unattended run: what was sent, stored and shown, what was lost or doubled, how
old readings were on the screen, what was logged as an error. Upstream: the truth file, the store,
the screen, the logs; downstream: a JSON file that other tools read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from waystock_demo.audit import SAMPLE_MAX, Comparison, ExpectedAlert, Key
from waystock_demo.screen import Seen


class Latency(msgspec.Struct, frozen=True):
    """Capture to screen, milliseconds; None where nothing was shown."""

    p50: float | None
    p99: float | None
    n: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    sent: dict[str, int]
    stored: dict[str, int]
    shown: dict[str, int]
    lost: int
    doubled: int
    alerts: dict[str, int]
    latency_ms: Latency
    errors: list[str]
    tier: str
    unsent: int
    """Stored readings that nobody sent."""
    alerts_missing: list[str]
    """Alerts that the plot should have caused and that were not raised: `type subject`."""
    dead_letters: int
    error_count: int
    """All error lines; `errors` holds the first of them."""
    restarts: dict[str, int]
    lost_sample: list[str]
    doubled_sample: list[str]
    unsent_sample: list[str]
    screen_connections: int
    then_status: int | None
    """Exit status of --then's command."""
    started_at: str
    seconds: float
    seed: int


def latency(latencies_ms: Sequence[float]) -> Latency:
    """Median and 99th percentile (nearest rank)."""
    if not latencies_ms:
        return Latency(None, None, 0)
    ordered = sorted(latencies_ms)

    def rank(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return Latency(rank(0.50), rank(0.99), len(ordered))


def sample(keys: Counter[Key]) -> list[str]:
    """The first of `keys` in words, with how often."""
    return [f"{n}× {key.kind} {key.device} {key.key}" for key, n in sorted(keys.items())][
        :SAMPLE_MAX
    ]


def write_report(file: Path, report: Report) -> None:
    """Write `report` as indented JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


def build_report(
    *,
    compared: Comparison,
    seen: Seen,
    alerts: Mapping[str, int],
    alerts_missing: Sequence[ExpectedAlert],
    errors: Sequence[str],
    error_count: int,
    restarts: Mapping[str, int],
    tier: str,
    dead_letters: int,
    then_status: int | None,
    started_at: str,
    seconds: float,
    seed: int,
) -> Report:
    """Everything that was measured, in the report's form."""
    return Report(
        sent=compared.sent,
        stored=compared.stored,
        shown=dict(seen.shown),
        lost=compared.lost.total(),
        doubled=compared.doubled.total(),
        unsent=compared.unsent.total(),
        alerts=dict(alerts),
        alerts_missing=[f"{alert.type} {alert.subject}" for alert in sorted(alerts_missing)],
        latency_ms=latency(seen.latencies_ms),
        errors=list(errors),
        error_count=error_count,
        restarts=dict(restarts),
        tier=tier,
        dead_letters=dead_letters,
        lost_sample=sample(compared.lost),
        doubled_sample=sample(compared.doubled),
        unsent_sample=sample(compared.unsent),
        screen_connections=seen.connections,
        then_status=then_status,
        started_at=started_at,
        seconds=round(seconds, 1),
        seed=seed,
    )


def summary(report: Report) -> str:
    """A few lines for the terminal."""
    p50 = report.latency_ms.p50
    return "\n".join(
        [
            f"  sent      {_counts(report.sent)}",
            f"  stored    {_counts(report.stored)}   lost {report.lost}, doubled {report.doubled}",
            f"  shown     {_counts(report.shown)}   median latency {p50} ms",
            f"  alerts    {_counts(report.alerts)}",
            f"  errors    {report.error_count}",
        ]
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
