"""What the worker does on schedule: old raw readings, dead letters, checkpoints and sessions go;
the ledger and what is derived from it stay.
"""

from psycopg import sql

from waystock.contract.acks import STATUS_LEASE_S
from waystock.store.connection import Database
from waystock.store.sql import queries

DEAD_LETTERS = "dead_letter"
"""Of the tables with a retention the one that holds no readings."""
PREDICTIONS = "eta_prediction"
"""The one whose rows are no device's."""
DELETE_BATCH = 10_000
LOCK_CLASS = 7_219_403
"""First half of the advisory locks of scheduled jobs; the second is the job's number."""


def try_lock(database: Database, job: int) -> bool:
    """Take the lock of a job until the transaction ends; False where another worker has it."""
    row = database.execute(
        queries("upkeep")["try_lock"], {"lock_class": LOCK_CLASS, "job": job}
    ).fetchone()
    return bool(row and row[0])


def drop_old_chunks(database: Database, table: str, age_s: float) -> int | None:
    """Drop the chunks of a table of readings whose newest time is older than `age_s`; how many (0
    where a policy does it). None: it has no chunks, and old rows have to be deleted.
    """
    row = database.execute(
        queries("upkeep")["drop_old_chunks"], {"table": table, "age_s": age_s}
    ).fetchone()
    return row[0] if row else None


def delete_older(database: Database, table: str, age_s: float) -> int:
    """Delete some DELETE_BATCH readings of a table older than `age_s`, each device's oldest; how
    many. None are left when it says 0.
    """
    statement = sql.SQL(queries("upkeep")["delete_older"]).format(table=sql.Identifier(table))
    return database.execute(statement, {"age_s": age_s, "batch": DELETE_BATCH}).rowcount


def delete_dead_letters(database: Database, age_s: float) -> int:
    """Delete at most DELETE_BATCH dead letters older than `age_s`; how many."""
    return database.execute(
        queries("upkeep")["delete_dead_letters"], {"age_s": age_s, "batch": DELETE_BATCH}
    ).rowcount


def prune_checkpoints(database: Database, thin_after_s: float, age_s: float) -> int:
    """Keep one checkpoint a day beyond `thin_after_s`, none beyond `age_s` but a vehicle's last."""
    thinned = database.execute(queries("upkeep")["thin_checkpoints"], {"age_s": thin_after_s})
    deleted = database.execute(queries("upkeep")["delete_checkpoints"], {"age_s": age_s})
    return thinned.rowcount + deleted.rowcount


def end_sessions(database: Database) -> int:
    """Delete sessions that are over; how many."""
    return database.execute(queries("upkeep")["end_sessions"]).rowcount


def newly_silent(database: Database, window_s: float) -> list[str]:
    """`{site}/{gateway}` of those whose "online" ran out within the last `window_s`."""
    rows = database.execute(
        queries("upkeep")["newly_silent"], {"lease_s": STATUS_LEASE_S, "window_s": window_s}
    ).fetchall()
    return [f"{site}/{gateway}" for site, gateway in rows]
