"""Tables as a caller of the fold keeps them: rows written by key, the last one wins."""

from dataclasses import dataclass, field
from datetime import datetime

from waystock.fleet.fold import Derived
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
