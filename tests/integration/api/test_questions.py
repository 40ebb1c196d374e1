"""The questions over HTTP: a manager gets the answer page by page, the same "now" on each, and a
clear word where the question can't be asked like that.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.api.world import GTIN, NOW, SSCC, fill
from waystock.contract.identifiers import iso_utc
from waystock.store.connection import Database, connect

TOKEN = "wst_viewer"
HOUR = timedelta(hours=1)
SINCE, UNTIL = iso_utc(NOW - 30 * HOUR), iso_utc(NOW)
PERIOD: dict[str, Any] = {"since": SINCE, "until": UNTIL}
EPC = "31" + "0" * 22
LINK = f"https://id.gs1.org/00/{SSCC}"
QUESTIONS: dict[str, dict[str, Any]] = {
    "fleet/last-fixes": {},
    "fleet/stationary": PERIOD | {"minutes": 0},
    "fleet/long-driving": PERIOD | {"hours": 0.5, "rest_minutes": 5},
    "fleet/driving-hours": PERIOD | {"hours": 0.5},
    "fleet/activity": PERIOD,
    "fleet/distances": {},
    "fleet/loads": PERIOD,
    "fleet/breakdowns": PERIOD,
    "fleet/breakdown-shares": PERIOD,
    "arrivals/accuracy": PERIOD | {"by": "lane"},
    "arrivals/predictions": {"shipment": "ship-2"},
    "arrivals/promises": {},
    "measurements/latest": {"measure": "fuel_ratio", "within_minutes": 3000},
    "measurements/episodes": PERIOD | {"measure": "temperature_c", "low": 2, "high": 8},
    "stock/as-of": {"at": UNTIL},
    "stock/movements": PERIOD | {"gtin": GTIN},
    "vehicles/truck-1/contents": {"at": UNTIL},
    "stock/epc-reads": PERIOD | {"epc": EPC},
}


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    fill(database_url)
    with connect(database_url, "test") as database:
        add_past(database)
    add_token(database_url, TOKEN, "viewer")
    with running_api(settings(database_url)) as running:
        yield running


def add_past(database: Database) -> None:
    """At least two of everything, so that each answer has pages."""
    known = database.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE column_name = 'decided_at' AND table_name IN ('trip', 'vehicle_stop')"
    )
    decided = {row[0] for row in known}
    for number, vehicle in enumerate(("truck-1", "truck-2")):
        for hours in (28, 20):
            start = NOW - hours * HOUR + number * timedelta(minutes=7)
            put(database, decided, "trip", vehicle=vehicle, started_at=start,
                ended_at=start + HOUR, start_lat=31, start_lon=121, end_lat=31, end_lon=121,
                distance_m=50_000)  # fmt: skip
            put(database, decided, "vehicle_stop", vehicle=vehicle, arrived_at=start + HOUR,
                departed_at=start + 3 * HOUR, lat=31.5, lon=121.5)  # fmt: skip
    for lane in (1, 2):
        at = NOW - (lane + 1) * HOUR
        put(database, set(), "eta_prediction", predicted_at=at, vehicle="truck-2",
            shipment="ship-2", seq=1, lane=lane, model="learned", remaining_m=9000.0,
            p10=NOW - HOUR, p50=NOW, p90=NOW + HOUR)  # fmt: skip
    put(database, set(), "stop_arrival", shipment="ship-2", seq=1, vehicle="truck-2",
        arrived_at=NOW - timedelta(minutes=1), decided_at=NOW)  # fmt: skip
    database.execute("UPDATE shipment SET depart_at = depart_at - interval '29 hours'")
    database.execute(
        "INSERT INTO device (device, kind, biz_step, vehicle) VALUES"
        " ('tank-1', 'sensor', 'tracking', 'truck-1'), ('tank-2', 'sensor', 'tracking', 'truck-2'),"
        " ('portal', 'rfid', 'loading', NULL)"
    )
    for number in range(4):
        at = NOW - 2 * HOUR + number * timedelta(minutes=10)
        measured = {"fuel_ratio": 0.05, "temperature_c": 5 + 6 * (number % 2)}
        for device in ("tank-1", "tank-2"):
            put(database, decided, "telemetry_reading", **read(device, at, number),
                measured=Jsonb(measured))  # fmt: skip
        put(database, decided, "rfid_reading", **read("portal", at, number), epc=EPC,
            presence="arrived", scheme="sscc-96", digital_link=LINK,
            elements=Jsonb([["00", SSCC]]), reads=1)  # fmt: skip
    for number, gtin in enumerate((GTIN, f"{int(GTIN) + 1:014}")):
        lpn = SSCC[:-1] + str(number)
        database.execute(
            "INSERT INTO stock_position (location, gtin, lot, lpn, on_hand, changed_at)"
            " VALUES ('vehicle/truck-1', %s, 'L1', %s, 3, now())",
            (gtin, lpn),
        )
        put(database, decided, "movement", occurred_at=NOW - HOUR, recorded_at=NOW, stream_id=9,
            stream_offset=number, line=0, biz_step="loading", from_location="sha/dock-1",
            to_location="vehicle/truck-1", gtin=gtin, lot="L1", from_lpn=lpn, to_lpn=lpn, lpn=lpn,
            quantity=3, document="", device="portal")  # fmt: skip


def read(device: str, at: Any, number: int) -> dict[str, Any]:
    return {
        "time": at, "captured_at": at, "received_at": at, "stream_id": 9, "stream_offset": number,
        "device": device, "clock": "ntp", "quality": [],
    }  # fmt: skip


def put(database: Database, decided: set[str], table: str, **row: Any) -> None:
    if table in decided:
        row["decided_at"] = NOW
    columns = ", ".join(row)
    values = ", ".join(f"%({name})s" for name in row)
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})".encode(), row)


def answer(api: Api, path: str, **params: Any) -> dict[str, Any]:
    found = api.get(f"/api/v1/{path}", TOKEN, **params)
    assert found.status_code == 200, (path, found.text)
    return found.json()


def without_age(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What depends on when it was asked left out."""
    return [
        {name: value for name, value in row.items() if name not in {"age_s", "longest_until"}}
        for row in rows
    ]


