"""New schema under old code: `pre` migrations only add, the released ingest goes on through them
and beside the new one, `post` migrations wait until it is gone. What fails here would cost a user
the readings that come in while Waystock is being updated.
"""

import itertools
import random
import re
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from tests.integration.store.contents import ask
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.ingesting import ingest_command, ingesting
from tests.support.postgres import DatabaseServer
from tests.support.processes import wait_until
from tests.support.released import LEVEL, ReleasedCode, released_code
from tests.support.small_day import STREAMS, batches, master_data, readings
from waystock.contract.events import Batch
from waystock.contract.masterdata import encode_master_data
from waystock.store import audit, migrate, schema
from waystock.store.connection import connect
from waystock.store.errors import RefusedError
from waystock.store.masterdata import import_master_data
from waystock.store.schema import Migration, application_name, level_of

RAW = ("barcode_reading", "rfid_reading", "fix")
Parts = list[tuple[tuple[str, str], Batch]]


@pytest.fixture
def released(tmp_path: Path) -> ReleasedCode:
    return released_code(tmp_path / "released")


def migrate_with(
    monkeypatch: pytest.MonkeyPatch, url: str, only: list[Migration], *, post: bool = False
) -> None:
    """Migrate as code would that ships these alone."""
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "shipped", lambda: tuple(only))
        migrate.migrate(url, post=post)


def released_migrations() -> list[Migration]:
    return [one for one in schema.shipped() if one.number <= LEVEL]


_COLUMNS = """
SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.atthasdef OR a.attidentity <> '', c.relname
FROM pg_attribute AS a INNER JOIN pg_class AS c ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
    AND a.attnum > 0 AND NOT a.attisdropped
"""
_RULES = """
SELECT conrelid::regclass::text || ': ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u')
UNION
SELECT regexp_replace(indexdef, 'INDEX \\S+', 'INDEX') FROM pg_indexes
WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT 1 FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


def test_pre_migrations_take_nothing_from_the_released_code(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_with(monkeypatch, empty_database_url, released_migrations())
    columns = {row[0]: row[1:] for row in ask(empty_database_url, _COLUMNS)}
    tables = {row[3] for row in columns.values()}
    rules = {row[0] for row in ask(empty_database_url, _RULES)}
    functions = {row[0] for row in ask(empty_database_url, _FUNCTIONS)}
    migrate.migrate(empty_database_url)
    assert migrate.pending(empty_database_url) == []
    after = {row[0]: row[1:] for row in ask(empty_database_url, _COLUMNS)}
    for name, (kind, is_required, has_default, _) in columns.items():
        assert name in after, f"{name} is gone"
        assert after[name][0] == kind, f"{name} has another type"
        assert after[name][1] <= is_required, f"{name} must be given now"
        assert after[name][2] >= has_default, f"{name} has no default any more"
    for name in after.keys() - columns.keys():
        _, is_required, has_default, table = after[name]
        assert table not in tables or not is_required or has_default, f"{name} must be given"
    rules_after = {row[0] for row in ask(empty_database_url, _RULES)}
    assert rules <= rules_after, "a key that ON CONFLICT names is gone"
    for rule in rules_after - rules:
        named = {table for table in tables if re.search(rf"(?:^| ON public\.){table}(?::| )", rule)}
        assert not named, f"released code does not know of it: {rule}"
    assert functions <= {row[0] for row in ask(empty_database_url, _FUNCTIONS)}


def test_the_schema_is_the_same_whether_post_migrations_came_in_turn_or_last(
    database_server: DatabaseServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_server.empty_database() as other:
        migrate_with(monkeypatch, other, released_migrations())
        migrate.migrate(other)
        posts = [one.name for one in schema.shipped() if one.is_post and one.number > LEVEL]
        assert migrate.pending_post(other) == posts
        migrate.migrate(other, post=True)
        for query in (_COLUMNS, _RULES, _FUNCTIONS, "SELECT indexdef FROM pg_indexes"):
            assert sorted(ask(other, query)) == sorted(ask(database_url, query))


def test_every_statement_of_the_released_code_is_still_understood(
    released: ReleasedCode, database_server: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_server.empty_database() as before, database_server.empty_database() as after:
        migrate_with(monkeypatch, before, released_migrations())
        migrate_with(monkeypatch, after, released_migrations())
        migrate.migrate(after)
        understood = refused = 0
        folder = released.folder / "core/waystock/store/queries"
        for file in sorted(folder.glob("*.sql")):
            for name, statement in statements_of(file.read_text()):
                if not can_prepare(before, statement):
                    refused += 1  # templates, and parameters whose type only psycopg tells
                    continue
                assert can_prepare(after, statement), f"{file.name}: {name}"
                understood += 1
    assert understood > 100
    assert refused < 12


def statements_of(text: str) -> list[tuple[str, str]]:
    parts = re.split(r"^-- ([a-z0-9_]+) --$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def can_prepare(database_url: str, statement: str) -> bool:
    """Whether the server understands it: every table, column, function and key that it names."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    for number, name in enumerate(names, 1):
        statement = statement.replace(f"%({name})s", f"${number}")
    with psycopg.connect(database_url) as connection:
        result = connection.pgconn.prepare(b"", statement.replace("%%", "%").encode())
        return result.status == psycopg.pq.ExecStatus.COMMAND_OK


