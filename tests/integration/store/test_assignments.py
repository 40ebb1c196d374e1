"""Assignments as the document says them and as the database holds them: nothing is in two places at
one time, and no import undoes what a person has entered.
"""

from datetime import datetime, timedelta

import msgspec
import psycopg
import pytest

from tests.support.assignments import assign, prepare, three_trucks
from tests.support.small_day import minutes
from waystock.contract.masterdata import Assignment, Device, Driver, MasterData
from waystock.store.assignments import OverlapError
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data


def moved(to: str) -> MasterData:
    day = three_trucks()
    others = tuple(one for one in day.devices if one.device != "gps-1")
    device = Device(device="gps-1", kind="gps", biz_step="tracking", vehicle=to)
    return msgspec.structs.replace(day, devices=(*others, device))


def spans(url: str) -> list[tuple[str, datetime | None, datetime | None]]:
    with connect(url, "test") as database:
        return database.execute(
            "SELECT vehicle, lower(during), upper(during) FROM assignment WHERE device = 'gps-1'"
            " ORDER BY during"
        ).fetchall()


def test_a_document_that_names_another_vehicle_moves_the_tracker_from_now_on(
    database_url: str,
) -> None:
    prepare(database_url)
    assert spans(database_url) == [("t01", None, None)]
    before = datetime.now().astimezone()
    for _ in range(2):  # the same again changes nothing
        with connect(database_url, "test") as database:
            import_master_data(database, moved("t03"))
    (first, _, ended), (second, began, _) = spans(database_url)
    assert (first, second) == ("t01", "t03")
    assert ended == began
    assert began is not None
    assert abs(began - before) < timedelta(seconds=60)


def test_a_document_imported_again_does_not_undo_a_move_made_since(database_url: str) -> None:
    prepare(database_url)
    assign(database_url, [("gps-1", "t02", None, None)])
    prepare(database_url)
    assert spans(database_url) == [("t02", None, None)]


OVERLAPS: list[tuple[str, list[dict[str, str]]]] = [
    ("device_in_one_place", [{"device": "gps-1", "vehicle": "t01"}] * 2),
    ("driver_on_one_vehicle", [{"driver": "ann", "vehicle": one} for one in ("t01", "t02")]),
    ("vehicle_has_one_driver", [{"driver": one, "vehicle": "t01"} for one in ("ann", "bob")]),
    ("trailer_behind_one_vehicle", [{"trailer": "x1", "vehicle": one} for one in ("t01", "t02")]),
    ("vehicle_has_one_trailer", [{"trailer": one, "vehicle": "t01"} for one in ("x1", "x2")]),
]


def test_the_database_itself_refuses_what_can_not_be(database_url: str) -> None:
    prepare(database_url)
    insert = (
        "INSERT INTO assignment (device, driver, trailer, vehicle, during)"
        " VALUES (%(device)s, %(driver)s, %(trailer)s, %(vehicle)s, tstzrange(%(a)s, %(b)s))"
    )
    nothing = dict.fromkeys(("device", "driver", "trailer", "vehicle"))
    with connect(database_url, "test", autocommit=True) as database:
        database.execute("INSERT INTO driver (driver, name) VALUES ('ann', 'A'), ('bob', 'B')")
        database.execute("INSERT INTO trailer VALUES ('x1', 'X 1', 'box'), ('x2', 'X 2', 'box')")
        for rule, pair in OVERLAPS:
            database.execute("DELETE FROM assignment")
            one, other = ({**nothing, **part} for part in pair)
            database.execute(insert, one | {"a": minutes(0), "b": minutes(10)})
            database.execute(insert, other | {"a": minutes(10), "b": None})
            with pytest.raises(psycopg.errors.ExclusionViolation, match=rule):
                database.execute(insert, other | {"a": minutes(9), "b": minutes(10)})


def crewed(*assignments: Assignment, **changed: object) -> MasterData:
    drivers = tuple(Driver(driver=name, name=name.title()) for name in ("ann", "bob"))
    return msgspec.structs.replace(
        three_trucks(), drivers=drivers, assignments=assignments, **changed
    )


def imported(url: str, document: MasterData) -> dict[str, int]:
    with connect(url, "test") as database:
        records = import_master_data(database, document).records
    return {name: records[name] for name in ("assignments", "assignments_in_the_way")}


def test_a_document_adds_assignments_and_leaves_alone_what_people_have_changed(
    database_url: str,
) -> None:
    first = Assignment(driver="ann", vehicle="t01", since=minutes(0), until=minutes(30))
    second = Assignment(driver="bob", vehicle="t01", since=minutes(30))
    document = crewed(first, second)
    assert imported(database_url, document) == {"assignments": 2, "assignments_in_the_way": 0}
    assert imported(database_url, document) == {"assignments": 0, "assignments_in_the_way": 0}
    with connect(database_url, "test") as database:
        database.execute(
            "UPDATE assignment SET during = tstzrange(%s, NULL) WHERE driver = 'bob'",
            (minutes(40),),
        )
    assert imported(database_url, document) == {"assignments": 0, "assignments_in_the_way": 1}


def test_a_document_that_contradicts_itself_is_refused_whole(database_url: str) -> None:
    twice = crewed(Assignment(driver="ann", vehicle="t01"), Assignment(driver="ann", vehicle="t02"))
    with pytest.raises(OverlapError, match="Driver ann is on vehicle t01; end that first"):
        imported(database_url, twice)
    with pytest.raises(ValueError, match="gps-1 has a vehicle and assignments"):
        imported(database_url, crewed(Assignment(device="gps-1", vehicle="t03")))
    with connect(database_url, "test") as database:
        assert database.execute("SELECT * FROM assignment").fetchall() == []
