"""The smallest honest caller of the fold: keeps all fixes, a checkpoint now and then, and tables
that it writes by key; folds again from the last checkpoint before a late fix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from waystock.fleet.fold import Derived, Fix, VehicleState, fold
from waystock.fleet.plan import FleetPlan
from waystock.fleet.refold import undo
from waystock.fleet.rows import ArrivalRow, Episode, Progress, StopRow, TripRow, VisitRow

VEHICLE = "v1"


@dataclass
class Tables:
    """Derived rows by their keys."""

    trips: dict[datetime, TripRow] = field(default_factory=dict[datetime, TripRow])
    stops: dict[datetime, StopRow] = field(default_factory=dict[datetime, StopRow])
    visits: dict[tuple[str, datetime], VisitRow] = field(
        default_factory=dict[tuple[str, datetime], VisitRow]
    )
    arrivals: dict[tuple[str, int], ArrivalRow] = field(
        default_factory=dict[tuple[str, int], ArrivalRow]
    )
    episodes: dict[tuple[str, str, datetime], Episode] = field(
        default_factory=dict[tuple[str, str, datetime], Episode]
    )
    progress: Progress | None = None

    def write(self, derived: Derived) -> None:
        self.trips.update({row.started_at: row for row in derived.trips})
        self.stops.update({row.arrived_at: row for row in derived.stops})
        self.visits.update({(row.fence, row.entered_at): row for row in derived.visits})
        self.arrivals.update({(row.shipment, row.seq): row for row in derived.arrivals})
        rows = derived.episodes
        self.episodes.update({(row.type, row.subject, row.opened_at): row for row in rows})
        self.progress = derived.progress or self.progress

    def go_back_to(self, state: VehicleState) -> None:
        back = undo(VEHICLE, state)

        def is_new(stamped: datetime, since: datetime | None) -> bool:
            return since is None or stamped >= since

        def is_after(stamped: datetime) -> bool:
            return back.after is None or stamped > back.after

        self.trips = {k: r for k, r in self.trips.items() if not is_new(k, back.trips_from)}
        self.stops = {k: r for k, r in self.stops.items() if not is_new(k, back.stops_from)}
        self.visits = {
            k: r for k, r in self.visits.items() if not is_after(k[1]) and k not in back.visits
        }
        self.arrivals = {
            k: r
            for k, r in self.arrivals.items()
            if not is_after(r.arrived_at) and r.arrived_at not in back.arrivals_at
        }
        self.episodes = {
            k: r for k, r in self.episodes.items() if not is_after(k[2]) and k not in back.episodes
        }
        self.write(back.open)


class Caller:
    """Takes batches in any order."""

    def __init__(self, plan: FleetPlan, checkpoint_every: int = 25) -> None:
        self.tables = Tables()
        self.refolds = 0
        self._plan = plan
        self._every = checkpoint_every
        self._fixes: dict[Fix, None] = {}
        self._state = b"{}"
        self._checkpoints: list[bytes] = []
        self._since_checkpoint = 0

    @property
    def state(self) -> VehicleState:
        return _decode(self._state)

    def receive(self, batch: Sequence[Fix]) -> None:
        new = [one for one in dict.fromkeys(batch) if one not in self._fixes]
        self._fixes.update(dict.fromkeys(new))
        frontier = self.state.frontier
        if frontier is not None and any(one.time <= frontier for one in new):
            new = self._back_before(min(one.time for one in new))
        self._fold(new)

    def _back_before(self, when: datetime) -> list[Fix]:
        """Return to the last checkpoint before `when`; the fixes to fold again from there."""
        self.refolds += 1
        while self._checkpoints and not _is_before(self._checkpoints[-1], when):
            self._checkpoints.pop()
        self._state = self._checkpoints[-1] if self._checkpoints else b"{}"
        self.tables.go_back_to(self.state)
        frontier = self.state.frontier
        return [one for one in self._fixes if frontier is None or one.time > frontier]

    def _fold(self, fixes: Iterable[Fix]) -> None:
        state, derived = fold(VEHICLE, self.state, list(fixes), self._plan)
        self.tables.write(derived)
        self._state = msgspec.json.encode(state)
        self._since_checkpoint += 1
        if self._since_checkpoint >= self._every:
            self._checkpoints.append(self._state)
            self._since_checkpoint = 0


def _decode(state: bytes) -> VehicleState:
    return msgspec.json.decode(state, type=VehicleState)


def _is_before(state: bytes, when: datetime) -> bool:
    frontier = _decode(state).frontier
    return frontier is None or frontier < when
