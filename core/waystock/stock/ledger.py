"""The ledger's rule: the history of one licence plate, folded in order of time, gives the movements
that it caused. Double entry: each movement goes from one location to another, so all sums are zero.
Upstream: operations; downstream: movement rows and the stock projection.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, TypeVar

import msgspec

from waystock.stock.interpret import UNDECIDED_REASON, Operation

PositionKey = tuple[str, str, str, str]
"""(location, gtin, lot, lpn)."""


class Movement(NamedTuple):
    """One line of the ledger; its key, (stream_id, stream_offset, line), is the scan behind it."""

    stream_id: int
    stream_offset: int
    line: int
    occurred_at: datetime
    captured_at: datetime
    biz_step: str
    from_location: str
    to_location: str
    gtin: str
    lot: str
    from_lpn: str
    to_lpn: str
    lpn: str
    quantity: int
    document: str
    device: str

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.stream_id, self.stream_offset, self.line)


class Misload(NamedTuple):
    """A pallet on a vehicle that it doesn't belong on, until it is next seen elsewhere."""

    lpn: str
    loaded_on: str
    door: str
    opened_at: datetime
    cleared_at: datetime | None
    captured_at: datetime


class Undecided(NamedTuple):
    """A pallet that passed a portal nobody knows which way, until it is next seen somewhere."""

    lpn: str
    door: str
    reason: str
    opened_at: datetime
    cleared_at: datetime | None
    captured_at: datetime


class LpnHistory(msgspec.Struct, frozen=True):
    """What the fold of one licence plate's operations gives."""

    lpn: str
    location: str
    """Where it is now; '' if nobody ever saw it."""
    movements: tuple[Movement, ...]
    misloads: tuple[Misload, ...]
    undecided: tuple[Undecided, ...] = ()


_BIZ_STEPS = {
    "opening": "opening",
    "receive": "receiving",
    "putaway": "storing",
    "pick": "picking",
    "load": "loading",
    "unload": "unloading",
    "deliver": "unloading",
}


_Found = TypeVar("_Found", Misload, Undecided)


class _Fold:
    """State while one licence plate's operations go by."""

    __slots__ = ("contents", "location", "lpn", "movements")

    def __init__(self, lpn: str) -> None:
        self.lpn = lpn
        self.location = ""
        self.contents: dict[tuple[str, str], int] = {}
        self.movements: list[Movement] = []

    def move(
        self,
        operation: Operation,
        goods: Iterable[tuple[tuple[str, str], int]],
        way: tuple[str, str],
        lpns: tuple[str, str],
    ) -> None:
        for line, ((gtin, lot), quantity) in enumerate(goods):
            self.movements.append(
                Movement(
                    operation.stream_id,
                    operation.stream_offset,
                    line,
                    operation.occurred_at,
                    operation.captured_at,
                    _BIZ_STEPS[operation.kind],
                    way[0],
                    way[1],
                    gtin,
                    lot,
                    lpns[0],
                    lpns[1],
                    self.lpn,
                    quantity,
                    operation.document,
                    operation.device,
                )
            )

    def take_in(self, operation: Operation) -> None:
        """`opening` and `receive`: goods appear on the plate. Seen twice, they appear once."""
        if operation.kind == "receive" and self.location:
            return
        goods = (operation.gtin, operation.lot)
        self.move(
            operation,
            [(goods, operation.quantity)],
            (operation.from_location, operation.to_location),
            ("", self.lpn),
        )
        self.contents[goods] = self.contents.get(goods, 0) + operation.quantity
        self.location = operation.to_location

    def pick(self, operation: Operation) -> None:
        """Loose goods from a bin join the plate wherever it stands."""
        self.location = self.location or operation.to_location
        goods = (operation.gtin, operation.lot)
        self.move(
            operation,
            [(goods, operation.quantity)],
            (operation.from_location, self.location),
            ("", self.lpn),
        )
        self.contents[goods] = self.contents.get(goods, 0) + operation.quantity

    def relocate(self, operation: Operation) -> None:
        """`load`, `unload` and `deliver`: all that is on the plate goes with it."""
        if self.location != operation.to_location:
            origin = self.location or operation.from_location
            goods = sorted(self.contents.items())
            self.move(operation, goods, (origin, operation.to_location), (self.lpn, self.lpn))
            self.location = operation.to_location

    def put_away(self, operation: Operation) -> None:
        """The plate is emptied into the bin: from then on its goods are loose stock there."""
        goods = sorted(self.contents.items())
        self.move(operation, goods, (self.location, operation.to_location), (self.lpn, ""))
        self.contents = {}
        self.location = operation.to_location


