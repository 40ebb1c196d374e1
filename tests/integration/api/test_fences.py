"""Fences drawn on a map: saved as they will be used, refused in words, removed only when free."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.api.world import fill
from waystock.contract.limits import DayHours
from waystock.store.connection import connect
from waystock.store.directory import load_master, master_version

OPERATOR, VIEWER = "wst_operator", "wst_viewer"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    fill(database_url)
    add_token(database_url, OPERATOR, "operator")
    add_token(database_url, VIEWER, "viewer")
    with running_api(settings(database_url)) as running:
        yield running


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"name": {"en": "Yard", "zh": "场地"}, **properties},
    }


def put(api: Api, fence: str, body: dict[str, Any], token: str = OPERATOR) -> httpx.Response:
    with api.client(token) as client:
        return client.put(f"/api/v1/fences/{fence}", json=body)


def delete(api: Api, fence: str) -> httpx.Response:
    with api.client(OPERATOR) as client:
        return client.delete(f"/api/v1/fences/{fence}")


CIRCLE = {"type": "Point", "coordinates": [121.4, 31.2], "radius_m": 250}


def test_a_fence_that_is_saved_is_there_for_maps_and_for_the_fold(api: Api) -> None:
    body = feature(
        CIRCLE,
        kind="dock",
        site="sha",
        location="sha/dock-1",
        dwell_limit_s=3600,
        speed_limit_mps=5,
        active_hours=[{"days": ["mon", "fri"], "start": "22:00", "end": "06:00"}],
        enter_margin_m=10,
        enter_fixes=2,
        enter_s=20,
        exit_margin_m=50,
        exit_fixes=4,
        exit_s=90,
    )
    with connect(api.database_url, "test") as database:
        before = master_version(database)
    saved = put(api, "yard-1", body)
    assert saved.status_code == 200, saved.text
    assert saved.json() == body | {"id": "yard-1"}
    assert api.get("/api/v1/fences/yard-1", VIEWER).json() == saved.json()
    listed = api.get("/api/v1/fences", VIEWER).json()
    assert saved.json() in listed["features"]
    with connect(api.database_url, "test") as database, database.transaction():
        assert master_version(database) == before + 1
        (fence,) = [one for one in load_master(database).fences if one.fence == "yard-1"]
    assert (fence.dwell_limit_s, fence.speed_limit_mps) == (3600, 5)
    assert fence.active_hours == (DayHours(days=("mon", "fri"), start="22:00", end="06:00"),)
    assert (fence.enter_margin_m, fence.enter_fixes, fence.enter_s) == (10, 2, 20)
    assert (fence.exit_margin_m, fence.exit_fixes, fence.exit_s) == (50, 4, 90)
    assert delete(api, "yard-1").status_code == 204
    assert delete(api, "yard-1").status_code == 404
    assert api.get("/api/v1/fences/yard-1", VIEWER).status_code == 404


def test_a_fence_across_the_antimeridian_is_cut_in_two_when_it_is_saved(api: Api) -> None:
    ring = [[179.9, -17.1], [-179.9, -17.1], [-179.9, -16.9], [179.9, -16.9], [179.9, -17.1]]
    saved = put(api, "fiji", feature({"type": "Polygon", "coordinates": [ring]})).json()
    assert saved["geometry"]["type"] == "MultiPolygon"
    lons = {
        round(lon, 6)
        for polygon in saved["geometry"]["coordinates"]
        for ring in polygon
        for lon, _ in ring
    }
    assert lons == {179.9, 180.0, -180.0, -179.9}


POLE = {"type": "Point", "coordinates": [0, 89.5], "radius_m": 9}
NIGHT: dict[str, Any] = {"days": ["sun"], "start": "22:00", "end": "06:00"}
REFUSED: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    ("yard", POLE, {}, "pole"),
    ("yard", {"type": "Point", "coordinates": [0, 10]}, {}, "radius_m"),
    ("yard", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, {}, "width_m"),
    ("yard", {"type": "Polygon", "coordinates": []}, {}, "no area"),
    ("Yard 1", CIRCLE, {}, "$.fence"),
    ("yard", CIRCLE, {"site": "mars"}, "mars"),
    ("yard", CIRCLE, {"dwell_limit_s": 1}, "dwell_limit_s"),
    ("yard", CIRCLE, {"kind": "moat"}, "kind"),
    ("yard", CIRCLE, {"enter_margin_m": 251}, "never be in it"),
    ("yard", CIRCLE, {"enter_fixes": 0}, "enter_fixes"),
    ("yard", CIRCLE, {"active_hours": [NIGHT]}, "site"),
    ("yard", CIRCLE, {"site": "sha", "active_hours": [{**NIGHT, "end": "25:00"}]}, "active_hours"),
    ("yard", CIRCLE, {"colour": "red"}, "colour"),
)


def test_a_fence_that_cannot_be_used_is_refused_in_words(api: Api) -> None:
    for fence, geometry, properties, said in REFUSED:
        answer = put(api, fence, feature(geometry, **properties))
        assert answer.status_code == 422, said
        assert said in answer.json()["detail"]


def test_a_fence_where_a_shipment_stops_stays_and_a_viewer_changes_nothing(api: Api) -> None:
    answer = delete(api, "store-1")
    assert answer.status_code == 409
    assert "store-1" in answer.json()["detail"]
    assert put(api, "yard", feature(CIRCLE), VIEWER).status_code == 403
    assert api.get("/api/v1/fences/yard", VIEWER).status_code == 404
