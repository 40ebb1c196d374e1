"""What the stages of one batch share."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from waystock.contract.topics import LiveStream
from waystock.fleet.plan import FleetPlan
from waystock.store.binary_copy import Int32s
from waystock.store.connection import Database
from waystock.store.directory import MasterSnapshot
from waystock.store.readings import Reading, Readings
from waystock.store.vehicle_states import VehicleStates

Dirty = dict[LiveStream, set[str]]
"""Live stream → keys of entities that this batch changed."""


class Work(NamedTuple):
    """One batch on its way through the stages."""

    database: Database
    columns: Sequence[Readings]
    """The new readings, by kind."""
    stream_ids: Int32s
    """The store's number of each source's stream."""
    master: MasterSnapshot
    plan: FleetPlan
    states: VehicleStates
    """Of vehicles, as far as this process has them in hand."""
    received_at: datetime
    dirty: Dirty
    trips_since: dict[str, int]
    """Vehicle → µs since 1970 from which on its trips may be others than they were."""

    @property
    def readings(self) -> list[Reading]:
        """The same readings one by one."""
        return [
            Reading(int(self.stream_ids[source]), offset, event)
            for one in self.columns
            for source, offset, event in zip(
                one.source.tolist(), one.stream_offset.tolist(), one.events, strict=True
            )
        ]
