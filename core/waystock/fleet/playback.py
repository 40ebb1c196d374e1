"""A recording from its first fix to its last, through the fold that ingest uses, told as lines:
trips, stops, visits, arrival times, alerts. Upstream: a reader of recordings and a plan;
downstream: `waystock fleet replay`.

The lines depend on the set of fixes alone, not on their order or on how often each is there. What
still goes on when the recording ends is told as `open`, ending with the vehicle's last fix: nothing
more will be heard, as in a silence without end.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.fleet.derived import MARKS, as_progress, as_row
from waystock.fleet.fixes import FixColumns, Int64s, TrackFixes
from waystock.fleet.fold import FoldOutput, fold_tracks
from waystock.fleet.lines import (
    TYPES,
    LastHeard,
    Line,
    is_anomaly,
    lines_of,
    mark_line,
    outlook_line,
)
from waystock.fleet.motion import trip_ends
from waystock.fleet.plan import FleetPlan
from waystock.fleet.records import Records, as_items, dtype_of
from waystock.fleet.rows import Progress, Row
from waystock.fleet.state import MOVING, Spot, VehicleState, nothing_known

GROUP_FIXES = 100_000
"""Vehicles are folded in groups of about so many fixes, and one vehicle's in pieces of as many
instants: it bounds the memory, not what comes out."""
OUTLOOK_US = 60_000_000
"""A vehicle with a plan is asked once in so long when it will arrive …"""
OUTLOOK_CHANGE_US, OUTLOOK_STEP_US = 60_000_000, 300_000_000
"""… and that is told if it has changed by more than the first, or after the second; of a vehicle
that stands, once."""


class Playback(NamedTuple):
    """What came of a recording."""

    lines: list[Line]
    """By vehicle, then by beginning."""
    marks: dict[str, int]
    """How many fixes were left out, by reason."""


def play(
    fixes: FixColumns,
    plan: FleetPlan,
    *,
    with_marks: bool = False,
    with_anomalies: bool = False,
) -> Playback:
    """Fold the whole recording. `with_marks` adds a line for each fix that was left out,
    `with_anomalies` alerts that neither a route nor a fence asks for."""
    lines: list[Line] = []
    marks: dict[str, int] = {}
    for vehicles, tracks in _groups(fixes):
        group = _Group(vehicles, plan)
        for piece in _pieces(tracks, np.array([bool(plan.codes_of(one)) for one in vehicles])):
            group.take(piece)
        lines += group.lines(with_anomalies=with_anomalies)
        lines += group.marked if with_marks else []
        for mark, count in group.marks.items():
            marks[mark] = marks.get(mark, 0) + count
    lines.sort(key=_place)
    return Playback(lines, marks)


def _place(line: Line) -> tuple[str, str, int, str]:
    return line["vehicle"], line["start"], TYPES.index(line["type"]), str(line)


def _groups(fixes: FixColumns) -> Iterator[tuple[list[str], TrackFixes]]:
    """Neighbouring vehicles with all their fixes, in order of vehicle and time."""
    names = sorted(range(len(fixes.devices)), key=lambda place: fixes.devices[place])
    place = np.empty(len(names), np.int32)
    place[names] = np.arange(len(names), dtype=np.int32)
    tracks = fixes.of_tracks(place[fixes.device] if names else fixes.device)
    tracks = tracks.take(np.lexsort((tracks.time_us, tracks.track)))
    ends = np.searchsorted(tracks.track, np.arange(len(names)), "right")
    first = start = 0
    for vehicle, end in enumerate(ends.tolist(), 1):
        if end - start >= GROUP_FIXES or vehicle == len(names):
            group = TrackFixes._make(column[start:end] for column in tracks)
            vehicles = [fixes.devices[number] for number in names[first:vehicle]]
            yield vehicles, group._replace(track=group.track - np.int32(first))
            first, start = vehicle, end


def _pieces(fixes: TrackFixes, is_planned: NDArray[np.bool_]) -> Iterator[TrackFixes]:
    """The fixes of a group, cut between instants: each vehicle's first piece, then each one's
    second … Those of vehicles with a plan are so short that arrival times can be told between."""
    if not len(fixes.track):
        return
    instant = _steps(fixes, fixes.time_us) // GROUP_FIXES
    outlook = _steps(fixes, fixes.time_us // OUTLOOK_US)
    piece = np.where(is_planned[fixes.track], outlook, instant)
    order = np.argsort(piece, kind="stable")
    bounds = np.searchsorted(piece[order], np.arange(int(piece.max()) + 2)).tolist()
    for a, b in pairwise(bounds):
        yield fixes.take(order[a:b])


def _steps(fixes: TrackFixes, value: Int64s) -> Int64s:
    """How often the value has changed before each fix, counted from its vehicle's first."""
    is_first = np.diff(fixes.track, prepend=-1) != 0
    changes = np.cumsum((np.diff(value, prepend=value[:1]) != 0) | is_first)
    begun = np.maximum.accumulate(np.where(is_first, np.arange(len(value)), 0))
    return changes - changes[begun]


