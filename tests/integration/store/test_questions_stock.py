"""Questions about stock's past, against sums made in Python: a stock-taker who asks for last
Tuesday must get last Tuesday.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.integration.store.past_world import (
    GTIN,
    START,
    add_ledger,
    add_vehicles,
    chunks,
    insert,
    minute,
    movement,
    plan,
    raw,
    stock_after,
    whole,
)
from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.questions_stock import EPC_READS, MOVEMENTS, STOCK_AS_OF, VEHICLE_CONTENTS

GTINS = [f"{int(GTIN) + number:014}" for number in range(3)]
PLACES = ["sha/a", "sha/b", "sha/c", "vehicle/t01", "vehicle/t02", "supplier/acme", "customer/shop"]
PLATES = [f"39501101530000{number:04}" for number in range(6)]
DAYS = 100
LAST = START + timedelta(days=DAYS)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test", autocommit=True) as connection:
        yield connection


def random_ledger(seed: int, count: int = 400) -> list[dict[str, Any]]:
    random = Random(seed)
    lines: list[dict[str, Any]] = []
    for number in range(count):
        at = START + timedelta(minutes=random.randint(0, DAYS * 24 * 60))
        origin, target = random.sample(PLACES, 2)
        lpn = random.choice(["", "", *PLATES])
        lines.append(
            movement(
                at, number, from_location=origin, to_location=target, gtin=random.choice(GTINS),
                lot=random.choice(["", "L1"]), lpn=lpn, from_lpn=random.choice(["", lpn]),
                to_lpn=random.choice(["", lpn]), quantity=random.randint(1, 9),
                document=random.choice(["", "PO-1"]),
            )
        )  # fmt: skip
    return lines


def as_of(
    database: Database, at: datetime, *, outside: bool = True, **asked: Any
) -> dict[tuple[str, ...], int]:
    rows = whole(database, STOCK_AS_OF, at=at, outside=outside, **asked)
    found = {(row.location, row.gtin, row.lot, row.lpn): row.on_hand for row in rows}
    assert len(found) == len(rows)
    assert list(found) == sorted(found)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_stock_of_any_instant_is_the_sum_of_all_that_moved_before(
    database: Database, seed: int
) -> None:
    lines = random_ledger(seed)
    positions = add_ledger(database, lines)
    random = Random(seed)
    instants = [line["occurred_at"] for line in random.sample(lines, 8)]
    instants += [at - timedelta(microseconds=1) for at in instants[:4]]
    for at in [*instants, START - timedelta(days=1)]:
        assert as_of(database, at) == stock_after(lines, at), at
    assert as_of(database, LAST) == positions


def test_stock_of_an_instant_can_be_narrowed_to_what_was_asked(database: Database) -> None:
    lines = random_ledger(3)
    add_ledger(database, lines)
    at = minute(50 * 24 * 60)
    true = stock_after(lines, at)
    for number, name in enumerate(("location", "gtin", "lot", "lpn")):
        for value in {key[number] for key in true}:
            expected = {key: n for key, n in true.items() if key[number] == value}
            narrowed: dict[str, Any] = {name: value}
            assert as_of(database, at, **narrowed) == expected, narrowed
    inside = as_of(database, at, outside=False)
    assert inside == {key: n for key, n in true.items() if key[0][:4] in {"sha/", "vehi"}}


def test_pages_of_past_stock_leave_nothing_out_and_repeat_nothing(database: Database) -> None:
    lines = random_ledger(4)
    add_ledger(database, lines)
    at = minute(60 * 24 * 60)
    rows = whole(database, STOCK_AS_OF, at=at, outside=True)
    assert whole(database, STOCK_AS_OF, limit=7, at=at, outside=True) == rows
    history = whole(database, MOVEMENTS, since=START, until=LAST, gtin=GTINS[0])
    assert whole(database, MOVEMENTS, limit=7, since=START, until=LAST, gtin=GTINS[0]) == history


def test_what_a_vehicle_carried_names_its_plates_and_where_they_belong(database: Database) -> None:
    add_vehicles(database, ("t01", "t02"))
    site = {"site": "sha", "name": Jsonb({}), "lat": 31, "lon": 121, "time_zone": "UTC"}
    insert(database, "site", [site])
    product = {"gtin": GTIN, "name": Jsonb({"en": "Tea"}), "lot_tracked": False, "unit": "piece"}
    insert(database, "product", [product])
    shipment = {
        "shipment": "SH-1", "vehicle": "t02", "from_site": "sha", "depart_at": minute(60),
        "route": Jsonb([]), "planned_speed_mps": 15,
    }  # fmt: skip
    insert(database, "shipment", [shipment])
    insert(database, "shipment_lpn", [{"shipment": "SH-1", "lpn": PLATES[0]}])
    lines = [
        *random_ledger(5, 300),
        movement(
            minute(10), 1000, from_location="sha/a", to_location="vehicle/t01", lpn=PLATES[0],
            from_lpn=PLATES[0], to_lpn=PLATES[0], quantity=1000,
        ),
    ]  # fmt: skip
    add_ledger(database, lines)
    for at in (minute(10), minute(30 * 24 * 60), LAST):
        rows = whole(database, VEHICLE_CONTENTS, limit=3, vehicle="t01", at=at)
        true = {key[1:]: n for key, n in stock_after(lines, at).items() if key[0] == "vehicle/t01"}
        assert {(row.gtin, row.lot, row.lpn): row.quantity for row in rows} == true
        [plate] = [row for row in rows if (row.lpn, row.gtin, row.lot) == (PLATES[0], GTIN, "")]
        assert (plate.shipment, plate.planned_vehicle) == ("SH-1", "t02")
        assert plate.name == {"en": "Tea"}
        arrivals = [
            line["occurred_at"]
            for line in lines
            if line["lpn"] == PLATES[0] and line["to_location"] == "vehicle/t01"
        ]
        assert plate.loaded_at == max(instant for instant in arrivals if instant <= at)
    assert whole(database, VEHICLE_CONTENTS, vehicle="t01", at=START - timedelta(days=1)) == []


def test_the_way_of_an_item_is_found_by_product_lot_plate_document_and_place(
    database: Database,
) -> None:
    lines = random_ledger(6)
    add_ledger(database, lines)
    since, until = minute(20 * 24 * 60), minute(80 * 24 * 60)
    asked: list[dict[str, Any]] = [
        {"gtin": GTINS[1]},
        {"gtin": GTINS[1], "lot": "L1"},
        {"lpn": PLATES[2]},
        {"document": "PO-1"},
        {"gtin": GTINS[2], "location": "sha/b"},
    ]
    for filters in asked:
        place = filters.get("location")
        true = [
            line["stream_offset"]
            for line in sorted(
                lines, key=lambda one: (one["occurred_at"], one["stream_offset"]), reverse=True
            )
            if since <= line["occurred_at"] < until
            and all(line[name] == value for name, value in filters.items() if name != "location")
            and (place is None or place in (line["from_location"], line["to_location"]))
        ]
        assert true
        rows = whole(database, MOVEMENTS, limit=9, since=since, until=until, **filters)
        assert [row.stream_offset for row in rows] == true, filters


READ_EVERY = timedelta(minutes=15)
LINK = "https://id.gs1.org/00/395011015300000011"


def add_reads(database: Database) -> None:
    places = ("sha/door", "ber/gate")
    for site in ("sha", "ber"):
        name = {"site": site, "name": Jsonb({}), "lat": 31, "lon": 121, "time_zone": "UTC"}
        insert(database, "site", [name])
    for number, place in enumerate(places):
        insert(database, "location", [{
            "location": place, "site": place[:3], "zone": "dock", "gln": "9501101530003",
            "gln_extension": str(number),
        }])  # fmt: skip
        insert(database, "device", [{
            "device": f"portal-{number}", "kind": "rfid", "biz_step": "loading",
            "read_point": place,
        }])  # fmt: skip
    insert(database, "lpn", [{"lpn": "395011015300000011", "location": "vehicle/t01"}])
    reads: list[dict[str, Any]] = []
    for number in range(12_000):
        is_ours = number % 100 == 0
        epc = f"31{900_000 + number % 200 // 100 if is_ours else number:022X}"
        link = LINK if is_ours else f"https://id.gs1.org/00/{number:018}"
        reads.append(
            raw(f"portal-{number % 200 // 100}", START + number * READ_EVERY, number)
            | {
                "epc": epc, "presence": "arrived", "scheme": "sscc-96", "digital_link": link,
                "elements": Jsonb([["00", link[-18:]]]), "reads": 3,
            }
        )  # fmt: skip
    insert(database, "rfid_reading", reads)


def test_a_tag_is_found_where_it_was_read_by_its_hex_and_by_its_identity(
    database: Database,
) -> None:
    add_reads(database)
    since, until = START, START + 1000 * READ_EVERY
    reads = whole(database, EPC_READS, limit=4, since=since, until=until, digital_link=LINK)
    assert [row.time for row in reads] == [
        START + 100 * n * READ_EVERY for n in reversed(range(10))
    ]
    assert {(row.device, row.read_point, row.site) for row in reads} == {
        ("portal-0", "sha/door", "sha"), ("portal-1", "ber/gate", "ber"),
    }  # fmt: skip
    assert {(row.lpn, row.lpn_location_now) for row in reads} == {
        ("395011015300000011", "vehicle/t01")
    }
    by_hex = whole(database, EPC_READS, since=since, until=until, epc=reads[0].epc)
    assert by_hex == [row for row in reads if row.epc == reads[0].epc]
    assert len(by_hex) == 5


def test_looking_for_a_tag_reads_its_few_rows_and_not_the_months_around(
    database: Database, database_url: str
) -> None:
    add_reads(database)
    database.execute("ANALYZE rfid_reading")
    until = START + 12_000 * READ_EVERY
    since = until - timedelta(days=10)
    text = plan(database, EPC_READS, since=since, until=until, digital_link=LINK)
    assert re.search(r"Index.*rfid_reading_link_time", text), text
    assert not re.search(r"Seq Scan on \S*(rfid|hyper)", text), text
    if migrate.tier(database_url) != "plain":
        assert 1 <= len(chunks(text)) <= 3, text
        total = database.execute("SELECT count(*) FROM show_chunks('rfid_reading')").fetchone()
        assert total is not None
        assert total[0] > 10


def test_what_a_vehicle_carried_lately_is_not_summed_from_the_whole_ledger(
    database: Database, database_url: str
) -> None:
    random = Random(7)
    lines = [
        movement(
            START + timedelta(minutes=10 * number), number, quantity=1,
            from_location=f"sha/{random.randint(1, 50)}",
            to_location="vehicle/t01" if number % 100 == 0 else f"sha/{random.randint(51, 99)}",
        )
        for number in range(12_000)
    ]  # fmt: skip
    add_ledger(database, lines)
    database.execute("ANALYZE movement")
    early, late = START + timedelta(hours=300), START + timedelta(hours=1950)
    text = plan(database, VEHICLE_CONTENTS, vehicle="t01", at=early)
    assert "movement_to_vehicle" in text, text
    assert "movement_from_vehicle" in text, text
    lately = plan(database, STOCK_AS_OF, at=late, outside=True)
    if migrate.tier(database_url) != "plain":
        assert len(chunks(lately)) <= 2, lately
        assert len(chunks(plan(database, STOCK_AS_OF, at=early, outside=True))) >= 3
