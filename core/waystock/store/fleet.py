"""The fleet fold in the store: the checkpoints and stored fixes that a late fix folds again from,
and the derived rows, all within the caller's transaction and by columns. The states themselves:
`vehicle_states`. Upstream: ingest's fleet stage.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.fleet.fixes import Int64s, TrackFixes
from waystock.fleet.plan import named
from waystock.fleet.records import UNKNOWN_US, Records
from waystock.fleet.rows import ARRIVAL, STOP, TRIP, VISIT
from waystock.fleet.state import FORM
from waystock.fleet.state_bytes import pack_together, unpack
from waystock.store.arrays import (
    Column,
    blobs,
    instants,
    numbers,
    read_instants,
    read_numbers,
    texts,
)
from waystock.store.binary_copy import instants_us
from waystock.store.connection import Database
from waystock.store.sql import queries

_FORM = FORM.to_bytes(2, "little")
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Devices(NamedTuple):
    """Which devices were on which of some vehicles, and when: a row for each time one was."""

    places: Sequence[int]
    """Of the vehicle, counted from 1."""
    names: Sequence[str]
    from_us: Int64s
    until_us: Int64s

    def columns(self) -> dict[str, Any]:
        """Parameters of the statements below."""
        return {
            "devices": list(self.names),
            "from_at": instants(self.from_us),
            "until_at": instants(self.until_us),
        }


class Again(NamedTuple):
    """What a second fold overrules: what was decided after an instant."""

    vehicles: Sequence[str]
    since_us: Int64s
    from_nothing: NDArray[np.bool_]
    """Folded without a checkpoint: what lasts from before that instant is ended there."""


def checkpoints_before(
    database: Database, vehicles: Sequence[str], before_us: Int64s, devices: Devices
) -> tuple[Records, NDArray[np.bool_]]:
    """Each vehicle's last checkpoint strictly before its instant, and whether there is one whose
    last fix is still stored: then all later ones are, too."""
    with database.cursor(binary=True) as cursor:
        found = cursor.execute(
            queries("fleet")["checkpoints_before"],
            {
                "vehicles": list(vehicles),
                "before": instants(before_us),
                "form": _FORM,
                "device_places": list(devices.places),
                **devices.columns(),
            },
        ).fetchall()
    states: list[bytes | None] = [None] * len(vehicles)
    for place, state, is_kept in found:
        states[place - 1] = state if is_kept else None
    return unpack(states)


def kept_since(
    database: Database, vehicles: Sequence[str], first_us: Int64s, devices: Devices
) -> tuple[NDArray[np.bool_], Int64s]:
    """Whether all of each vehicle's fixes are still stored, from `first_us` on; and the oldest
    checkpoint that all fixes after are stored of, UNKNOWN_US where there is none."""
    found = database.execute(
        queries("fleet")["kept_since"],
        {
            "vehicles": list(vehicles),
            "first_at": instants(first_us),
            "form": _FORM,
            "device_places": list(devices.places),
            **devices.columns(),
        },
    ).fetchall()
    floor = [UNKNOWN_US if row[2] is None else int(instants_us([row[2]])[0]) for row in found]
    return np.array([row[1] for row in found], np.bool_), np.array(floor, np.int64)


def fixes_since(database: Database, after_us: Int64s, devices: Devices) -> TrackFixes:
    """Stored fixes of vehicles, by their places, after each one's instant."""
    since = after_us[np.array(devices.places, np.intp) - 1]
    with database.cursor(binary=True) as cursor:
        cursor.execute(
            queries("fleet")["fixes_since"],
            {
                "places": list(devices.places),
                **devices.columns(),
                "since": instants(since),
                "first": _instant(since),
            },
        )
        result = cursor.pgresult
        assert result is not None
        parts = [
            _fixes(int.from_bytes(result.get_value(row, 0) or b"") - 1,
                   [result.get_value(row, column) or b"" for column in range(1, 8)])
            for row in range(result.ntuples)
        ]  # fmt: skip
    return TrackFixes._make(map(np.concatenate, zip(_NO_FIXES, *parts, strict=True)))


_NO_FIXES = TrackFixes._make(
    np.zeros(0, kind) for kind in (np.int32, np.int64, np.int64, *[np.float64] * 5)
)


def _instant(since_us: Int64s) -> Any:
    """The least of them, as a bound that chunks can be excluded by."""
    least = int(since_us.min()) if len(since_us) else UNKNOWN_US
    return _NEVER if least == UNKNOWN_US else datetime.fromtimestamp(least / 1e6 - 1, UTC)


