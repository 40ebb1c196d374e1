"""Drivers, trailers, assignments in time, the yard, over a real store: who drove what when, told
to those who may know; what can't be is refused in words.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.api.world import NOW, fill, square
from waystock.contract.identifiers import iso_utc
from waystock.store.connection import connect
from waystock.store.watches import watch

OPERATOR, VIEWER = "wst_operator", "wst_viewer"
HOUR = timedelta(hours=1)


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    fill(database_url)
    add_token(database_url, OPERATOR, "operator")
    add_token(database_url, VIEWER, "viewer")
    with running_api(settings(database_url)) as running:
        yield running


def send(
    api: Api, method: str, path: str, body: dict[str, Any] | None = None, token: str = OPERATOR
) -> httpx.Response:
    with api.client(token) as client:
        return client.request(method, f"/api/v1/{path}", json=body)


def items(api: Api, path: str, token: str = OPERATOR, **params: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/{path}", token, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def assigned(api: Api, since: datetime | None = None, **body: Any) -> dict[str, Any]:
    made = send(api, "POST", "assignments", {**body, "since": since and iso_utc(since)})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.fixture
def crew(api: Api) -> Api:
    """Two drivers and two trailers."""
    for name, said in (("ann", {"phone": "+86 21 1"}), ("bob", {"licence": "B-77"})):
        answer = send(api, "PUT", f"drivers/{name}", {"name": name.title(), **said})
        assert answer.status_code == 200, answer.text
    for trailer, kind in (("box-1", "box"), ("reefer-1", "reefer")):
        answer = send(api, "PUT", f"trailers/{trailer}", {"plate": trailer.upper(), "kind": kind})
        assert answer.status_code == 200, answer.text
    return api


def test_a_driver_s_name_and_telephone_are_not_for_every_screen(crew: Api) -> None:
    [ann, _] = items(crew, "drivers")
    assert (ann["name"], ann["phone"], ann["licence"]) == ("Ann", "+86 21 1", None)
    assert crew.get("/api/v1/drivers/bob", OPERATOR).json()["licence"] == "B-77"
    for row in (*items(crew, "drivers", VIEWER), crew.get("/api/v1/drivers/bob", VIEWER).json()):
        assert row["driver"] in {"ann", "bob"}
        assert (row["name"], row["phone"], row["licence"]) == (None, None, None)


def test_a_viewer_changes_nothing_and_nobody_unknown_asks(crew: Api) -> None:
    for method, path, body in (
        ("PUT", "drivers/eve", {"name": "Eve"}),
        ("DELETE", "drivers/ann", None),
        ("PUT", "trailers/x", {"plate": "X"}),
        ("PUT", "vehicles/truck-9", {"plate": "X"}),
        ("POST", "assignments", {"driver": "ann", "vehicle": "truck-1"}),
        ("PATCH", "assignments/1", {"until": iso_utc(NOW)}),
        ("DELETE", "assignments/1", None),
    ):
        assert send(crew, method, path, body, VIEWER).status_code == 403, path
        assert send(crew, method, path, body, "wst_nobody").status_code == 401, path
    for path in ("drivers", "trailers", "assignments", "fleet/trips", "yard"):
        assert crew.get(f"/api/v1/{path}").status_code == 401
        assert crew.get(f"/api/v1/{path}", VIEWER, nonsense=1).status_code == 422


def test_who_drove_and_what_was_behind_at_any_instant(crew: Api) -> None:
    assigned(crew, NOW - 5 * HOUR, driver="ann", vehicle="truck-1")
    assigned(crew, NOW - 2 * HOUR, driver="bob", vehicle="truck-1", take_over=True)
    assigned(crew, NOW - 4 * HOUR, trailer="box-1", vehicle="truck-1")
    then = items(crew, "assignments", vehicle="truck-1", at=iso_utc(NOW - 3 * HOUR))
    assert {(row["driver"], row["trailer"], row["device"]) for row in then} == {
        ("ann", None, None), (None, "box-1", None), (None, None, "gps-1"),
    }  # fmt: skip
    history = items(crew, "assignments", vehicle="truck-1", of="driver")
    assert [(row["driver"], row["until"] is None) for row in history] == [
        ("bob", True), ("ann", False),
    ]  # fmt: skip
    assert (
        history[1]["until"] == history[0]["since"] == iso_utc(NOW - 2 * HOUR).replace(".000000", "")
    )
    paged: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 1}
    while params:
        page = crew.get("/api/v1/assignments", OPERATOR, **params).json()
        paged += page["items"]
        params = {"limit": 1, "cursor": page["next"]} if page["next"] else {}
    assert paged == items(crew, "assignments")
    vehicle = crew.get("/api/v1/vehicles/truck-1", OPERATOR).json()
    assert (vehicle["driver"], vehicle["trailer"]) == ("bob", "box-1")


def test_what_stands_in_the_way_is_told_with_its_end(crew: Api) -> None:
    first = assigned(crew, NOW - 5 * HOUR, driver="ann", vehicle="truck-1")
    until = {"until": iso_utc(NOW + HOUR)}
    assert send(crew, "PATCH", f"assignments/{first['assignment_id']}", until).status_code == 200
    for body, said in (
        ({"driver": "ann", "vehicle": "truck-2"}, "Driver ann is on vehicle truck-1 from"),
        ({"driver": "bob", "vehicle": "truck-1"}, "Vehicle truck-1 has driver ann from"),
        ({"device": "gps-1", "vehicle": "truck-2"}, "Tracker gps-1 is on vehicle truck-1; end"),
    ):
        answer = send(crew, "POST", "assignments", {**body, "since": iso_utc(NOW)})
        assert answer.status_code == 409, answer.text
        assert said in answer.json()["detail"]
        assert "end that first" in answer.json()["detail"]
    assert (
        iso_utc(NOW + HOUR)
        in send(crew, "POST", "assignments", {"driver": "ann", "vehicle": "truck-2"}).json()[
            "detail"
        ]
    )
    assigned(crew, NOW + HOUR, driver="ann", vehicle="truck-2")


SAYS_NOTHING: tuple[tuple[dict[str, Any], str], ...] = (
    ({"driver": "ann"}, "name a device, driver or trailer and its vehicle"),
    ({"driver": "ann", "trailer": "box-1", "vehicle": "truck-1"}, "driver and trailer"),
    ({"driver": "eve", "vehicle": "truck-1"}, "There is no driver 'eve'"),
    ({"driver": "ann", "vehicle": "truck-9"}, "There is no vehicle 'truck-9'"),
    ({"driver": "ann", "vehicle": "truck-1", "since": "2026-01-02T00:00:00Z",
      "until": "2026-01-01T00:00:00Z"}, "since must be before until"),
    ({"driver": "ann", "vehicle": "truck-1", "since": "2026-01-02T00:00:00"}, "since"),
    ({"driver": "ann", "vehicle": "truck-1", "colour": "red"}, "colour"),
)  # fmt: skip


def test_an_assignment_that_says_nothing_is_refused_in_words(crew: Api) -> None:
    for body, said in SAYS_NOTHING:
        answer = send(crew, "POST", "assignments", body)
        assert answer.status_code == 422, answer.text
        assert said in answer.json()["detail"]


def test_what_was_entered_by_mistake_can_be_taken_back_and_only_then_its_driver(crew: Api) -> None:
    made = assigned(crew, driver="ann", vehicle="truck-1")
    refused = send(crew, "DELETE", "drivers/ann")
    assert refused.status_code == 409
    assert "ann" in refused.json()["detail"]
    number = made["assignment_id"]
    assert send(crew, "DELETE", f"assignments/{number}").status_code == 204
    assert send(crew, "DELETE", f"assignments/{number}").status_code == 404
    assert send(crew, "PATCH", f"assignments/{number}", {"until": None}).status_code == 404
    assert send(crew, "DELETE", "drivers/ann").status_code == 204
    assert send(crew, "DELETE", "drivers/ann").status_code == 404
    assert send(crew, "DELETE", "trailers/box-1").status_code == 204
    assert crew.get("/api/v1/trailers/box-1", OPERATOR).status_code == 404


def test_a_track_is_that_of_the_trackers_of_its_time(crew: Api) -> None:
    moved_at = NOW - timedelta(minutes=9, seconds=30)
    assigned(crew, moved_at, device="gps-1", vehicle="truck-2", take_over=True)
    assert len(items(crew, "vehicles/truck-1/track")) == 10
    assert len(items(crew, "vehicles/truck-2/track")) == 10
    [device, _] = items(crew, "devices")
    assert (device["device"], device["vehicle"]) == ("gps-1", "truck-2")
    assert [row["device"] for row in items(crew, "devices", vehicle="truck-2")] == ["gps-1"]


def test_a_trailer_is_where_its_tracker_its_vehicle_or_nobody_took_it(crew: Api) -> None:
    assigned(crew, NOW - HOUR, trailer="box-1", vehicle="truck-1")
    [box, reefer] = items(crew, "trailers")
    assert (box["vehicle"], box["lat"], box["placed_by"]) == ("truck-1", 31.25, "vehicle")
    assert (reefer["lat"], reefer["placed_by"]) == (None, None)
    [coupled] = items(crew, "assignments", trailer="box-1")
    times = {"until": iso_utc(NOW - timedelta(minutes=10))}
    send(crew, "PATCH", f"assignments/{coupled['assignment_id']}", times)
    [box] = items(crew, "trailers", kind="box")
    assert (box["vehicle"], box["lat"], box["placed_by"]) == (None, 31.2, "left")
    assert datetime.fromisoformat(box["fix_time"]) == NOW - timedelta(minutes=10)
    assigned(crew, NOW - HOUR, device="gps-1", trailer="reefer-1", take_over=True)
    reefer = crew.get("/api/v1/trailers/reefer-1", OPERATOR).json()
    assert (reefer["device"], reefer["lat"], reefer["placed_by"]) == ("gps-1", 31.2, "tracker")


def test_a_trip_names_each_driver_and_trailer_once_however_many_there_were(crew: Api) -> None:
    with connect(crew.database_url, "test") as database:
        for start, end in ((-6, -4), (-3, -1)):
            database.execute(
                "INSERT INTO trip (vehicle, started_at, ended_at, start_lat, start_lon, end_lat,"
                " end_lon, distance_m, decided_at) VALUES ('truck-1', %s, %s, 31, 121, 32, 121,"
                " 111000, %s)",
                (NOW + start * HOUR, NOW + end * HOUR, NOW),
            )
    for name, since in (("ann", 7), ("bob", 2.5), ("ann", 2), ("bob", 1.5)):
        assigned(crew, NOW - since * HOUR, driver=name, vehicle="truck-1", take_over=True)
    assigned(crew, NOW - 2 * HOUR, trailer="box-1", vehicle="truck-1")
    shown = [(t["drivers"], t["trailers"]) for t in items(crew, "fleet/trips")]
    assert shown == [(["ann"], []), (["ann", "bob"], ["box-1"])]
    assert len(items(crew, "fleet/trips", driver="bob")) == 1
    assert len(items(crew, "fleet/trips", trailer="box-1")) == 1
    assert items(crew, "fleet/trips", vehicle="truck-2") == []
    page = crew.get("/api/v1/fleet/trips", OPERATOR, limit=1).json()
    rest = crew.get("/api/v1/fleet/trips", OPERATOR, limit=1, cursor=page["next"]).json()
    assert [t["started_at"] for t in (*page["items"], *rest["items"])] == [
        t["started_at"] for t in items(crew, "fleet/trips")
    ]


@pytest.fixture
def yard(crew: Api) -> Api:
    """A site with a dock, at which truck-2 has stood for three hours, truck-1's time now."""
    for fence, kind, location in (("sha", "site", None), ("door", "dock", "sha/dock-1")):
        answer = send(crew, "PUT", f"fences/{fence}", {
            "type": "Feature", "geometry": square(121.4, 31.2),
            "properties": {
                "name": {"en": fence, "zh": fence}, "kind": kind, "site": "sha",
                "location": location,
            },
        })  # fmt: skip
        assert answer.status_code == 200, answer.text
    with connect(crew.database_url, "test") as database:
        database.execute(
            "UPDATE shipment SET door_from = %s, door_to = %s WHERE shipment = 'ship-1'",
            (NOW - HOUR, NOW + HOUR),
        )
        for fence, hours in (("sha", 3.5), ("door", 3)):
            database.execute(
                "INSERT INTO visit (vehicle, fence, entered_at, decided_at)"
                " VALUES ('truck-2', %s, %s, %s)",
                (fence, NOW - hours * HOUR, NOW),
            )
    return crew


