"""Tables as a caller of the fold keeps them: rows written by key, the last one wins."""

from dataclasses import dataclass, field
from datetime import datetime

from waystock.fleet.alert_rows import Episode
from waystock.fleet.derived import as_row
from waystock.fleet.records import Records
from waystock.fleet.replay import ArrivalRow, Derived, Position, StopRow, TripRow, VisitRow

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
    progress: Position | None = None

    def write(self, derived: Derived) -> None:
        self.trips.update({row.started_at: row for row in derived.trips})
        self.stops.update({row.arrived_at: row for row in derived.stops})
        self.visits.update({(row.fence, row.entered_at): row for row in derived.visits})
        self.arrivals.update({(row.shipment, row.seq): row for row in derived.arrivals})
        rows = derived.episodes
        self.episodes.update({(row.type, row.subject, row.opened_at): row for row in rows})
        self.progress = derived.progress or self.progress


def rows_said(rows: Records) -> list[tuple[object, ...]]:
    """The fold's rows as they are told, by kind: of each only what its kind has."""
    said: list[tuple[object, ...]] = []
    for record in rows:
        one = as_row(record)
        name = (one.kind, one.key, one.number, one.begin_us, one.end_us, one.ended)
        said.append((*name, one.decided_us, one.end_decided_us))
    return said