_STEPS: dict[str, Callable[[_Fold, Operation], None]] = {
    "opening": _Fold.take_in,
    "receive": _Fold.take_in,
    "pick": _Fold.pick,
    "load": _Fold.relocate,
    "unload": _Fold.relocate,
    "deliver": _Fold.relocate,
    "putaway": _Fold.put_away,
}
_order = attrgetter("occurred_at", "device", "stream_offset", "stream_id")
"""Of operations; the same as their property `order`."""


def fold_lpn(lpn: str, operations: Sequence[Operation], belongs_on: str | None) -> LpnHistory:
    """Movements and misloads of one licence plate; `operations` in any order, each of this plate.

    `belongs_on` is the vehicle that its shipment goes with, if it has one.
    """
    fold = _Fold(lpn)
    misloads: list[Misload] = []
    undecided: list[Undecided] = []
    for operation in sorted(operations, key=_order):
        step = _STEPS.get(operation.kind)
        if step is None:
            undecided += _undecided(operation)
            continue
        before = fold.location
        step(fold, operation)
        undecided = [_until(one, operation) for one in undecided]
        if fold.location != before:
            misloads = [_until(misload, operation) for misload in misloads]
            if operation.kind == "load" and belongs_on and fold.location != f"vehicle/{belongs_on}":
                misloads.append(_misload(operation))
    return LpnHistory(lpn, fold.location, tuple(fold.movements), tuple(misloads), tuple(undecided))


def loose_movements(operations: Iterable[Operation]) -> list[Movement]:
    """Movements of operations that concern no licence plate: opening stock lying in bins."""
    movements: list[Movement] = []
    for operation in operations:
        if operation.kind == "opening" and not operation.lpn:
            fold = _Fold("")
            fold.take_in(operation)
            movements += fold.movements
    return movements


def position_changes(gone: Iterable[Movement], come: Iterable[Movement]) -> dict[PositionKey, int]:
    """What to add to each position's on_hand when `gone` leave the ledger and `come` join it.

    Keys whose changes cancel out are left out.
    """
    changes: dict[PositionKey, int] = defaultdict(int)
    for sign, movements in ((-1, gone), (1, come)):
        for one in movements:
            changes[(one.from_location, one.gtin, one.lot, one.from_lpn)] -= sign * one.quantity
            changes[(one.to_location, one.gtin, one.lot, one.to_lpn)] += sign * one.quantity
    return {key: change for key, change in changes.items() if change}


def _misload(operation: Operation) -> Misload:
    return Misload(
        operation.lpn,
        operation.to_location.removeprefix("vehicle/"),
        operation.from_location,
        operation.occurred_at,
        None,
        operation.captured_at,
    )


def _undecided(operation: Operation) -> list[Undecided]:
    if operation.kind != "undecided":
        return []
    return [
        Undecided(
            operation.lpn,
            operation.from_location,
            operation.reason.removeprefix(UNDECIDED_REASON),
            operation.occurred_at,
            None,
            operation.captured_at,
        )
    ]


def _until(found: _Found, operation: Operation) -> _Found:
    """An episode ends when the pallet is seen elsewhere."""
    if found.cleared_at is not None:
        return found
    return found._replace(cleared_at=operation.occurred_at, captured_at=operation.captured_at)
