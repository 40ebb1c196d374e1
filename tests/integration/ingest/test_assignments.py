"""A tracker moved between vehicles: each fix belongs to the vehicle that the tracker was on then,
whenever it arrives and whenever the move was entered. What fails here would show a truck trips that
another one drove.
"""

import itertools
import random
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.integration.ingest.test_any_order import contents, prepared, take_in
from tests.support.assignments import Row, assign, prepare
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.ingesting import ingest_command, ingesting, send_day
from tests.support.postgres import DatabaseServer
from tests.support.processes import wait_until
from tests.support.small_day import STREAMS, batches, minutes
from waystock.contract.events import Batch
from waystock.store import refolds
from waystock.store.connection import Database, connect
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest.corrections import fold_corrected
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches

DERIVED = (
    "vehicle_state", "trip", "fold_checkpoint", "vehicle_stop", "visit", "stop_arrival", "alert",
)  # fmt: skip
DEVICES, VEHICLES = ("gps-1", "gps-2"), ("t01", "t02", "t03")


@contextmanager
def open_worker(url: str) -> Generator[tuple[Database, Master, VehicleStates]]:
    database = connect(url, "test", autocommit=True)
    try:
        yield database, Master(database), VehicleStates()
    finally:
        database.close()


def fold_what_was_corrected(url: str) -> set[str]:
    with open_worker(url) as (database, master, states):
        touched = set[str]()
        while refolds.is_due(database):
            touched |= fold_corrected(database, master, states)["transit"]
        assert database.execute("SELECT * FROM refold").fetchall() == []
    return touched


def derived(url: str) -> dict[str, list[str]]:
    """What is derived from fixes; without vehicles that no fix is known of."""
    with connect(url, "test") as database:
        database.execute("DELETE FROM vehicle_state WHERE fix_time IS NULL")
    found = contents(url)
    return {table: found[table] for table in DERIVED}


def whole_day(dice: random.Random | None = None) -> list[list[Batch]]:
    fleet = [owner for owner in STREAMS if owner[0] == "fleet"]
    every = [one for owner in fleet for one in batches(owner, itertools.repeat(13))]
    if dice:
        dice.shuffle(every)
    return [every[at : at + 3] for at in range(0, len(every), 3)]


def as_if_from_the_start(server: DatabaseServer, rows: Sequence[Row]) -> dict[str, list[str]]:
    with server.migrated_database() as other:
        prepare(other)
        assign(other, rows)
        take_in(other, whole_day())
        return derived(other)


@pytest.fixture
def gateway(nats_broker: Broker) -> Iterator[FakeGateway]:
    with closing(FakeGateway(nats_broker.url)) as sending:
        yield sending


SWAP: list[Row] = [
    ("gps-1", "t01", None, 31), ("gps-1", "t02", 31, None),
    ("gps-2", "t02", None, 31), ("gps-2", "t01", 31, None),
]  # fmt: skip


def test_a_fix_goes_to_the_vehicle_of_its_time_however_late_it_comes(
    database_url: str, database_server: DatabaseServer
) -> None:
    prepare(database_url)
    assign(database_url, SWAP)
    take_in(database_url, whole_day(random.Random(5)))
    with connect(database_url, "test") as database:
        for vehicle, name in (("t01", "gps-2"), ("t02", "gps-1")):
            row = database.execute(
                "SELECT s.fix_time = f.time, s.lon = f.lon FROM vehicle_state AS s, fix AS f"
                " WHERE s.vehicle = %s AND f.device = %s ORDER BY f.time DESC LIMIT 1",
                (vehicle, name),
            ).fetchone()
            assert row == (True, True)
    assert_same(derived(database_url), as_if_from_the_start(database_server, SWAP))


