"""Looks into an outbox file that another thread or process writes: what waits, since when, of which
kind. Opens it read-only. Used by `uplink` to send, by `health` and by the commands that inspect.
"""

import sqlite3
from datetime import datetime
from pathlib import Path

from waystock_gateway.errors import OutboxError
from waystock_gateway.outbox_file import BUSY_TIMEOUT_S


class OutboxReader:
    """Any number of them, beside the one writer."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        try:
            self._db = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise OutboxError(f"{path}: {error}") from error

    def first_offset(self) -> int | None:
        """The lowest offset that is kept, None if nothing waits."""
        return self._db.execute("SELECT min(event_offset) FROM event").fetchone()[0]

    def events(self, first: int, end: int, limit: int) -> list[tuple[int, bytes]]:
        """Up to `limit` (offset, JSON) of first … end − 1, in order."""
        return self._db.execute(
            "SELECT event_offset, body FROM event WHERE event_offset >= ? AND event_offset < ?"
            " ORDER BY event_offset LIMIT ?",
            (first, end, limit),
        ).fetchall()

    def captured_at(self, offset: int) -> datetime | None:
        """When the first event from `offset` on was taken in."""
        row = self._db.execute(
            "SELECT captured_at FROM event WHERE event_offset >= ? ORDER BY event_offset LIMIT 1",
            (offset,),
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def head(self) -> tuple[str, int]:
        """The stream and the offset that its next event will get."""
        return self._db.execute("SELECT stream, next_offset FROM outbox").fetchone()

    def owner(self) -> str:
        """`site/gateway` whose readings these are; empty where nobody has claimed the file."""
        row = self._db.execute("SELECT name FROM owner").fetchone()
        return row[0] if row else ""

    def depths(self) -> dict[str, int]:
        """How many events wait, by kind."""
        rows = self._db.execute("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind")
        return dict(rows.fetchall())

    def waiting_by_device(self) -> dict[str, tuple[int, str]]:
        """Device → (how many of its events wait, when the newest was taken in)."""
        rows = self._db.execute(
            "SELECT device, count(*), max(captured_at) FROM event GROUP BY device ORDER BY device"
        )
        return {device: (count, newest) for device, count, newest in rows.fetchall()}

    def rejects(self) -> dict[str, dict[str, int]]:
        """Device → reason → how many of the newest refused frames are kept."""
        found: dict[str, dict[str, int]] = {}
        for device, reason, count in self._db.execute(
            "SELECT device, reason, count(*) FROM reject GROUP BY device, reason"
        ):
            found.setdefault(device, {})[reason] = count
        return found

    def kept(self, prefix: str) -> dict[str, dict[str, bytes]]:
        """Device → what is kept of it under keys that begin with `prefix`, which is cut off."""
        found: dict[str, dict[str, bytes]] = {}
        for device, key, value in self._db.execute(
            "SELECT device, key, value FROM device_state WHERE substr(key, 1, ?) = ?"
            " ORDER BY device, key",
            (len(prefix), prefix),
        ):
            found.setdefault(device, {})[key.removeprefix(prefix)] = value
        return found

    def close(self) -> None:
        self._db.close()
