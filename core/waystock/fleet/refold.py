"""What a late fix undoes. The fold goes on from the last checkpoint before that fix; rows that were
only made after the checkpoint must go, and rows that were open at it must be as they were then.
Upstream: a checkpoint's state; downstream: ingest, which deletes and writes before it folds again.
"""

from datetime import datetime, timedelta

import msgspec

from waystock.fleet.episodes import open_episode
from waystock.fleet.motion import open_stop, open_trip
from waystock.fleet.rows import (
    Derived,
    EpisodeType,
    VisitRow,
    instant_from_us,
)
from waystock.fleet.state import FenceState, VehicleState, Watch


class Undo(msgspec.Struct, frozen=True):
    """Rows of one vehicle to delete, then rows to write, before folding on from the checkpoint.

    Rows are stamped at their first fix but made later, so some stamped before the checkpoint were
    made after it; those are named one by one.
    """

    after: datetime | None
    """Delete visits entered, arrivals made and episodes opened after this; None: all of them."""
    trips_from: datetime | None
    """Delete trips started at or after this; None: all."""
    stops_from: datetime | None
    """Delete stops reached at or after this; None: all."""
    visits: list[tuple[str, datetime]]
    """Delete these too: (fence, entered_at)."""
    arrivals_at: list[datetime]
    """Delete arrivals of just this instant too."""
    episodes: list[tuple[EpisodeType, str, datetime]]
    """Delete these too: (type, subject, opened_at)."""
    open: Derived
    """What was open at the checkpoint, as it stood then."""


def undo(vehicle: str, state: VehicleState) -> Undo:
    """What to undo to be back at `state`."""
    moving = state.motion
    entering = [fence for fence in state.fences if not fence.confirmed]
    armed: list[tuple[EpisodeType, str, datetime]] = [
        (kind, watch.subject, instant_from_us(watch.run_us))
        for kind, watch in _watches(state)
        if watch.opened_us is None
    ]
    after = state.last.time if state.last else None
    trip = open_trip(vehicle, moving) if moving else None
    anchored = instant_from_us(moving.anchor.time_us) if moving else None
    return Undo(
        after=after,
        trips_from=trip.started_at if trip else anchored,
        stops_from=_later(anchored) if trip else anchored,
        visits=[(fence.fence, instant_from_us(fence.entered_us)) for fence in entering],
        arrivals_at=sorted({instant_from_us(fence.entered_us) for fence in entering}),
        episodes=armed,
        open=_open_rows(vehicle, state),
    )


def _later(instant: datetime | None) -> datetime | None:
    """A trip may begin at the fix that its vehicle's last stop began and ended with."""
    return instant + timedelta(microseconds=1) if instant else None


def _watches(state: VehicleState) -> list[tuple[EpisodeType, Watch]]:
    watches: list[tuple[EpisodeType, Watch]] = []
    if state.late is not None:
        watches.append(("shipment.late_predicted", state.late))
    if state.off_route is not None:
        watches.append(("vehicle.off_route", state.off_route))
    return watches


def _open_rows(vehicle: str, state: VehicleState) -> Derived:
    trip = open_trip(vehicle, state.motion) if state.motion else None
    stop = open_stop(vehicle, state.motion) if state.motion else None
    episodes = [open_episode(kind, vehicle, watch) for kind, watch in _watches(state)]
    return Derived(
        trips=[trip] if trip else [],
        stops=[stop] if stop else [],
        visits=[_open_visit(vehicle, fence) for fence in state.fences if fence.confirmed],
        arrivals=[],
        episodes=[episode for episode in episodes if episode is not None],
        skipped=[],
        progress=None,
    )


def _open_visit(vehicle: str, fence: FenceState) -> VisitRow:
    return VisitRow(vehicle, fence.fence, instant_from_us(fence.entered_us), None)
