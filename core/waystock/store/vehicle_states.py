"""The fold's states in the store, one row a vehicle, and those that this process has in hand: what
it wrote last it needn't read again, nor lock before it writes. A row tells who wrote it
(PostgreSQL's `xmin`, a transaction); an update that names another one than the row has changes
nothing, and so tells that somebody else was there, or that our own transaction was rolled back.
Upstream: ingest's fleet stage; downstream: `vehicle_state`.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.fleet.derived import MODELS, MOTIONS
from waystock.fleet.fixes import Int64s
from waystock.fleet.records import UNKNOWN_US, Records, taken, whole
from waystock.fleet.state import STATE
from waystock.fleet.state_bytes import pack_together, unpack
from waystock.store.arrays import Column, blobs, instants, numbers, texts, texts_by
from waystock.store.binary_copy import instants_us
from waystock.store.connection import Database
from waystock.store.predictions import ToldArrivals
from waystock.store.sql import queries

IN_HAND_MAX = 50_000
"""Vehicles whose states are kept in memory, 2 KB each; with more of them all are read anew."""
_NOBODY = 0
"""No transaction has this number."""
_STATEMENTS: tuple[tuple[bool, LiteralString], ...] = (
    (True, "put_progress"),
    (False, "put_states"),
)
"""Of vehicles that a fix was accepted of, and of the others."""


class StatesOvertakenError(Exception):
    """Somebody else wrote one of these states since we knew it. Nothing is wrong with the fixes:
    roll back to before the states were known, lock the vehicles and fold again."""


class Known(NamedTuple):
    """What is known of some vehicles, in their order."""

    states: Records
    is_stale: NDArray[np.bool_]
    """Whether it has been folded, but its state can't be read: it was written by other code."""
    fix_us: Int64s
    """Its last accepted fix; UNKNOWN_US where there is none."""
    written_by: Int64s
    """The transaction that wrote its row."""

    def only(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Known":
        """Some of the vehicles."""
        return Known(
            taken(self.states, which),
            self.is_stale[which],
            self.fix_us[which],
            self.written_by[which],
        )

    def put(self, which: NDArray[np.bool_] | NDArray[np.int64], other: "Known") -> None:
        """Some of the vehicles are now as `other` knows them."""
        whole(self.states)[which] = whole(other.states)
        self.is_stale[which] = other.is_stale
        self.fix_us[which] = other.fix_us
        self.written_by[which] = other.written_by


class VehicleStates:
    """States in hand, of one process; the caller holds the vehicles in order of their names."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._known = _nothing(0)
        self._scratch = np.empty(0, STATE)
        self.told = ToldArrivals()

    def known(self, database: Database, vehicles: Sequence[str]) -> Known:
        """What is in hand, and the rest from the store; nothing is locked. Good until the next
        call."""
        places = self._found(vehicles)
        is_here = places >= 0
        is_here[is_here] = self._known.written_by[places[is_here]] != _NOBODY
        if is_here.all():
            return self._lent(places)
        known = _nothing(len(vehicles))
        others = np.flatnonzero(~is_here)
        _register(database, [vehicles[place] for place in others.tolist()])
        found = _read(database, "read_vehicles", [vehicles[place] for place in others.tolist()])
        known.put(is_here, self._known.only(places[is_here]))
        known.put(others, found)
        return known

    def _lent(self, places: NDArray[np.int64]) -> Known:
        """States to be folded on: the memory in hand itself where all of it is wanted as it lies,
        else a copy. What is lent is not known any more until it is put back, as it may be changed
        and then not be written. New memory of so many megabytes would cost several times the
        copying, since the system hands it out page by page."""
        count, known = len(places), self._known
        lent = Known(
            known.states[:count],
            known.is_stale[places],
            known.fix_us[places],
            known.written_by[places],
        )
        if (places == np.arange(count)).all():
            known.written_by[:count] = _NOBODY
            return lent
        if len(self._scratch) < count:
            self._scratch = np.empty(max(count, 2 * len(self._scratch)), STATE)
        states = self._scratch[:count]
        np.take(whole(known.states), places, out=whole(states), mode="clip")
        return lent._replace(states=states)

    def locked(self, database: Database, vehicles: Sequence[str]) -> Known:
        """As the store has them now, theirs to be written by nobody else until the transaction
        ends."""
        _register(database, vehicles)
        return _read(database, "lock_vehicles", vehicles)

    def put(
        self,
        database: Database,
        vehicles: Sequence[str],
        known: Known,
        states: Records,
        progress: Records,
        names: Mapping[int, str],
    ) -> None:
        """Each vehicle's state, in the place of the `known` one; and how it stands, where a fix was
        accepted. Raises StatesOvertakenError."""
        for is_new, statement in _STATEMENTS:
            which = np.flatnonzero(progress["is_new"] == is_new)
            if not len(which):
                continue
            some, after, now = vehicles, states, progress
            if len(which) < len(vehicles):
                some = [vehicles[place] for place in which.tolist()]
                after, now = taken(states, which), taken(progress, which)
            parameters = _state_columns(some, after, known.written_by[which])
            fix_us = known.fix_us[which]
            if is_new:
                parameters |= _progress_columns(now, names)
                fix_us = now["fix_us"]
            self._put(database, statement, some, parameters)
            self._keep(database, some, after, fix_us)

    def forget_told(self) -> None:
        """What was written is being rolled back."""
        self.told = ToldArrivals()

    def _put(
        self,
        database: Database,
        statement: LiteralString,
        vehicles: Sequence[str],
        parameters: Mapping[str, Column],
    ) -> None:
        done = database.execute(queries("fleet")[statement], parameters).rowcount
        if done == len(vehicles):
            return
        self.forget_told()
        for vehicle in vehicles:
            if vehicle in self._places:
                self._known.written_by[self._places[vehicle]] = _NOBODY
        raise StatesOvertakenError(f"{len(vehicles) - done} of {len(vehicles)} states")

    def _keep(
        self, database: Database, vehicles: Sequence[str], states: Records, fix_us: Int64s
    ) -> None:
        """One statement wrote them all, so one row tells which transaction it was."""
        row = database.execute(queries("fleet")["written_by"], {"vehicle": vehicles[0]}).fetchone()
        assert row is not None
        places = self._places_of(vehicles)
        known = self._known
        if not np.may_share_memory(states, known.states):
            whole(known.states)[places] = whole(states)
        known.is_stale[places] = False
        known.fix_us[places] = fix_us
        known.written_by[places] = row[0]

    def _places_of(self, vehicles: Sequence[str]) -> NDArray[np.int64]:
        """Places of these vehicles in hand, made where new."""
        places = self._found(vehicles)
        new = np.flatnonzero(places < 0).tolist()
        if not new:
            return places
        if len(self._places) + len(new) > IN_HAND_MAX:
            self._places = {}
            self._known = _nothing(0)
        for vehicle in vehicles:
            self._places.setdefault(vehicle, len(self._places))
        lacking = len(self._places) - len(self._known.states)
        if lacking > 0:
            grown = _nothing(len(self._known.states) + max(lacking, len(self._known.states)))
            grown.put(np.arange(len(self._known.states)), self._known)
            self._known = grown
        return self._found(vehicles)

    def _found(self, vehicles: Sequence[str]) -> NDArray[np.int64]:
        """Places of these vehicles in hand; −1 where there is none."""
        return np.fromiter(map(self._places.get, vehicles, repeat(-1)), np.int64, len(vehicles))


def _nothing(count: int) -> Known:
    return Known(
        np.zeros(count, STATE),
        np.zeros(count, np.bool_),
        np.full(count, UNKNOWN_US, np.int64),
        np.full(count, _NOBODY, np.int64),
    )


def _register(database: Database, vehicles: Sequence[str]) -> None:
    database.execute(queries("fleet")["register_vehicles"], {"vehicles": texts(vehicles)})


def _read(database: Database, statement: LiteralString, vehicles: Sequence[str]) -> Known:
    with database.cursor(binary=True) as cursor:
        found = cursor.execute(
            queries("fleet")[statement], {"vehicles": texts(vehicles)}
        ).fetchall()
    by_vehicle = {row[0]: row[1:] for row in found}
    rows = [by_vehicle[vehicle] for vehicle in vehicles]
    states, is_read = unpack([row[0] for row in rows])
    seen = np.array([row[1] is not None for row in rows], np.bool_)
    fix_us = np.full(len(vehicles), UNKNOWN_US, np.int64)
    fix_us[seen] = instants_us([row[1] for row in rows if row[1] is not None])
    return Known(states, seen & ~is_read, fix_us, np.array([row[2] for row in rows], np.int64))


def _state_columns(
    vehicles: Sequence[str], states: Records, written_by: Int64s
) -> dict[str, Column]:
    return {
        "vehicles": texts(vehicles),
        "written_by": numbers("xid", written_by),
        "states": blobs(*pack_together(states)),
    }


def _progress_columns(progress: Records, names: Mapping[int, str]) -> dict[str, Column]:
    columns = {
        "motion": texts_by(MOTIONS, progress["phase"]),
        "at_fence": _named(progress["fence"], names),
        "shipment": _named(progress["shipment"], names),
        "next_stop": numbers("int4", progress["next_seq"]),
        "has_outlook": numbers("bool", progress["has_outlook"]),
        "off_route": numbers("bool", progress["is_off_route"]),
        "is_on_trip": numbers("bool", progress["is_on_trip"]),
        "under_way": numbers("bool", progress["is_under_way"]),
        "eta_model": texts_by(MODELS, progress["model"]),
    }
    for name, field in _PROGRESS_INSTANTS:
        columns[name] = instants(progress[field])
    for name in _PROGRESS_NUMBERS:
        columns[name] = numbers("float8", progress[name])
    return columns


def _named(keys: NDArray[Any], names: Mapping[int, str]) -> Column:
    distinct, rows = np.unique(keys, return_inverse=True)
    return texts_by([names.get(key, "") for key in distinct.tolist()], rows)


_PROGRESS_INSTANTS = (
    ("fix_time", "fix_us"),
    ("captured_at", "captured_us"),
    ("eta", "eta_us"),
    ("eta_p10", "p10_us"),
    ("eta_p90", "p90_us"),
    ("window_end", "window_end_us"),
    ("trip_started_at", "trip_started_us"),
    ("silent_at", "silent_us"),
)
_PROGRESS_NUMBERS = (
    "lat",
    "lon",
    "speed_mps",
    "course_deg_true",
    "remaining_m",
    "late_s",
    "trip_m",
)
