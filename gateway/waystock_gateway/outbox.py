"""The outbox: every reading on disk before anyone is told of it, until the store has committed it.
One SQLite file (WAL, synchronous=FULL); `commit` writes events, rejects and device state in one
transaction. Upstream: `intake`, the only writer. Downstream: `uplink`, which reads through a
reader of its own and reports what may be forgotten.

(stream, offset) names an event for ever: the stream is this file's UUID, offsets only grow.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog

from waystock.contract.events import Event, encode_event
from waystock.contract.identifiers import iso_utc
from waystock_gateway.errors import OutboxCorruptError, OutboxError
from waystock_gateway.offset_ranges import OffsetRanges
from waystock_gateway.sessions.session import Outcome
from waystock_gateway.stream_id import new_stream_id

REJECTS_KEPT_MAX = 1000
SHED_EVENTS = 1000
"""How many of the oldest events go at a time when the file has reached its size."""
DELETED_MAX = 5_000
"""Events deleted in one commit at most, so that a reading never waits long behind them."""
BUSY_TIMEOUT_S = 5.0
_SCHEMA = Path(__file__).with_name("outbox.sql")
_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class OutboxCounters:
    """What happened since the process began."""

    events_stored: int = 0
    events_shed: int = 0
    commits: int = 0


class Outbox:
    """Writer of one outbox file. All methods but `forget_later` belong to the intake's thread."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        self.path = path
        self.counters = OutboxCounters()
        self._bytes_max = bytes_max
        self._db = _open_or_set_aside(path)
        self.stream, self._next, self._depth = self._read_head()
        self._done = OffsetRanges()
        self._done_lock = threading.Lock()

    def claim(self, owner: str) -> None:
        """Make this the outbox of the gateway `owner` (site/gateway). One that has delivered all
        begins a new stream under its new name. Raises OutboxError where readings of the old name
        still wait: the store would refuse them under another.
        """
        row = self._db.execute("SELECT name FROM owner").fetchone()
        before = owner if row is None else row[0]
        if before != owner and self._depth:
            raise OutboxError(
                f"{self.path} holds {self._depth} readings that {before} has not delivered yet: "
                f"run it as {before} until they are, or give {owner} another data_dir"
            )
        stream = self.stream if before == owner else new_stream_id()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO owner (one, name) VALUES (1, ?)", (owner,))
            self._db.execute("UPDATE outbox SET stream = ?", (str(stream),))
        self.stream = stream

    @property
    def next_offset(self) -> int:
        """The offset that the next event will get."""
        return self._next

    @property
    def depth(self) -> int:
        """How many events the file holds."""
        return self._depth

    def device_state(self, device: str) -> dict[str, bytes]:
        """What was kept of a device, by key."""
        rows = self._db.execute("SELECT key, value FROM device_state WHERE device = ?", (device,))
        return dict(rows.fetchall())

    def commit(self, outcomes: Sequence[Outcome], at: datetime) -> range:
        """Write `outcomes` in one transaction, fsynced; returns the offsets their events got.

        Raises OutboxError if the disk refuses: then nothing of it is written.
        """
        events = [event for outcome in outcomes for event in outcome.events]
        offsets = range(self._next, self._next + len(events))
        done = self._take_done()
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._write_events(zip(offsets, events, strict=True))
                self._write_outcomes(outcomes, at)
                deleted = self._delete(done)
                self._db.execute("UPDATE outbox SET next_offset = ?", (offsets.stop,))
        except sqlite3.Error as error:
            self.forget_later(done)
            raise self._as_outbox_error(error) from error
        self._next = offsets.stop
        self._depth += len(events) - deleted
        self.counters.events_stored += len(events)
        self.counters.commits += 1
        return offsets

    def forget_later(self, ranges: Iterable[tuple[int, int]]) -> None:
        """The store has these: delete them with the next commit. Callable from any thread."""
        with self._done_lock:
            for first, end in ranges:
                self._done.add(first, end)

    @property
    def has_done(self) -> bool:
        """Whether something waits to be deleted."""
        with self._done_lock:
            return bool(self._done)

    def shed_overload(self) -> int:
        """Drop the oldest events if the file is over its size; returns how many were lost. Raises
        OutboxError if the disk refuses.
        """
        try:
            if self._bytes_used() <= self._bytes_max:
                return 0
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                cursor = self._db.execute(
                    "DELETE FROM event WHERE event_offset IN"
                    " (SELECT event_offset FROM event ORDER BY event_offset LIMIT ?)",
                    (SHED_EVENTS,),
                )
        except sqlite3.Error as error:
            raise self._as_outbox_error(error) from error
        self._depth -= cursor.rowcount
        self.counters.events_shed += cursor.rowcount
        return cursor.rowcount

    def close(self) -> None:
        self._db.close()

    def _read_head(self) -> tuple[UUID, int, int]:
        stream, next_offset = self._db.execute("SELECT stream, next_offset FROM outbox").fetchone()
        depth = self._db.execute("SELECT count(*) FROM event").fetchone()[0]
        return UUID(stream), next_offset, depth

    def _write_events(self, numbered: Iterable[tuple[int, Event]]) -> None:
        self._db.executemany(
            "INSERT INTO event (event_offset, captured_at, body) VALUES (?, ?, ?)",
            (
                (offset, iso_utc(event.captured_at), encode_event(event))
                for offset, event in numbered
            ),
        )

    def _write_outcomes(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        for outcome in outcomes:
            self._db.executemany(
                "INSERT INTO device_state (device, key, value) VALUES (?, ?, ?)"
                " ON CONFLICT (device, key) DO UPDATE SET value = excluded.value",
                ((outcome.device, key, value) for key, value in outcome.put.items()),
            )
            self._db.executemany(
                "DELETE FROM device_state WHERE device = ? AND key = ?",
                ((outcome.device, key) for key in outcome.delete),
            )
            self._write_rejects(outcome, at)

    def _write_rejects(self, outcome: Outcome, at: datetime) -> None:
        if not outcome.rejects:
            return
        self._db.executemany(
            "INSERT INTO reject (at, device, reason, raw) VALUES (?, ?, ?, ?)",
            ((iso_utc(at), outcome.device, r.reason, r.raw.hex()) for r in outcome.rejects),
        )
        self._db.execute(
            "DELETE FROM reject WHERE id <= (SELECT max(id) FROM reject) - ?", (REJECTS_KEPT_MAX,)
        )

    def _delete(self, done: OffsetRanges) -> int:
        return sum(
            self._db.execute(
                "DELETE FROM event WHERE event_offset >= ? AND event_offset < ?", bounds
            ).rowcount
            for bounds in done
        )

    def _take_done(self) -> OffsetRanges:
        """What to delete now; the rest of a long backlog waits for the next commits."""
        with self._done_lock:
            done, self._done = self._done.split(DELETED_MAX)
        return done

    def _bytes_used(self) -> int:
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def _as_outbox_error(self, error: sqlite3.Error) -> OutboxError | OutboxCorruptError:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT_CODES:
            self._db.close()
            set_aside(self.path)
            return OutboxCorruptError(f"{self.path}: {error}")
        return OutboxError(f"{self.path}: {error}")


class OutboxReader:
    """Reads waiting events, from another thread than the writer's."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._db = sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )

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

    def close(self) -> None:
        self._db.close()


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its write-ahead log, so that nothing in it is lost for good."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(kept.with_name(kept.name + suffix))
    return kept


def _open_or_set_aside(path: Path) -> sqlite3.Connection:
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _CORRUPT_CODES:
            raise OutboxError(f"{path}: {error}") from error
        kept = set_aside(path)
        _log.error("outbox_corrupt", file=str(path), kept_as=str(kept), reason=str(error))
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000"):
            db.execute(f"PRAGMA {pragma}")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            error = sqlite3.DatabaseError(f"quick_check: {verdict}")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        db.executescript(_SCHEMA.read_text())
        db.execute(
            "INSERT INTO outbox (one, stream, next_offset) VALUES (1, ?, 0) ON CONFLICT DO NOTHING",
            (str(new_stream_id()),),
        )
    except sqlite3.Error:
        db.close()
        raise
    return db
