"""A box without a battery for its clock wakes up in the past. Readings that it takes until the
clock is set are all early by the same time: once that is known, they are moved along and marked.
Used by `outbox`, inside a transaction.
"""

import sqlite3
from datetime import timedelta

import msgspec

from waystock.contract.events import Event, Quality, decode_event, encode_event
from waystock.contract.identifiers import iso_utc
from waystock_gateway.clock import PLAUSIBLE_FROM


def correct_times(db: sqlite3.Connection, shift: timedelta) -> int:
    """How many were corrected: those of this boot that were captured before any plausible time."""
    rows = db.execute(
        "SELECT event_offset, body FROM event WHERE captured_at < ?"
        " AND event_offset >= (SELECT coalesce(max(first_offset), 0) FROM boot)",
        (iso_utc(PLAUSIBLE_FROM),),
    ).fetchall()
    corrected = [(offset, corrected_event(decode_event(body), shift)) for offset, body in rows]
    db.executemany(
        "UPDATE event SET captured_at = ?, body = ? WHERE event_offset = ?",
        ((iso_utc(event.captured_at), encode_event(event), offset) for offset, event in corrected),
    )
    return len(corrected)


def corrected_event(event: Event, shift: timedelta) -> Event:
    """`event` as a clock would have timed it that was set before; a time that the device itself
    gave (GPS) stays."""
    marks: list[Quality] = [mark for mark in event.quality if mark != "clock_unsynced"]
    is_ours = event.clock == "unsynced"
    return msgspec.structs.replace(
        event,
        captured_at=event.captured_at + shift,
        time=event.time + shift if is_ours else event.time,
        clock="ntp" if is_ours else event.clock,
        quality=(*marks, "clock_corrected"),
    )
