"""The queries that ingest, screens and the api ask all the time look only into the chunks of the
time that they are about: what is asked costs the same after a year as on the first day. Planned and
run on TimescaleDB with data over many chunks.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.postgres import DatabaseServer
from waystock.store.connection import Database, connect
from waystock.store.sql import queries

pytestmark = pytest.mark.timescale

HOUR = timedelta(hours=1)
FILL = (
    "INSERT INTO vehicle SELECT 'v' || n, 'plate' FROM generate_series(0, 2) AS n",
    "INSERT INTO device SELECT 'gps-' || n, 'gps', 'tracking', NULL, 'v' || n"
    " FROM generate_series(0, 2) AS n",
    "INSERT INTO device SELECT 's-' || n, 'scanner', 'receiving' FROM generate_series(0, 2) AS n",
    "INSERT INTO fix (time, captured_at, received_at, stream_id, stream_offset, device, clock,"
    " quality, lat, lon) SELECT %(now)s - n * interval '10 min', now(), now(), 1, n,"
    " 'gps-' || n %% 3, 'gps', '{}', 0, 0 FROM generate_series(1, 3000) AS n",
    "INSERT INTO barcode_reading (time, captured_at, received_at, stream_id, stream_offset, device,"
    " clock, quality, aim, format, data, elements, repeats) SELECT %(now)s - n * interval '1 h',"
    " now(), now(), 1, n, 's-' || n %% 3, 'gateway', '{}', '', '', '', '[]', 1"
    " FROM generate_series(1, 1500) AS n",
    "INSERT INTO rfid_reading (time, captured_at, received_at, stream_id, stream_offset, device,"
    " clock, quality, epc, presence, scheme, elements, reads) SELECT"
    " %(now)s - n * interval '1 h', now(), now(), 1, n, 's-' || n %% 3, 'gateway', '{}',"
    " 'e' || n %% 50, '', '', '[]', 1 FROM generate_series(1, 1500) AS n",
    "INSERT INTO movement SELECT at, at, NULL, 1, n, 0, 'storing', 'sha/a', 'sha/b', 'g' || n %% 5,"
    " '', '', '', 'l' || n %% 500, 1, 'PO-' || n %% 50, 's-1' FROM generate_series(1, 8000) AS n,"
    " LATERAL (SELECT %(now)s - n * interval '1 h') AS instant (at)",
)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def year(timescale_server: DatabaseServer, now: datetime) -> Iterator[Database]:
    """Three weeks of fixes, two months of scans, most of a year of movements."""
    with timescale_server.migrated_database() as url, connect(url, "test") as database:
        for statement in FILL:
            database.execute(statement, {"now": now})  # pyright: ignore[reportArgumentType]
        database.commit()
        yield database


def chunks_of(database: Database, table: str) -> int:
    row = database.execute("SELECT count(*) FROM show_chunks(%s::regclass)", (table,)).fetchone()
    assert row
    return row[0]


def looked_into(database: Database, module: str, name: str, **parameters: object) -> set[str]:
    """The chunks that a query opens: those in its plan that are executed."""
    explain = "EXPLAIN (ANALYZE, FORMAT JSON) " + queries(module)[name]
    row = database.execute(explain, parameters).fetchone()  # pyright: ignore[reportArgumentType]
    assert row
    return set(_executed(row[0][0]["Plan"]))


def _executed(node: dict[str, Any]) -> Iterator[str]:
    name = node.get("Relation Name", "")
    if name.startswith("_hyper") and node["Actual Loops"]:
        yield name
    for child in node.get("Plans", ()):
        yield from _executed(child)


def test_folding_again_reads_the_hours_it_folds_not_the_year(year: Database, now: datetime) -> None:
    assert chunks_of(year, "fix") > 20
    since = [now - HOUR, now - 2 * HOUR]
    opened = looked_into(
        year, "fleet", "fixes_since", places=[0, 1], devices=["gps-0", "gps-1"],
        from_at=[now - 9_000 * HOUR] * 2, until_at=[now] * 2, since=since, first=min(since),
    )  # fmt: skip
    assert 1 <= len(opened) <= 2


def test_understanding_a_scan_reads_its_minutes_not_the_year(year: Database, now: datetime) -> None:
    assert chunks_of(year, "barcode_reading") > 8
    assert chunks_of(year, "rfid_reading") > 8
    opened = looked_into(
        year, "stock", "scans", devices=["s-1", "s-2"], since=[now - HOUR] * 2, until=[now] * 2,
        first=now - HOUR, last=now,
    )  # fmt: skip
    assert 1 <= len(opened) <= 4
    opened = looked_into(
        year, "stock", "scans_around", devices=["s-1", "s-2"], since=[now - HOUR] * 2,
        firsts=[now - HOUR / 2] * 2, until=[now] * 2, rows=6, first=now - HOUR, last=now,
    )  # fmt: skip
    assert 1 <= len(opened) <= 4


def test_a_pallet_s_movements_are_looked_for_where_its_scans_were(
    year: Database, now: datetime
) -> None:
    assert chunks_of(year, "movement") > 10
    opened = looked_into(
        year, "stock", "movements_of_lpns", lpns=["l1", "l2"], first=now - 30 * HOUR, last=now
    )
    assert 1 <= len(opened) <= 2
    opened = looked_into(
        year, "stock", "remove_movements", occurred_at=[now - HOUR], stream_ids=[1],
        stream_offsets=[1], lines=[0], first=now - HOUR, last=now - HOUR,
    )  # fmt: skip
    assert len(opened) == 1
    year.rollback()


def test_whether_stock_is_low_is_asked_of_the_time_that_changed(
    year: Database, now: datetime
) -> None:
    opened = looked_into(
        year, "stock", "level_changes", sites=["sha"], gtins=["g1"], since=[now - HOUR],
        first=now - HOUR,
    )  # fmt: skip
    assert 1 <= len(opened) <= 2


def test_the_ticker_of_movements_does_not_open_the_whole_ledger(year: Database) -> None:
    for keys in (None, ["1-1-0"]):
        opened = looked_into(year, "live", "movements", keys=keys)
        assert 1 <= len(opened) <= 3


def test_a_track_costs_what_it_shows_and_its_last_page_no_more_than_its_first(
    year: Database, now: datetime
) -> None:
    week = {"vehicle": "v1", "since": now - 7 * 24 * HOUR, "until": now, "limit": 100}
    day = week | {"since": now - 24 * HOUR, "after": None}
    assert 1 <= len(looked_into(year, "api", "track", **day)) <= 2
    after = [(now - HOUR).isoformat(), "1", "5"]
    assert 1 <= len(looked_into(year, "api", "track", **(week | {"after": after}))) <= 2


def test_where_a_vehicle_is_now_needs_no_chunk_at_all(year: Database) -> None:
    assert looked_into(year, "live", "transit", keys=["v1"], locations=["vehicle/v1"]) == set()
    filters = dict.fromkeys(("site", "shipment", "motion", "off_route", "after"))
    assert looked_into(year, "api", "vehicles", vehicle="v1", limit=10, **filters) == set()
