"""The limit for an outbox: the same bytes into a bare SQLite file with the same durability and the
same number of rows in a transaction. Used by the benchmark of the gateway.
"""

import sqlite3
import time
from itertools import islice
from pathlib import Path

_TABLE = "CREATE TABLE event (event_offset INTEGER PRIMARY KEY, captured_at TEXT, body BLOB)"
_INSERT = "INSERT INTO event VALUES (?, ?, ?)"


def insert_rate(path: Path, body: bytes, rows: int, rows_per_commit: int) -> float:
    """Rows a second, each commit fsynced."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=1000"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(_TABLE)
    numbered = [(number, "2026-11-23T06:00:00.000000Z", body) for number in range(rows)]
    began_s = time.monotonic()
    waiting = iter(numbered)
    while group := list(islice(waiting, rows_per_commit)):
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(_INSERT, group)
    seconds = time.monotonic() - began_s
    db.close()
    return rows / seconds
