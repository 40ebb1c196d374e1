"""Third stage: fixes become trips, stops, visits, arrivals, progress with ETA, and alerts: a fold
over each vehicle's fixes in order of time. A fix that comes late folds its vehicle again from the
last checkpoint before it, so that any order of arrival ends in the same rows.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.contract.events import Position
from waystock.fleet.fixes import FixColumns, Int64s, TrackFixes
from waystock.fleet.fold import CHECKPOINT_S, FoldOutput, fold_tracks, quarter_start_us
from waystock.fleet.records import UNKNOWN_US, Records
from waystock.store import fleet as store
from waystock.store.fleet import Again, Devices
from waystock.store.predictions import put_predictions
from waystock.store.readings import Readings
from waystock.store.vehicle_states import Known, StatesOvertakenError
from waystock_ingest import metrics
from waystock_ingest.stages.episodes import put_episodes
from waystock_ingest.stages.work import Work

AGAIN_VEHICLES_MAX = 100
"""So many are folded again at once: what bounds the memory for their stored fixes."""
REFOLD_US = 86_400 * 1_000_000
"""How far back a vehicle is folded whose state can't be read: its form has changed."""
_QUARTER_US = CHECKPOINT_S * 1_000_000


class Fresh(NamedTuple):
    """The batch's fixes of vehicles, and what is known of these vehicles."""

    vehicles: list[str]
    fixes: TrackFixes
    known: Known

    def only(self, which: NDArray[np.bool_]) -> "Fresh":
        """Some of the vehicles, numbered anew."""
        places = np.flatnonzero(which)
        renumbered = np.where(which, np.cumsum(which) - 1, -1).astype(np.int32)
        track = renumbered[self.fixes.track]
        return Fresh(
            [self.vehicles[place] for place in places.tolist()],
            self.fixes._replace(track=track).take(track >= 0),
            self.known.only(which),
        )


class _Starts(NamedTuple):
    """Where vehicles are folded again from."""

    states: Records
    after_us: Int64s
    """Stored fixes after this instant are folded."""
    is_based: NDArray[np.bool_]
    """Whether there is a checkpoint; without one they start from nothing."""
    limit_us: Int64s
    """Fixes before this instant are too late."""


def derive_fleet(work: Work) -> None:
    """Fold the batch's fixes into their vehicles; write what changed."""
    parts = [_fix_columns(one) for one in work.columns if one.kind is Position]
    if not parts:
        return
    fixes, vehicles = _of_vehicles(work, FixColumns.joined(parts))
    if vehicles:
        _fold_known(work, vehicles, fixes)
        work.dirty["transit"] |= set(vehicles)


def _fold_known(work: Work, vehicles: list[str], fixes: TrackFixes) -> None:
    """With the states in hand; should somebody else have written one, with all of them locked."""
    try:
        with work.database.transaction():
            known = work.states.known(work.database, vehicles)
            _fold(work, Fresh(vehicles, fixes, known))
    except StatesOvertakenError:
        metrics.STATES_OVERTAKEN.inc()
        known = work.states.locked(work.database, vehicles)
        _fold(work, Fresh(vehicles, fixes, known))


def _fold(work: Work, fresh: Fresh) -> None:
    """Vehicles whose fixes come in order go on from their state, the others start anew."""
    first_us = _first_us(fresh)
    is_again = fresh.known.is_stale | (first_us <= fresh.known.states["at_us"])
    ahead = fresh.only(~is_again) if is_again.any() else fresh
    if ahead.vehicles:
        shipments = work.plan.shipments_of(ahead.vehicles)
        output = fold_tracks(ahead.known.states, ahead.fixes, shipments, work.plan)
        _put(work, ahead, output, None)
    again = np.flatnonzero(is_again)
    for at in range(0, len(again), AGAIN_VEHICLES_MAX):
        which = np.zeros(len(is_again), np.bool_)
        which[again[at : at + AGAIN_VEHICLES_MAX]] = True
        _fold_again(work, fresh.only(which))


def _fold_again(work: Work, late: Fresh) -> None:
    """From the last checkpoint before the first late fix: one of an earlier quarter, as what a
    quarter decided falls as a whole.

    A late fix from before what is stored whole can't be folded rightly: it stays stored, is
    counted, and changes nothing, now or later.
    """
    starts = _starts(work, late)
    is_too_late = late.fixes.time_us < starts.limit_us[late.fixes.track]
    if is_too_late.any():
        metrics.TOO_LATE_FIXES.inc(int(is_too_late.sum()))
        is_lost = (starts.limit_us > UNKNOWN_US) & ~late.known.is_stale
        rest = late._replace(fixes=late.fixes.take(~is_too_late))
        met = np.bincount(rest.fixes.track, minlength=len(late.vehicles)) > 0
        if (is_lost & met).any():
            _fold(work, rest.only(is_lost & met))
        late = late.only(~is_lost)
        starts = _Starts._make(part[~is_lost] for part in starts)
    if not late.vehicles:
        return
    devices = _devices(work, late.vehicles)
    fixes = store.fixes_since(work.database, starts.after_us, devices)
    shipments = work.plan.shipments_of(late.vehicles)
    output = fold_tracks(starts.states, fixes, shipments, work.plan)
    begin_us = _first_us(late._replace(fixes=fixes))
    since_us = quarter_start_us(np.where(starts.is_based, starts.after_us + _QUARTER_US, begin_us))
    again = Again(late.vehicles, since_us, ~starts.is_based)
    store.overrule(work.database, again)
    _put(work, late, output, again)


