"""The ledger in the store: what scans meant, the movements that follow, and the stock projection,
all within the caller's transaction. Upstream: ingest's stock stage and the master-data import.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString, NamedTuple

import msgspec

from waystock.stock.interpret import CONTEXT, Directory, Operation, Scan, interpret
from waystock.stock.ledger import (
    LpnHistory,
    Movement,
    fold_lpn,
    loose_movements,
    position_changes,
)
from waystock.store import arrays
from waystock.store import binary_copy as cells
from waystock.store.connection import Database
from waystock.store.sql import queries

Span = tuple[datetime, datetime]

_OPERATION_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("stream_id", "int4"),
    ("stream_offset", "int8"),
    ("occurred_at", "timestamptz"),
    ("captured_at", "timestamptz"),
    ("device", "text"),
    ("kind", "text"),
    ("lpn", "text"),
    ("gtin", "text"),
    ("lot", "text"),
    ("quantity", "int8"),
    ("from_location", "text"),
    ("to_location", "text"),
    ("document", "text"),
    ("reason", "text"),
)
_MOVEMENT_COLUMNS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("stream_id", "int4"),
    ("stream_offset", "int8"),
    ("line", "int4"),
    ("occurred_at", "timestamptz"),
    ("captured_at", "timestamptz"),
    ("biz_step", "text"),
    ("from_location", "text"),
    ("to_location", "text"),
    ("gtin", "text"),
    ("lot", "text"),
    ("from_lpn", "text"),
    ("to_lpn", "text"),
    ("lpn", "text"),
    ("quantity", "int8"),
    ("document", "text"),
    ("device", "text"),
    ("recorded_at", "timestamptz"),
)


class LedgerChange(NamedTuple):
    """What a batch did to the ledger: enough to say which screens and which rules it touches."""

    gone: list[Movement]
    come: list[Movement]
    histories: list[LpnHistory]
    documents: set[str]


def reinterpret(
    database: Database, spans: Mapping[str, Span], directory: Directory
) -> tuple[list[Operation], list[Operation]]:
    """Read again what these devices scanned around their (first, last) new reading: (old, new).
    The old operations are no longer in the store, the new ones not yet.

    Scans up to CONTEXT before a span are read for context, and those up to CONTEXT after it may
    change their meaning.
    """
    if not spans:
        return [], []
    devices = sorted(spans)
    database.execute(queries("stock")["lock_devices"], {"devices": devices})
    first = [spans[device][0] for device in devices]
    until = [spans[device][1] + CONTEXT for device in devices]
    lead_in = [at - CONTEXT for at in first]
    rows = database.execute(
        queries("stock")["scans"],
        {
            "devices": devices,
            "since": lead_in,
            "until": until,
            "first": min(lead_in),
            "last": max(until),
        },
        binary=True,
    ).fetchall()
    by_device: dict[str, list[Scan]] = defaultdict(list)
    for row, elements in zip(rows, _elements([row[9] for row in rows]), strict=True):
        by_device[row[2]].append(Scan._make((*row[:9], elements)))
    new = [
        operation
        for device, scans in by_device.items()
        for operation in interpret(scans, directory)
        if operation.occurred_at >= spans[device][0]
    ]
    old = database.execute(
        queries("stock")["remove_operations"], {"devices": devices, "since": first, "until": until}
    ).fetchall()
    return [_operation(row) for row in old], new


def _elements(texts: list[str]) -> list[tuple[tuple[str, str], ...]]:
    """Many rows' element strings, read as one document."""
    return msgspec.json.decode("[" + ",".join(texts) + "]", type=list[tuple[tuple[str, str], ...]])


def apply_operations(
    database: Database, old: Sequence[Operation], new: Sequence[Operation], directory: Directory
) -> LedgerChange:
    """Write the new operations in the place of the old ones, fold the licence plates that they
    concern and bring the projection in line.
    """
    before, after = set(old), set(new) if old else set[Operation]()
    touched = before ^ after if old else new
    lpns = sorted({one.lpn for one in touched if one.lpn})
    histories, seen_at = _fold_lpns(database, lpns, new, directory) if lpns else ([], [])
    _insert(database, "operation", _OPERATION_COLUMNS, [_operation_row(one) for one in new])
    stored = _movements(database, lpns, [*seen_at, *(one.occurred_at for one in old)])
    gone_loose = loose_movements(before - after)
    folded = [movement for history in histories for movement in history.movements]
    gone = sorted({*stored} - {*folded}) + gone_loose
    come = sorted({*folded} - {*stored} if stored else folded) + loose_movements(
        sorted(after - before if old else new, key=lambda one: one.order)
    )
    _write(database, gone, come, histories)
    return LedgerChange(gone, come, histories, {one.document for one in touched if one.document})


