"""The store on each tier: migrations, import, live entities, the ledger's check."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.support.small_day import RICE, START, master_data
from waystock.contract.live import AlertEntity, StockEntity, TransitEntity
from waystock.contract.masterdata import MasterData, encode_master_data
from waystock.store import audit, command, migrate
from waystock.store.connection import connect
from waystock.store.live import load_entities
from waystock.store.masterdata import import_master_data


def import_day(database_url: str, day: MasterData | None = None) -> tuple[int, int]:
    with connect(database_url, "test") as database:
        done = import_master_data(database, day or master_data())
    return done.opening_booked, done.opening_known


def test_migrating_again_changes_nothing_and_the_tier_is_named(
    empty_database_url: str, request: pytest.FixtureRequest
) -> None:
    first = migrate.migrate(empty_database_url)
    assert first == sorted(first)
    assert len(first) > 3
    assert migrate.migrate(empty_database_url) == []
    assert migrate.pending(empty_database_url) == []
    assert migrate.tier(empty_database_url) in request.node.name


def test_on_timescale_readings_lie_in_hypertables(database_url: str) -> None:
    if migrate.tier(database_url) == "plain":
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "SELECT time_bucket('15 minutes', '2026-11-23 06:14:59Z'::timestamptz)"
            ).fetchone()
        assert row is not None
        assert row[0].isoformat() == "2026-11-23T06:00:00+00:00"
        return
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        ).fetchall()
    names = {row[0] for row in rows}
    assert {"barcode_reading", "rfid_reading", "fix", "movement"} <= names


def test_the_same_document_imported_again_books_no_stock_twice(database_url: str) -> None:
    assert import_day(database_url) == (1, 0)
    assert import_day(database_url) == (0, 1)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT sum(on_hand) FROM stock_position WHERE on_hand > 0")
        assert row.fetchone() == (100,)
    assert audit.verify_ledger(database_url) == (2, [])


def test_a_changed_document_changes_what_it_names(database_url: str) -> None:
    import_day(database_url)
    day = master_data()
    renamed = msgspec.structs.replace(day.sites[0], name={"en": "Qingpu", "zh": "青浦"})
    import_day(database_url, msgspec.structs.replace(day, sites=(renamed,)))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT name->>'en' FROM site").fetchall() == [("Qingpu",)]


def test_a_document_that_names_what_is_not_there_is_refused_whole(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    day = master_data()
    lost = msgspec.structs.replace(day.devices[4], vehicle="t99")
    file = tmp_path / "day.json"
    file.write_bytes(encode_master_data(msgspec.structs.replace(day, devices=(lost,))))
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", database_url)
    assert command.run(["import", str(file)]) == 1
    assert "t99" in capsys.readouterr().err
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM site").fetchone() == (0,)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"{", "truncated"),
        (b'{"v": 2}', "$.v"),
        (b'{"v": 1, "vehicles": [{"vehicle": "T 1", "plate": "x"}]}', "$.vehicles[0].vehicle"),
        (b'{"v": 1, "vehicels": []}', "vehicels"),
    ],
)
def test_a_spoilt_document_is_refused_with_the_spot(
    plain_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    document: bytes,
    told: str,
) -> None:
    file = tmp_path / "day.json"
    file.write_bytes(document)
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", plain_database_url)
    assert command.run(["import", str(file)]) == 2
    assert told in capsys.readouterr().err


def test_commands_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WAYSTOCK_DATABASE_URL", raising=False)
    assert command.run(["info"]) == 2
    assert "WAYSTOCK_DATABASE_URL" in capsys.readouterr().err


def test_entities_asked_for_by_key_are_those_of_the_snapshot(database_url: str) -> None:
    import_day(database_url)
    with connect(database_url, "test", autocommit=True) as database:
        for stream in ("stock", "transit", "alerts", "movements", "health"):
            snapshot = load_entities(database, stream, None)
            again = load_entities(database, stream, {entity.key for entity in snapshot})
            assert sorted(again, key=lambda e: e.key) == sorted(snapshot, key=lambda e: e.key)
        (stock,) = load_entities(database, "stock", {f"sha/{RICE}"})
        assert isinstance(stock, StockEntity)
        assert (stock.on_hand, stock.by_zone, stock.reorder_point) == (100, {"pick": 100}, 97)
        trucks = load_entities(database, "transit", None)
        assert [truck.key for truck in trucks] == ["t01", "t02"]
        assert all(isinstance(truck, TransitEntity) for truck in trucks)


def test_an_open_alert_has_a_sentence_in_both_languages(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO alert (alert_id, type, severity, subject, opened_at, figures, orders,"
            " recorded_at, changed_at, decided_at) VALUES ('a1', 'stock.low', 'warning', 'sha/1',"
            " now(), '{\"on_hand\": 3}', '{SO-1}', now(), now(), now())"
        )
    with connect(database_url, "test", autocommit=True) as database:
        (alert,) = load_entities(database, "alerts", None)
    assert isinstance(alert, AlertEntity)
    assert alert.state == "open"
    assert "SO-1" in alert.text["en"]
    assert "SO-1" in alert.text["zh"]


def test_a_position_that_differs_from_its_movements_is_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import_day(database_url)
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", database_url)
    verify: Callable[[], int] = lambda: command.run_stock(["verify"])  # noqa: E731
    assert verify() == 0
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE stock_position SET on_hand = on_hand + 1 WHERE on_hand > 0")
    assert verify() == 1
    lines = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"type": "result", "positions": 2, "mismatches": 0}
    assert lines[1]["type"] == "mismatch"
    assert (lines[1]["ledger"], lines[1]["projection"]) == (100, 101)
    assert lines[2]["mismatches"] == 1


def test_low_stock_is_told_at_import_and_clears_when_a_later_import_fills_up(
    database_url: str,
) -> None:
    day = master_data()
    few = msgspec.structs.replace(day.opening_stock[0], quantity=90)
    import_day(database_url, msgspec.structs.replace(day, opening_stock=(few,)))
    with psycopg.connect(database_url) as connection:
        told = connection.execute("SELECT type, subject, cleared_at, orders FROM alert").fetchall()
    assert told == [("stock.low", f"sha/{RICE}", None, ["SO-1", "SO-2", "SO-4"])]
    more = msgspec.structs.replace(day.opening_stock[0], quantity=20, as_of=START)
    import_day(database_url, msgspec.structs.replace(day, opening_stock=(more,)))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT cleared_at FROM alert").fetchall() == [(START,)]


def test_a_fence_that_is_no_area_is_refused_at_import_and_not_met_later(
    plain_database_url: str,
) -> None:
    day = master_data()
    line = {"type": "LineString", "coordinates": [[121, 31], [122, 31]]}
    broken = msgspec.structs.replace(day.fences[0], geometry=line)
    with pytest.raises(ValueError, match=broken.fence):
        import_day(plain_database_url, msgspec.structs.replace(day, fences=(broken,)))