def _fixes(track: int, arrays: Sequence[bytes]) -> TrackFixes:
    time_us, captured_us = read_instants(arrays[0]), read_instants(arrays[1])
    lat, lon = read_numbers(arrays[2], ">f8"), read_numbers(arrays[3], ">f8")
    speed, course, accuracy = (read_numbers(a, ">f4").astype(np.float64) for a in arrays[4:])
    tracks = np.full(len(time_us), track, np.int32)
    return TrackFixes._make((tracks, time_us, captured_us, lat, lon, speed, course, accuracy))


def overrule(database: Database, again: Again) -> None:
    """Take back what a second fold decides anew."""
    parameters = _since(again, np.ones(len(again.vehicles), np.bool_))
    for name in ("remove_checkpoints", "remove_trips", "remove_stops", "remove_visits"):
        database.execute(queries("fleet")[name], parameters)
    database.execute(queries("fleet")["remove_arrivals"], parameters)
    for which, names in ((~again.from_nothing, _REOPENINGS), (again.from_nothing, _ENDINGS)):
        if which.any():
            parameters = _since(again, which)
            for name in names:
                database.execute(queries("fleet")[name], parameters)


_REOPENINGS: tuple[LiteralString, ...] = ("reopen_trips", "reopen_stops", "reopen_visits")
_ENDINGS: tuple[LiteralString, ...] = ("end_trips", "end_stops", "end_visits")


def _since(again: Again, which: NDArray[np.bool_]) -> dict[str, Any]:
    vehicles = [again.vehicles[place] for place in np.flatnonzero(which).tolist()]
    return {"vehicles": vehicles, "since": instants(again.since_us[which])}


def forget_progress(database: Database, vehicles: Sequence[str]) -> None:
    """Nothing is known any more of how these vehicles stand; their states stay."""
    database.execute(queries("fleet")["forget_progress"], {"vehicles": list(vehicles)})


def former_names(database: Database, vehicles: Sequence[str], rows: Records) -> dict[int, str]:
    """Key → code of fences and shipments that rows which were begun earlier tell of: those that
    are planned no longer."""
    found = database.execute(
        queries("fleet")["former_names"],
        {"vehicles": list(vehicles), "begun": instants(rows["begin_us"])},
    )
    return named(row[0] for row in found)


def put_rows(
    database: Database, vehicles: Sequence[str], rows: Records, names: Mapping[int, str]
) -> None:
    """Trips, stops, visits and arrivals that are new or changed; a row whose fence or shipment
    `names` doesn't know is left out."""
    for kind, statement, name in _ROWS:
        some = rows[rows["kind"] == kind]
        if name:
            some = some[[key in names for key in some["key"].tolist()]]
        if kind == ARRIVAL:
            some = _last_of_each(some)
        if len(some):
            database.execute(queries("fleet")[statement], _row_columns(vehicles, some, names))


_ROWS: tuple[tuple[int, LiteralString, bool], ...] = (
    (TRIP, "put_trips", False),
    (STOP, "put_stops", False),
    (VISIT, "put_visits", True),
    (ARRIVAL, "put_arrivals", True),
)


def _last_of_each(arrivals: Records) -> Records:
    """A stop arrived at twice, because its shipment's end was forgotten, has one row."""
    last = {(one["key"], one["number"]): place for place, one in enumerate(arrivals)}
    return arrivals[sorted(last.values())]


def _row_columns(
    vehicles: Sequence[str], rows: Records, names: Mapping[int, str]
) -> dict[str, Column]:
    columns = {
        "vehicles": texts([vehicles[int(track)] for track in rows["track"]]),
        "names": texts([names.get(key, "") for key in rows["key"].tolist()]),
        "number": numbers("int4", rows["number"]),
        "begin": instants(rows["begin_us"]),
        "end": instants(rows["end_us"]),
        "decided": instants(rows["decided_us"]),
        "end_decided": instants(rows["end_decided_us"]),
    }
    for name in ("lat", "lon", "end_lat", "end_lon", "distance_m"):
        columns[name] = numbers("float8", rows[name])
    return columns


def put_checkpoints(database: Database, vehicles: Iterable[str], checkpoints: Records) -> None:
    """States at the ends of quarters, each of the vehicle at its place."""
    if len(checkpoints):
        parameters = {
            "vehicles": texts(list(vehicles)),
            "at": instants(checkpoints["at_us"]),
            "states": blobs(*pack_together(checkpoints)),
        }
        database.execute(queries("fleet")["put_checkpoints"], parameters)
