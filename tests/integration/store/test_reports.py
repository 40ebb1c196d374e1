"""Reports against days so small that their sums are reckoned by hand: nothing is counted twice or
lost at midnight, at a change of the clocks, at the edge of a range or of a page; what nobody knows
is never told as good news.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from tests.integration.store.past_world import add_telemetry, insert
from tests.integration.store.report_world import (
    MONDAY,
    NOW,
    SHANGHAI,
    ask,
    fill,
    local,
    pages,
    question,
    shipment,
    trip,
    visit,
)
from tests.support import small_day
from waystock.contract.masterdata import (
    DetentionRate,
    Party,
    decode_master_data,
    encode_master_data,
)
from waystock.reports.columns import Row
from waystock.reports.sums import sums_of
from waystock.store.api import UnusableValueError
from waystock.store.connection import Database, connect
from waystock.store.masterdata import import_master_data
from waystock.store.reports import time_zone_of, why_empty

DAY = timedelta(days=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test") as connection:
        fill(connection)
        yield connection


def starts(rows: list[Row]) -> list[object]:
    return [row["started_at"] for row in rows]


def test_a_trip_over_midnight_is_whole_on_the_day_it_began_and_in_no_other(
    database: Database,
) -> None:
    insert(database, "trip", [
        trip("t01", local(23, 8), local(23, 9), 40),
        trip("t01", local(23, 23, 30), local(24, 1), 90),
        trip("t02", local(24, 0), local(24, 1), 30),
    ])  # fmt: skip
    monday = ask(database, "trips", last_day=MONDAY)
    assert [(row["day"], row["distance_km"], row["driven_min"]) for row in monday] == [
        (MONDAY, 40, 60), (MONDAY, 90, 90),
    ]  # fmt: skip
    tuesday = ask(database, "trips", first_day=MONDAY + DAY, last_day=MONDAY + DAY)
    assert starts(tuesday) == [local(24, 0)]
    assert starts(ask(database, "trips")) == starts(monday + tuesday)
    assert [row["mean_speed_kmh"] for row in monday] == [pytest.approx(40), pytest.approx(60)]


def test_however_a_range_is_cut_the_parts_add_up_to_the_whole(database: Database) -> None:
    insert(database, "trip", [
        trip("t01", local(23, hour), local(23, hour + 3), 10 + hour) for hour in range(0, 120, 4)
    ])  # fmt: skip
    for name, column in (
        ("trips", "distance_km"),
        ("mileage", "distance_km"),
        ("mileage", "trips"),
    ):
        asked = question(database, name)
        whole = sums_of(asked.report, ask(database, name)).total(column)
        for days in (1, 2, 3):
            parts = 0.0
            for since in range(0, 7, days):
                first = MONDAY + since * DAY
                last = min(first + (days - 1) * DAY, MONDAY + 6 * DAY)
                rows = ask(database, name, first_day=first, last_day=last)
                parts += sums_of(asked.report, rows).total(column) or 0
            assert parts == pytest.approx(whole), (name, column, days)
        assert whole


def test_pages_hold_each_row_once(database: Database) -> None:
    insert(database, "trip", [
        trip(vehicle, local(23, hour), local(23, hour + 1), 5)
        for vehicle in ("t01", "t02") for hour in range(0, 40, 2)
    ])  # fmt: skip
    insert(database, "vehicle_stop", [
        {"vehicle": vehicle, "arrived_at": local(23, hour), "departed_at": local(23, hour + 1),
         "lat": 31.0, "lon": 121.0}
        for vehicle in ("t01", "t02") for hour in range(1, 40, 2)
    ])  # fmt: skip
    insert(database, "visit", [
        visit(vehicle, fence, local(23, hour), local(23, hour + 1))
        for vehicle in ("t01", "t02") for hour in range(1, 40, 2) for fence in ("yard", "f-shop")
    ])  # fmt: skip
    shipment(database, "S1", "t01", local(23, 1), ("f-shop", "shop", local(23, 9), None),
             ("f-mill", "mill", local(23, 10), local(23, 9)))  # fmt: skip
    for name, per in (
        ("trips", "day"), ("stops", "day"), ("visits", "day"), ("detention", "day"),
        ("mileage", "day"), ("mileage", "week"), ("punctuality", "day"),
    ):  # fmt: skip
        asked = question(database, name, per=per)
        whole = ask(database, name, per=per)
        split = [row for page in pages(database, asked, 1) for row in page]
        assert split == whole, name
        assert len(whole) > 1 or name == "detention", name


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_on_which_the_clocks_change_has_its_hour_more_or_less(
    database: Database, day: date, hours: int
) -> None:
    """A trip begins every half an hour of UTC around the day; Berlin's day has 23, 24 or 25 h."""
    half_hour = timedelta(minutes=30)
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - 2 * DAY
    insert(database, "trip", [
        trip("t01", begin + n * half_hour, begin + (n + 0.5) * half_hour, 1) for n in range(250)
    ])  # fmt: skip
    zone = {"time_zone": "Europe/Berlin", "first_day": day, "last_day": day}
    assert len(ask(database, "trips", **zone)) == 2 * hours
    [mileage] = [row for row in ask(database, "mileage", **zone) if row["vehicle"] == "t01"]
    assert (mileage["trips"], mileage["first_day"]) == (2 * hours, day)
    around = zone | {"first_day": day - DAY, "last_day": day + DAY}
    assert len(ask(database, "trips", **around)) == 2 * (48 + hours)


