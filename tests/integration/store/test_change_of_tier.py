"""From plain PostgreSQL to TimescaleDB and back: what fails here would tie a user to what the first
day's machine had.
"""

from pathlib import Path

import pytest

from tests.integration.store.contents import RunDb, ask, digests, layout
from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.ingesting import ingest_command, ingesting, send_day
from tests.support.postgres import DatabaseServer
from waystock.store import audit, migrate
from waystock.store.connection import connect


@pytest.mark.timescale
@pytest.mark.parametrize("database_server", ["plain", "apache"], indirect=True)
def test_a_company_that_outgrows_its_tier_takes_all_rows_along(
    day_url: str,
    database_server: DatabaseServer,
    postgres_server: DatabaseServer,
    timescale_server: DatabaseServer,
    waystock_db: RunDb,
    nats_broker: Broker,
    gateway: FakeGateway,
    tmp_path: Path,
) -> None:
    other = timescale_server if database_server is postgres_server else postgres_server
    file = tmp_path / "day.backup"
    assert waystock_db(day_url, "backup", file)[0] == 0
    with other.empty_database() as target:
        status, _, wrong = waystock_db(target, "restore", file)
        assert (status, "waystock db copy" in wrong) == (1, True)
        with connect(day_url, "ingest"):
            status, _, wrong = waystock_db(day_url, "copy", "--into", target)
            assert (status, "stop Waystock first" in wrong) == (1, True)
        status, lines, wrong = waystock_db(day_url, "copy", "--into", target)
        assert (status, lines[0]["mismatches"] if lines else None) == (0, 0), wrong
        ours, theirs = digests(day_url), digests(target)
        assert theirs.pop("schema_migration") is not None
        del ours["schema_migration"]
        assert theirs == ours
        assert migrate.tier(target) != migrate.tier(day_url)
        if migrate.tier(target) != "plain":
            assert layout(target)["chunks"]
        assert audit.verify_ledger(target)[1] == []
        status, _, wrong = waystock_db(day_url, "copy", "--into", target)
        assert (status, "not empty" in wrong) == (1, True)
        gateway.acknowledged.clear()
        with ingesting(ingest_command(target, nats_broker), tmp_path / "after.log"):
            send_day(gateway, 9)
        assert digests(target)["fix"] == ours["fix"]
        add_stream = (
            "INSERT INTO stream (stream, site, gateway) VALUES (gen_random_uuid(), 'a', 'b')"
            " RETURNING stream_id > (SELECT max(stream_id) FROM stream)"
        )
        assert ask(target, add_stream) == [(True,)]
