"""A restore: the backup checked, the target checked, pg_restore with what TimescaleDB needs around
it, then every table's rows counted against the manifest. Upstream: `waystock db restore`.
Downstream: an empty database; with `replace` a new one, which takes the old one's place at last.
"""

from pathlib import Path
from typing import LiteralString

from psycopg import sql

from waystock.store import migrate
from waystock.store.backup import timescale_version
from waystock.store.connection import connect
from waystock.store.databases import (
    drop_database,
    make_database,
    name_of,
    on_same_server,
    put_in_place,
    refuse_while_in_use,
)
from waystock.store.errors import RefusedError
from waystock.store.manifest import (
    Difference,
    Manifest,
    compare_rows,
    count_rows,
    read_manifest,
    waystock_version,
)
from waystock.store.postgres_tools import Tool, Tools, find_tools
from waystock.store.schema import shipped
from waystock.store.sql import queries

_CATALOG = ("_timescaledb_catalog", "_timescaledb_config")
"""Schemas whose foreign keys are there before their rows: never restored by several jobs."""


def restore(
    file: Path, database_url: str, *, replace: bool, jobs: int, bin_dir: Path | None = None
) -> tuple[Manifest, list[Difference]]:
    """Restore `file` into the database that `database_url` names; what differs from the manifest.

    Raises RefusedError, psycopg.Error, OSError. With `replace` the old database stays as it is
    until the new one is complete and its rows are as many as they should be.
    """
    manifest = read_manifest(file)
    _check_code(manifest)
    with connect(database_url, "restore", autocommit=True) as database:
        major = database.info.server_version // 10_000
        _check_server(manifest, major, migrate.tier_in(database))
        is_empty = not database.execute(queries("backup")["tables"]).fetchall()
        if not is_empty and not replace:
            raise RefusedError(
                f"database {name_of(database_url)} is not empty: name an empty one by --into, or"
                f" let --replace put the backup in its place"
            )
        refuse_while_in_use(database)
    tools = find_tools(max(major, manifest.tools_major), bin_dir)
    if is_empty:
        return manifest, _restore_into(database_url, file, manifest, tools, jobs)
    return manifest, _replace(database_url, file, manifest, tools, jobs)


def _check_code(manifest: Manifest) -> None:
    known = {one.name for one in shipped()}
    if unknown := sorted(set(manifest.migrations) - known):
        raise RefusedError(
            f"the backup was made by Waystock {manifest.waystock}, whose schema this version"
            f" ({waystock_version()}) doesn't know ({', '.join(unknown)}): restore it with that one"
        )


def _check_server(manifest: Manifest, major: int, tier: migrate.Tier) -> None:
    is_plain = (manifest.tier == "plain", tier == "plain")
    if is_plain[0] != is_plain[1] or (manifest.tier, tier) == ("full", "apache"):
        raise RefusedError(
            f"the backup is of tier {manifest.tier}, this server is of tier {tier}, which lays"
            f" tables out otherwise: restore it into a server of tier {manifest.tier}, then carry"
            f" it over by `waystock db copy --into URL`"
        )
    if major < manifest.postgres_major:
        raise RefusedError(
            f"the backup is of PostgreSQL {manifest.postgres_major}, this server is {major}:"
            f" restore into {manifest.postgres_major} or newer; `waystock db copy --into URL`"
            f" carries it from there"
        )


def _replace(
    database_url: str, file: Path, manifest: Manifest, tools: Tools, jobs: int
) -> list[Difference]:
    """Beside the old database; in its place once it is complete."""
    admin_url, old = on_same_server(database_url), name_of(database_url)
    new = f"{old}_restoring"
    make_database(admin_url, new)
    try:
        new_url = on_same_server(database_url, new)
        differences = _restore_into(new_url, file, manifest, tools, jobs)
        if not differences:
            put_in_place(admin_url, new, over=old)
    finally:
        drop_database(admin_url, new)
    return differences


def _restore_into(
    database_url: str, file: Path, manifest: Manifest, tools: Tools, jobs: int
) -> list[Difference]:
    if manifest.timescaledb is None:
        _run(tools, database_url, file, f"--jobs={jobs}")
    else:
        _make_extension(database_url, manifest.timescaledb)
        _execute(database_url, "pre_restore")
        for part in _timescale_parts(jobs):
            _run(tools, database_url, file, *part)
        _execute(database_url, "post_restore")
    with connect(database_url, "restore", autocommit=True) as database:
        # pg_dump leaves the planner's statistics behind.
        database.execute(queries("backup")["analyze"])
        return compare_rows(manifest.rows, count_rows(database))


def _make_extension(database_url: str, version: str) -> None:
    """Exactly the version of the backup, before anything else: its catalogue is in the backup. Each
    statement has a connection of its own, for a connection keeps the version it met first.
    """
    with connect(database_url, "restore", autocommit=True) as database:
        there = timescale_version(database)
        offered = database.execute(queries("backup")["timescale_offered"], {"version": version})
        row = offered.fetchone()
        if not row or not row[0]:
            raise RefusedError(
                f"the backup is of TimescaleDB {version}, which this server doesn't offer: install"
                f" that version, restore, then ALTER EXTENSION timescaledb UPDATE"
            )
        if there is not None and there != version:
            database.execute(queries("backup")["drop_extension"])
    if there != version:
        with connect(database_url, "restore", autocommit=True) as database:
            make = sql.SQL(queries("backup")["make_extension"])
            database.execute(make.format(version=sql.Literal(version)))


def _execute(database_url: str, statement: LiteralString) -> None:
    """On a connection of its own: what TimescaleDB changes here, it changes for later ones."""
    with connect(database_url, "restore", autocommit=True) as database:
        database.execute(queries("backup")[statement])


def _timescale_parts(jobs: int) -> list[tuple[str, ...]]:
    if jobs == 1:
        return [()]
    catalog = tuple(f"--schema={name}" for name in _CATALOG)
    without_catalog = tuple(f"--exclude-schema={name}" for name in _CATALOG)
    return [
        ("--section=pre-data",),
        ("--section=data", *catalog),
        ("--section=data", *without_catalog, f"--jobs={jobs}"),
        ("--section=post-data", f"--jobs={jobs}"),
    ]


def _run(tools: Tools, database_url: str, file: Path, *arguments: str) -> None:
    with Tool(
        tools,
        "pg_restore",
        database_url,
        "--no-owner",
        "--no-privileges",
        "--exit-on-error",
        *arguments,
        str(file),
    ) as pg_restore:
        pg_restore.finish()