def test_a_trip_under_way_is_told_as_far_as_it_has_come(database: Database) -> None:
    insert(database, "trip", [trip("t01", local(26, 18), None, None)])
    insert(database, "vehicle_state", [{
        "vehicle": "t01", "fix_time": local(26, 19, 30), "lat": 31.2, "lon": 121.2,
        "trip_started_at": local(26, 18), "trip_m": 45_000,
    }])  # fmt: skip
    [row] = ask(database, "trips")
    assert (row["is_open"], row["ended_at"]) == (True, None)
    assert (row["driven_min"], row["distance_km"]) == (90, 45)
    assert (row["end_lat"], row["end_lon"]) == (31.2, 121.2)
    # Without a distance there is none, not 0.
    database.execute("UPDATE vehicle_state SET trip_started_at = NULL, trip_m = NULL")
    [row] = ask(database, "trips")
    assert row["distance_km"] is None


def test_a_trip_tells_from_where_to_where_and_on_which_shipment(database: Database) -> None:
    shipment(database, "S1", "t01", local(23, 8), ("f-shop", "shop", local(23, 10), local(23, 9)))
    insert(database, "visit", [
        visit("t01", "yard", local(23, 5), local(23, 8, 5)),
        visit("t01", "f-shop", local(23, 9), None),
    ])  # fmt: skip
    insert(database, "trip", [
        trip("t01", local(23, 8, 1), local(23, 9, 1), 40),
        trip("t02", local(23, 8), local(23, 9), 9),
    ])  # fmt: skip
    first, second = ask(database, "trips")
    assert [first[name] for name in ("from_fence", "to_fence", "shipment", "site", "carrier")] == [
        "yard", "f-shop", "S1", "sha", "swift",
    ]  # fmt: skip
    assert (second["from_fence"], second["shipment"], second["site"]) == (None, None, None)
    for narrowed in (
        {"carrier": "swift"},
        {"site": "sha"},
        {"customer": "shop"},
        {"vehicle": "t01"},
    ):
        assert ask(database, "trips", **narrowed) == [first], narrowed
    assert ask(database, "trips", customer="mill") == []


