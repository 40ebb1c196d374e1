"""Reports over HTTP: the same rows by pages, as sums and as files; who may see what they cost; and
a clear word where a report can't be asked like that.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.store import report_world
from tests.integration.store.past_world import insert
from tests.integration.store.report_world import local, shipment, trip, visit
from waystock.store.connection import connect
from waystock_api import report_files
from waystock_api.services import REPORTS_AT_ONCE

VIEWER, OPERATOR = "wst_viewer", "wst_operator"
WEEK = {"first_day": "2026-11-16", "last_day": "2026-11-22"}
REPORTS = ["trips", "stops", "mileage", "visits", "punctuality", "detention"]
TRIPS = 7


@pytest.fixture
def api(plain_database_url: str) -> Iterator[Api]:
    """The week before last: seven trips, two visits of which one costs, a stop due."""
    with connect(plain_database_url, "test") as database:
        report_world.fill(database)
        insert(database, "trip", [
            trip("t01", local(16 + day, 23), local(17 + day, 1), 60.25) for day in range(TRIPS)
        ])  # fmt: skip
        shipment(
            database, "S1", "t01", local(17, 7), ("f-shop", "shop", local(17, 9), local(17, 8))
        )
        insert(database, "visit", [
            visit("t01", "f-shop", local(17, 8), local(17, 12)),
            visit("t02", "f-mill", local(17, 8), local(17, 9)),
        ])  # fmt: skip
        insert(database, "vehicle_stop", [
            {"vehicle": "t01", "arrived_at": local(17, 8), "departed_at": local(17, 12),
             "lat": 31.0, "lon": 121.5}
        ])  # fmt: skip
        insert(database, "detention_rate", [{"rate_per_h": 90, "currency": "CNY"}])
    add_token(plain_database_url, VIEWER, "viewer")
    add_token(plain_database_url, OPERATOR, "operator")
    with running_api(settings(plain_database_url)) as running:
        yield running


def answer(api: Api, path: str, token: str = OPERATOR, **params: Any) -> dict[str, Any]:
    found = api.get(f"/api/v1/reports{path}", token, **params)
    assert found.status_code == 200, (path, found.text)
    return found.json()


def test_the_list_tells_all_that_a_page_needs_to_offer_them(api: Api) -> None:
    listed = answer(api, "", VIEWER)
    assert [one["name"] for one in listed["items"]] == REPORTS
    assert [one["name"] for one in listed["items"] if one["needs"] == "operator"] == ["detention"]
    assert [one["code"] for one in listed["carriers"]] == ["steady", "swift"]
    assert [one["code"] for one in listed["customers"]] == ["mill", "shop"]
    for report in listed["items"]:
        rows = answer(api, f"/{report['name']}", **WEEK)["items"]
        assert rows, report["name"]
        assert set(rows[0]) == {column["name"] for column in report["columns"]}
        for kind in report["formats"]:
            path = f"/api/v1/reports/{report['name']}/file"
            made = api.get(path, OPERATOR, format=kind, **WEEK)
            assert (made.status_code, len(made.content) > 50) == (200, True), (path, kind)


def test_pages_and_sums_and_files_tell_the_same(api: Api) -> None:
    rows: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while not rows or page["next"]:
        more = {"cursor": page["next"]} if rows else {}
        page = answer(api, "/trips", limit=3, **WEEK, **more)
        rows += page["items"]
    assert len(rows) == TRIPS
    sums = answer(api, "/trips/sums", **WEEK)
    assert (sums["rows"], sums["sums"]["distance_km"]) == (TRIPS, TRIPS * 60.25)
    file = api.get("/api/v1/reports/trips/file", VIEWER, format="json", **WEEK)
    assert json.loads(file.content)["rows"] == rows
    cost = answer(api, "/detention/sums", **WEEK)
    assert cost["money"] == {"cost": {"CNY": 180.0}}
    mileage = answer(api, "/mileage", vehicle="t01", per="month", **WEEK)["items"]
    assert [row["distance_km"] for row in mileage] == [pytest.approx(6.5 * 60.25)]


def test_a_file_has_a_name_that_says_what_it_is(api: Api) -> None:
    for kind, named, begins in (
        ("csv", "sha-trips-t01-2026-11-16-to-2026-11-22.csv", b"vehicle,"),
        ("xlsx", "sha-trips-t01-2026-11-16-to-2026-11-22.xlsx", b"PK"),
        ("gpx", "sha-trips-t01-2026-11-16-to-2026-11-22.gpx", b"<?xml"),
        ("geojson", "sha-trips-t01-2026-11-16-to-2026-11-22.geojson", b'{"type":'),
    ):
        found = api.get(
            "/api/v1/reports/trips/file", VIEWER, format=kind, site="sha", vehicle="t01", **WEEK
        )
        assert found.status_code == 200, found.text
        assert found.headers["Content-Disposition"] == f'attachment; filename="{named}"'
        assert found.content.startswith(begins)
        assert int(found.headers["Content-Length"]) == len(found.content)
    bom = api.get("/api/v1/reports/stops/file", VIEWER, bom="true", **WEEK)
    assert bom.content.startswith(b"\xef\xbb\xbf")
    [stop] = csv.DictReader(io.StringIO(bom.content.decode("utf-8-sig")))
    assert stop["fence_name"] == "F-Shop"
    sheet = api.get("/api/v1/reports/punctuality/file", VIEWER, format="xlsx", lang="zh", **WEEK)
    with zipfile.ZipFile(io.BytesIO(sheet.content)) as book:
        assert "准时率" in book.read("xl/workbook.xml").decode()


def test_what_waiting_costs_is_not_for_every_screen(api: Api) -> None:
    for path in ("", "/sums", "/file"):
        refused = api.get(f"/api/v1/reports/detention{path}", VIEWER, **WEEK)
        assert refused.status_code == 403
        assert refused.json()["detail"] == "This report needs the role operator; you have viewer."
        assert api.get(f"/api/v1/reports/trips{path}", **WEEK).status_code == 401


def test_what_cannot_be_asked_is_refused_in_words(api: Api) -> None:
    cursor = answer(api, "/trips", limit=1, **WEEK)["next"]
    for path, params, said in (
        ("/trips", {"first_day": "2026-11-31"}, "first_day: "),
        ("/trips", {"first_day": "2026-11-10", "last_day": "2026-11-09"}, "is after the last"),
        ("/trips", {"first_day": "2025-01-01", "last_day": "2026-11-09"}, "more than 366 days"),
        ("/trips", {"site": "ber"}, "there is no site 'ber', but sha"),
        ("/trips", {"time_zone": "Mars/Olympus"}, "one is Europe/Berlin"),
        ("/trips", {"driver": "ann"}, "driver: there is no such parameter here"),
        ("/trips", {"per": "week"}, "per: the report trips has no such option at all"),
        ("/mileage", {"by": "lane"}, "has no such option, only per"),
        ("/mileage", {"customer": "shop"}, "can't be narrowed by it"),
        ("/trips", {"cursor": "x"}, "cursor: not one"),
        ("/stops", {"cursor": cursor}, "cursor: not one"),
        ("/trips", {"cursor": cursor, "last_day": "2026-11-30"}, "where it is 2026-11-22"),
        ("/mileage/file", {"format": "gpx"}, "can be had as json, csv, xlsx"),
        ("/trips/file", {"format": "pdf"}, "format: "),
        ("/trips", {"vehicle": "a\x00"}, "can't be used"),
    ):
        found = api.get(f"/api/v1/reports{path}", OPERATOR, **params)
        assert found.status_code == 422, (path, params, found.text)
        assert re.search(re.escape(said), found.json()["detail"]), found.text
    missing = api.get("/api/v1/reports/fuel", OPERATOR)
    assert (missing.status_code, "but trips, stops" in missing.text) == (404, True)


def test_an_empty_report_says_why(api: Api) -> None:
    none = answer(api, "/trips", first_day="2026-10-01", last_day="2026-10-02")
    assert (none["items"], none["next"]) == ([], None)
    assert none["empty"] == {
        "why": "outside", "first_day": "2026-11-16", "last_day": "2026-11-22",
    }  # fmt: skip
    assert answer(api, "/trips", vehicle="t02", **WEEK)["empty"]["why"] == "filters"
    assert answer(api, "/trips", **WEEK)["empty"] is None


def test_many_reports_at_once_wait_or_are_told_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_files, "WAIT_FOR_SLOT_S", 0.05)
    slots = api.services.report_slots
    for _ in range(REPORTS_AT_ONCE):
        assert slots.acquire(timeout=5)
    busy = api.get("/api/v1/reports/trips/file", OPERATOR, **WEEK)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "15")
    assert "Try again in a minute" in busy.json()["detail"]
    assert answer(api, "/trips", **WEEK)["items"], "pages are answered all the same"
    for _ in range(REPORTS_AT_ONCE):
        slots.release()
    # A refused one gives its slot back.
    for _ in range(REPORTS_AT_ONCE + 1):
        assert api.get("/api/v1/reports/trips/file", OPERATOR, site="ber").status_code == 422
    assert api.get("/api/v1/reports/trips/file", OPERATOR, **WEEK).status_code == 200
