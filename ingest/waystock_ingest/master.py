"""Master data and what lanes have taught, in ingest's memory: read again inside the transaction
that finds them changed.
"""

import structlog

from waystock.fleet.lane_curve import NOTHING_LEARNED
from waystock.fleet.plan import FleetPlan
from waystock.store.connection import Database
from waystock.store.directory import MasterSnapshot, load_master, master_version_held
from waystock.store.lane_book import LaneShelf

log = structlog.get_logger()


class Master:
    """The newest snapshot and what is built from it."""

    def __init__(self, database: Database) -> None:
        self._shelf = LaneShelf()
        self._book = NOTHING_LEARNED
        with database.transaction():
            self._take(load_master(database), None)
            self._learn(database, is_new_plan=True)

    def refresh(self, database: Database) -> None:
        """Read it again if another process changed it; two small queries where nothing did. Within
        a transaction: assignments stay as they are until it ends."""
        is_new = master_version_held(database) != self.snapshot.version
        if is_new:
            self._take(load_master(database), self.plan)
            log.info("master_data_read", version=self.snapshot.version)
        self._learn(database, is_new_plan=is_new)

    def _learn(self, database: Database, *, is_new_plan: bool) -> None:
        """The plan with the newest curves of its lanes."""
        book = self._shelf.refresh(database, self.plan.lanes)
        if book is not None:
            self._book = book
        if book is not None or is_new_plan:
            self.plan = self.plan.knowing(self._book)

    def _take(self, snapshot: MasterSnapshot, before: FleetPlan | None) -> None:
        """What is as it was in the plan before is taken over: one changed shipment costs one."""
        self.snapshot = snapshot
        self.plan = FleetPlan.build(
            snapshot.fences, snapshot.shipments, before=before, rules=snapshot.limits.rules
        )
