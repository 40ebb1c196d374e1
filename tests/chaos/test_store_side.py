"""The list of faults in short: broker, ingest, database and network fail at full speed; afterwards
every reading is stored once and every table is what it would be without the fault.
"""

from collections.abc import Iterator

import pytest

from tests.chaos import plugs
from tests.chaos.clusters import PluggedDatabase, plugged_database
from tests.chaos.scenarios import Scenario, play
from tests.support.postgres import on_ci
from tests.support.timescale import TimescaleMissingError

EVENTS = 6_000
KILL, KILL_UNHEARD = plugs.kill_worker(), plugs.kill_worker_unheard()
SHORT = (
    Scenario(name="ingest-killed", faults=(KILL, KILL_UNHEARD)),
    Scenario(name="database-killed", faults=(plugs.kill_database, plugs.kill_database)),
    Scenario(
        name="broker-killed-and-cut-off",
        faults=(plugs.kill_broker, plugs.cut_broker(0.5), plugs.cut_database(0.5)),
    ),
    Scenario(name="broker-forgets-all", faults=(plugs.kill_broker,), broker="forgetful"),
    Scenario(
        name="shared-one-killed",
        faults=(KILL, plugs.kill_worker(1)),
        broker="mosquitto",
        workers=2,
        group="ingest",
    ),
    Scenario(name="database-slow", faults=(plugs.slow_database(0.01, 1), plugs.lock_table(1))),
    Scenario(
        name="poison-and-nonsense",
        faults=(plugs.vandalise, KILL),
        broker="mosquitto",
        poison=True,
    ),
)
ON_TIMESCALE = (
    Scenario(name="ingest-killed", faults=(KILL, KILL_UNHEARD)),
    Scenario(name="database-killed", faults=(plugs.kill_database,)),
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PluggedDatabase]:
    with plugged_database("plain") as database:
        yield database


@pytest.fixture(scope="module")
def timescale() -> Iterator[PluggedDatabase]:
    try:
        with plugged_database("apache") as database:
            yield database
    except TimescaleMissingError as missing:
        if on_ci():
            raise
        pytest.skip(str(missing))


@pytest.mark.parametrize("scenario", SHORT, ids=lambda one: one.name)
def test_after_the_fault_every_reading_is_stored_once(
    postgres: PluggedDatabase, scenario: Scenario
) -> None:
    result = play(scenario, EVENTS, postgres)
    print({"recover_s": result.outcome.recover_s, **result.outcome.notes})
    assert result.wrong == ""


@pytest.mark.timescale
@pytest.mark.parametrize("scenario", ON_TIMESCALE, ids=lambda one: one.name)
def test_after_the_fault_every_reading_is_stored_once_in_hypertables(
    timescale: PluggedDatabase, scenario: Scenario
) -> None:
    result = play(scenario, EVENTS, timescale)
    print({"recover_s": result.outcome.recover_s, **result.outcome.notes})
    assert result.wrong == ""
