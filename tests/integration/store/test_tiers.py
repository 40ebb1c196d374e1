"""One set of migrations for three tiers: retention, roll-ups and sizes mean the same on each, and
what only TimescaleDB's Community edition can do is written so that it would run there.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import psycopg
import pytest
from psycopg.errors import FeatureNotSupported

from tests.support.postgres import DatabaseServer
from waystock.store import command
from waystock.store.connection import Database, connect
from waystock.store.migrate import tier
from waystock.store.retention import DAY_S, retention_of, set_retention

AT = datetime(2026, 11, 22, 22, 10, tzinfo=UTC)
Db = Callable[..., tuple[int, list[dict[str, object]]]]


@pytest.fixture
def db(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Db:
    """`waystock db …`: exit status and what it said, line by line."""
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", database_url)

    def run(*arguments: str) -> tuple[int, list[dict[str, object]]]:
        capsys.readouterr()
        status = command.run(arguments)
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test", autocommit=True) as opened:
        yield opened


def put_fix(database: Database, at: datetime, speed_mps: float | None, device: str = "g1") -> None:
    database.execute(
        "INSERT INTO fix (time, captured_at, received_at, stream_id, stream_offset, device, clock,"
        " quality, lat, lon, speed_mps) VALUES (%s, %s, %s, 1, 1, %s, 'gps', '{}', 31, 121, %s)",
        (at, at, at, device, speed_mps),
    )


def put_movement(database: Database, at: datetime, place: tuple[str, str], quantity: int) -> None:
    database.execute(
        "INSERT INTO movement VALUES (%s, %s, NULL, 1, 1, 0, 'storing', %s, %s, 'tea', '', '', '',"
        " '', %s, '', 's1')",
        (at, at, *place, quantity),
    )


def test_how_long_readings_are_kept_is_listed_and_changed_table_by_table(db: Db) -> None:
    status, lines = db("retention", "list")
    assert status == 0
    days = {line["table"]: line["keep_days"] for line in lines}
    assert days["fix"] == 90
    assert days["barcode_reading"] == days["telemetry_reading"] == days["dead_letter"] == 400
    assert "movement" not in days
    changed = {"table": "fix", "keep_days": 200, "compress_after_days": 3}
    assert db("retention", "set", "fix", "200", "--compress-after", "3") == (0, [changed])
    assert changed in db("retention", "list")[1]
    kept = changed | {"keep_days": 30}
    assert db("retention", "set", "fix", "30") == (0, [kept])


@pytest.mark.parametrize(
    "arguments", [("movement", "30"), ("fix", "6"), ("fix", "30", "--compress-after", "30")]
)
def test_a_retention_that_would_lose_what_is_needed_is_refused(
    db: Db, arguments: tuple[str, ...]
) -> None:
    before = db("retention", "list")
    assert db("retention", "set", *arguments) == (1, [])
    assert db("retention", "list") == before


def test_a_retention_of_no_days_is_no_argument(db: Db) -> None:
    for days in ("0", "-1", "x", "nan", "inf"):
        with pytest.raises(SystemExit) as ended:
            db("retention", "set", "fix", days)
        assert ended.value.code == 2


def test_info_tells_what_takes_room_and_how_long_it_stays(
    db: Db, database: Database, database_url: str
) -> None:
    for day in range(3):
        put_fix(database, AT + timedelta(days=day), 1.0)
    _, (told,) = db("info")
    assert told["tier"] == tier(database_url)
    assert told["retention_days"]["fix"] == 90  # pyright: ignore[reportIndexIssue]
    fix = told["tables"]["fix"]  # pyright: ignore[reportIndexIssue]
    assert fix["bytes"] > fix["index_bytes"] > 0
    if told["tier"] == "plain":
        assert "chunks" not in fix
    else:
        assert (fix["chunks"], fix["compressed_share"]) == (3, 0)
    database.execute("ANALYZE fix")
    _, (told,) = db("info")
    assert told["tables"]["fix"]["rows_estimated"] == 3  # pyright: ignore[reportIndexIssue]


def test_an_hour_s_fixes_are_summed_up_and_a_late_one_counts(database: Database) -> None:
    put_fix(database, AT, 10.0)
    put_fix(database, AT + timedelta(minutes=20), 20.0)
    put_fix(database, AT + timedelta(minutes=50), 5.0)
    put_fix(database, AT, None, device="g2")
    put_fix(database, AT - timedelta(minutes=10), 30.0)
    hour = AT.replace(minute=0)
    assert database.execute("SELECT * FROM fix_hourly ORDER BY device, hour").fetchall() == [
        ("g1", hour, 3, AT - timedelta(minutes=10), AT + timedelta(minutes=20), 20.0, 30.0),
        ("g1", hour + timedelta(hours=1), 1, *[AT + timedelta(minutes=50)] * 2, 5.0, 5.0),
        ("g2", hour, 1, AT, AT, None, None),
    ]


def test_a_day_s_temperatures_are_summed_up_whatever_else_was_measured(database: Database) -> None:
    for minute, values in enumerate(
        ({"temperature_c": -18.5}, {"temperature_c": -15.5, "door_open": 1}, {"fuel_ratio": 0.5})
    ):
        database.execute(
            "INSERT INTO telemetry_reading (time, captured_at, received_at, stream_id,"
            " stream_offset, device, clock, quality, measured)"
            " VALUES (%s, now(), now(), 1, 1, 't1', 'gps', '{}', %s)",
            (AT + timedelta(minutes=minute), json.dumps(values)),
        )
    rows = database.execute(
        "SELECT day, readings, min_temperature_c, mean_temperature_c, max_temperature_c,"
        " mean_fuel_ratio, max_battery_v FROM telemetry_daily"
    ).fetchall()
    assert rows == [(AT.replace(hour=0, minute=0), 3, -18.5, -17.0, -15.5, 0.5, None)]


def test_what_came_and_went_is_counted_for_both_ends_of_a_movement(database: Database) -> None:
    put_movement(database, AT, ("sha/a", "sha/b"), 5)
    put_movement(database, AT + timedelta(minutes=9), ("sha/b", "sha/a"), 2)
    put_movement(database, AT + timedelta(hours=1), ("sha/b", "vehicle/t1"), 3)
    rows = database.execute(
        "SELECT location, hour - %s, quantity_in, quantity_out FROM stock_flow_hourly"
        " ORDER BY location, hour",
        (AT.replace(minute=0),),
    ).fetchall()
    hour = timedelta(hours=1)
    assert rows == [
        ("sha/a", 0 * hour, 2, 5),
        ("sha/b", 0 * hour, 5, 2),
        ("sha/b", hour, 0, 3),
        ("vehicle/t1", hour, 3, 0),
    ]


@pytest.mark.timescale
def test_buckets_without_timescaledb_begin_when_its_own_do(
    postgres_server: DatabaseServer, timescale_server: DatabaseServer
) -> None:
    def buckets(server: DatabaseServer) -> list[tuple[object, ...]]:
        with server.migrated_database() as url, connect(url, "test") as database:
            return database.execute(
                "SELECT width, at, time_bucket(width, at)"
                " FROM unnest(ARRAY['5 min', '15 min', '1 hour', '1 day', '7 days']::interval [])"
                " AS w (width), unnest(ARRAY['2026-11-23 06:14:59.999999', '1999-12-31 23:59:59',"
                " '2000-01-03', '2026-03-29 01:30', '1969-12-31 12:00', '2040-02-29 23:00']"
                " ::timestamptz []) AS i (at) ORDER BY 1, 2"
            ).fetchall()

    assert buckets(postgres_server) == buckets(timescale_server)


COMMUNITY_STATEMENTS = (
    "CALL make_rollup('r', 'SELECT time_bucket(interval ''1 hour'', time) AS hour, count(*)"
    " FROM fix GROUP BY 1')",
    "CALL make_columnar('fix', 'device', 'time DESC')",
    "CALL make_columnar('health_report', '', 'device, time DESC')",
    "CALL compress_chunks_after('fix', interval '7 days')",
    "CALL drop_chunks_after('fix', interval '90 days')",
    "CALL refresh_rollup('fix', interval '90 days')",
    "CALL apply_retention()",
    # A procedure that replaces a policy stops at its removal above; what follows is asked here.
    "CALL add_columnstore_policy('fix'::regclass, after => interval '7 days')",
    "SELECT add_retention_policy('fix'::regclass, drop_after => interval '90 days')",
    "SELECT add_continuous_aggregate_policy('fix'::regclass, start_offset => interval '90 days',"
    " end_offset => interval '1 day', schedule_interval => interval '1 hour')",
)


@pytest.mark.timescale
def test_what_the_community_edition_is_told_fails_here_by_licence_alone(
    timescale_server: DatabaseServer,
) -> None:
    """Names, arguments and options are known to this TimescaleDB; only its edition says no."""
    with timescale_server.migrated_database() as url:
        if tier(url) == "full":
            pytest.skip("this server is of the Community edition: it just runs them")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((files("waystock.store") / "tier_full.sql").read_bytes())
            for statement in COMMUNITY_STATEMENTS:
                with pytest.raises(FeatureNotSupported, match='current "apache" license'):
                    connection.execute(statement)  # pyright: ignore[reportArgumentType]


@pytest.mark.timescale
def test_the_community_edition_s_policies_follow_the_settings(
    timescale_server: DatabaseServer,
) -> None:
    with timescale_server.migrated_database() as url, connect(url, "test") as database:
        if tier(url) != "full":
            pytest.skip("needs TimescaleDB's Community edition (WAYSTOCK_TEST_TIMESCALE_URL)")
        set_retention(database, "fix", 50 * DAY_S, 5 * DAY_S)
        rows = database.execute(
            "SELECT proc_name, (config ->> 'drop_after')::interval,"
            " (config ->> 'compress_after')::interval FROM timescaledb_information.jobs"
            " WHERE hypertable_name = 'fix' AND proc_name IN ('policy_retention',"
            " 'policy_compression') ORDER BY 1"
        ).fetchall()
        assert [row[0] for row in rows] == ["policy_compression", "policy_retention"]
        assert rows[0][2] == timedelta(days=5)
        assert rows[1][1] == timedelta(days=50)
        assert retention_of(database, "fix").keep_s == 50 * DAY_S