def day_in_parts() -> Parts:
    """The small day in small batches, streams side by side."""
    streams = [[(owner, one) for one in batches(owner, itertools.repeat(2))] for owner in STREAMS]
    return [one for turn in itertools.zip_longest(*streams) for one in turn if one is not None]


def send(gateway: FakeGateway, parts: Parts) -> None:
    for owner, one in parts:
        gateway.send(owner, one)
    for owner, one in parts:
        gateway.wait_for(STREAMS[owner], offsets_of(one), within_s=120)


def offsets_of(one: Batch) -> range:
    return range(one.first, one.first + len(one.events))


def test_a_rolling_update_under_load_loses_and_doubles_nothing(
    released: ReleasedCode,
    database_server: DatabaseServer,
    database_url: str,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
) -> None:
    day = tmp_path / "day.json"
    day.write_bytes(encode_master_data(master_data()))
    parts = day_in_parts()
    random.Random(8).shuffle(parts)  # late fixes all the time, met by old and new code in turn
    quarter = len(parts) // 4
    phases = [parts[at : at + quarter] for at in range(0, len(parts), quarter)]
    with database_server.empty_database() as url:
        released.run(url, "db", "migrate")
        released.run(url, "db", "import", str(day))
        old_command = released.command(url, nats_broker.url, "ingest", "--worker", "old")
        with ingesting(old_command, tmp_path / "old.log") as old:
            send(gateway, phases[0])
            sender = threading.Thread(target=send, args=(gateway, phases[1]))
            sender.start()
            assert migrate.migrate(url), "pre migrations run while the released code writes"
            sender.join()
            with ingesting(ingest_command(url, nats_broker, "new"), tmp_path / "new.log"):
                send(gateway, phases[2])  # each takes every message: side by side
                with pytest.raises(RefusedError, match="waystock-old"):
                    migrate.migrate(url, post=True)
                old.terminate()
                assert old.wait(30) == 0
                send(gateway, phases[3])
                sender = threading.Thread(target=send, args=(gateway, phases[4]))
                sender.start()
                wait_until(lambda: "waystock-old" not in applications(url), "it is gone")
                migrate.migrate(url, post=True)
                sender.join()
                send(gateway, parts)  # all again: nothing of it is new
        assert migrate.pending_post(url) == []
        count = sum(len(events) for events in readings().values())
        assert stored_offsets(url) == sorted(set(stored_offsets(url)))
        assert len(stored_offsets(url)) == count
        assert ask(url, "SELECT count(*) FROM dead_letter") == [(0,)]
        assert audit.verify_ledger(url)[1] == []
        assert derived(url) == derived_by_new_code_alone(
            database_url, nats_broker, gateway, tmp_path
        )