def assert_same(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    for table, rows in wanted.items():
        assert sorted(set(found[table]) ^ set(rows)) == [], table
        assert len(found[table]) == len(rows), table


def some_assignments(dice: random.Random) -> list[Row]:
    """Each device on one vehicle after the other, with gaps now and then; nothing else is ruled
    out, be it two trackers on one truck."""
    rows: list[Row] = []
    for device in DEVICES:
        cuts = sorted(dice.sample(range(2, 58), dice.randint(0, 3)))
        for since, until in itertools.pairwise([None, *cuts, None]):
            if dice.random() < 0.85:
                rows.append((device, dice.choice(VEHICLES), since, until))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_a_correction_ends_in_the_tables_of_assignments_that_were_right_from_the_start(
    database_url: str, database_server: DatabaseServer, seed: int
) -> None:
    dice = random.Random(seed)
    prepare(database_url)
    day = whole_day(dice)
    third = len(day) // 3
    for part in (day[:third], day[third : 2 * third]):
        assign(database_url, some_assignments(dice))
        take_in(database_url, part)
        if dice.random() < 0.5:
            fold_what_was_corrected(database_url)
    right = some_assignments(dice)
    assign(database_url, right)
    take_in(database_url, day[2 * third :])
    fold_what_was_corrected(database_url)
    assert_same(derived(database_url), as_if_from_the_start(database_server, right))


def test_a_move_entered_late_touches_the_two_vehicles_and_no_other(database_url: str) -> None:
    prepare(database_url)
    take_in(database_url, whole_day())
    before = derived(database_url)
    rows: list[Row] = [("gps-1", "t01", None, 40), ("gps-1", "t03", 40, None)]
    assign(database_url, [("gps-2", "t02", None, None), *rows])
    assert fold_what_was_corrected(database_url) == {"t01", "t03"}
    after = derived(database_url)
    of_t02 = [row for row in after["vehicle_state"] if row.startswith("(t02")]
    assert of_t02 == [row for row in before["vehicle_state"] if row.startswith("(t02")]
    assert any(row.startswith("(t03") for row in after["trip"])


def test_a_vehicle_without_any_fix_of_its_own_has_no_past_and_no_place(database_url: str) -> None:
    prepare(database_url)
    take_in(database_url, whole_day())
    assign(database_url, [("gps-1", "t03", None, None), ("gps-2", "t02", None, None)])
    assert fold_what_was_corrected(database_url) == {"t01", "t03"}
    with connect(database_url, "test") as database:
        shown = "SELECT lat, motion, shipment, trip_started_at FROM vehicle_state WHERE vehicle = "
        assert database.execute(shown + "'t01'").fetchone() == (None, "unknown", None, None)
    assert not [row for rows in derived(database_url).values() for row in rows if "(t01" in row]


def test_what_reaches_back_beyond_the_stored_fixes_is_folded_from_where_they_begin(
    database_url: str,
) -> None:
    prepare(database_url)
    take_in(database_url, whole_day())
    with connect(database_url, "test") as database:
        database.execute("DELETE FROM fix WHERE time < '2026-11-23 06:25Z'")
        database.execute("DELETE FROM fold_checkpoint WHERE at < '2026-11-23 06:25Z'")
    visits = [row for row in derived(database_url)["visit"] if row.startswith("(t01,f-sha")]
    assign(database_url, [("gps-1", "t01", None, 50), ("gps-2", "t02", None, None)])
    fold_what_was_corrected(database_url)
    with connect(database_url, "test") as database:
        query = "SELECT fix_time FROM vehicle_state WHERE vehicle = 't01'"
        row = database.execute(query).fetchone()
    assert row is not None
    assert row[0] < minutes(50)
    assert [one for one in derived(database_url)["visit"] if one.startswith("(t01,f-sha")] == visits


def test_a_correction_that_nothing_stored_can_bear_is_kept_with_its_reason(
    database_url: str,
) -> None:
    prepare(database_url)
    take_in(database_url, whole_day())
    with connect(database_url, "test") as database:
        database.execute("DELETE FROM fix WHERE time < '2026-11-23 06:59Z'")
        database.execute("DELETE FROM fold_checkpoint")
    assign(database_url, [("gps-2", "t02", None, None)])
    with open_worker(database_url) as (database, master, states):
        fold_corrected(database, master, states)
        assert not refolds.is_due(database)
        rows = database.execute("SELECT vehicle, reason FROM refold").fetchall()
    assert rows == [("t01", "the first fixes of t01 are no longer stored")]


def test_a_batch_in_hand_is_committed_before_an_assignment_changes(database_url: str) -> None:
    """Otherwise its fixes would stay with the vehicle of before, for ever."""
    prepare(database_url)
    take_in(database_url, whole_day()[:-1])
    with connect(database_url, "test") as holding:
        Master(holding).refresh(holding)
        moving = threading.Thread(
            target=assign, args=(database_url, [("gps-1", "t03", None, None)])
        )
        moving.start()
        with psycopg.connect(database_url, autocommit=True) as watching:
            waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
            wait_until(lambda: watching.execute(waits).fetchone(), "the change waits")
            version = watching.execute("SELECT version FROM master_version").fetchone()
        assert moving.is_alive()
    moving.join(10)
    with connect(database_url, "test") as database:
        assert database.execute("SELECT version FROM master_version").fetchone() != version


def test_a_state_in_hand_is_not_believed_after_a_correction(
    database_url: str, database_server: DatabaseServer
) -> None:
    prepare(database_url)
    day = whole_day()
    with open_worker(database_url) as (database, master, states):
        for group in day[:-2]:
            commit_batches(database, Gathering(prepared(group)), master, states)
        assign(database_url, SWAP)
        fold_what_was_corrected(database_url)
        for group in day[-2:]:
            commit_batches(database, Gathering(prepared(group)), master, states)
    assert_same(derived(database_url), as_if_from_the_start(database_server, SWAP))


def test_a_quiet_ingest_folds_again_by_itself(
    plain_database_url: str, nats_broker: Broker, gateway: FakeGateway, tmp_path: Path
) -> None:
    url = plain_database_url
    prepare(url)
    with ingesting(ingest_command(url, nats_broker), tmp_path / "ingest.log"):
        send_day(gateway)
        assign(url, [("gps-1", "t03", None, None), ("gps-2", "t02", None, None)])
        trips = counting(url, "SELECT count(*) FROM trip WHERE vehicle = 't03'")
        wait_until(lambda: trips() > 0, "the third truck has its trips", within_s=10)
        wait_until(lambda: counting(url, "SELECT count(*) FROM refold")() == 0, "nothing waits")
        assert counting(url, "SELECT count(*) FROM trip WHERE vehicle = 't01'")() == 0


def counting(url: str, query: str) -> Callable[[], int]:
    def count() -> int:
        with psycopg.connect(url) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[arg-type]
            assert row is not None
            return row[0]

    return count