def _fold_lpns(
    database: Database, lpns: list[str], new: Sequence[Operation], directory: Directory
) -> tuple[list[LpnHistory], list[datetime]]:
    """Their histories with the new operations, and the instants of all their operations."""
    parameters = {"lpns": arrays.texts(lpns)}
    database.execute(queries("stock")["lock_lpns"], parameters)
    rows = database.execute(
        queries("stock")["operations_of_lpns"], parameters, binary=True
    ).fetchall()
    by_lpn: dict[str, list[Operation]] = {lpn: [] for lpn in lpns}
    for operation in (*map(_operation, rows), *new):
        if operation.lpn in by_lpn:
            by_lpn[operation.lpn].append(operation)
    plans = directory.plan_by_lpn
    histories = [
        fold_lpn(lpn, operations, plans[lpn].vehicle if lpn in plans else None)
        for lpn, operations in by_lpn.items()
    ]
    return histories, [one.occurred_at for operations in by_lpn.values() for one in operations]


def _movements(database: Database, lpns: list[str], at: list[datetime]) -> list[Movement]:
    """What the ledger has of these plates. A movement is as old as its operation, so `at`, the
    instants of their operations now and before, tells where in the ledger to look.
    """
    if not lpns or not at:
        return []
    rows = database.execute(
        queries("stock")["movements_of_lpns"],
        {"lpns": arrays.texts(lpns), "first": min(at), "last": max(at)},
        binary=True,
    ).fetchall()
    return [Movement(*row) for row in rows]


def _write(
    database: Database,
    gone: list[Movement],
    come: list[Movement],
    histories: Collection[LpnHistory],
) -> None:
    if gone:
        database.execute(
            queries("stock")["remove_movements"],
            {
                "occurred_at": [one.occurred_at for one in gone],
                "stream_ids": [one.stream_id for one in gone],
                "stream_offsets": [one.stream_offset for one in gone],
                "lines": [one.line for one in gone],
                "first": min(one.occurred_at for one in gone),
                "last": max(one.occurred_at for one in gone),
            },
        )
    if come:
        recorded_at = datetime.now(UTC)
        rows = [(*movement, recorded_at) for movement in come]
        _insert(database, "movement", _MOVEMENT_COLUMNS, rows)
    if histories:
        database.execute(
            queries("stock")["place_lpns"],
            {
                "lpns": arrays.texts([history.lpn for history in histories]),
                "locations": arrays.texts([history.location for history in histories]),
            },
        )
    changes = sorted(position_changes(gone, come).items())
    if changes:
        database.execute(
            queries("stock")["change_positions"],
            {
                "locations": [key[0] for key, _ in changes],
                "gtins": [key[1] for key, _ in changes],
                "lots": [key[2] for key, _ in changes],
                "lpns": [key[3] for key, _ in changes],
                "changes": [change for _, change in changes],
                "captured_at": max(one.captured_at for one in [*gone, *come]),
            },
        )


def _insert(
    database: Database,
    table: LiteralString,
    columns: Sequence[tuple[LiteralString, LiteralString]],
    rows: Sequence[tuple[object, ...]],
) -> None:
    if not rows:
        return
    values = zip(*rows, strict=True)
    filled = [cells.of_type(kind, one) for (_, kind), one in zip(columns, values, strict=True)]
    cells.copy_binary(database, table, [name for name, _ in columns], cells.side_by_side(filled))


def _operation_row(one: Operation) -> tuple[object, ...]:
    return (
        one.stream_id,
        one.stream_offset,
        one.occurred_at,
        one.captured_at,
        one.device,
        one.kind,
        one.lpn,
        one.gtin,
        one.lot,
        one.quantity,
        one.from_location,
        one.to_location,
        one.document,
        one.reason,
    )


def _operation(row: Sequence[Any]) -> Operation:
    return Operation(
        stream_id=row[0],
        stream_offset=row[1],
        occurred_at=row[2],
        captured_at=row[3],
        device=row[4],
        kind=row[5],
        lpn=row[6],
        gtin=row[7],
        lot=row[8],
        quantity=row[9],
        from_location=row[10],
        to_location=row[11],
        document=row[12],
        reason=row[13],
    )
