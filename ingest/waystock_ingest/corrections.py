"""Assignments that were corrected after the fact: the vehicles they touch are folded again, each in
a transaction of its own between two batches. Upstream: the lane whose turn it is; downstream: the
fold, the store, the publisher.
"""

import time
from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
import structlog

from waystock.store import refolds
from waystock.store.connection import Database
from waystock.store.errors import DATA_REFUSED, SCHEMA_DIFFERS
from waystock.store.refolds import Refold
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest import metrics
from waystock_ingest.master import Master
from waystock_ingest.stages.refold import OutOfReachError, refold
from waystock_ingest.stages.sensors import watch_sensors
from waystock_ingest.stages.work import Dirty, Work

log = structlog.get_logger()

SPENT_S_MAX = 1.0
"""So long in one go; then readings that wait have their turn. One vehicle takes what it takes."""
_REFUSED = (*DATA_REFUSED, OutOfReachError, ValueError, LookupError, ArithmeticError)


def fold_corrected(database: Database, master: Master, states: VehicleStates) -> Dirty:
    """Fold vehicles again that wait for it; which entities that changed. Raises StoreError.

    One that can't be is noted with its reason, and no reading waits for it.
    """
    began_s = time.monotonic()
    dirty: Dirty = defaultdict(set)
    while time.monotonic() - began_s < SPENT_S_MAX and refolds.is_due(database):
        if not _fold_one(database, master, states, dirty):
            break  # another worker has the others in hand
    return dirty


def _fold_one(database: Database, master: Master, states: VehicleStates, dirty: Dirty) -> bool:
    asked: Refold | None = None
    try:
        with database.transaction():
            master.refresh(database)
            asked = refolds.take(database)
            if asked is None:
                return False
            work = _work(database, master, states)
            is_whole = refold(work, asked)
            watch_sensors(work)
            refolds.done(database, asked.vehicle)
    except SCHEMA_DIFFERS:
        raise
    except _REFUSED as error:
        if asked is None:
            raise
        _note(database, asked, str(error).strip() or type(error).__name__)
        return True
    for stream, keys in work.dirty.items():
        dirty[stream] |= keys
    metrics.REFOLDS.labels("whole" if is_whole else "partly").inc()
    log.info("vehicle_folded_again", vehicle=asked.vehicle, is_whole=is_whole)
    return True


def _note(database: Database, asked: Refold, reason: str) -> None:
    with database.transaction():
        refolds.fail(database, asked.vehicle, reason)
    metrics.REFOLDS.labels("refused").inc()
    log.warning("vehicle_not_folded_again", vehicle=asked.vehicle, reason=reason[:300])


def _work(database: Database, master: Master, states: VehicleStates) -> Work:
    """A batch without readings."""
    return Work(
        database,
        [],
        np.zeros(0, np.int32),
        master.snapshot,
        master.plan,
        states,
        datetime.now(UTC),
        defaultdict(set),
        {},
    )