class _Group:
    """Some vehicles, their states as far as they were folded, and what is known of them."""

    def __init__(self, vehicles: list[str], plan: FleetPlan) -> None:
        self._vehicles = vehicles
        self._plan = plan
        self._shipments = plan.shipments_of(vehicles)
        self._states = nothing_known(len(vehicles))
        self._rows: dict[tuple[int, int, int, int, int], Row] = {}
        self._outlooks: list[Line] = []
        self._told: dict[int, Progress] = {}
        self.marked: list[Line] = []
        self.marks: dict[str, int] = {}

    def take(self, piece: TrackFixes) -> None:
        """Fixes later than those before; a row said again replaces what was said."""
        output = fold_tracks(self._states, piece, self._shipments, self._plan)
        self._states = output.states
        for record in output.rows:
            row = as_row(record)
            self._rows[row.track, row.kind, row.key, row.number, row.begin_us] = row
        self._keep_marks(piece, output)
        for track in np.flatnonzero(output.progress["has_outlook"]).tolist():
            self._look_ahead(track, as_progress(output.progress[track]))

    def lines(self, *, with_anomalies: bool) -> list[Line]:
        """All of them, as they stand when nothing more comes."""
        ends: Records = np.zeros(len(self._states), dtype_of(Spot))
        states = as_items(self._states, VehicleState)
        trip_ends(states, self._plan.rules, as_items(ends, Spot))
        trip_m = ends["odometer_m"] - self._states["anchor"]["odometer_m"]
        last_us = self._states["until"]["time_us"]
        told = self._outlooks.copy()
        for row in self._rows.values():
            if is_anomaly(row) and not with_anomalies:
                continue
            track = row.track
            last = LastHeard(int(last_us[track]), ends[track], float(trip_m[track]))
            told += lines_of(row, self._vehicles[track], last, self._plan)
        return told

    def _keep_marks(self, piece: TrackFixes, output: FoldOutput) -> None:
        for place in np.flatnonzero(output.marks).tolist():
            mark = MARKS[int(output.marks[place])]
            self.marks[mark] = self.marks.get(mark, 0) + 1
            vehicle = self._vehicles[int(piece.track[place])]
            self.marked.append(mark_line(vehicle, int(piece.time_us[place]), mark))

    def _look_ahead(self, track: int, now: Progress) -> None:
        """Tell when it will arrive, if that is news."""
        before = self._told.get(track)
        if now.remaining_m < self._plan.settings.off_route_m:
            return
        if before is not None and before.next_seq == now.next_seq:
            if now.phase != MOVING:
                return
            change_us = abs(now.eta_us - before.eta_us)
            if change_us <= OUTLOOK_CHANGE_US and now.fix_us - before.fix_us < OUTLOOK_STEP_US:
                return
        self._told[track] = now
        self._outlooks.append(outlook_line(self._vehicles[track], now, self._plan))
