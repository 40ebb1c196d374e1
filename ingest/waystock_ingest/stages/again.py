"""Vehicles folded again: from the last checkpoint before what is new to their past, over the fixes
that are stored, with what was decided since then taken back. Upstream: fixes that come late (the
fleet stage), assignments that are corrected (`refold`); downstream: the store's fleet tables.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.fleet.fixes import Int64s, TrackFixes
from waystock.fleet.fold import CHECKPOINT_S, FoldOutput, fold_tracks, quarter_start_us
from waystock.fleet.records import UNKNOWN_US, Records
from waystock.fleet.rows import TRIP
from waystock.store import fleet as store
from waystock.store.fleet import Again, Devices
from waystock.store.predictions import put_predictions
from waystock.store.vehicle_states import Known
from waystock_ingest import metrics
from waystock_ingest.stages.episodes import end_silences, put_episodes
from waystock_ingest.stages.work import Work

REFOLD_US = 86_400 * 1_000_000
"""How far back a vehicle is folded whose state can't be read: its form has changed."""
QUARTER_US = CHECKPOINT_S * 1_000_000


class Fresh(NamedTuple):
    """The batch's fixes of vehicles, and what is known of these vehicles."""

    vehicles: list[str]
    fixes: TrackFixes
    known: Known

    @property
    def first_us(self) -> Int64s:
        """Each vehicle's earliest fix."""
        return first_us_of(self.fixes, len(self.vehicles))

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


def fold_again(work: Work, late: Fresh) -> Fresh | None:
    """From the last checkpoint before the first late fix: one of an earlier quarter, as what a
    quarter decided falls as a whole.

    A late fix from before what is stored whole can't be folded rightly: it stays stored, is
    counted, and changes nothing, now or later. Other fixes of its vehicle are handed back.
    """
    starts = _starts(work, late)
    rest = None
    is_too_late = late.fixes.time_us < starts.limit_us[late.fixes.track]
    if is_too_late.any():
        metrics.TOO_LATE_FIXES.inc(int(is_too_late.sum()))
        is_lost = (starts.limit_us > UNKNOWN_US) & ~late.known.is_stale
        usable = late._replace(fixes=late.fixes.take(~is_too_late))
        met = np.bincount(usable.fixes.track, minlength=len(late.vehicles)) > 0
        if (is_lost & met).any():
            rest = usable.only(is_lost & met)
        late = late.only(~is_lost)
        starts = _Starts._make(part[~is_lost] for part in starts)
    if late.vehicles:
        fixes = store.fixes_since(work.database, starts.after_us, devices_of(work, late.vehicles))
        shipments = work.plan.shipments_of(late.vehicles)
        output = fold_tracks(starts.states, fixes, shipments, work.plan)
        begin_us = first_us_of(fixes, len(late.vehicles))
        since_us = np.where(starts.is_based, starts.after_us + QUARTER_US, begin_us)
        again = Again(late.vehicles, quarter_start_us(since_us), ~starts.is_based)
        store.overrule(work.database, again)
        put(work, late.vehicles, late.known, output, again)
    return rest


def _starts(work: Work, late: Fresh) -> _Starts:
    """A checkpoint; else the first fix of all, if it is still stored; else, of a vehicle whose
    state can't be read, a day before its last fix."""
    vehicles, known, database = late.vehicles, late.known, work.database
    first_us = late.first_us
    states, is_based = store.checkpoints_before(
        database, vehicles, quarter_start_us(first_us), devices_of(work, vehicles)
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
            database, names, known.states["first_us"][places], devices_of(work, names)
        )
        begin_us = np.where(floor_us > UNKNOWN_US, after_floor_us(floor_us), at_us + 1)
        limit_us[places] = np.where(is_whole, UNKNOWN_US, begin_us)
    return _Starts(states, after_us, is_based, limit_us)


def after_floor_us(floor_us: Int64s) -> Int64s:
    """The beginning of the quarter after a checkpoint: from there on it can be folded again."""
    return quarter_start_us(floor_us + QUARTER_US)


def put(
    work: Work, vehicles: Sequence[str], known: Known, output: FoldOutput, again: Again | None
) -> None:
    """Write what a fold gave: states, progress, checkpoints, rows and alerts. Raises
    StatesOvertakenError."""
    database = work.database
    names = _names(work, vehicles, output.rows)
    work.states.put(database, vehicles, known, output.states, output.progress, names)
    of_checkpoint = [vehicles[int(track)] for track in output.checkpoint_track]
    store.put_checkpoints(database, of_checkpoint, output.checkpoints)
    store.put_rows(database, vehicles, output.rows, names)
    put_episodes(work, vehicles, output.rows, names, again)
    # What is folded a second time was told before; only what is told of a newer fix is news.
    is_news = output.outlooks["fix_us"] > known.fix_us[output.outlooks["track"]]
    put_predictions(database, vehicles, output.outlooks[is_news], names, work.states.told)
    end_silences(work, vehicles)
    _note_trips(work, vehicles, output.rows, again)


def _note_trips(work: Work, vehicles: Sequence[str], rows: Records, again: Again | None) -> None:
    """Since when trips have changed: what stands on them is told anew."""
    trips = rows[rows["kind"] == TRIP]
    tracks: list[int] = trips["track"].tolist()
    begin_us: list[int] = trips["begin_us"].tolist()
    changed = [(vehicles[track], us) for track, us in zip(tracks, begin_us, strict=True)]
    if again is not None:
        changed += zip(again.vehicles, again.since_us.tolist(), strict=True)
    for vehicle, since_us in changed:
        work.trips_since[vehicle] = min(since_us, work.trips_since.get(vehicle, since_us))


def _names(work: Work, vehicles: Sequence[str], rows: Records) -> Mapping[int, str]:
    """Codes of fences and shipments by key, those of earlier plans where a row tells of them."""
    known = work.plan.names
    keys = set(rows["key"].tolist()) | set(rows["shipment"].tolist())
    if keys - known.keys() <= {0}:
        return known
    return {**store.former_names(work.database, vehicles, rows), **known}


def devices_of(work: Work, vehicles: Sequence[str]) -> Devices:
    """What was on these vehicles, and when."""
    spans = [
        (place, span)
        for place, vehicle in enumerate(vehicles, 1)
        for span in work.master.assignments.of_vehicle(vehicle)
    ]
    return Devices(
        [place for place, _ in spans],
        [span.device for _, span in spans],
        np.array([span.from_us for _, span in spans], np.int64),
        np.array([span.until_us for _, span in spans], np.int64),
    )


def first_us_of(fixes: TrackFixes, count: int) -> Int64s:
    """Each track's earliest fix; the largest int64 where it has none."""
    first_us = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first_us, fixes.track, fixes.time_us)
    return first_us
