"""Passages through a portal that nobody knows which way: what waits for a person, and what follows
when one has decided. Upstream: `waystock portal` and the api; downstream: the ledger, as if the
portal had told it itself.
"""

import re
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from waystock.stock.interpret import UNDECIDED_REASON, Operation, Scan, interpret
from waystock.store.connection import Database
from waystock.store.directory import MasterSnapshot, load_master
from waystock.store.errors import RefusedError
from waystock.store.sql import queries
from waystock.store.stock import apply_operations
from waystock.store.stock_alerts import raise_stock_alerts, raise_undecided

Decision = Literal["in", "out", "none"]
"""`none`: it did not go through."""
LISTED_MAX = 500
_SSCC = re.compile("[0-9]{18}")
_read_elements = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode


class UndecidedPassage(NamedTuple):
    """One that waits."""

    reading: str
    """What to name it by."""
    occurred_at: datetime
    device: str
    lpn: str
    door: str
    reason: str
    evidence: dict[str, Any] | None
    """The portal's numbers, as in the contract."""


class DecidedPassage(NamedTuple):
    """What a decision did."""

    reading: str
    lpn: str
    direction: Decision
    kind: str
    """Of the operation that follows: load, unload, receive …, `unexplained` with its reason, or
    empty."""
    reason: str
    movements: int


def undecided_passages(database: Database, lpn: str | None = None) -> list[UndecidedPassage]:
    """Of one licence plate or all; the oldest first, LISTED_MAX at the most."""
    rows = database.execute(
        queries("portal")["undecided"], {"lpn": lpn, "limit": LISTED_MAX}
    ).fetchall()
    return [
        UndecidedPassage(
            f"{row[0]}-{row[1]}",
            row[2],
            row[3],
            row[4],
            row[5],
            row[6].removeprefix(UNDECIDED_REASON),
            row[7],
        )
        for row in rows
    ]


def decide_passage(
    database: Database, reading: str, direction: Decision, decided_by: str
) -> DecidedPassage:
    """Book it as if the portal had told this direction, in a transaction of its own. `reading` is
    the pallet's SSCC, for its oldest one that waits, or the reading, for one that is decided
    already: the later decision counts. RefusedError where there is no such passage.
    """
    with database.transaction():
        key = _key(database, reading)
        master = load_master(database)
        rows = database.execute(queries("portal")["passage"], key).fetchall()
        device = master.devices.get(rows[0][6]) if rows else None
        if device is None:
            raise RefusedError(
                f"there is no passage {reading} of unknown direction; `waystock portal list` shows "
                "those that wait"
            )
        *scanned, epc, elements, _ = rows[0]
        scan = Scan(
            scanned[0],
            scanned[1],
            device.device,
            scanned[2],
            scanned[3],
            device.biz_step,
            device.read_point,
            device.vehicle,
            epc,
            _read_elements(elements),
            direction,
        )
        return _book(database, scan, direction, decided_by, master)


def _book(
    database: Database,
    scan: Scan,
    direction: Decision,
    decided_by: str,
    master: MasterSnapshot,
) -> DecidedPassage:
    directory = master.directory
    key = {"stream_id": scan.stream_id, "stream_offset": scan.stream_offset}
    old = [
        Operation(*row)
        for row in database.execute(queries("portal")["remove_operation"], key).fetchall()
    ]
    new = [] if direction == "none" else interpret([scan], directory)
    change = apply_operations(database, old, new, directory)
    raise_stock_alerts(database, change, directory, master.names)
    raise_undecided(database, change.histories, directory)
    database.execute(
        queries("portal")["decide"], {**key, "direction": direction, "decided_by": decided_by}
    )
    return DecidedPassage(
        f"{scan.stream_id}-{scan.stream_offset}",
        dict(scan.elements).get("00", ""),
        direction,
        new[0].kind if new else "",
        new[0].reason if new else "",
        len(change.come),
    )


def _key(database: Database, reading: str) -> dict[str, int]:
    if _SSCC.fullmatch(reading):
        waiting = undecided_passages(database, reading)
        if not waiting:
            raise RefusedError(f"no passage of pallet {reading} waits; see `waystock portal list`")
        reading = waiting[0].reading
    stream_id, _, stream_offset = reading.partition("-")
    if not (stream_id.isdecimal() and stream_offset.isdecimal()):
        raise RefusedError(f"{reading!r} is no SSCC (18 digits) and names no reading (12-345)")
    return {"stream_id": int(stream_id), "stream_offset": int(stream_offset)}
