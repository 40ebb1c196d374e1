"""Counting what is stored, one by one. The simulator knows what it sent; these say what arrived.
`verify_ledger` compares the stock projection with the fold of the whole ledger.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from waystock.contract.identifiers import iso_utc
from waystock.store import migrate
from waystock.store.sql import queries


class StoredKey(NamedTuple):
    """What names one reading of a run; equal readings come as often as they are stored."""

    kind: str
    device: str
    key: str


class Mismatch(NamedTuple):
    """A stock position that differs from the sum of its movements."""

    location: str
    gtin: str
    lot: str
    lpn: str
    ledger: int
    projection: int


def stored_keys(database_url: str, since: datetime) -> Iterator[StoredKey]:
    """Each stored barcode, rfid and position reading whose time is at or after `since`.

    Keys: barcode = data; rfid = `EPC|presence`; position = device time, UTC with microseconds.
    """
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        for name in ("barcode_keys", "rfid_keys", "fix_keys"):
            for kind, device, key in connection.execute(queries("audit")[name], {"since": since}):
                yield StoredKey(kind, device, iso_utc(key) if isinstance(key, datetime) else key)


def alerts_by_type(database_url: str, since: datetime) -> dict[str, int]:
    """How many alerts of each type were opened at or after `since`."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["alerts_by_type"], {"since": since}).fetchall()
    return {row[0]: row[1] for row in rows}


def alert_subjects(database_url: str, since: datetime) -> list[tuple[str, str]]:
    """(type, subject) of each alert opened at or after `since`."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["alert_subjects"], {"since": since}).fetchall()
    return [(row[0], row[1]) for row in rows]


def readings_by_kind(database_url: str) -> dict[str, int]:
    """How many readings of each kind the store holds."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["readings_by_kind"]).fetchall()
    return {row[0]: row[1] for row in rows}


def stored_offsets(database_url: str) -> dict[UUID, tuple[int, int]]:
    """Stream → (rows, different offsets) in the tables of readings and in dead_letter: more rows
    than offsets means that something was stored twice.
    """
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["stored_offsets"]).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


def committed_by_gateway(database_url: str) -> dict[tuple[str, str], int]:
    """(site, gateway) → how many offsets of its streams are committed."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["committed_by_stream"]).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


def dead_letters(database_url: str) -> int:
    """How many messages and events lie in dead_letter."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        row = connection.execute(queries("audit")["dead_letters"]).fetchone()
    return row[0] if row else 0


def verify_ledger(database_url: str) -> tuple[int, list[Mismatch]]:
    """(positions looked at, those that differ from the fold of the ledger)."""
    with psycopg.connect(database_url, row_factory=tuple_row) as connection:
        rows = connection.execute(queries("audit")["ledger_mismatches"]).fetchall()
        count = connection.execute(queries("audit")["positions"]).fetchone()
    return (count[0] if count else 0), [Mismatch(*row) for row in rows]


def tier(database_url: str) -> str:
    """`full`, `apache` or `plain`."""
    return migrate.tier(database_url)
