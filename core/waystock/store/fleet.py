"""The fleet fold in the store: each vehicle's state, the checkpoints that a late fix folds again
from, and the derived rows, all within the caller's transaction. Upstream: ingest's fleet stage.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg.types.json import Jsonb

from waystock.fleet.rows import Derived, Fix
from waystock.fleet.state import VehicleState
from waystock.store.connection import Database
from waystock.store.sql import queries

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Folded(msgspec.Struct, frozen=True):
    """A vehicle's state after every fix up to and including `at`."""

    at: datetime
    state: VehicleState


class FoldResult(NamedTuple):
    """What one vehicle's fold of this batch gave."""

    vehicle: str
    since: datetime | None
    """Set where the vehicle was folded again: what was decided after this instant is replaced."""
    folded: Folded
    checkpoints: list[Folded]
    derived: list[tuple[datetime, Derived]]
    """By when it counts as decided, in order; a later row replaces the same earlier one."""


def lock_vehicles(database: Database, vehicles: Iterable[str]) -> dict[str, Folded]:
    """Lock these vehicles' rows, made where new; the state of those that have one."""
    parameters = {"vehicles": sorted(vehicles)}
    database.execute(queries("fleet")["register_vehicles"], parameters)
    rows = database.execute(queries("fleet")["lock_vehicles"], parameters)
    return {row[0]: msgspec.convert(row[1], Folded) for row in rows if row[1] is not None}


def checkpoints_before(database: Database, before: Mapping[str, datetime]) -> dict[str, Folded]:
    """Each vehicle's last checkpoint strictly before its instant, where there is one."""
    rows = database.execute(
        queries("fleet")["checkpoints_before"],
        {"vehicles": list(before), "before": list(before.values())},
    )
    return {row[0]: msgspec.convert(row[1], Folded) for row in rows}


def fixes_since(
    database: Database, since: Mapping[str, tuple[Sequence[str], datetime]]
) -> dict[str, list[Fix]]:
    """Stored fixes, in order of time, of vehicles (→ their devices, an instant) after then."""
    pairs = [
        (vehicle, device, at) for vehicle, (devices, at) in since.items() for device in devices
    ]
    rows = database.execute(
        queries("fleet")["fixes_since"],
        {
            "vehicles": [pair[0] for pair in pairs],
            "devices": [pair[1] for pair in pairs],
            "since": [pair[2] for pair in pairs],
            "first": min((pair[2] for pair in pairs), default=NEVER),
        },
    )
    out: dict[str, list[Fix]] = defaultdict(list)
    for vehicle, time, _, lat, lon, speed, course, accuracy, captured_at, quality in rows:
        out[vehicle].append(
            Fix(time, lat, lon, speed, course, accuracy, captured_at, tuple(quality))
        )
    return out


def put_results(database: Database, results: Sequence[FoldResult]) -> None:
    """Write states, checkpoints and derived rows; replace what a second fold overruled."""
    again = [(one.vehicle, one.since) for one in results if one.since is not None]
    if again:
        parameters = {"vehicles": [one[0] for one in again], "since": [one[1] for one in again]}
        for name in _REMOVALS:
            database.execute(queries("fleet")[name], parameters)
    _put(
        database,
        "put_checkpoints",
        (
            {"vehicle": one.vehicle, "at": point.at, "fold": point}
            for one in results
            for point in one.checkpoints
        ),
    )
    for statement, field, key, end in _ROWS:
        _put(database, statement, _latest(results, field, key, end))
    _put(database, "put_states", ({"vehicle": one.vehicle, "fold": one.folded} for one in results))
    _put(database, "put_progress", filter(None, map(_progress_row, results)))


_REMOVALS: tuple[LiteralString, ...] = (
    "remove_checkpoints",
    "remove_trips",
    "remove_stops",
    "remove_visits",
    "remove_arrivals",
    "reopen_trips",
    "reopen_stops",
    "reopen_visits",
)
_ROWS: tuple[tuple[LiteralString, str, tuple[str, ...], str], ...] = (
    ("put_trips", "trips", ("vehicle", "started_at"), "ended_at"),
    ("put_stops", "stops", ("vehicle", "arrived_at"), "departed_at"),
    ("put_visits", "visits", ("vehicle", "fence", "entered_at"), "exited_at"),
    ("put_arrivals", "arrivals", ("shipment", "seq"), ""),
)


def _latest(
    results: Sequence[FoldResult], field: str, key: tuple[str, ...], end: str
) -> Iterable[dict[str, Any]]:
    """Each row as it was said last, with when its beginning and its end were first decided."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for result in results:
        for decided_at, derived in result.derived:
            for one in getattr(derived, field):
                row: dict[str, Any] = msgspec.to_builtins(one)
                row["decided_at"] = decided_at
                row["ended_decided_at"] = decided_at if row.get(end) is not None else None
                earlier = rows.get(name := tuple(row[part] for part in key))
                if earlier is not None:
                    row["decided_at"] = earlier["decided_at"]
                    if earlier.get(end) == row.get(end):
                        row["ended_decided_at"] = earlier["ended_decided_at"]
                rows[name] = row
    return rows.values()


def _progress_row(result: FoldResult) -> dict[str, Any] | None:
    progress = next(
        (one.progress for _, one in reversed(result.derived) if one.progress is not None), None
    )
    if progress is None:
        return None
    row: dict[str, Any] = msgspec.to_builtins(progress)
    fix: dict[str, Any] = row.pop("fix")
    row["vehicle"] = result.vehicle
    row["fix_time"] = fix["time"]
    for name in ("captured_at", "lat", "lon", "speed_mps", "course_deg_true"):
        row[name] = fix[name]
    return row


def _put(database: Database, statement: LiteralString, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:
        database.execute(queries("fleet")[statement], {"rows": Jsonb(listed)})
