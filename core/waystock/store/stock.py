"""The ledger in the store: what scans meant, the movements that follow, and the stock projection,
all within the caller's transaction. Upstream: ingest's stock stage and the master-data import.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import LiteralString, NamedTuple

import numpy as np

from waystock.stock.interpret import Directory, Operation
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
_operation_row = attrgetter(*(name for name, _ in _OPERATION_COLUMNS))
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
    since: dict[tuple[str, str], datetime]
    """(location, gtin) → the earliest of the movements that went or came there."""


def apply_operations(
    database: Database, old: Sequence[Operation], new: Sequence[Operation], directory: Directory
) -> LedgerChange:
    """Write the new operations in the place of the old ones, fold the licence plates that they
    concern and bring the projection in line.
    """
    before, after = set(old), set(new) if old else set[Operation]()
    touched = before ^ after if old else new
    lpns = sorted({one.lpn for one in touched if one.lpn})
    plates = _fold_lpns(database, lpns, new, directory)
    if new:
        columns = list(zip(*map(_operation_row, new), strict=True))
        _insert(database, "operation", _OPERATION_COLUMNS, columns)
    known = [movement for history in plates.known for movement in history.movements]
    stored = _movements(
        database,
        [history.lpn for history in plates.known],
        [*plates.seen_at, *(one.occurred_at for one in old)],
    )
    gone = sorted({*stored} - {*known}) + loose_movements(before - after)
    come = [movement for history in plates.first_seen for movement in history.movements]
    come += {*known} - {*stored} if stored else known
    come.sort()
    come += loose_movements(sorted(after - before if old else new, key=lambda one: one.order))
    _write(database, gone, come)
    documents = {one.document for one in touched if one.document}
    return LedgerChange(gone, come, plates.histories, documents, _earliest([*gone, *come]))


def _earliest(movements: Iterable[Movement]) -> dict[tuple[str, str], datetime]:
    since: dict[tuple[str, str], datetime] = {}
    for one in movements:
        at, gtin = one.occurred_at, one.gtin
        for key in ((one.from_location, gtin), (one.to_location, gtin)):
            if since.setdefault(key, at) > at:
                since[key] = at
    return since


class _Plates(NamedTuple):
    """Licence plates locked, folded and placed."""

    first_seen: list[LpnHistory]
    """The store had nothing of these."""
    known: list[LpnHistory]
    seen_at: list[datetime]
    """The instants of all operations of the known ones."""

    @property
    def histories(self) -> list[LpnHistory]:
        return [*self.first_seen, *self.known]


def _fold_lpns(
    database: Database, lpns: list[str], new: Sequence[Operation], directory: Directory
) -> _Plates:
    """Their histories with the new operations. A plate that the store doesn't know has no others,
    so it goes in with the place where these leave it, and nothing of it is read.
    """
    if not lpns:
        return _Plates([], [], [])
    by_lpn: dict[str, list[Operation]] = {lpn: [] for lpn in lpns}
    for operation in new:
        if operation.lpn in by_lpn:
            by_lpn[operation.lpn].append(operation)
    places = _lock_lpns(database, lpns)
    first_seen = [
        _fold(lpn, operations, directory) for lpn, operations in by_lpn.items() if lpn not in places
    ]
    if not _add_lpns(database, first_seen):
        # Another worker saw some of them at the same moment: what it wrote of them counts.
        places, first_seen = _lock_lpns(database, lpns), []
    for operation in _operations(database, list(places)):
        by_lpn[operation.lpn].append(operation)
    known = [_fold(lpn, by_lpn[lpn], directory) for lpn in places]
    _place_lpns(database, [one for one in known if one.location != places[one.lpn]])
    _forget_lpns(database, [lpn for lpn in places if not by_lpn[lpn]])
    return _Plates(first_seen, known, [one.occurred_at for lpn in places for one in by_lpn[lpn]])


def _fold(lpn: str, operations: Sequence[Operation], directory: Directory) -> LpnHistory:
    plan = directory.plan_by_lpn.get(lpn)
    return fold_lpn(lpn, operations, plan.vehicle if plan else None)


def _lock_lpns(database: Database, lpns: list[str]) -> dict[str, str]:
    """Of the plates that the store knows, where each is."""
    return dict(
        database.execute(
            queries("stock")["lock_lpns"], {"lpns": arrays.texts(lpns)}, binary=True
        ).fetchall()
    )


def _add_lpns(database: Database, histories: list[LpnHistory]) -> bool:
    """Whether all of these were new to the store; each is locked if so."""
    if not histories:
        return True
    added = database.execute(queries("stock")["add_lpns"], _places(histories))
    return added.rowcount == len(histories)


def _place_lpns(database: Database, histories: list[LpnHistory]) -> None:
    if histories:
        database.execute(queries("stock")["place_lpns"], _places(histories))


def _forget_lpns(database: Database, lpns: list[str]) -> None:
    """Plates that no operation names any more: a late scan showed that another one was meant."""
    if lpns:
        database.execute(queries("stock")["forget_lpns"], {"lpns": arrays.texts(lpns)})


def _places(histories: list[LpnHistory]) -> dict[str, arrays.Column]:
    return {
        "lpns": arrays.texts([history.lpn for history in histories]),
        "locations": arrays.texts([history.location for history in histories]),
    }


def _operations(database: Database, lpns: list[str]) -> list[Operation]:
    if not lpns:
        return []
    rows = database.execute(
        queries("stock")["operations_of_lpns"], {"lpns": arrays.texts(lpns)}, binary=True
    ).fetchall()
    return [Operation(*row) for row in rows]


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


def _write(database: Database, gone: list[Movement], come: list[Movement]) -> None:
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
        columns = [*zip(*come, strict=True), (recorded_at,) * len(come)]
        _insert(database, "movement", _MOVEMENT_COLUMNS, columns)
    changes = sorted(position_changes(gone, come).items())
    if changes:
        locations, gtins, lots, lpns = zip(*(key for key, _ in changes), strict=True)
        database.execute(
            queries("stock")["change_positions"],
            {
                "locations": arrays.texts(locations),
                "gtins": arrays.texts(gtins),
                "lots": arrays.texts(lots),
                "lpns": arrays.texts(lpns),
                "changes": arrays.numbers("int8", np.array([one for _, one in changes], np.int64)),
                "captured_at": max(one.captured_at for one in [*gone, *come]),
            },
        )


def _insert(
    database: Database,
    table: LiteralString,
    columns: Sequence[tuple[LiteralString, LiteralString]],
    values: Sequence[Sequence[object]],
) -> None:
    """Rows whose values are given by columns."""
    filled = [cells.of_type(kind, one) for (_, kind), one in zip(columns, values, strict=True)]
    cells.copy_binary(database, table, [name for name, _ in columns], cells.side_by_side(filled))
