"""The outbox: every reading on disk before anyone is told of it, until the store has committed it.
One SQLite file (WAL, synchronous=FULL); `commit` writes events, rejects and device state in one
transaction. Upstream: `intake`, the only writer. Downstream: `uplink`, which reads through an
`outbox_reader` and reports what may be forgotten.

(stream, offset) names an event for ever: the stream is this file's UUID, offsets only grow.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from waystock.contract.events import Event, encode_event
from waystock.contract.identifiers import iso_utc
from waystock_gateway.errors import OutboxCorruptError, OutboxError
from waystock_gateway.offset_ranges import OffsetRanges
from waystock_gateway.outbox_correction import correct_times
from waystock_gateway.outbox_file import is_corrupt, is_full, open_or_set_aside, set_aside
from waystock_gateway.outbox_reserve import Reserve
from waystock_gateway.outbox_shedding import Shedding, expire
from waystock_gateway.sessions.session import Outcome
from waystock_gateway.stream_id import new_stream_id

REJECTS_KEPT_MAX = 1000
DELETED_MAX = 5_000
"""Events deleted in one commit at most, so that a reading never waits long behind them."""


@dataclass(slots=True)
class OutboxCounters:
    """What happened since the process began."""

    events_stored: int = 0
    shed: Counter[str] = field(default_factory=Counter[str])
    """Events given up undelivered, by reason and kind."""
    commits: int = 0

    @property
    def events_shed(self) -> int:
        return self.shed.total()


class Outbox:
    """Writer of one outbox file. All methods but `forget_later` belong to the intake's thread."""

    def __init__(
        self, path: Path, bytes_max: int, keep_days: Mapping[str, int] | None = None
    ) -> None:
        self.path = path
        self.counters = OutboxCounters()
        self._bytes_max = bytes_max
        self._keep_days = dict(keep_days or {})
        self._shedding = Shedding()
        self._reserve = Reserve(path)
        self._db, self.kept_aside, self._is_full = open_or_set_aside(path, self._reserve)
        self.stream, self._next, self._depth = self._read_head()
        if not self._is_full:
            self._reserve.hold()
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

    def begin_boot(self, boot_id: str) -> None:
        """Note where the readings of this boot of the box begin, unless that is known."""
        row = self._db.execute("SELECT boot_id FROM boot").fetchone()
        if row is None or row[0] != boot_id:
            self._db.execute(
                "INSERT OR REPLACE INTO boot (one, boot_id, first_offset) VALUES (1, ?, ?)",
                (boot_id, self._next),
            )

    def correct_times(self, shift: timedelta) -> int:
        """The clock was set for the first time, by `shift`: readings of this boot that were timed
        by the clock before are moved along and marked. Returns how many. Raises OutboxError.
        """
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                return correct_times(self._db, shift)
        except sqlite3.Error as error:
            raise self._as_outbox_error(error) from error

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
        self._make_sure_of_room()
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
            self._is_full = is_full(error)
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

    def shed_overload(self) -> Counter[str]:
        """Let some events go if the file is over its size; what was lost, by reason and kind.
        Raises OutboxError if the disk refuses.
        """
        return self._shed(
            lambda: (
                self._shedding.relieve(self._db)
                if self._bytes_used() > self._bytes_max
                else Counter()
            )
        )

    def shed_expired(self, now: datetime) -> Counter[str]:
        """Let some of what is older than its kind is kept for go; raises OutboxError likewise."""
        return self._shed(lambda: expire(self._db, now, self._keep_days))

    def _shed(self, let_go: Callable[[], Counter[str]]) -> Counter[str]:
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                shed = let_go()
        except sqlite3.Error as error:
            raise self._as_outbox_error(error) from error
        self._depth -= shed.total()
        self.counters.shed += shed
        return shed

    def close(self) -> None:
        self._db.close()

    def _make_sure_of_room(self) -> None:
        """After the disk was full: what the store has is deleted with the help of the reserve, and
        nothing is taken in before the reserve is whole again. Raises OutboxError until it is."""
        if not self._is_full or (self._reserve.is_held and not self.has_done):
            return
        self._reserve.release()
        done = self._take_done()
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                deleted = self._delete(done)
            self._depth -= deleted
            self._db.execute("PRAGMA incremental_vacuum").fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            self.forget_later(done)
            raise self._as_outbox_error(error) from error
        if not self._reserve.hold():
            raise OutboxError(f"{self.path}: the disk is full")
        self._is_full = False

    def _read_head(self) -> tuple[UUID, int, int]:
        stream, next_offset = self._db.execute("SELECT stream, next_offset FROM outbox").fetchone()
        depth = self._db.execute("SELECT count(*) FROM event").fetchone()[0]
        return UUID(stream), next_offset, depth

    def _write_events(self, numbered: Iterable[tuple[int, Event]]) -> None:
        self._db.executemany(
            "INSERT INTO event (event_offset, captured_at, body, kind, device)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                (
                    offset,
                    iso_utc(event.captured_at),
                    encode_event(event),
                    event.__struct_config__.tag,
                    event.device,
                )
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
        if is_corrupt(error):
            self._db.close()
            set_aside(self.path)
            return OutboxCorruptError(f"{self.path}: {error}")
        return OutboxError(f"{self.path}: {error}")
