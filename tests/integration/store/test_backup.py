"""Backup and restore on both tiers: what fails here would cost a user the readings, the stock or
the alerts of a company whose disk has died.
"""

import itertools
import threading
from pathlib import Path

import msgspec
import pytest

from tests.integration.store.contents import RunDb, ask, digests, layout, tables
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.ingesting import import_day, ingest_command, ingesting, send_day, whole_day
from tests.support.postgres import DatabaseServer
from tests.support.processes import wait_until
from tests.support.released import LEVEL
from tests.support.small_day import STREAMS, batches
from tests.support.timescale import postgres_tools
from waystock.store import audit, migrate, schema
from waystock.store.connection import connect


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_restored_database_holds_every_row_and_goes_on_exactly_once(
    day_url: str,
    database_server: DatabaseServer,
    waystock_db: RunDb,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
    jobs: int,
) -> None:
    file = tmp_path / "day.backup"
    status, lines, wrong = waystock_db(day_url, "backup", file)
    assert status == 0, wrong
    (told,) = lines
    assert told["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0, "nobody else reads password hashes"
    assert (told["tier"], told["rows"]["fix"]) == (migrate.tier(day_url), 360)
    assert told["tables"] == len(tables(day_url))
    with database_server.empty_database() as target:
        arguments = ("restore", file, "--into", target, "--jobs", jobs)
        status, lines, wrong = waystock_db(day_url, *arguments)
        assert status == 0, wrong
        (result,) = lines
        assert (result["type"], result["mismatches"]) == ("result", 0)
        assert (result["tables"], result["rows"]) == (told["tables"], sum(told["rows"].values()))
        assert (result["tier"], result["pending"]) == (told["tier"], [])
        assert digests(target) == digests(day_url)
        assert layout(target) == layout(day_url)
        assert audit.verify_ledger(target)[1] == []
        gateway.acknowledged.clear()
        with ingesting(ingest_command(target, nats_broker), tmp_path / "after.log"):
            send_day(gateway, 7)  # all of it again: what the store has is dropped
            owner, stream = next(iter(STREAMS.items()))
            gateway.hello(owner, stream, 0, 3)
        raw = ("barcode_reading", "rfid_reading", "fix", "movement", "stock_position", "trip")
        after, before = digests(target), digests(day_url)
        assert [after[one] for one in raw] == [before[one] for one in raw]


def test_a_backup_taken_while_readings_come_in_is_one_moment(
    database_url: str,
    database_server: DatabaseServer,
    waystock_db: RunDb,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
) -> None:
    import_day(database_url)
    file = tmp_path / "live.backup"
    parts = whole_day(3)
    with ingesting(ingest_command(database_url, nats_broker), tmp_path / "ingest.log"):
        stopping = threading.Event()

        def send_on() -> None:
            for owner, one in itertools.cycle(parts):
                if stopping.is_set():
                    return
                gateway.send(owner, one)

        sender = threading.Thread(target=send_on)
        sender.start()
        try:
            wait_until(lambda: gateway.acknowledged, "readings come in", within_s=60)
            status, lines, wrong = waystock_db(database_url, "backup", file)
        finally:
            stopping.set()
            sender.join()
        assert status == 0, wrong
        (told,) = lines
        send_day(gateway)
    with database_server.empty_database() as target:
        status, _, wrong = waystock_db(target, "restore", file)
        assert status == 0, wrong
        stored = sum(told["rows"][one] for one in ("barcode_reading", "rfid_reading", "fix"))
        ((committed,),) = ask(
            target,
            "SELECT sum(upper(r) - lower(r)) FROM stream, unnest(committed) AS r"
            " WHERE stream_id IN (SELECT stream_id FROM fix UNION SELECT stream_id FROM"
            " barcode_reading UNION SELECT stream_id FROM rfid_reading)",
        )
        assert committed == stored > 0
        assert audit.verify_ledger(target)[1] == []
        gateway.acknowledged.clear()
        with ingesting(ingest_command(target, nats_broker), tmp_path / "after.log"):
            send_day(gateway)
        kept = ("barcode_reading", "rfid_reading", "fix")
        for table in kept:
            query = f"SELECT stream_offset, device, time FROM {table} ORDER BY 1, 2, 3"
            assert ask(target, query) == ask(database_url, query)


def test_readings_that_gateways_forgot_after_the_backup_are_named_and_not_silently_gone(
    day_url: str,
    waystock_db: RunDb,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
) -> None:
    file = tmp_path / "day.backup"
    assert waystock_db(day_url, "backup", file)[0] == 0
    owner, stream = next(iter(STREAMS.items()))
    *_, last = batches(owner, itertools.repeat(50))
    end = last.first + len(last.events)
    with ingesting(ingest_command(day_url, nats_broker), log := tmp_path / "before.log"):
        gateway.send(owner, msgspec.structs.replace(last, first=end))
        gateway.wait_for(stream, range(end + len(last.events)))
        gateway.hello(owner, stream, end + len(last.events), end + len(last.events))
        gateway.send(owner, last)  # what comes after the hello is answered after it
        gateway.acknowledged.clear()
        gateway.wait_for(stream, range(last.first, end))
    assert "offsets_missing" not in log.read_text()
    assert waystock_db(day_url, "restore", file, "--replace")[0] == 0
    with ingesting(ingest_command(day_url, nats_broker), log := tmp_path / "restored.log"):
        gateway.hello(owner, stream, end + len(last.events), end + len(last.events))
        wait_until(lambda: "offsets_missing" in log.read_text(), "it is told", within_s=60)
    assert f"readings={len(last.events)}" in log.read_text()


def test_a_database_in_use_is_replaced_whole_or_not_at_all(
    day_url: str, database_server: DatabaseServer, waystock_db: RunDb, tmp_path: Path
) -> None:
    file = tmp_path / "day.backup"
    assert waystock_db(day_url, "backup", file)[0] == 0
    before = digests(day_url)
    with database_server.migrated_database() as target:
        import_day(target)
        status, _, wrong = waystock_db(target, "restore", file)
        assert (status, "not empty" in wrong) == (1, True)
        with connect(target, "ingest"):
            status, _, wrong = waystock_db(target, "restore", file, "--replace")
            assert (status, "stop Waystock first" in wrong) == (1, True)
        intact = file.read_bytes()
        file.write_bytes(intact[:-100])
        status, _, wrong = waystock_db(target, "restore", file, "--replace")
        assert (status, "cut or changed" in wrong) == (1, True)
        assert ask(target, "SELECT count(*) FROM site") == [(1,)]
        file.write_bytes(intact)
        status, lines, wrong = waystock_db(target, "restore", file, "--replace")
        assert (status, lines[0]["mismatches"] if lines else None) == (0, 0), wrong
        assert digests(target) == before


def test_a_backup_that_lacks_rows_is_told_and_the_old_database_stays(
    day_url: str, database_server: DatabaseServer, waystock_db: RunDb, tmp_path: Path
) -> None:
    file = tmp_path / "day.backup"
    assert waystock_db(day_url, "backup", file)[0] == 0
    manifest = tmp_path / "day.backup.json"
    told = msgspec.json.decode(manifest.read_bytes())
    told["rows"]["fix"] += 1
    manifest.write_bytes(msgspec.json.encode(told))
    with database_server.migrated_database() as target:
        status, lines, _ = waystock_db(target, "restore", file, "--replace")
        assert status == 1
        assert lines[0] == {"type": "mismatch", "table": "fix", "expected": 361, "found": 360}
        assert lines[1]["mismatches"] == 1
        assert ask(target, "SELECT count(*) FROM fix") == [(0,)]
    manifest.unlink()
    with database_server.empty_database() as target:
        status, _, wrong = waystock_db(target, "restore", file)
        assert (status, "belong together" in wrong) == (1, True)


def test_what_can_t_be_backed_up_or_restored_says_what_to_do(
    database_url: str,
    empty_database_url: str,
    waystock_db: RunDb,
    tmp_path: Path,
) -> None:
    file = tmp_path / "one.backup"
    status, _, wrong = waystock_db(empty_database_url, "backup", file)
    assert (status, "seen no migration" in wrong) == (1, True)
    old = tmp_path / "old"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6'\n")
    (old / "pg_dump").chmod(0o755)
    status, _, wrong = waystock_db(database_url, "backup", file, "--bin-dir", old)
    assert (status, "postgresql-client-" in wrong, "9 in" in wrong) == (1, True, True)
    assert list(tmp_path.glob("one*")) == []
    assert waystock_db(database_url, "backup", file)[0] == 0
    status, _, wrong = waystock_db(database_url, "backup", file)
    assert (status, "there already" in wrong) == (1, True)
    manifest = tmp_path / "one.backup.json"
    told = msgspec.json.decode(manifest.read_bytes())
    told["migrations"].append("9999_of_tomorrow.sql")
    manifest.write_bytes(msgspec.json.encode(told))
    status, _, wrong = waystock_db(empty_database_url, "restore", file)
    assert (status, "9999_of_tomorrow" in wrong) == (1, True)


def test_a_backup_of_the_last_release_is_restored_and_brought_up_to_date(
    database_server: DatabaseServer,
    waystock_db: RunDb,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "old.backup"
    released = [one for one in schema.shipped() if one.number <= LEVEL]
    with database_server.empty_database() as old, database_server.empty_database() as target:
        with monkeypatch.context() as patched:
            patched.setattr(migrate, "shipped", lambda: released)
            migrate.migrate(old)
        assert waystock_db(old, "backup", file)[0] == 0
        status, lines, wrong = waystock_db(target, "restore", file)
        assert (status, lines[0]["mismatches"] if lines else None) == (0, 0), wrong
        assert lines[0]["pending"] == migrate.pending(target) != []
        assert waystock_db(target, "migrate", "--post")[0] == 0
        assert migrate.pending(target) == migrate.pending_post(target) == []


@pytest.mark.timescale
def test_debians_own_tools_back_up_and_restore_timescale(
    timescale_server: DatabaseServer, waystock_db: RunDb, tmp_path: Path
) -> None:
    tools = postgres_tools(tmp_path)
    if tools is None:
        pytest.skip("the server is not of the Debian root: its tools are not here")
    file = tmp_path / "one.backup"
    with timescale_server.migrated_database() as source:
        import_day(source)
        assert waystock_db(source, "backup", file, "--bin-dir", tools)[0] == 0
        with timescale_server.empty_database() as target:
            status, lines, wrong = waystock_db(target, "restore", file, "--bin-dir", tools)
            assert (status, lines[0]["mismatches"] if lines else None) == (0, 0), wrong
            assert digests(target) == digests(source)
