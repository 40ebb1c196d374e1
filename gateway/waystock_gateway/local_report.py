"""What a running gateway leaves beside its outbox for `waystock gateway status`: its status, and
how it fares with the broker. Written whole under another name and renamed, so that a reader never
sees half of it. Upstream: `gateway`, in its main loop.
"""

import os
from pathlib import Path

import msgspec

from waystock.contract.acks import Status

REPORT_FILE = "status.json"


class LocalReport(msgspec.Struct, frozen=True, kw_only=True):
    """As of `status.at`."""

    pid: int
    is_connected: bool
    """To the uplink's broker."""
    last_ack_age_s: float | None
    """Since the store acknowledged something; None if it has not since the start."""
    readings_stored: int
    """Of devices, since the start."""
    commits: int
    """Transactions, since the start."""
    batches_sent: int
    status: Status


def write_report(path: Path, report: LocalReport) -> None:
    """Raises OSError where the disk refuses."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(msgspec.json.encode(report))
    os.replace(fresh, path)  # noqa: PTH105 - the same


def read_report(path: Path) -> LocalReport | None:
    """None where there is none, or none that this release can read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LocalReport)
    except (OSError, msgspec.DecodeError):
        return None
