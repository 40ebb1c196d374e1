"""What an outbox lets go when it may not grow any more: first what says least. Health goes first;
positions thin out, each pass keeping one in four of each device from the oldest on, and telemetry
likewise; then the oldest of them go; tags and, last of all, scans only when nothing else is left.
What is older than its kind is kept for goes as well. Used by `outbox`, inside its transactions.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from waystock.contract.identifiers import iso_utc

SHED_EVENTS = 1000
"""How many events of a kind are looked at, or go, at a time."""
THIN_KEEP = 4
"""Of so many readings of one device, one stays. Fewer would leave pages of the file too full for
SQLite to join them, and nothing would be gained."""
THINNED_KINDS: tuple[str, ...] = ("position", "telemetry")
DROP_ORDER = ("position", "telemetry", "rfid", "barcode", "")
"""The last one: rows of which nothing is known."""

Shed = Counter[str]
"""How many went, by reason and kind: `full_health`, `thinned_position`, `expired_barcode`."""


class Shedding:
    """Remembers how far the thinning has come; begins anew with the process."""

    def __init__(self) -> None:
        self._thinned_to = dict.fromkeys(THINNED_KINDS, 0)
        self._thinned_in_pass = dict.fromkeys(THINNED_KINDS, 0)

    def relieve(self, db: sqlite3.Connection) -> Shed:
        """Let some go; empty only where nothing is left."""
        for shed in self._steps(db):
            if shed:
                return shed
        return Counter()

    def _steps(self, db: sqlite3.Connection) -> Iterator[Shed]:
        yield _drop_oldest(db, "health")
        for kind in THINNED_KINDS:
            yield self._thin(db, kind)
        for kind in DROP_ORDER:
            yield _drop_oldest(db, kind)

    def _thin(self, db: sqlite3.Connection, kind: str) -> Shed:
        """From where the last call ended, window by window, until something went or a whole pass
        found nothing to thin."""
        while True:
            rows = db.execute(
                "SELECT event_offset, device FROM event WHERE kind = ? AND event_offset >= ?"
                " ORDER BY event_offset LIMIT ?",
                (kind, self._thinned_to[kind], SHED_EVENTS),
            ).fetchall()
            if not rows:
                self._thinned_to[kind] = 0
                if not self._thinned_in_pass[kind]:
                    return Counter()
                self._thinned_in_pass[kind] = 0
                continue
            self._thinned_to[kind] = rows[-1][0] + 1
            surplus = _surplus(rows)
            if surplus:
                _delete(db, surplus)
                self._thinned_in_pass[kind] += len(surplus)
                return Counter({f"thinned_{kind}": len(surplus)})


def expire(db: sqlite3.Connection, now: datetime, keep_days: Mapping[str, int]) -> Shed:
    """Let go what is older than its kind is kept for, a bounded number at a time."""
    shed: Shed = Counter()
    for kind, days in keep_days.items():
        oldest = db.execute(
            "SELECT event_offset, captured_at FROM event WHERE kind = ?"
            " ORDER BY event_offset LIMIT ?",
            (kind, SHED_EVENTS),
        ).fetchall()
        limit = iso_utc(now - timedelta(days=days))
        expired = [offset for offset, captured_at in oldest if captured_at < limit]
        if expired:
            _delete(db, expired)
            shed[f"expired_{kind}"] += len(expired)
    return shed


def _surplus(rows: list[tuple[int, str]]) -> list[int]:
    """All but the first of each four of a device."""
    seen: Counter[str] = Counter()
    surplus: list[int] = []
    for offset, device in rows:
        if seen[device] % THIN_KEEP:
            surplus.append(offset)
        seen[device] += 1
    return surplus


def _drop_oldest(db: sqlite3.Connection, kind: str) -> Shed:
    count = db.execute(
        "DELETE FROM event WHERE event_offset IN"
        " (SELECT event_offset FROM event WHERE kind = ? ORDER BY event_offset LIMIT ?)",
        (kind, SHED_EVENTS),
    ).rowcount
    return Counter({f"full_{kind or 'unknown'}": count} if count else {})


def _delete(db: sqlite3.Connection, offsets: list[int]) -> None:
    db.executemany("DELETE FROM event WHERE event_offset = ?", ((offset,) for offset in offsets))