def test_a_stand_at_a_customers_names_the_shipment_that_brought_it_there(
    database: Database,
) -> None:
    shipment(database, "S1", "t01", local(23, 8), ("f-shop", "shop", local(23, 10), local(23, 9)))
    insert(database, "visit", [visit("t01", "f-shop", local(23, 9), local(23, 11))])
    insert(database, "vehicle_stop", [
        {"vehicle": "t01", "arrived_at": local(23, 9, 1), "departed_at": local(23, 10, 31),
         "lat": 31.0, "lon": 121.5},
        {"vehicle": "t01", "arrived_at": local(23, 12), "departed_at": local(23, 12, 30),
         "lat": 31.0, "lon": 121.7},
    ])  # fmt: skip
    at_shop, elsewhere = ask(database, "stops")
    told = ("fence", "fence_kind", "customer", "shipment", "stood_min")
    assert [at_shop[name] for name in told] == ["f-shop", "customer", "shop", "S1", 90]
    assert (elsewhere["fence"], elsewhere["shipment"], elsewhere["stood_min"]) == (None, None, 30)
    assert ask(database, "stops", customer="shop") == [at_shop]


def mileage(database: Database, **asked: object) -> list[tuple[object, ...]]:
    return [
        (row["first_day"], round(float(str(row["distance_km"])), 3), row["measured_by"])
        for row in ask(database, "mileage", **{"vehicle": "t01"} | asked)
    ]


def test_kilometres_go_by_the_odometer_where_it_tells_and_by_fixes_where_it_does_not(
    database: Database,
) -> None:
    insert(database, "trip", [
        trip("t01", local(23, 20), local(23, 22), 95),
        trip("t01", local(24, 23), local(25, 1), 60),
        trip("t01", local(25, 9), local(25, 10), 50),
    ])  # fmt: skip
    add_telemetry(database, "gps-t01", "odometer_m", [
        (local(22, 18), 1_000_000),  # parked over night: known although hours apart
        (local(23, 19), 1_000_000), (local(23, 22), 1_100_000),
        (local(24, 22), 1_100_000), (local(24, 23, 50), 1_120_000), (local(25, 0, 10), 1_140_000),
        (local(25, 1), 1_160_000),
        (local(25, 12), 5_000),  # another odometer
        (local(26, 3), 5_000), (local(26, 19), 8_000),
    ])  # fmt: skip
    insert(database, "vehicle_state", [
        {"vehicle": "t01", "fix_time": local(26, 19, 10), "lat": 31.0, "lon": 121.0}
    ])  # fmt: skip
    assert mileage(database, last_day=MONDAY + 3 * DAY) == [
        (MONDAY, 100.0, "odometer"),
        (MONDAY + DAY, 30.0, "odometer"),  # midnight between 1120 and 1140 km
        (MONDAY + 2 * DAY, 80.0, "fixes"),  # half of the trip over midnight, by time, and 50
        (MONDAY + 3 * DAY, 3.0, "odometer"),
    ]
    week = mileage(database, per="week")
    assert week == [(MONDAY, 213.0, "both")]
    assert mileage(database, per="month", first_day=MONDAY + DAY) == [(MONDAY + DAY, 113.0, "both")]


def test_an_odometer_that_fell_silent_while_the_truck_drove_on_is_not_believed(
    database: Database,
) -> None:
    insert(database, "trip", [trip("t01", local(23, 8), local(23, 12), 200)])
    add_telemetry(database, "gps-t01", "odometer_m", [
        (local(22, 18), 1_000_000), (local(23, 7), 1_000_000), (local(23, 9), 1_050_000),
    ])  # fmt: skip
    insert(database, "vehicle_state", [
        {"vehicle": "t01", "fix_time": local(24, 9), "lat": 31.0, "lon": 121.0}
    ])  # fmt: skip
    assert mileage(database, last_day=MONDAY) == [(MONDAY, 200.0, "fixes")]


def rate(database: Database, per_h: float, currency: str = "CNY", **fields: object) -> None:
    insert(database, "detention_rate", [{"rate_per_h": per_h, "currency": currency} | fields])


