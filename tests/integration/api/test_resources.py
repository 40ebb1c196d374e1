"""The REST resources over a real store: a caller gets what is there, or a clear refusal."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.api.world import GTIN, NOW, SSCC, fill
from waystock.contract.identifiers import iso_utc
from waystock.store.connection import connect

LISTS = (
    "sites", "products", "stock/positions", "vehicles", "vehicles/truck-1/track", "shipments",
    "alerts", "devices", "gateways", "dead-letters",
)  # fmt: skip
TOKEN = "wst_operator"
NOBODY: tuple[dict[str, str], ...] = (
    {}, {"Authorization": "Bearer wst_wrong"}, {"Cookie": "waystock_session=x"},
)  # fmt: skip


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    fill(database_url)
    add_token(database_url, TOKEN, "operator")
    with running_api(settings(database_url)) as running:
        yield running


def items(api: Api, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/{path}", TOKEN, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_every_list_answers_and_pages_through_all_of_its_rows(api: Api) -> None:
    for path in LISTS:
        whole = items(api, path)
        assert whole, path
        paged: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = api.get(f"/api/v1/{path}", TOKEN, **params).json()
            assert len(page["items"]) == 1
            paged += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert paged == whole, path


def test_bad_parameters_are_refused_in_words_on_every_list(api: Api) -> None:
    for path in LISTS:
        for params in ({"limit": 0}, {"limit": 1001}, {"nonsense": 1}, {"cursor": "garbage!"}):
            answer = api.get(f"/api/v1/{path}", TOKEN, **params)
            assert answer.status_code == 422, (path, params)
            assert next(iter(params)) in answer.json()["detail"], answer.text


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("vehicles/truck-1/track", {"minutes": 0}, "minutes"),
        ("vehicles/truck-1/track", {"minutes": 5, "since": "2026-01-01T00:00:00Z"}, "minutes"),
        ("vehicles/truck-1/track", {"since": "2026-01-01T00:00:00"}, "since"),
        ("vehicles", {"motion": "flying"}, "motion"),
        ("alerts", {"open": "perhaps"}, "open"),
        ("stock/positions", {"vehicle": "a", "location": "b/c"}, "vehicle"),
        ("sites/x", {}, "sites/x"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    api: Api, path: str, params: dict[str, Any], named: str
) -> None:
    answer = api.get(f"/api/v1/{path}", TOKEN, **params)
    assert answer.status_code in {404, 422}
    assert named in answer.json()["detail"]


def test_an_unknown_id_is_named_in_a_sentence(api: Api) -> None:
    unknown = ("vehicles/truck-9", "vehicles/truck-9/track", "shipments/truck-9", "alerts/truck-9")
    for path in unknown:
        answer = api.get(f"/api/v1/{path}", TOKEN)
        assert answer.status_code == 404, path
        assert "'truck-9'" in answer.json()["detail"]
    assert api.get("/api/v1/vehicles/a%00b", TOKEN).status_code == 422


def test_stock_is_found_by_place_product_pallet_and_vehicle(api: Api) -> None:
    assert {row["location"]: row["on_hand"] for row in items(api, "stock/positions")} == {
        "sha/bin-1": 4, "sha/bin-2": 8, "vehicle/truck-1": 6,
    }  # fmt: skip
    assert [row["zone"] for row in items(api, "stock/positions", site="sha")] == ["pick", "reserve"]
    assert len(items(api, "stock/positions", gtin=GTIN)) == 3
    assert items(api, "stock/positions", gtin="00000000000000") == []
    [by_lpn] = items(api, "stock/positions", lpn=SSCC)
    [by_vehicle] = items(api, "stock/positions", vehicle="truck-1")
    assert by_lpn == by_vehicle
    outside = items(api, "stock/positions", outside=True)
    assert "supplier/acme" in {row["location"] for row in outside}


def test_a_vehicle_says_where_it_is_and_what_it_carries(api: Api) -> None:
    vehicle = api.get("/api/v1/vehicles/truck-1", TOKEN).json()
    assert (vehicle["lat"], vehicle["motion"], vehicle["load_units"]) == (31.25, "moving", 6)
    assert vehicle["destination"] == {"en": "Suzhou store", "zh": "苏州店"}
    assert (vehicle["late_s"], vehicle["load_lpns"]) == (900, 1)
    [other] = items(api, "vehicles", vehicle="truck-2")
    assert (other["lat"], other["late_s"], other["motion"]) == (None, None, "unknown")
    assert [row["vehicle"] for row in items(api, "vehicles", site="sha")] == ["truck-1"]
    assert items(api, "vehicles", off_route=True) == []


def test_a_track_is_in_order_of_time_and_as_long_as_asked(api: Api) -> None:
    track = items(api, "vehicles/truck-1/track")
    assert len(track) == 20
    assert [fix["time"] for fix in track] == sorted(fix["time"] for fix in track)
    assert len(items(api, "vehicles/truck-1/track", minutes=5)) <= 6
    first, last = track[3]["time"], track[6]["time"]
    assert items(api, "vehicles/truck-1/track", since=first, until=last) == track[3:6]
    assert items(api, "vehicles/truck-2/track") == []


def test_a_shipment_names_its_stops_orders_and_lateness(api: Api) -> None:
    [moving, planned] = items(api, "shipments")
    assert (moving["status"], planned["status"]) == ("in_transit", "planned")
    assert moving["orders"] == ["so-2", "so-1"], "most urgent first"
    assert (moving["lpns"], moving["late_s"], planned["late_s"]) == ([SSCC], 900, None)
    assert moving["route"] == [[121.4, 31.2], [120.6, 31.3]]
    [stop] = moving["stops"]
    assert (round(stop["lat"], 6), round(stop["lon"], 6)) == (31.3, 120.6)
    assert stop["name"]["zh"] == "苏州店"
    assert stop["arrived_at"] is None
    assert api.get("/api/v1/shipments/ship-1", TOKEN).json() == moving
    assert items(api, "shipments", status="planned") == [planned]
    assert items(api, "shipments", lpn=SSCC) == [moving]
    assert items(api, "shipments", since=iso_utc(NOW)) == [planned]


def test_alerts_come_newest_first_with_a_sentence_and_the_orders_hit(api: Api) -> None:
    alerts = items(api, "alerts")
    assert [alert["alert_id"] for alert in alerts] == ["a0", "a1", "a2"]
    [open_alert] = items(api, "alerts", open=True)
    assert open_alert["state"] == "open"
    assert open_alert["orders"] == ["so-2"]
    assert open_alert["figures"]["on_hand"] == 4
    assert set(open_alert["text"]) == {"en", "zh"}
    assert len(items(api, "alerts", open=False)) == 2
    assert items(api, "alerts", type="receipt.short") == []
    assert api.get("/api/v1/alerts/a0", TOKEN).json() == open_alert


def test_devices_and_gateways_say_when_they_were_last_heard(api: Api) -> None:
    devices = {row["device"]: row for row in items(api, "devices")}
    assert (devices["scan-1"]["gateway"], devices["gps-1"]["gateway"]) == ("gw-1", None)
    assert devices["scan-1"]["last_seen"] is not None
    gateways = {row["gateway"]: row for row in items(api, "gateways")}
    assert (gateways["gw-1"]["state"], gateways["gw-2"]["state"]) == ("online", "unknown")
    assert gateways["gw-1"]["queue_depth"] == 3


def test_a_dead_letter_shows_its_reason_and_even_bytes_that_are_no_text(api: Api) -> None:
    [letter] = items(api, "dead-letters")
    assert letter["reason"] == "malformed"
    assert letter["payload_head"] == "\\x80\\xff{"


def test_products_carry_their_reorder_points(api: Api) -> None:
    [product] = items(api, "products", gtin=GTIN)
    assert product["reorder_points"] == {"sha": 10}


def test_every_route_but_health_and_login_refuses_without_credentials(api: Api) -> None:
    public = {"/healthz", "/readyz", "/api/v1/login"}
    schema = api.get("/api/v1/openapi.json", TOKEN).json()
    paths = set(schema["paths"]) | {"/api/v1/openapi.json"}
    assert {f"/api/v1/{path.replace('truck-1', '{vehicle}')}" for path in LISTS} <= paths
    with api.client() as client:
        for path in paths - public:
            methods = schema["paths"].get(path, {"get": {}})
            for method in methods:
                for headers in NOBODY:
                    answer = client.request(method, path, headers=headers)
                    assert answer.status_code == 401, (method, path)
                    assert answer.json()["detail"].startswith("Sign in first")


def test_an_unmigrated_database_is_told_apart_from_a_broken_request(
    empty_database_url: str,
) -> None:
    with running_api(settings(empty_database_url)) as api:
        answer = api.get("/readyz")
        assert answer.status_code == 503
        assert "waystock db migrate" in answer.json()["missing"]["database"]
        assert "broker" in answer.json()["missing"]
        assert api.get("/healthz").status_code == 200
        refused = api.get("/api/v1/sites", TOKEN)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")


def test_a_database_that_dropped_its_connections_is_found_again(api: Api) -> None:
    assert items(api, "sites")
    with connect(api.database_url, "test") as database:
        database.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"  # and wait until gone
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert items(api, "sites")
