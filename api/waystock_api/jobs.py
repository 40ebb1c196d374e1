"""The scheduled jobs. Each is safe to run on several workers at once: it takes its own lock in the
store, and where another worker has it there is nothing to do.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import structlog

from waystock.contract.acks import STATUS_LEASE_S
from waystock.fleet.settings import FleetSettings
from waystock.store import upkeep
from waystock.store.connection import Database
from waystock.store.lanes import learn_due_legs, learn_ranges
from waystock.store.live import load_entities
from waystock.store.pool import StorePool
from waystock.store.predictions import delete_old_predictions
from waystock.store.pushes import due_pushes, mark_pushed
from waystock.store.retention import Retention, retention_of, retentions
from waystock.store.silence import watch_silence
from waystock.store.watches import watch
from waystock_api.live.publisher import Publisher

log = structlog.get_logger()

DAY_S = 86_400.0
CHECKPOINTS_THIN_AFTER_S = 14 * DAY_S
BATCHES_MAX = 1_000
"""Of one run; what is left goes with the next."""
ALERTS_SITE = "fleet"
"""The site part of the topic of alerts, which may belong to none; ingest uses the same."""
LEGS_PER_RUN = 100
"""Of one transaction; the next follows at once."""
LANE_SETTINGS = FleetSettings()
LEASE_CHECK_S = 10.0
LEASE_WINDOW_S = 6 * LEASE_CHECK_S
"""Leases that ran out within it are told again: a screen that missed one hears the next."""


class Surroundings(NamedTuple):
    """What jobs work with."""

    store: StorePool
    publisher: Publisher
    stopping: Callable[[], bool]


class Job(NamedTuple):
    """`run` returns how many things it did; raises StoreAwayError."""

    number: int
    """Of its advisory lock; never to be reused."""
    name: str
    every_s: float
    run: Callable[[Surroundings, int], int]
    first_after_s: float = 0.0


def drop_old_readings(around: Surroundings, lock: int) -> int:
    """Raw readings older than their table's retention: whole chunks where there are such, else in
    batches.
    """
    done = 0
    for one in _retentions(around):
        if one.table == upkeep.DEAD_LETTERS:
            continue
        chunks = _drop_chunks(around, lock, one)
        if chunks is None and one.table == upkeep.PREDICTIONS:
            delete = partial(delete_old_predictions, age_s=one.keep_s)
            done += _in_batches(around, lock, delete)
        elif chunks is None:
            delete = partial(upkeep.delete_older, table=one.table, age_s=one.keep_s)
            done += _in_batches(around, lock, delete)
        else:
            done += chunks
    return done


def drop_old_dead_letters(around: Surroundings, lock: int) -> int:
    """Dead letters older than their retention."""
    with around.store.connection() as database:
        keep_s = retention_of(database, upkeep.DEAD_LETTERS).keep_s
    return _in_batches(around, lock, partial(upkeep.delete_dead_letters, age_s=keep_s))


def prune_checkpoints(around: Surroundings, lock: int) -> int:
    """Fold states that no late fix will need any more: without the fixes after it, a state is of
    no use.
    """
    with around.store.connection() as database:
        if not upkeep.try_lock(database, lock):
            return 0
        keep_s = retention_of(database, "fix").keep_s
        return upkeep.prune_checkpoints(database, CHECKPOINTS_THIN_AFTER_S, keep_s)


def end_sessions(around: Surroundings, lock: int) -> int:
    """Sessions that are over."""
    with around.store.connection() as database:
        return upkeep.end_sessions(database) if upkeep.try_lock(database, lock) else 0


def tell_silent_gateways(around: Surroundings, lock: int) -> int:
    """Gateways whose "online" has run out: screens hear of it, since the gateway says nothing."""
    with around.store.connection() as database:
        if not upkeep.try_lock(database, lock):
            return 0
        keys = upkeep.newly_silent(database, LEASE_WINDOW_S)
        entities = load_entities(database, "health", keys) if keys else []
    for entity in entities:
        around.publisher.publish(entity.key.partition("/")[0], "health", [entity])
    return len(entities)


def watch_gateways(around: Surroundings, lock: int) -> int:
    """Alerts `gateway.silent`: raised a lease after the last word, cleared by the next."""
    return _watch(around, lock, "gateway.silent")


def watch_doors(around: Surroundings, lock: int) -> int:
    """Alerts `dock.wrong_vehicle`: a vehicle at a door that the plan has another one at."""
    return _watch(around, lock, "dock.wrong_vehicle")


def watch_dead_letters(around: Surroundings, lock: int) -> int:
    """Alerts `ingest.dead_letter`: raised by a reading put aside, cleared in quiet times; and
    `system.dead_letters`: open until a person has dealt with all of them.
    """
    told = _watch(around, lock, "ingest.dead_letter")
    return told + _watch(around, lock, "system.dead_letters")


def watch_vehicles(around: Surroundings, lock: int) -> int:
    """Alerts `gps.silent` of vehicles that are overdue: no fix need come for that."""
    return _watch_by(around, lock, watch_silence)


def push_alerts(around: Surroundings, lock: int) -> int:
    """Alerts that are due to be told to people. Marked when the broker has them: told twice rather
    than not at all."""
    told = 0
    with around.store.connection() as database:
        if not upkeep.try_lock(database, lock):
            return 0
        due = due_pushes(database, around.publisher.now())
        by_site: dict[str, set[str]] = {}
        for one in due:
            by_site.setdefault(one.site or ALERTS_SITE, set()).add(one.alert_id)
        for site, alert_ids in by_site.items():
            if around.publisher.push(site, load_entities(database, "alerts", alert_ids)):
                mark_pushed(database, alert_ids)
                told += len(alert_ids)
    return told


def watch_shipments(around: Surroundings, lock: int) -> int:
    """Alerts of shipments that did not leave in time, left out a stop, or did not come at all."""
    return sum(
        _watch(around, lock, kind)
        for kind in ("shipment.late_departure", "shipment.stop_missed", "shipment.no_show")
    )


def learn_lanes(around: Surroundings, lock: int) -> int:
    """Arrival times learn from legs that have ended since the last run."""
    done = 0
    while not around.stopping():
        with around.store.connection() as database:
            if not upkeep.try_lock(database, lock):
                return done
            learned = learn_due_legs(database, LEGS_PER_RUN, LANE_SETTINGS)
        done += learned.due
        if learned.due:
            log.info("lanes_learned", **learned._asdict())
        if learned.due < LEGS_PER_RUN:
            break
    return done


def learn_from_outcomes(around: Surroundings, lock: int) -> int:
    """Ranges of arrival times, of how far arrivals lay from what was predicted."""
    with around.store.connection() as database:
        return learn_ranges(database) if upkeep.try_lock(database, lock) else 0


JOBS: tuple[Job, ...] = (
    Job(1, "tell_silent_gateways", LEASE_CHECK_S, tell_silent_gateways),
    # After a start of the whole system it is we who have not listened: give them time to report.
    Job(6, "watch_gateways", LEASE_CHECK_S, watch_gateways, STATUS_LEASE_S),
    Job(7, "watch_dead_letters", 5.0, watch_dead_letters),
    Job(15, "watch_doors", 10.0, watch_doors),
    # After a start of the whole system vehicles are to have time to be heard of.
    Job(8, "watch_vehicles", LEASE_CHECK_S, watch_vehicles, STATUS_LEASE_S),
    Job(9, "push_alerts", 5.0, push_alerts, 5.0),
    Job(16, "learn_lanes", 5.0, learn_lanes),
    Job(17, "watch_shipments", 10.0, watch_shipments, STATUS_LEASE_S),
    Job(18, "learn_from_outcomes", 600.0, learn_from_outcomes, 60.0),
    Job(2, "end_sessions", 600.0, end_sessions),
    Job(3, "prune_checkpoints", 3_600.0, prune_checkpoints),
    Job(4, "drop_old_readings", 3_600.0, drop_old_readings),
    Job(5, "drop_old_dead_letters", 3_600.0, drop_old_dead_letters),
)


def _watch(around: Surroundings, lock: int, alert_type: str) -> int:
    return _watch_by(around, lock, lambda database: set(watch(database, alert_type)))


def _watch_by(around: Surroundings, lock: int, look: Callable[[Database], set[str]]) -> int:
    """Screens are told of the alerts that changed, and of those that are no more."""
    with around.store.connection() as database:
        if not upkeep.try_lock(database, lock):
            return 0
        changed = look(database)
        entities = load_entities(database, "alerts", changed) if changed else []
    gone = changed - {entity.key for entity in entities}
    if changed:
        around.publisher.publish(ALERTS_SITE, "alerts", entities, gone)
    return len(changed)


def _retentions(around: Surroundings) -> list[Retention]:
    with around.store.connection() as database:
        return retentions(database)


def _drop_chunks(around: Surroundings, lock: int, one: Retention) -> int | None:
    with around.store.connection() as database:
        if not upkeep.try_lock(database, lock):
            return 0
        return upkeep.drop_old_chunks(database, one.table, one.keep_s)


def _in_batches(around: Surroundings, lock: int, delete: Callable[[Database], int]) -> int:
    """Each batch is a transaction of its own, so that nothing else waits long for a lock."""
    done = 0
    for _ in range(BATCHES_MAX):
        if around.stopping():
            break
        with around.store.connection() as database:
            deleted = delete(database) if upkeep.try_lock(database, lock) else 0
        done += deleted
        if not deleted:
            break
    return done
