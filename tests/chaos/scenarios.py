"""The list: which faults, on which broker and database, with how many workers. Each scenario ends
in the tables of an undisturbed run of the same readings, or it has failed.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos import plugs
from tests.chaos.clusters import PluggedDatabase
from tests.chaos.gateways import Outbox, outboxes
from tests.chaos.rig import Fault, Outcome, differing, rig, run

EVENTS, GATEWAYS, BATCH_EVENTS, POISON_EVERY = 50_000, 4, 50, 1_000
FLOOD_EVENTS_PER_S = 3_000
FLOOD_BATCH_EVENTS = 500
LONG_WITHIN_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One line of the table."""

    name: str
    faults: Sequence[Fault]
    broker: str = "nats"
    tier: str = "plain"
    workers: int = 1
    group: str | None = None
    poison: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """What a scenario came to."""

    outcome: Outcome
    differing: dict[str, list[str]]

    @property
    def wrong(self) -> str:
        """What must not be, in words; '' where all is well."""
        tables = [f"table {name} differs: {rows}" for name, rows in self.differing.items()]
        return ", ".join(filter(None, [self.outcome.wrong, *tables]))


_KILL, _KILL_UNHEARD = plugs.kill_worker(), plugs.kill_worker_unheard()
_KILLS = (_KILL, _KILL_UNHEARD) * 3
_CUTS = (plugs.cut_broker(2), plugs.cut_database(2))
SCENARIOS = (
    Scenario(name="ingest-killed", faults=_KILLS),
    Scenario(name="ingest-killed-timescale", faults=_KILLS, tier="apache"),
    Scenario(name="ingest-killed-mosquitto", faults=_KILLS, broker="mosquitto"),
    Scenario(name="database-killed", faults=(plugs.kill_database,) * 4),
    Scenario(name="database-killed-timescale", faults=(plugs.kill_database,) * 4, tier="apache"),
    Scenario(name="broker-killed", faults=(plugs.kill_broker,) * 4),
    Scenario(name="broker-forgets-all", faults=(plugs.kill_broker,) * 4, broker="forgetful"),
    Scenario(
        name="shared-one-killed",
        faults=(_KILL, plugs.kill_worker(1)) * 2,
        broker="mosquitto",
        tier="apache",
        workers=2,
        group="ingest",
    ),
    Scenario(
        name="shared-one-lost",
        faults=(plugs.lose_worker(0),),
        broker="mosquitto",
        workers=2,
        group="ingest",
    ),
    Scenario(name="two-workers-nats", faults=(_KILL, plugs.kill_worker(1)) * 2, workers=2),
    Scenario(name="network-cut", faults=_CUTS * 2),
    Scenario(name="network-cut-mosquitto", faults=_CUTS * 2, broker="mosquitto"),
    Scenario(name="network-half-open", faults=(plugs.freeze_broker(45),)),
    Scenario(name="database-slow", faults=(plugs.slow_database(0.02, 6), plugs.lock_table(5))),
    Scenario(name="database-stopped", faults=(plugs.freeze_database(10),)),
    Scenario(name="poison-and-nonsense", faults=(plugs.vandalise, _KILL) * 2, poison=True),
    Scenario(
        name="poison-and-nonsense-mosquitto",
        faults=(plugs.vandalise, _KILL) * 2,
        broker="mosquitto",
        poison=True,
    ),
    Scenario(
        name="all-at-once",
        faults=(_KILL, plugs.kill_broker, plugs.cut_database(1), plugs.kill_database) * 2,
        tier="apache",
        workers=2,
    ),
)


def play(
    scenario: Scenario, events: int = EVENTS, database: PluggedDatabase | None = None
) -> Result:
    """The scenario, counted and compared with the undisturbed run."""
    boxes = _boxes(events, scenario.poison)
    with rig(
        boxes,
        broker=scenario.broker,
        tier=scenario.tier,
        workers=scenario.workers,
        group=scenario.group,
        database=database,
    ) as running:
        outcome = run(running, scenario.faults, seed=scenario.seed)
    return Result(outcome, differing(undisturbed(events, scenario.poison), outcome.tables))


def play_long(stopped_s: float) -> Outcome:
    """The database stopped for minutes while a fleet without windows goes on sending."""
    count = int(stopped_s * 1.1 * FLOOD_EVENTS_PER_S)
    boxes = outboxes(count, gateways=GATEWAYS, batch_events=FLOOD_BATCH_EVENTS)
    with rig(boxes, events_per_s=FLOOD_EVENTS_PER_S) as running:
        fault = plugs.stop_database_under_flood(stopped_s)
        outcome = run(running, (fault,), within_s=LONG_WITHIN_S, first_at=0.02)
        outcome.notes["rss_after_mb"] = round(running.workers[0].rss_mb, 1)
    return outcome


@functools.cache
def undisturbed(
    events: int, poison: bool, database: PluggedDatabase | None = None
) -> dict[str, list[str]]:
    """The tables after a run in which nothing happens."""
    with rig(_boxes(events, poison), database=database) as running:
        outcome = run(running, ())
    assert not outcome.lost
    assert not outcome.doubled
    return outcome.tables


@functools.cache
def _boxes(events: int, poison: bool) -> list[Outbox]:
    return outboxes(
        events,
        gateways=GATEWAYS,
        batch_events=BATCH_EVENTS,
        poison_every=POISON_EVERY if poison else 0,
    )