def applications(database_url: str) -> list[str]:
    query = (
        "SELECT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return [row[0] for row in ask(database_url, query)]


def stored_offsets(database_url: str) -> list[Any]:
    query = " UNION ALL ".join(f"SELECT stream_id, stream_offset FROM {table}" for table in RAW)
    return sorted(ask(database_url, query))


def derived(database_url: str) -> dict[str, list[Any]]:
    """What people see: the ledger, stock, where trucks are and were, alerts."""
    columns = {
        "operation": "device, occurred_at, kind, lpn, gtin, lot, quantity, document",
        "movement": "occurred_at, biz_step, from_location, to_location, gtin, lot, lpn, quantity",
        "stock_position": "location, gtin, lot, lpn, on_hand, reserved",
        "vehicle_state": "vehicle, fix_time, lat, lon, motion, at_fence, shipment, next_stop",
        "trip": "vehicle, started_at, ended_at",
        "vehicle_stop": "vehicle, arrived_at, departed_at",
        "visit": "vehicle, fence, entered_at, exited_at",
        "stop_arrival": "shipment, seq, vehicle, arrived_at",
        "alert": "type, subject, opened_at, cleared_at",
    }
    skip = {"stock_position": " WHERE on_hand <> 0 OR reserved <> 0"}
    return {
        table: sorted(
            str(row)
            for row in ask(database_url, f"SELECT {names} FROM {table}{skip.get(table, '')}")
        )
        for table, names in columns.items()
    }


def derived_by_new_code_alone(
    database_url: str, broker: Broker, gateway: FakeGateway, tmp_path: Path
) -> dict[str, list[Any]]:
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())
    gateway.acknowledged.clear()
    with ingesting(ingest_command(database_url, broker, "alone"), tmp_path / "alone.log"):
        send(gateway, day_in_parts())
    return derived(database_url)


def test_new_code_started_before_the_migration_waits_for_it(
    released: ReleasedCode,
    database_server: DatabaseServer,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
) -> None:
    day = tmp_path / "day.json"
    day.write_bytes(encode_master_data(master_data()))
    parts = day_in_parts()
    with database_server.empty_database() as url:
        released.run(url, "db", "migrate")
        released.run(url, "db", "import", str(day))
        log = tmp_path / "ingest.log"
        with ingesting(ingest_command(url, nats_broker), log):
            for owner, one in parts:
                gateway.send(owner, one)
            wait_until(lambda: "store_unavailable" in log.read_text(), "it waits", within_s=60)
            migrate.migrate(url, post=True)
            send(gateway, parts)
        count = sum(len(events) for events in readings().values())
        assert len(stored_offsets(url)) == count
        assert ask(url, "SELECT count(*) FROM dead_letter") == [(0,)]


def test_a_migration_gives_way_to_writers_and_tries_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = schema.level() + 1
    added = Migration(number, f"{number}_x.sql", False, "ALTER TABLE stream ADD COLUMN note text")
    monkeypatch.setattr(migrate, "shipped", lambda: (*schema.shipped(), added))
    add_stream = "INSERT INTO stream (stream, site, gateway) VALUES (gen_random_uuid(), 'a', 'b')"
    with connect(database_url, "test") as held:
        held.execute(add_stream)
        migrating = threading.Thread(target=migrate.migrate, args=(database_url,))
        migrating.start()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        wait_until(lambda: ask(database_url, waits), "the migration waits for the table")
        with connect(database_url, "test") as writer:  # behind the migration, which gives way
            writer.execute("SET lock_timeout = '20s'")
            writer.execute(add_stream)
        assert migrating.is_alive()
        assert migrate.pending(database_url) == [added.name]
    migrating.join(30)
    assert migrate.pending(database_url) == []
    assert ask(database_url, "SELECT count(note), count(*) FROM stream") == [(0, 2)]


def test_a_migration_that_never_gets_its_lock_says_so_and_leaves_no_trace(
    plain_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = schema.level() + 1
    added = Migration(number, f"{number}_x.sql", False, "ALTER TABLE stream ADD COLUMN note text")
    monkeypatch.setattr(migrate, "shipped", lambda: (*schema.shipped(), added))
    monkeypatch.setattr(migrate, "LOCK_TRIES_MAX", 1)
    with connect(plain_database_url, "test") as held:
        held.execute("LOCK TABLE stream")
        with pytest.raises(LockNotAvailable):
            migrate.migrate(plain_database_url)
    assert migrate.pending(plain_database_url) == [added.name]


def test_a_process_says_which_schema_it_knows(database_url: str) -> None:
    with connect(database_url, "ingest-1"):
        assert application_name("ingest-1") in applications(database_url)
    assert level_of(application_name("ingest-1")) == schema.level()
    assert level_of("waystock-ingest-1") == 0
    assert level_of("psql") is None
