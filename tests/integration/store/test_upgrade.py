"""A database of the first version, with data in it, brought up to date: its rows stay."""

from typing import Any

import pytest
from psycopg import sql

from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.retention import DAY_S, retention_of
from waystock.store.schema import shipped

FIRST_VERSION = 6
"""The number of its last migration."""
GONE = {"vehicle_checkpoint"}
"""Tables that a later version does without: what was in them is computed again."""
READING = (
    " (time, captured_at, received_at, stream_id, stream_offset, device, clock, quality, {more})"
    " SELECT now() - n * interval '1 day', now(), now(), 1, n, 'd' || n % 3, 'gps', '{{slow}}',"
    " {values} FROM generate_series(1, 40) AS n"
)
READINGS = {
    "barcode_reading": ("aim, format, data, elements, repeats", "']C1', 'gs1', '01', '[]', n"),
    "rfid_reading": ("epc, presence, scheme, elements, reads", "'e' || n, 'arrived', 's', '[]', n"),
    "fix": ("lat, lon, speed_mps", "31 + n, 121, n"),
    "telemetry_reading": ("measured", "'{\"temperature_c\": -18}'"),
    "health_report": ("state, message, measured", "'ok', '', '{}'"),
}
OTHERS = (
    "INSERT INTO stream (stream, site, gateway, committed) VALUES"
    " (gen_random_uuid(), 'sha', 'gw-1', '{[0,41)}')",
    "INSERT INTO dead_letter (topic, stage, reason, payload) VALUES ('t', 's', 'r', 'x')",
    "INSERT INTO movement SELECT now() - n * interval '9 days', now(), NULL, 1, n, 0, 'storing',"
    " 'sha/a', 'sha/b', 'g', '', '', '', 'l', 1, '', 's-1' FROM generate_series(1, 40) AS n",
    "INSERT INTO trip VALUES ('t01', now() - interval '1 h', now(), 31, 121, 31, 122, 95000, now(),"
    " now())",
    "INSERT INTO account VALUES ('ann', 'x', 'viewer')",
)


def columns(database: Database) -> dict[str, dict[str, str]]:
    """Table → column → type."""
    rows = database.execute(
        "SELECT table_name, column_name, udt_name FROM information_schema.columns"
        " INNER JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def contents(database: Database, wanted: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Every row of each table, as text, by these columns."""
    return {
        table: database.execute(
            sql.SQL("SELECT ({columns})::text FROM {table} ORDER BY 1").format(
                columns=sql.SQL("ROW({})").format(sql.SQL(", ").join(map(sql.Identifier, names))),
                table=sql.Identifier(table),
            )
        ).fetchall()
        for table, names in wanted.items()
    }


def fill(database: Database) -> None:
    for table, (more, values) in READINGS.items():
        statement = "INSERT INTO " + table + READING.format(more=more, values=values)
        database.execute(statement)  # pyright: ignore[reportCallIssue, reportArgumentType]
    for statement in OTHERS:
        database.execute(statement)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def first_version_url(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as the first version left it, with something in each kind of table."""
    with monkeypatch.context() as patch:
        first = tuple(one for one in shipped() if one.number <= FIRST_VERSION)
        patch.setattr(migrate, "shipped", lambda: first)
        assert len(migrate.migrate(empty_database_url)) == FIRST_VERSION
    with connect(empty_database_url, "test") as database:
        fill(database)
    return empty_database_url


def test_an_upgrade_keeps_every_row_of_the_first_version(first_version_url: str) -> None:
    with connect(first_version_url, "test") as database:
        old = columns(database)
        for table in {"schema_migration"} | GONE:
            old.pop(table)
        everything = contents(database, {table: sorted(names) for table, names in old.items()})
    migrate.migrate(first_version_url)
    migrate.migrate(first_version_url, post=True)
    assert migrate.pending(first_version_url) == migrate.pending_post(first_version_url) == []
    with connect(first_version_url, "test") as database:
        new = columns(database)
        kept = {
            table: sorted(name for name in names if new[table].get(name) == names[name])
            for table, names in old.items()
        }
        after = contents(database, kept)
    assert {table for table, rows in everything.items() if rows} >= {*READINGS, "movement", "trip"}
    for table, rows in everything.items():
        assert len(after[table]) == len(rows), table
        if kept[table] == sorted(old[table]):
            assert after[table] == rows, table


def test_an_upgrade_forgets_no_position_sooner_than_the_version_before_did(
    first_version_url: str,
) -> None:
    migrate.migrate(first_version_url)
    with connect(first_version_url, "test") as database:
        assert retention_of(database, "fix").keep_s == 400 * DAY_S