def test_the_yard_tells_who_stands_where_since_when_and_on_whose_time(yard: Api) -> None:
    assigned(yard, NOW - 9 * HOUR, trailer="box-1", vehicle="truck-2")
    [stay] = items(yard, "yard", site="sha")
    assert (stay["vehicle"], stay["trailer"], stay["kind"]) == ("truck-2", "box-1", "dock")
    assert (stay["door"], stay["door_by"], stay["free_s"]) == ("sha/dock-1", "fence", 7200)
    assert datetime.fromisoformat(stay["since"]) == NOW - 3 * HOUR
    assert datetime.fromisoformat(stay["on_site_since"]) == NOW - 3.5 * HOUR
    assert stay["free_left_s"] == 0
    # NOW is when the tests were collected.
    assert 3600 <= stay["detained_s"] <= 3600 + (datetime.now(UTC) - NOW).total_seconds()
    assert (stay["shipment"], stay["purpose"]) == ("ship-2", "load")
    assert stay["is_wrong_vehicle"]
    assert (stay["expected_vehicle"], stay["expected_shipment"]) == ("truck-1", "ship-1")
    assert items(yard, "yard", site="ber") == []
    assert items(yard, "yard", door="sha/dock-1") == [
        stay | {"detained_s": pytest.approx(stay["detained_s"], abs=60)}
    ]


