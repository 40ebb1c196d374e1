"""Trackers, drivers and trailers put on vehicles and taken off: what would overlap is refused in
words before the database's own rules refuse it. A tracker's past that is corrected has its vehicles
folded again (triggers of the table, `waystock.store.refolds`). Upstream: the api, the import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import psycopg
from psycopg.rows import class_row

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import Assignment
from waystock.store.api import Resource
from waystock.store.connection import Database
from waystock.store.sql import queries

_NAMES = {"device": "Tracker", "driver": "Driver", "trailer": "Trailer", "vehicle": "Vehicle"}

_ASSIGNABLE = (
    ["device", "vehicle"],
    ["driver", "vehicle"],
    ["trailer", "vehicle"],
    ["device", "trailer"],
)


class AssignmentRefusedError(ValueError):
    """It says nothing that could be, or names something that isn't there. The text says what."""


class OverlapError(ValueError):
    """Something else stands in its way. The text says what, and until when."""


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """`since` is included, `until` is not; null: no end on that side."""

    assignment_id: int
    device: str | None
    driver: str | None
    trailer: str | None
    vehicle: str | None
    since: datetime | None
    until: datetime | None


ASSIGNMENTS: Resource[AssignmentRow] = Resource(
    "assignments", AssignmentRow,
    ("assignment_id", "device", "driver", "trailer", "vehicle", "of", "at", "since", "until"),
    lambda row: ("-infinity" if row.since is None else iso_utc(row.since), str(row.assignment_id)),
    "registry",
)  # fmt: skip


def assign(database: Database, new: Assignment, *, take_over: bool = False) -> int:
    """Its number; in a transaction of its own. With `take_over`, what is in its way and began
    earlier ends where this begins.

    Raises OverlapError, AssignmentRefusedError.
    """
    _check(new)
    with database.transaction():
        _lock(database)
        in_the_way = _overlapping(database, new)
        if take_over and new.since is not None:
            ended = [row for row in in_the_way if row.since is None or row.since < new.since]
            for row in ended:
                _set_times(database, row.assignment_id, row.since, new.since)
            in_the_way = [row for row in in_the_way if row not in ended]
        _refuse_overlap(new, in_the_way)
        return _make(database, new)


def change(database: Database, number: int, since: datetime | None, until: datetime | None) -> None:
    """Give the assignment other times; in a transaction of its own. Raises OverlapError, KeyError
    where there is none of this number."""
    with database.transaction():
        _lock(database)
        now = _one(database, number)
        changed = Assignment(
            device=now.device, driver=now.driver, trailer=now.trailer, vehicle=now.vehicle,
            since=since, until=until,
        )  # fmt: skip
        _refuse_overlap(changed, _overlapping(database, changed, but=number))
        _set_times(database, number, since, until)


def remove(database: Database, number: int) -> bool:
    """Whether there was one: it was entered by mistake, and never was."""
    parameters = {"assignment_id": number}
    return database.execute(queries("registry")["remove"], parameters).rowcount > 0


class Added(NamedTuple):
    """What an import's document did to assignments."""

    made: int
    in_the_way: int
    """So many were left out: what is there already, by whoever, contradicts them."""


def add_missing(database: Database, wanted: Sequence[Assignment]) -> Added:
    """Those of the import's document that aren't there yet; what is there stays as it is.

    Raises OverlapError where the document contradicts itself, AssignmentRefusedError.
    """
    made = set[int]()
    left_out = 0
    for one in wanted:
        _check(one)
        in_the_way = _overlapping(database, one)
        _refuse_overlap(one, [row for row in in_the_way if row.assignment_id in made])
        if not in_the_way:
            made.add(_make(database, one))
        elif not any(_is_same(row, one) for row in in_the_way):
            left_out += 1
    return Added(len(made), left_out)


def _check(one: Assignment) -> None:
    named = [name for name in _NAMES if getattr(one, name) is not None]
    if named not in _ASSIGNABLE:
        raise AssignmentRefusedError(
            "Assignment: name a device, driver or trailer and its vehicle, or a device and its"
            f" trailer, not {' and '.join(named) or 'nothing'}"
        )
    if one.since is not None and one.until is not None and one.since >= one.until:
        raise AssignmentRefusedError("Assignment: since must be before until")


def _is_same(row: AssignmentRow, one: Assignment) -> bool:
    there = (row.device, row.driver, row.trailer, row.vehicle, row.since)
    return there == (one.device, one.driver, one.trailer, one.vehicle, one.since)


def _lock(database: Database) -> None:
    database.execute(queries("registry")["lock"])


def _one(database: Database, number: int) -> AssignmentRow:
    nothing: dict[str, Any] = dict.fromkeys(ASSIGNMENTS.filters)
    parameters = nothing | {"assignment_id": number, "after": None, "limit": 1}
    with database.cursor(row_factory=class_row(AssignmentRow)) as cursor:
        row = cursor.execute(queries("registry")["assignments"], parameters).fetchone()
    if row is None:
        raise KeyError(number)
    return row


def _overlapping(
    database: Database, new: Assignment, but: int | None = None
) -> list[AssignmentRow]:
    with database.cursor(row_factory=class_row(AssignmentRow)) as cursor:
        parameters = msgspec.structs.asdict(new) | {"but": but}
        return cursor.execute(queries("registry")["overlapping"], parameters).fetchall()


def _refuse_overlap(new: Assignment, in_the_way: Sequence[AssignmentRow]) -> None:
    if in_the_way:
        raise OverlapError(f"{_told(new, in_the_way[0])}; end that first, or take over from it")


def _told(new: Assignment, row: AssignmentRow) -> str:
    """What stands in the way: `Tracker gps-7 is on vehicle t-2 until 2026-11-23T14:00:00Z`."""
    what: Literal["device", "driver", "trailer"]
    what = "device" if row.device else "driver" if row.driver else "trailer"
    name = getattr(row, what)
    where = f"vehicle {row.vehicle}" if row.vehicle else f"trailer {row.trailer}"
    times = "".join(
        f" {word} {iso_utc(at)}"
        for word, at in (("from", row.since), ("until", row.until))
        if at is not None
    )
    if name == getattr(new, what):
        return f"{_NAMES[what]} {name} is on {where}{times}"
    return f"Vehicle {row.vehicle} has {what} {name}{times}"


def _set_times(
    database: Database, number: int, since: datetime | None, until: datetime | None
) -> None:
    parameters = {"assignment_id": number, "since": since, "until": until}
    database.execute(queries("registry")["change"], parameters)


def _make(database: Database, new: Assignment) -> int:
    try:
        with database.transaction():
            statement = queries("registry")["make"]
            row = database.execute(statement, msgspec.structs.asdict(new)).fetchone()
    except psycopg.errors.ForeignKeyViolation as error:
        named = (error.diag.constraint_name or "").removeprefix("assignment_").removesuffix("_fkey")
        raise AssignmentRefusedError(f"There is no {named} {getattr(new, named)!r}") from error
    assert row is not None
    return row[0]
