"""The outbox's file: opened with the durability that it promises, checked, brought to today's
schema; a damaged one is kept aside under a name that says when. Used by `outbox`, and for looking
on by `outbox_reader`.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog

from waystock_gateway.errors import OutboxError
from waystock_gateway.outbox_reserve import Reserve
from waystock_gateway.stream_id import new_stream_id

BUSY_TIMEOUT_S = 5.0
_SCHEMA = Path(__file__).with_name("outbox.sql")
_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_UPGRADE = (
    "ALTER TABLE event ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE event ADD COLUMN device TEXT NOT NULL DEFAULT ''",
    "UPDATE event SET kind = json_extract(CAST(body AS TEXT), '$.kind'),"
    " device = json_extract(CAST(body AS TEXT), '$.device')",
)

_log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """The file as it was found."""

    db: sqlite3.Connection
    kept_as: Path | None
    """Under which name a damaged one before it was kept."""
    is_disk_full: bool
    """The reserve had to make way for opening it."""


def open_or_set_aside(path: Path, reserve: Reserve) -> Opened:
    """Raises OutboxError where the disk refuses; a damaged file makes room for a new one, and the
    reserve for one that a full disk keeps from opening."""
    try:
        return Opened(_open(path), None, is_disk_full=False)
    except OSError as error:
        raise OutboxError(f"{path}: {error.strerror}") from error
    except sqlite3.DatabaseError as error:
        if is_full(error) and reserve.is_held:
            reserve.release()
            return Opened(_open_once_more(path), None, is_disk_full=True)
        if not is_corrupt(error):
            raise OutboxError(f"{path}: {error}") from error
        kept = set_aside(path)
        _log.error("outbox_corrupt", file=str(path), kept_as=str(kept), reason=str(error))
        return Opened(_open_once_more(path), kept, is_disk_full=False)


def _open_once_more(path: Path) -> sqlite3.Connection:
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        raise OutboxError(f"{path}: {error}") from error


def is_corrupt(error: sqlite3.Error) -> bool:
    """Whether the file is damaged, rather than the disk full or the file locked."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT_CODES


def is_full(error: sqlite3.Error) -> bool:
    """Whether there was no room on the disk."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _FULL_CODES


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its write-ahead log, so that nothing in it is lost for good."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(kept.with_name(kept.name + suffix))
    return kept


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        # A new file gives room back to the disk when it is asked to; an old one keeps it.
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000"):
            db.execute(f"PRAGMA {pragma}")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            error = sqlite3.DatabaseError(f"quick_check: {verdict}")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        _upgrade(db)
        db.executescript(_SCHEMA.read_text())
        db.execute(
            "INSERT INTO outbox (one, stream, next_offset) VALUES (1, ?, 0) ON CONFLICT DO NOTHING",
            (str(new_stream_id()),),
        )
    except sqlite3.Error:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """A file of an earlier release lacks the columns that shedding goes by."""
    columns = {row[1] for row in db.execute("PRAGMA table_info(event)")}
    if not columns or "kind" in columns:
        return
    with db:
        db.execute("BEGIN IMMEDIATE")
        for statement in _UPGRADE:
            db.execute(statement)