def test_a_vehicle_at_its_own_door_is_not_wrong_and_one_that_has_left_is_not_there(
    yard: Api,
) -> None:
    with connect(yard.database_url, "test") as database:
        database.execute("UPDATE shipment SET vehicle = 'truck-2' WHERE shipment = 'ship-1'")
    [stay] = items(yard, "yard")
    assert (stay["is_wrong_vehicle"], stay["expected_vehicle"]) == (False, "truck-2")
    assert (stay["shipment"], stay["planned_door"]) == ("ship-1", "sha/dock-1")
    with connect(yard.database_url, "test") as database:
        database.execute("UPDATE visit SET exited_at = %s", (NOW,))
    assert items(yard, "yard") == []


def test_a_vehicle_at_another_one_s_door_raises_an_alert_until_it_has_left(yard: Api) -> None:
    def watched() -> list[tuple[Any, ...]]:
        with connect(yard.database_url, "test") as database:
            watch(database, "dock.wrong_vehicle")
            return database.execute(
                "SELECT subject, site, figures ->> 'expected_vehicle', cleared_at IS NULL"
                " FROM alert WHERE type = 'dock.wrong_vehicle'"
            ).fetchall()

    assert watched() == [("truck-2", "sha", "truck-1", True)] == watched()
    with connect(yard.database_url, "test") as database:
        database.execute("UPDATE visit SET exited_at = %s", (NOW,))
    assert watched() == [("truck-2", "sha", "truck-1", False)]


