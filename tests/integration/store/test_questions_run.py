"""Questions about vehicles on their shipments: half-empty trucks and breakdowns are found, and a
driver's lunch in a customer's yard is not taken for one.
"""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.integration.store.past_world import (
    GTIN,
    add_fleet,
    add_ledger,
    add_telemetry,
    add_vehicles,
    chunks,
    insert,
    minute,
    movement,
    plan,
    raw,
    whole,
)
from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.questions_run import BREAKDOWN_SHARES, BREAKDOWNS, TRIP_LOADS

DAY = 24 * 60
SQUARE = Jsonb({"type": "Polygon", "coordinates": []})


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test", autocommit=True) as connection:
        yield connection


def add_site(database: Database) -> None:
    name = Jsonb({"en": "Shop"})
    insert(database, "site", [
        {"site": "sha", "name": name, "lat": 31, "lon": 121, "time_zone": "UTC"}
    ])  # fmt: skip
    insert(database, "party", [{"party": "shop", "role": "customer", "name": name}])
    for fence, kind in (("f-sha", "site"), ("f-shop", "customer"), ("f-lake", "no_go")):
        insert(database, "fence", [
            {"fence": fence, "name": name, "kind": kind, "geometry": SQUARE}
        ])  # fmt: skip


def add_shipment(
    database: Database, shipment: str, vehicle: str, depart: float, **fields: Any
) -> None:
    """With two stops, due within 200 minutes."""
    row = {
        "shipment": shipment, "vehicle": vehicle, "from_site": "sha", "depart_at": minute(depart),
        "route": Jsonb([]), "planned_speed_mps": 15, "door_from": None, "closed_at": None,
    } | fields  # fmt: skip
    insert(database, "shipment", [row])
    for seq in (1, 2):
        insert(database, "shipment_stop", [{
            "shipment": shipment, "seq": seq, "name": Jsonb({}), "fence": "f-shop",
            "window_start": minute(depart), "window_end": minute(depart + 200),
        }])  # fmt: skip


def add_stand(database: Database, vehicle: str, since: float, until: float | None) -> None:
    insert(database, "vehicle_stop", [{
        "vehicle": vehicle, "arrived_at": minute(since),
        "departed_at": None if until is None else minute(until), "lat": 31.5, "lon": 121.5,
    }])  # fmt: skip


def add_visit(database: Database, vehicle: str, fence: str, since: float, until: float) -> None:
    insert(database, "visit", [{
        "vehicle": vehicle, "fence": fence, "entered_at": minute(since),
        "exited_at": minute(until),
    }])  # fmt: skip


def add_trip(database: Database, vehicle: str, since: float, until: float) -> None:
    insert(database, "trip", [{
        "vehicle": vehicle, "started_at": minute(since), "ended_at": minute(until),
        "start_lat": 31, "start_lon": 121, "end_lat": 31, "end_lon": 121, "distance_m": 1000,
    }])  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_a_trips_mean_load_is_that_of_its_minutes(database: Database, seed: int) -> None:
    fleet = add_fleet(database, seed, 6, 3 * DAY)
    random = Random(seed)
    lines: list[dict[str, Any]] = []
    for number in range(500):
        ends = ["sha/door", f"vehicle/{random.choice(list(fleet))}"]
        random.shuffle(ends)
        lines.append(
            movement(
                minute(random.randint(0, 3 * DAY)), number, from_location=ends[0],
                to_location=ends[1], quantity=random.randint(1, 50),
            )
        )  # fmt: skip
    add_ledger(database, lines)
    since, until = 300, 2 * DAY
    rows = whole(
        database, TRIP_LOADS, limit=4, since=minute(since), until=minute(until), expire_s=86400.0
    )
    assert len(rows) > 20
    by_vehicle: dict[str, list[int]] = {}
    for vehicle in fleet:
        load = [0] * (3 * DAY + 1)
        for line in lines:
            sign = (line["to_location"] == f"vehicle/{vehicle}") - (
                line["from_location"] == f"vehicle/{vehicle}"
            )
            begin = round((line["occurred_at"] - minute(0)).total_seconds() / 60)
            for at in range(begin, len(load)):
                load[at] += sign * line["quantity"]
        by_vehicle[vehicle] = load
    expected = [
        (vehicle, minute(begin))
        for vehicle, timeline in fleet.items()
        for begin, _, letter in timeline.spells
        if letter == "m" and since <= begin < until
    ]
    assert [(row.vehicle, row.started_at) for row in rows] == expected
    for row in rows:
        begin = round((row.started_at - minute(0)).total_seconds() / 60)
        minutes = by_vehicle[row.vehicle][begin : begin + round(row.driven_s / 60)]
        assert row.mean_units == pytest.approx(sum(minutes) / len(minutes))
        assert row.units_at_start == minutes[0]
        assert (row.shipment, row.planned_units, row.mean_share) == (None, None, None)


