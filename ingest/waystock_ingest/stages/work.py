"""What the stages of one batch share."""

from datetime import datetime
from typing import NamedTuple

from waystock.contract.topics import LiveStream
from waystock.fleet.plan import FleetPlan
from waystock.store.connection import Database
from waystock.store.directory import MasterSnapshot
from waystock.store.readings import Reading

Dirty = dict[LiveStream, set[str]]
"""Live stream → keys of entities that this batch changed."""


class Work(NamedTuple):
    """One batch on its way through the stages."""

    database: Database
    readings: list[Reading]
    master: MasterSnapshot
    plan: FleetPlan
    received_at: datetime
    dirty: Dirty
