"""Shipments that did not leave, left out a stop, or did not come: an alert with whom it hits, until
it is settled; what is not known is told as such."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.support.small_day import master_data
from waystock.alerts.sentences import sentence
from waystock.contract.live import AlertEntity
from waystock.contract.masterdata import MasterData, Shipment
from waystock.store.connection import Database, connect
from waystock.store.live import load_entities
from waystock.store.masterdata import import_master_data
from waystock.store.watches import watch


def now() -> datetime:
    """Of the test: the suite may have begun long before."""
    return datetime.now(UTC)


HOUR = timedelta(hours=1)


def world(departed_ago: timedelta, windows: list[timedelta]) -> MasterData:
    """The first truck with stops whose windows ended so long ago."""
    data = master_data()
    one = data.shipments[0]
    stops = tuple(
        msgspec.structs.replace(
            one.stops[0], seq=seq, window_start=now() - ago - HOUR, window_end=now() - ago
        )
        for seq, ago in enumerate(windows, 1)
    )
    mine: Shipment = msgspec.structs.replace(
        one, depart_at=now() - departed_ago, door_from=None, door_to=None, stops=stops
    )
    return msgspec.structs.replace(data, shipments=(mine, data.shipments[1]))


def told(database: Database, alert_type: str) -> list[tuple[str, str, str]]:
    """(subject, state, sentence) of the alerts that a look changes."""
    changed = watch(database, alert_type)
    found = load_entities(database, "alerts", changed)
    return [
        (one.subject, one.state, sentence(one.type, one.subject, one.figures, one.orders, "en"))
        for one in found
        if isinstance(one, AlertEntity)
    ]


def put_state(database: Database, shipment: str, *, under_way: bool, seen_ago: timedelta) -> None:
    database.execute(
        "INSERT INTO vehicle_state (vehicle, shipment, under_way, fix_time)"
        " VALUES ('t01', %s, %s, %s) ON CONFLICT (vehicle) DO UPDATE SET"
        " shipment = excluded.shipment, under_way = excluded.under_way,"
        " fix_time = excluded.fix_time",
        (shipment, under_way, now() - seen_ago),
    )


def arrive(database: Database, seq: int, ago: timedelta) -> None:
    database.execute(
        "INSERT INTO stop_arrival (shipment, seq, vehicle, arrived_at, decided_at)"
        " VALUES ('SH-1', %s, 't01', %s, %s)",
        (seq, now() - ago, now() - ago),
    )


@pytest.fixture
def database(plain_database_url: str) -> Iterator[Database]:
    with connect(plain_database_url, "test", autocommit=True) as connection:
        yield connection


def test_a_shipment_that_did_not_leave_is_told_until_it_leaves_and_never_again(
    database: Database,
) -> None:
    import_master_data(database, world(HOUR / 2, [-2 * HOUR]))
    ((subject, state, text),) = told(database, "shipment.late_departure")
    assert (subject, state) == ("SH-1", "open")
    assert "whether it has is not known" in text
    assert "never heard of" in text
    assert "1 order is hit: SO-1: 2 units on 1 pallet." in text
    put_state(database, "SH-1", under_way=False, seen_ago=timedelta(seconds=5))
    ((_, _, text),) = told(database, "shipment.late_departure")
    assert "is not on its way" in text
    assert "Ask at the dock" in text
    assert told(database, "shipment.late_departure") == []
    put_state(database, "SH-1", under_way=True, seen_ago=timedelta(seconds=1))
    ((_, state, text),) = told(database, "shipment.late_departure")
    assert state == "cleared"
    assert "no longer waiting" in text
    put_state(database, "SH-2", under_way=True, seen_ago=timedelta(seconds=1))
    assert told(database, "shipment.late_departure") == []


def test_a_truck_that_is_busy_elsewhere_is_named(database: Database) -> None:
    import_master_data(database, world(HOUR, [-2 * HOUR]))
    put_state(database, "SH-0", under_way=True, seen_ago=timedelta(seconds=5))
    ((_, _, text),) = told(database, "shipment.late_departure")
    assert "still on shipment SH-0" in text


def test_without_a_route_a_trip_is_a_departure(database: Database) -> None:
    data = world(HOUR, [-2 * HOUR])
    mine = msgspec.structs.replace(data.shipments[0], route=())
    import_master_data(database, msgspec.structs.replace(data, shipments=(mine, data.shipments[1])))
    database.execute(
        "INSERT INTO trip (vehicle, started_at, start_lat, start_lon, decided_at)"
        " VALUES ('t01', %s, 31, 121, %s)",
        (now() - HOUR, now()),
    )
    assert told(database, "shipment.late_departure") == []


def test_a_stop_that_was_left_out_is_told_until_it_is_reached(database: Database) -> None:
    import_master_data(database, world(3 * HOUR, [HOUR, -HOUR]))
    assert told(database, "shipment.stop_missed") == []
    arrive(database, 2, HOUR / 4)
    ((subject, state, text),) = told(database, "shipment.stop_missed")
    assert (subject, state) == ("SH-1/1", "open")
    assert "left out Shop" in text
    assert "SO-1" in text
    arrive(database, 1, HOUR / 8)
    ((_, state, _),) = told(database, "shipment.stop_missed")
    assert state == "cleared"


def test_who_never_came_and_is_not_on_the_way_is_a_no_show(database: Database) -> None:
    import_master_data(database, world(6 * HOUR, [2 * HOUR]))
    put_state(database, "SH-1", under_way=True, seen_ago=timedelta(minutes=2))
    assert told(database, "shipment.no_show") == []  # late, but known: another alert's business
    put_state(database, "SH-1", under_way=True, seen_ago=HOUR)
    ((subject, state, text),) = told(database, "shipment.no_show")
    assert (subject, state) == ("SH-1/1", "open")
    assert "has not come to Shop" in text
    assert "last heard of at" in text
    arrive(database, 1, timedelta(seconds=1))
    ((_, state, text),) = told(database, "shipment.no_show")
    assert state == "cleared"


def test_what_was_called_off_raises_nothing(database: Database) -> None:
    import_master_data(database, world(6 * HOUR, [2 * HOUR, HOUR]))
    arrive(database, 2, HOUR)
    database.execute("UPDATE shipment SET closed_at = now() WHERE shipment = 'SH-1'")
    for kind in ("shipment.late_departure", "shipment.stop_missed", "shipment.no_show"):
        assert told(database, kind) == []