def test_the_plan_comes_from_orders_else_from_announced_pallets(database: Database) -> None:
    add_site(database)
    add_vehicles(database, ("t01", "t02"))
    add_shipment(database, "SH-1", "t01", 60)
    add_shipment(database, "SH-2", "t02", 60)
    product = {"gtin": GTIN, "name": Jsonb({}), "lot_tracked": False, "unit": "piece"}
    insert(database, "product", [product])
    insert(database, "sales_order", [{
        "sales_order": "SO-1", "customer": "shop", "site": "sha", "promised_at": minute(0),
        "priority": 1, "shipment": "SH-1",
    }])  # fmt: skip
    insert(database, "sales_order_line", [{"sales_order": "SO-1", "gtin": GTIN, "quantity": 80}])
    insert(database, "party", [{"party": "acme", "role": "supplier", "name": Jsonb({})}])
    order = {"purchase_order": "PO-1", "supplier": "acme", "site": "sha", "expected_at": minute(0)}
    insert(database, "purchase_order", [order])
    for number in range(3):
        sscc = f"{number:018}"
        insert(database, "asn_pallet", [{
            "sscc": sscc, "purchase_order": "PO-1", "gtin": GTIN, "lot": "", "quantity": 40,
        }])  # fmt: skip
        insert(database, "shipment_lpn", [{"shipment": "SH-2", "lpn": sscc}])
    for vehicle in ("t01", "t02"):
        add_trip(database, vehicle, 70, 120)
        add_trip(database, vehicle, 300, 330)
    insert(database, "stop_arrival", [
        {"shipment": "SH-1", "seq": 2, "vehicle": "t01", "arrived_at": minute(121)}
    ])  # fmt: skip
    add_ledger(database, [
        movement(minute(5), 1, from_location="sha/d", to_location="vehicle/t01", quantity=60),
    ])  # fmt: skip
    asked: dict[str, Any] = {"since": minute(0), "until": minute(DAY), "expire_s": 3600.0}
    rows = whole(database, TRIP_LOADS, **asked)
    assert [
        (row.vehicle, row.shipment, row.planned_by, row.planned_units, row.planned_lpns,
         row.mean_share)
        for row in rows
    ] == [
        ("t01", "SH-1", "orders", 80, None, 0.75),
        ("t01", None, None, None, None, None),  # Its last stop was reached: an empty run home.
        ("t02", "SH-2", "asn", 120, 3, 0.0),
        ("t02", "SH-2", "asn", 120, 3, 0.0),
    ]  # fmt: skip
    assert whole(database, TRIP_LOADS, **asked, shipment="SH-1") == rows[:1]