def test_a_vehicle_that_overstays_its_own_time_at_a_door_is_late_and_not_wrong(yard: Api) -> None:
    with connect(yard.database_url, "test") as database:
        database.execute(
            "UPDATE shipment SET dock_door = 'sha/dock-1', door_from = %s, door_to = %s"
            " WHERE shipment = 'ship-2'",
            (NOW - 4 * HOUR, NOW - HOUR),
        )
        assert watch(database, "dock.wrong_vehicle") == []
    [stay] = items(yard, "yard")
    assert (stay["is_wrong_vehicle"], stay["shipment"]) == (False, "ship-2")


def test_where_no_fence_is_drawn_around_doors_the_plan_says_which_one_it_is(yard: Api) -> None:
    with connect(yard.database_url, "test") as database:
        database.execute("DELETE FROM visit WHERE fence = 'door'")
        database.execute("UPDATE shipment SET vehicle = 'truck-2' WHERE shipment = 'ship-1'")
        database.execute(
            "INSERT INTO vehicle_state (vehicle, motion) VALUES ('truck-2', 'stopped')"
        )
    [stay] = items(yard, "yard")
    assert (stay["kind"], stay["door"], stay["door_by"]) == ("site", "sha/dock-1", "plan")
    assert (stay["free_left_s"], stay["detained_s"]) == (None, None)