def test_waiting_costs_what_the_rate_nearest_to_the_case_says(database: Database) -> None:
    shipment(database, "S1", "t01", local(23, 8), ("f-shop", "shop", local(23, 10), local(23, 9)))
    shipment(database, "S2", "t02", local(23, 8), ("f-mill", "mill", local(23, 10), local(23, 9)))
    insert(database, "visit", [
        visit("t01", "f-shop", local(23, 9), local(23, 12)),
        visit("t01", "yard", local(23, 20), local(24, 8)),
        visit("t02", "f-mill", local(23, 9), local(23, 14, 20)),
    ])  # fmt: skip

    def costs() -> list[tuple[object, ...]]:
        return [
            (row["fence"], row["free_min"], row["detention_h"], row["cost"], row["currency"])
            for row in ask(database, "detention")
        ]

    hours, hours_more = pytest.approx(3 + 1 / 3), pytest.approx(4 + 1 / 3)
    assert costs() == [("f-shop", 120, 1, None, None), ("f-mill", 120, hours, None, None)]
    rate(database, 90)
    assert costs() == [("f-shop", 120, 1, 90, "CNY"), ("f-mill", 120, hours, 300, "CNY")]
    rate(database, 80, carrier="steady", free_s=3600)
    assert costs()[1] == ("f-mill", 60, hours_more, 346.67, "CNY")
    rate(database, 50, "EUR", customer="mill")
    database.execute("UPDATE fence SET dwell_limit_s = 1800 WHERE fence = 'f-mill'")
    assert costs()[1] == ("f-mill", 30, pytest.approx(4 + 50 / 60), 241.67, "EUR")
    # The yard of a site costs where somebody set a rate for it.
    rate(database, 10, site="sha", free_s=7200)
    assert costs()[1] == ("yard", 120, 10, 100, "CNY")
    assert sums_of(question(database, "detention").report, ask(database, "detention")).money() == {
        "cost": {"CNY": 190.0, "EUR": 241.67}
    }
    assert [row["detention_min"] for row in ask(database, "visits")] == [60, 600, 290]


def test_a_visit_under_way_counts_to_the_last_fix_and_one_in_no_such_fence_has_no_clock(
    database: Database,
) -> None:
    insert(database, "visit", [
        visit("t01", "f-shop", local(26, 8), None),
        visit("t01", "yard", local(26, 1), local(26, 7)),
    ])  # fmt: skip
    insert(database, "vehicle_state", [
        {"vehicle": "t01", "fix_time": local(26, 10, 30), "lat": 31.0, "lon": 121.5}
    ])  # fmt: skip
    yard, shop = ask(database, "visits")
    assert (yard["dwell_min"], yard["free_min"], yard["detention_min"]) == (360, None, None)
    assert (shop["dwell_min"], shop["is_open"], shop["detention_min"]) == (150, True, 30)
    assert [row["fence"] for row in ask(database, "detention")] == ["f-shop"]


def test_what_nobody_knows_is_unknown_and_never_on_time(database: Database) -> None:
    ends = local(24, 10)
    for number, (arrived, closed) in enumerate((
        (local(24, 9), None), (local(24, 10, 4), None), (local(24, 10, 6), None),
        (local(24, 12), None), (None, None), (None, local(24, 7)),
    )):  # fmt: skip
        shipment(database, f"S{number}", "t01", local(24, 6), ("f-shop", "shop", ends, arrived),
                 closed=closed)  # fmt: skip
    # Of t02 it is known where it was when the grace was over: driving, elsewhere.
    shipment(database, "S8", "t02", local(24, 6), ("f-shop", "shop", ends, None))
    insert(database, "trip", [trip("t02", local(24, 9), local(24, 11), 50)])
    # Not due yet.
    shipment(database, "S9", "t02", local(26, 6), ("f-shop", "shop", local(26, 21), None))
    [lane] = ask(database, "punctuality")
    assert lane["code"] == "sha → f-shop"
    assert [lane[name] for name in ("planned", "on_time", "late", "unknown")] == [6, 2, 3, 1]
    assert lane["on_time_share"] == pytest.approx(2 / 5)
    assert lane["mean_late_min"] == pytest.approx((0 + 4 + 6 + 120) / 4)
    assert lane["p90_late_min"] == pytest.approx(6 + 0.7 * 114)
    carriers = ask(database, "punctuality", by="carrier")
    assert [(row["code"], row["on_time"], row["late"], row["unknown"]) for row in carriers] == [
        ("steady", 0, 1, 0), ("swift", 2, 2, 1),
    ]  # fmt: skip
    strict = ask(database, "punctuality", by="customer", grace_min=0)
    assert [(row["code"], row["on_time"], row["late"]) for row in strict] == [("shop", 1, 4)]