def add_breakdowns(database: Database) -> None:
    add_site(database)
    names = ("t01", "t02", "t03", "t04", "t05", "t06")
    add_vehicles(database, names)
    insert(database, "vehicle_state", (
        {"vehicle": name, "fix_time": minute(600), "lat": 31, "lon": 121} for name in names
    ))  # fmt: skip
    for number, name in enumerate(names[:5]):
        add_shipment(database, f"SH-{number}", name, 60)
    add_stand(database, "t01", 0, 61)  # Stood before it left.
    add_stand(database, "t01", 100, 160)  # A breakdown.
    add_stand(database, "t01", 170, 180)  # A traffic light.
    add_stand(database, "t02", 100, 160)  # At the customer's.
    add_visit(database, "t02", "f-shop", 99, 161)
    add_stand(database, "t03", 100, 160)  # In a fence that is nobody's place.
    add_visit(database, "t03", "f-lake", 99, 161)
    add_stand(database, "t04", 200, 400)  # After its last stop.
    insert(database, "stop_arrival", [
        {"shipment": "SH-3", "seq": 2, "vehicle": "t04", "arrived_at": minute(190)}
    ])  # fmt: skip
    add_stand(database, "t05", 240, None)  # Still there.
    add_stand(database, "t06", 100, 500)  # Not on a shipment.
    insert(database, "fix", [
        raw("gps-t06", minute(at), at) | {"lat": 31.25, "lon": 121.0 + at / 1000}
        for at in (200, 210, 220)
    ])  # fmt: skip
    told = [(205, 0.0), (210, 1.0), (220, 1.0), (225, 0.0), (400, 1.0)]
    add_telemetry(database, "gps-t06", "breakdown", ((minute(at), value) for at, value in told))


BROKEN: dict[str, Any] = {
    "since": minute(50), "until": minute(500), "expire_s": 86400.0, "stood_s_min": 1800.0,
    "gap_s": 1800.0,
}  # fmt: skip


def test_a_truck_that_stands_on_its_way_is_found_and_one_at_a_customer_is_not(
    database: Database,
) -> None:
    add_breakdowns(database)
    rows = whole(database, BREAKDOWNS, limit=1, **BROKEN)
    ended: list[tuple[str, str, datetime, datetime | None, str | None]] = [
        ("t01", "stopped", minute(100), minute(160), "SH-0"),
        ("t03", "stopped", minute(100), minute(160), "SH-2"),
        ("t05", "stopped", minute(240), None, "SH-4"),
        ("t06", "reported", minute(210), minute(225), None),
        ("t06", "reported", minute(400), minute(400), None),
    ]
    assert [
        (row.vehicle, row.kind, row.started_at, row.ended_at, row.shipment) for row in rows
    ] == ended
    assert [row.lasted_s / 60 for row in rows] == [60, 60, 260, 15, 0]
    assert (rows[0].lat, rows[3].lat, rows[3].lon, rows[3].device) == (
        31.5, 31.25, pytest.approx(121.21), "gps-t06",
    )  # fmt: skip
    assert whole(database, BREAKDOWNS, **BROKEN, kind="reported") == rows[3:]
    assert whole(database, BREAKDOWNS, **BROKEN, vehicle="t03") == rows[1:2]
    earlier: dict[str, Any] = BROKEN | {"expire_s": -3600.0, "kind": "stopped"}
    overdue = whole(database, BREAKDOWNS, **earlier)
    assert [row.vehicle for row in overdue] == ["t01", "t03"], "due at 260, given up at 200"


def test_the_share_of_time_out_of_action_counts_only_time_on_a_shipment(
    database: Database,
) -> None:
    add_breakdowns(database)
    rows = whole(
        database, BREAKDOWN_SHARES, limit=2, since=minute(0), until=minute(300),
        expire_s=86400.0, window_s=600.0,
    )  # fmt: skip
    assert [(row.vehicle, row.windows, row.still) for row in rows] == [
        ("t01", 24, 7), ("t02", 24, 0), ("t03", 24, 6), ("t04", 13, 0), ("t05", 24, 6),
    ]  # fmt: skip
    assert rows[2].still_share == 0.25


def test_loads_of_the_past_week_are_not_summed_from_the_whole_ledger(
    database: Database, database_url: str
) -> None:
    add_fleet(database, 3, 4, 2 * DAY)
    add_ledger(database, [
        movement(
            minute((number - 11_000) * 10), number, from_location=f"sha/{number % 50}",
            to_location="vehicle/t01" if number % 200 == 0 else f"sha/{50 + number % 49}",
            quantity=1,
        )
        for number in range(12_000)
    ])  # fmt: skip
    database.execute("ANALYZE movement, trip")
    text = plan(database, TRIP_LOADS, since=minute(0), until=minute(2 * DAY), expire_s=86400.0)
    assert "movement_to_vehicle" in text, text
    if migrate.tier(database_url) != "plain":
        assert len(chunks(text)) <= 2, text
