"""Fixes that come late, very late, or to a vehicle whose state other code has written: the tables
end right, or stay as they were where that can't be known any more.
"""

import itertools
from datetime import datetime

import pytest
from prometheus_client import REGISTRY

from tests.integration.ingest.test_any_order import contents, prepare, take_in
from tests.support.small_day import STREAMS, batches, minutes
from waystock.contract.events import Batch, Position
from waystock.store.connection import connect

FLEET = ("fleet", "gw-a")
BUT_RAW = {"fix", "stream"}


def day(first: int = 0, last: int = 1_000) -> list[list[Batch]]:
    """The day's batches of thirty, in order; some of them."""
    every = [one for owner in STREAMS for one in batches(owner, itertools.repeat(30))]
    return [[one] for one in every[first:last]]


def stray(at: datetime, offset: int, lat: float = 31.0, lon: float = 121.0) -> list[list[Batch]]:
    """One more fix of the first truck, in a batch of its own."""
    fix = Position(
        device="gps-1", time=at, captured_at=at, clock="gps", lat=lat, lon=lon, accuracy_m=5.0
    )
    return [[Batch(stream=STREAMS[FLEET], first=offset, sent_at=at, events=(fix,))]]


def derived(database_url: str) -> dict[str, list[str]]:
    return {table: rows for table, rows in contents(database_url).items() if table not in BUT_RAW}


def too_late() -> float:
    return REGISTRY.get_sample_value("waystock_ingest_too_late_fixes_total") or 0.0


@pytest.fixture
def url(database_url: str) -> str:
    prepare(database_url)
    return database_url


def execute(url: str, statement: str) -> None:
    with connect(url, "test") as database:
        database.execute(statement)  # type: ignore[arg-type]


def test_a_fix_from_before_what_is_still_stored_changes_nothing_and_is_counted(url: str) -> None:
    take_in(url, day())
    execute(url, "DELETE FROM fix WHERE time < '2026-11-23 06:30Z'")
    execute(url, "DELETE FROM fold_checkpoint WHERE at < '2026-11-23 06:25Z'")
    before, counted = derived(url), too_late()
    take_in(url, stray(minutes(10.05), 10_000, lat=31.4))
    assert derived(url) == before
    assert too_late() == counted + 1


def test_a_late_fix_is_still_folded_where_a_checkpoint_and_all_after_it_are_kept(url: str) -> None:
    take_in(url, day())
    execute(url, "DELETE FROM fix WHERE time < '2026-11-23 06:25Z'")
    before, counted = derived(url), too_late()
    take_in(url, stray(minutes(47.05), 10_000, lat=31.4))
    assert too_late() == counted
    # A jump: an alert of its own, and nothing else is another.
    changed = [t for t, rows in derived(url).items() if rows != before[t]]
    assert changed == ["vehicle_state", "alert"]
    take_in(url, stray(minutes(59.9), 10_001, lon=121.188))
    assert derived(url)["vehicle_state"] != before["vehicle_state"]


def test_together_with_a_fix_that_is_too_late_others_of_the_vehicle_count(url: str) -> None:
    take_in(url, day())
    execute(url, "DELETE FROM fix WHERE time < '2026-11-23 06:25Z'")
    execute(url, "DELETE FROM fold_checkpoint WHERE at < '2026-11-23 06:29Z'")
    counted = too_late()
    (old,), (late,) = stray(minutes(5.05), 10_000)[0], stray(minutes(59.9), 10_001, lon=121.188)[0]
    take_in(url, [[old, late]])
    assert too_late() == counted + 1
    with connect(url, "test") as database:
        row = database.execute("SELECT fix_time FROM vehicle_state WHERE vehicle = 't01'")
        assert row.fetchone() == (minutes(59.9),)


@pytest.mark.parametrize(
    "written_by_other_code",
    [
        "UPDATE vehicle_state SET state = NULL",
        "UPDATE vehicle_state SET state = set_byte(state, 0, 99)",
    ],
)
def test_a_vehicle_whose_state_cannot_be_read_is_folded_again(
    url: str, written_by_other_code: str
) -> None:
    whole = day()
    take_in(url, whole)
    ordered = derived(url)
    take_in_half_and_spoil(url, whole, written_by_other_code)
    assert derived(url) == ordered


def take_in_half_and_spoil(url: str, whole: list[list[Batch]], statement: str) -> None:
    """The last fixes of each truck come again to a store that lost them and all checkpoints, and
    that holds a trip which other code made up meanwhile."""
    execute(url, "DELETE FROM fix WHERE time >= '2026-11-23 06:50Z'")
    execute(url, "UPDATE stream SET committed = '{[0,150)}' WHERE site = 'fleet'")
    execute(url, "DELETE FROM fold_checkpoint")
    execute(
        url,
        "INSERT INTO trip (vehicle, started_at, start_lat, start_lon, decided_at)"
        " VALUES ('t01', '2026-11-23 06:33:07Z', 31, 121, '2026-11-23 06:45Z')",
    )
    execute(url, statement)
    take_in(url, whole)
