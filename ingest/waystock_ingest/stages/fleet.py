"""Third stage: fixes become trips, stops, visits, arrivals, progress with ETA, and alerts: a fold
over each vehicle's fixes in order of time. A fix belongs to the vehicle that its tracker was on
then. One that comes late folds its vehicle again (`again`), so that any order of arrival ends in
the same rows.
"""

from collections.abc import Sequence

import numpy as np

from waystock.contract.events import Position
from waystock.fleet.fixes import FixColumns, TrackFixes
from waystock.fleet.fold import fold_tracks
from waystock.store.device_names import put_together
from waystock.store.readings import Readings
from waystock.store.vehicle_states import StatesOvertakenError
from waystock_ingest import metrics
from waystock_ingest.stages.again import Fresh, fold_again, put
from waystock_ingest.stages.work import Work

AGAIN_VEHICLES_MAX = 100
"""So many are folded again at once: what bounds the memory for their stored fixes."""


def derive_fleet(work: Work) -> None:
    """Fold the batch's fixes into their vehicles; write what changed."""
    readings = [one for one in work.columns if one.kind is Position]
    if not readings:
        return
    fixes, vehicles = _of_vehicles(work, _fix_columns(readings))
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
    is_again = fresh.known.is_stale | (fresh.first_us <= fresh.known.states["at_us"])
    ahead = fresh.only(~is_again) if is_again.any() else fresh
    if ahead.vehicles:
        shipments = work.plan.shipments_of(ahead.vehicles)
        output = fold_tracks(ahead.known.states, ahead.fixes, shipments, work.plan)
        put(work, ahead.vehicles, ahead.known, output, None)
    again = np.flatnonzero(is_again)
    for at in range(0, len(again), AGAIN_VEHICLES_MAX):
        which = np.zeros(len(is_again), np.bool_)
        which[again[at : at + AGAIN_VEHICLES_MAX]] = True
        rest = fold_again(work, fresh.only(which))
        if rest is not None:
            _fold(work, rest)


def _fix_columns(readings: Sequence[Readings]) -> FixColumns:
    devices, device = put_together([(one.devices, one.device) for one in readings])
    return FixColumns(
        devices,
        device,
        np.concatenate([one.time_us for one in readings]),
        np.concatenate([one.captured_us for one in readings]),
        *(np.concatenate([one.numbers[name] for one in readings]) for name in _NUMBERS),
    )


_NUMBERS = ("lat", "lon", "speed_mps", "course_deg_true", "accuracy_m")


def _of_vehicles(work: Work, columns: FixColumns) -> tuple[TrackFixes, list[str]]:
    """Fixes of devices that were on a vehicle, but those from the future; and the vehicles they are
    of, in order of name: the order they are locked in."""
    vehicles, tracks = work.master.assignments.tracks(
        columns.devices, columns.device, columns.time_us
    )
    fixes = columns.of_tracks(tracks)
    future_us = work.plan.settings.future_s_max * 1e6
    is_future = fixes.time_us - fixes.captured_us > future_us
    fixes = fixes.take(~is_future) if is_future.any() else fixes
    met = np.bincount(fixes.track, minlength=len(vehicles)) > 0
    if met.all():
        return fixes, vehicles
    renumbered = (np.cumsum(met) - 1).astype(np.int32)
    vehicles = [vehicle for vehicle, is_met in zip(vehicles, met.tolist(), strict=True) if is_met]
    return fixes._replace(track=renumbered[fixes.track]), vehicles
