"""Master data in ingest's memory, read again inside the transaction that finds it changed."""

import structlog

from waystock.fleet.plan import FleetPlan
from waystock.store.connection import Database
from waystock.store.directory import MasterSnapshot, load_master, master_version_held

log = structlog.get_logger()


class Master:
    """The newest snapshot and what is built from it."""

    def __init__(self, database: Database) -> None:
        with database.transaction():
            self._take(load_master(database), None)

    def refresh(self, database: Database) -> None:
        """Read it again if another process changed it; one small query where nothing did. Within a
        transaction: assignments stay as they are until it ends."""
        if master_version_held(database) != self.snapshot.version:
            self._take(load_master(database), self.plan)
            log.info("master_data_read", version=self.snapshot.version)

    def _take(self, snapshot: MasterSnapshot, before: FleetPlan | None) -> None:
        """What is as it was in the plan before is taken over: one changed shipment costs one."""
        self.snapshot = snapshot
        self.plan = FleetPlan.build(
            snapshot.fences, snapshot.shipments, before=before, rules=snapshot.limits.rules
        )