def _starts(work: Work, late: Fresh) -> _Starts:
    """A checkpoint; else the first fix of all, if it is still stored; else, of a vehicle whose
    state can't be read, a day before its last fix."""
    vehicles, known, database = late.vehicles, late.known, work.database
    devices = _devices(work, vehicles)
    first_us = _first_us(late)
    states, is_based = store.checkpoints_before(
        database, vehicles, quarter_start_us(first_us), devices
    )
    after_us = states["at_us"].copy()
    limit_us = np.full(len(vehicles), UNKNOWN_US, np.int64)
    is_unread = ~is_based & known.is_stale
    newest_us = np.maximum(known.fix_us, first_us)
    after_us[is_unread] = newest_us[is_unread] - REFOLD_US
    limit_us[is_unread] = after_us[is_unread] + 1
    places = np.flatnonzero(~is_based & ~known.is_stale)
    if len(places):
        at_us = known.states["at_us"][places]
        names = [vehicles[place] for place in places.tolist()]
        is_whole, floor_us = store.kept_since(
            database, names, known.states["first_us"][places], _devices(work, names)
        )
        begin_us = np.where(
            floor_us > UNKNOWN_US, quarter_start_us(floor_us + _QUARTER_US), at_us + 1
        )
        limit_us[places] = np.where(is_whole, UNKNOWN_US, begin_us)
    return _Starts(states, after_us, is_based, limit_us)


def _put(work: Work, fresh: Fresh, output: FoldOutput, again: Again | None) -> None:
    database, vehicles = work.database, fresh.vehicles
    names = _names(work, vehicles, output.rows)
    work.states.put(database, vehicles, fresh.known, output.states, output.progress, names)
    of_checkpoint = [vehicles[int(track)] for track in output.checkpoint_track]
    store.put_checkpoints(database, of_checkpoint, output.checkpoints)
    store.put_rows(database, vehicles, output.rows, names)
    put_episodes(work, vehicles, output.rows, names, again)
    # What is folded a second time was told before; only what is told of a newer fix is news.
    is_news = output.outlooks["fix_us"] > fresh.known.fix_us[output.outlooks["track"]]
    put_predictions(database, vehicles, output.outlooks[is_news], names)


def _names(work: Work, vehicles: Sequence[str], rows: Records) -> Mapping[int, str]:
    """Codes of fences and shipments by key, those of earlier plans where a row tells of them."""
    known = work.plan.names
    keys = set(rows["key"].tolist()) | set(rows["shipment"].tolist())
    if keys - known.keys() <= {0}:
        return known
    return {**store.former_names(work.database, vehicles, rows), **known}


def _devices(work: Work, vehicles: Sequence[str]) -> Devices:
    place = {vehicle: number for number, vehicle in enumerate(vehicles, 1)}
    pairs = [
        (place[device.vehicle], device.device)
        for device in work.master.devices.values()
        if device.vehicle in place
    ]
    return Devices([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _fix_columns(readings: Readings) -> FixColumns:
    numbers = readings.numbers
    return FixColumns(
        readings.devices,
        readings.device,
        readings.time_us,
        readings.captured_us,
        numbers["lat"],
        numbers["lon"],
        numbers["speed_mps"],
        numbers["course_deg_true"],
        numbers["accuracy_m"],
    )


def _of_vehicles(work: Work, columns: FixColumns) -> tuple[TrackFixes, list[str]]:
    """Fixes of devices that stand for a vehicle, but those from the future; and the vehicles they
    are of, in order of name: the order they are locked in."""
    devices = [work.master.devices.get(name) for name in columns.devices]
    of_device = [device.vehicle if device else None for device in devices]
    vehicles = sorted({vehicle for vehicle in of_device if vehicle is not None})
    place = {vehicle: number for number, vehicle in enumerate(vehicles)}
    tracks = [-1 if vehicle is None else place[vehicle] for vehicle in of_device]
    fixes = columns.of_tracks(np.array(tracks, np.int32))
    future_us = work.plan.settings.future_s_max * 1e6
    is_future = fixes.time_us - fixes.captured_us > future_us
    fixes = fixes.take(~is_future) if is_future.any() else fixes
    met = np.bincount(fixes.track, minlength=len(vehicles)) > 0
    if met.all():
        return fixes, vehicles
    renumbered = (np.cumsum(met) - 1).astype(np.int32)
    vehicles = [vehicle for vehicle, is_met in zip(vehicles, met.tolist(), strict=True) if is_met]
    return fixes._replace(track=renumbered[fixes.track]), vehicles


def _first_us(fresh: Fresh) -> Int64s:
    """Each vehicle's earliest fix."""
    first_us = np.full(len(fresh.vehicles), np.iinfo(np.int64).max)
    np.minimum.at(first_us, fresh.fixes.track, fresh.fixes.time_us)
    return first_us