def test_an_empty_report_says_why_it_is_empty(database: Database) -> None:
    def why(name: str = "trips", **asked: object) -> tuple[object, ...]:
        assert ask(database, name, **asked) == []
        empty = why_empty(database, question(database, name, **asked), NOW)
        return empty.why, empty.first_day, empty.last_day

    assert why() == ("nothing_yet", None, None)
    insert(database, "trip", [trip("t01", local(20, 1), local(20, 2), 9)])
    friday = date(2026, 11, 20)
    assert why() == ("outside", friday, friday)
    insert(database, "trip", [trip("t01", local(28, 1), local(28, 2), 9)])
    assert why(last_day=MONDAY) == ("nothing", friday, date(2026, 11, 28))
    assert why(vehicle="t02") == ("filters", friday, date(2026, 11, 28))
    for name in ("stops", "visits", "detention", "punctuality"):
        assert why(name)[0] == "nothing_yet"


def test_what_cannot_be_asked_is_refused_in_words(database: Database) -> None:
    for name, asked, said in (
        ("trips", {"first_day": MONDAY + 9 * DAY}, "is after the last"),
        ("trips", {"first_day": MONDAY - 366 * DAY}, "more than 366 days"),
        ("trips", {"vehicle": "t99"}, "there is no vehicle 't99'"),
        ("trips", {"carrier": "shop"}, "there is no carrier 'shop'"),
        ("trips", {"customer": "a\x00b"}, "can't be used"),
        ("mileage", {"customer": "shop"}, "can't be narrowed by it, only by vehicle, site"),
        ("trips", {"time_zone": "Mars/Olympus"}, "one is Europe/Berlin"),
        ("trips", {"time_zone": "../etc/passwd"}, "none that this server knows"),
    ):  # fmt: skip
        with pytest.raises(UnusableValueError, match=said):
            question(database, name, **asked)
        database.rollback()
        fill(database)
    assert time_zone_of(database, None) == time_zone_of(database, "sha") == SHANGHAI
    with pytest.raises(UnusableValueError, match="no site 'ber', but sha"):
        time_zone_of(database, "ber")
    database.execute("INSERT INTO site SELECT 'ber', name, lat, lon, 'Europe/Berlin' FROM site")
    with pytest.raises(UnusableValueError, match="Asia/Shanghai, Europe/Berlin"):
        time_zone_of(database, None)


def test_carriers_and_rates_come_with_the_master_data_and_again_change_nothing(
    database_url: str,
) -> None:
    day = small_day.master_data()
    told = msgspec.structs.replace(
        day,
        parties=(*day.parties, Party(party="swift", role="carrier", name={"en": "Swift"})),
        vehicles=tuple(msgspec.structs.replace(one, carrier="swift") for one in day.vehicles),
        detention_rates=(
            DetentionRate(rate_per_h=90.5, currency="CNY"),
            DetentionRate(rate_per_h=40, currency="EUR", customer="shop", free_s=3600),
        ),
    )
    read = decode_master_data(encode_master_data(told))
    assert read == told
    with connect(database_url, "test") as database:
        for _ in range(2):
            import_master_data(database, read)
        rates = database.execute(
            "SELECT customer, free_s, rate_per_h::float8, currency FROM detention_rate ORDER BY 3"
        ).fetchall()
        assert rates == [("shop", 3600, 40, "EUR"), (None, None, 90.5, "CNY")]
        assert {one["carrier"] for one in ask(database, "mileage")} == {"swift"}
        stray = msgspec.structs.replace(
            told, vehicles=(msgspec.structs.replace(day.vehicles[0], carrier="nobody"),)
        )
        with pytest.raises(ValueError, match="no party 'nobody' to be its carrier"):
            import_master_data(database, stray)