def test_every_question_is_answered_and_its_pages_hold_each_row_once(api: Api) -> None:
    for path, params in QUESTIONS.items():
        whole = answer(api, path, **params)
        assert len(whole["items"]) >= 2, (path, whole)
        assert whole["next"] is None
        paged: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        instants: set[tuple[Any, ...]] = set()
        while True:
            page = answer(api, path, **params, limit=1, **cursor)
            assert len(page["items"]) == 1, path
            paged += page["items"]
            instants.add(tuple(page.get(name) for name in ("at", "since", "until", "last_day")))
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert without_age(paged) == without_age(whole["items"]), path
        assert len(instants) == 1, f"{path}: now moved on between pages"


def test_bad_parameters_are_refused_in_words_on_every_question(api: Api) -> None:
    for path, params in QUESTIONS.items():
        wrong: list[dict[str, Any]] = [
            {"limit": 0}, {"limit": 1001}, {"nonsense": 1}, {"cursor": "garbage!"},
        ]  # fmt: skip
        if "since" in params:
            wrong += [
                {"since": "2026-01-01T00:00:00"}, {"since": UNTIL}, {"since": "1969-01-01T00:00Z"},
                {"since": "1970-01-02T00:00:00Z"}, {"until": "tomorrow"},
                {"until": "9999-12-31T23:59:59Z"},
            ]  # fmt: skip
        for change in wrong:
            refused = api.get(f"/api/v1/{path}", TOKEN, **(params | change))
            assert refused.status_code == 422, (path, change, refused.text)
            assert next(iter(change)) in refused.json()["detail"], (path, refused.text)


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        ("arrivals/accuracy", {"by": "driver"}, "'lane'"),
        ("arrivals/predictions", {}, "shipment"),
        ("arrivals/predictions", {"shipment": "ship-2", "seq": 1e9 * 9}, "seq"),
        ("measurements/latest", {}, "measure"),
        ("measurements/latest", {"measure": "temperature_c"}, "give low, high or both"),
        ("measurements/latest", {"measure": "a;b"}, "measure"),
        ("measurements/episodes", {"measure": "x_c", "low": 8, "high": 2}, "less than high"),
        ("measurements/episodes", {"measure": "x_c", "low": "nan"}, "low"),
        ("fleet/activity", {"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ("fleet/activity", {"time_zone": "; DROP"}, "time_zone"),
        ("fleet/activity", {"by": "week"}, "'hour' or 'day'"),
        ("fleet/activity", {"since": iso_utc(NOW - 40 * 24 * HOUR)}, "at most 31 days"),
        ("fleet/stationary", {"since": iso_utc(NOW - 72 * HOUR), "speed_mps_below": 1}, "2 days"),
        ("fleet/distances", {"first_day": "2026-02-30"}, "first_day"),
        ("fleet/distances", {"first_day": "2026-02-02", "last_day": "2026-02-01"}, "2026-02-01"),
        ("fleet/distances", {"first_day": "2020-02-02", "last_day": "2026-02-01"}, "366 days"),
        ("fleet/breakdowns", {"kind": "tired"}, "'stopped' or 'reported'"),
        ("fleet/driving-hours", {"within_hours": 0}, "within_hours"),
        ("stock/movements", {}, "give gtin"),
        ("stock/movements", {"lot": "L1"}, "give gtin"),
        ("stock/epc-reads", {}, "epc"),
        ("stock/epc-reads", {"epc": "pallet 7"}, "Digital Link"),
        ("stock/as-of", {"gtin": "a\x00b"}, "can't be used"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(
    api: Api, path: str, params: dict[str, Any], told: str
) -> None:
    refused = api.get(f"/api/v1/{path}", TOKEN, **params)
    assert refused.status_code == 422, refused.text
    assert told in refused.json()["detail"]


def test_a_cursor_goes_on_with_its_own_answer_and_no_other(api: Api) -> None:
    first = answer(api, "fleet/activity", limit=1)
    later = answer(api, "fleet/activity", limit=1, cursor=first["next"])
    assert (later["since"], later["until"]) == (first["since"], first["until"])
    for path, params in (
        ("fleet/activity", {"since": SINCE}),
        ("fleet/activity", {"until": SINCE}),
        ("fleet/long-driving", {}),
    ):
        refused = api.get(f"/api/v1/{path}", TOKEN, cursor=first["next"], **params)
        assert refused.status_code == 422, path
        assert "cursor" in refused.json()["detail"]
    again = answer(api, "fleet/activity", limit=1, cursor=first["next"], until=first["until"])
    assert again == later


def test_the_future_is_not_asked_about_but_a_clock_that_is_ahead_loses_no_movement(
    api: Api,
) -> None:
    day = iso_utc(NOW + 20 * HOUR)
    assert answer(api, "fleet/activity", until=day)["until"] < day
    assert answer(api, "stock/movements", gtin=GTIN, until=day)["until"] == day.replace(
        ".000000Z", "Z"
    )


def test_a_pallet_is_found_whatever_it_is_called(api: Api) -> None:
    by_hex = answer(api, "stock/epc-reads", epc=EPC.lower())["items"]
    assert len(by_hex) == 4
    assert {row["lpn"] for row in by_hex} == {SSCC}
    for name in (SSCC, LINK, f"urn:epc:id:sscc:{SSCC[1:8]}.{SSCC[0]}{SSCC[8:17]}"):
        assert answer(api, "stock/epc-reads", epc=name)["items"] == by_hex


def test_a_vehicles_load_an_hour_ago_is_not_what_it_is_now(api: Api) -> None:
    path = "vehicles/truck-1/contents"
    assert sum(row["quantity"] for row in answer(api, path)["items"]) == 12
    before = answer(api, path, at=iso_utc(NOW - 2 * HOUR))["items"]
    assert sum(row["quantity"] for row in before) == 6
    unknown = api.get("/api/v1/vehicles/truck-9/contents", TOKEN)
    assert unknown.status_code == 404
    assert "'truck-9'" in unknown.json()["detail"]


def test_questions_say_in_plain_words_what_they_answer(api: Api) -> None:
    paths = answer(api, "openapi.json")["paths"]
    for path in QUESTIONS:
        described = paths[f"/api/v1/{path.replace('truck-1', '{vehicle}')}"]["get"]["description"]
        assert "?" in described.splitlines()[0] + described, path
        assert len(described) > 80, path
    assert "since" in str(paths["/api/v1/fleet/activity"]["get"]["parameters"])


def test_nobody_who_is_not_signed_in_gets_an_answer(api: Api) -> None:
    for path, params in QUESTIONS.items():
        assert api.get(f"/api/v1/{path}", None, **params).status_code == 401, path
        assert api.get(f"/api/v1/{path}", "wst_wrong", **params).status_code == 401, path
