"""Limits of vehicles as an operator sets them: inherited, refused in words, in force at once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.api.world import fill
from waystock.contract.masterdata import MasterData, Vehicle
from waystock.store.connection import connect
from waystock.store.directory import load_master
from waystock.store.masterdata import import_master_data

OPERATOR, VIEWER = "wst_operator", "wst_viewer"
NIGHT = {"days": ["mon", "tue"], "start": "20:00", "end": "04:00"}


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    fill(database_url)
    add_token(database_url, OPERATOR, "operator")
    add_token(database_url, VIEWER, "viewer")
    with running_api(settings(database_url)) as running:
        yield running


def put(api: Api, path: str, body: dict[str, Any], token: str = OPERATOR) -> httpx.Response:
    with api.client(token) as client:
        return client.put(f"/api/v1/{path}", json=body)


def in_effect(api: Api, vehicle: str = "truck-1") -> dict[str, Any]:
    told = api.get(f"/api/v1/vehicles/{vehicle}/limits", VIEWER).json()["in_effect"]
    return {name: value for name, value in told.items() if value is not None}


def test_a_vehicle_inherits_what_it_does_not_say_from_its_class_and_the_default(api: Api) -> None:
    assert in_effect(api) == {}
    default = {"limits": {"silent_s": 900, "temperature_low_c": 2, "needs_shipment": True}}
    reefer = {"name": {"en": "Reefer"}, "limits": {"temperature_low_c": -25, "speed_limit_mps": 22}}
    assert put(api, "vehicle-classes/default", default).status_code == 200
    assert put(api, "vehicle-classes/reefer", reefer).status_code == 200
    own = {
        "vehicle_class": "reefer",
        "home_site": "sha",
        "limits": {"needs_shipment": False, "working_hours": [NIGHT]},
    }
    saved = put(api, "vehicles/truck-1/limits", own)
    assert saved.status_code == 200, saved.text
    assert in_effect(api) == {
        "silent_s": 900,
        "temperature_low_c": -25,
        "speed_limit_mps": 22,
        "needs_shipment": False,
        "working_hours": [NIGHT],
    }
    assert in_effect(api, "truck-2") == default["limits"]
    with connect(api.database_url, "test") as database, database.transaction():
        limits = load_master(database).limits
    assert limits.of("truck-1").speed_limit_mps == 22
    assert limits.rules.of_vehicle["truck-1"].time_zone == saved.json()["time_zone"]
    assert limits.of("truck-2").silent_s == 900


def test_importing_vehicles_again_leaves_what_was_set_for_them(api: Api) -> None:
    put(api, "vehicles/truck-1/limits", {"home_site": "sha", "limits": {"silent_s": 600}})
    with connect(api.database_url, "test") as database, database.transaction():
        import_master_data(
            database, MasterData(vehicles=(Vehicle(vehicle="truck-1", plate="NEW 1"),))
        )
    told = api.get("/api/v1/vehicles/truck-1/limits", VIEWER).json()
    assert (told["home_site"], told["limits"]["silent_s"]) == ("sha", 600)


REFUSED: tuple[tuple[str, dict[str, Any], int, str], ...] = (
    ("vehicles/truck-1/limits", {"vehicle_class": "ship"}, 422, "ship"),
    ("vehicles/truck-1/limits", {"home_site": "mars"}, 422, "mars"),
    ("vehicles/truck-1/limits", {"limits": {"working_hours": [NIGHT]}}, 422, "home_site"),
    ("vehicles/truck-1/limits", {"limits": {"silent_s": 5}}, 422, "silent_s"),
    ("vehicles/truck-1/limits", {"limits": {"wings": 2}}, 422, "wings"),
    (
        "vehicles/truck-1/limits",
        {"limits": {"temperature_low_c": 8, "temperature_high_c": 2}},
        422,
        "temperature_low_c",
    ),
    ("vehicles/truck-99/limits", {}, 404, "truck-99"),
    ("vehicle-classes/Big%20ones", {}, 422, "vehicle_class"),
    ("sites/mars/quiet-hours", {}, 404, "mars"),
    ("sites/sha/quiet-hours", {"quiet_hours": [{**NIGHT, "start": "9"}]}, 422, "start"),
)


def test_what_cannot_be_used_is_refused_in_words(api: Api) -> None:
    for path, body, status, said in REFUSED:
        answer = put(api, path, body)
        assert answer.status_code == status, (said, answer.text)
        assert said in answer.json()["detail"]


def test_a_class_that_vehicles_are_of_stays_and_a_viewer_changes_nothing(api: Api) -> None:
    put(api, "vehicle-classes/van", {})
    put(api, "vehicles/truck-1/limits", {"vehicle_class": "van"})
    with api.client(OPERATOR) as client:
        kept = client.delete("/api/v1/vehicle-classes/van")
        assert (kept.status_code, "van" in kept.json()["detail"]) == (409, True)
        client.put("/api/v1/vehicles/truck-1/limits", json={})
        assert client.delete("/api/v1/vehicle-classes/van").status_code == 204
        assert client.delete("/api/v1/vehicle-classes/van").status_code == 404
    assert put(api, "vehicle-classes/van", {}, VIEWER).status_code == 403
    assert put(api, "vehicles/truck-1/limits", {}, VIEWER).status_code == 403
    assert put(api, "sites/sha/quiet-hours", {}, VIEWER).status_code == 403


def test_quiet_hours_of_a_site_are_kept(api: Api) -> None:
    body = {"quiet_hours": [NIGHT], "quiet_severities": ["info"]}
    saved = put(api, "sites/sha/quiet-hours", body).json()
    assert saved == body | {"site": "sha", "time_zone": saved["time_zone"]}
    assert api.get("/api/v1/sites/sha/quiet-hours", VIEWER).json() == saved
