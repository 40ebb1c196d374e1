"""A backup: pg_dump's custom format of one snapshot, and a manifest with the rows of that very
snapshot. Writers go on meanwhile. Upstream: `waystock db backup`; downstream: FILE and FILE.json.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.errors import RefusedError
from waystock.store.manifest import (
    Manifest,
    count_rows,
    digest,
    manifest_path,
    waystock_version,
    write_manifest,
)
from waystock.store.postgres_tools import Tool, Tools, find_tools
from waystock.store.sql import queries


def back_up(database_url: str, file: Path, bin_dir: Path | None = None) -> Manifest:
    """Write `file` and its manifest. Raises RefusedError, psycopg.Error, OSError; then neither is
    there.
    """
    if file.exists() or manifest_path(file).exists():
        raise RefusedError(f"{file} is there already: name another file")
    started = time.monotonic()
    made_at = datetime.now(UTC)
    with connect(database_url, "backup") as database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        database.read_only = True
        migrations = sorted(migrate.applied(database))
        if not migrations:
            raise RefusedError("this database is not Waystock's: it has seen no migration")
        major = database.info.server_version // 10_000
        tools = find_tools(major, bin_dir)
        timescaledb = timescale_version(database)
        part = file.with_name(f"{file.name}.part")
        try:
            rows = _dump(database, database_url, tools, part)
            manifest = Manifest(
                made_at=made_at,
                waystock=waystock_version(),
                tier=migrate.tier_in(database) if timescaledb else "plain",
                postgres_major=major,
                tools_major=tools.major,
                timescaledb=timescaledb,
                migrations=migrations,
                rows=rows,
                bytes=part.stat().st_size,
                sha256=digest(part),
                seconds=round(time.monotonic() - started, 3),
            )
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
    write_manifest(file, manifest)
    return manifest


def timescale_version(database: Database) -> str | None:
    """Of the extension as this database has it."""
    row = database.execute(queries("backup")["timescale_version"]).fetchone()
    return row[0] if row else None


def _dump(database: Database, database_url: str, tools: Tools, part: Path) -> dict[str, int]:
    """Run pg_dump on this transaction's snapshot; count what it sees meanwhile."""
    # Everything is in it, password hashes as well: nobody else reads it.
    part.touch(mode=0o600)
    database.execute(queries("backup")["stay"])
    snapshot = database.execute(queries("backup")["export_snapshot"]).fetchone()
    assert snapshot is not None
    with Tool(
        tools,
        "pg_dump",
        database_url,
        "--format=custom",
        f"--snapshot={snapshot[0]}",
        f"--file={part}",
    ) as pg_dump:
        rows = count_rows(database)
        pg_dump.finish()
    with part.open("rb") as written:
        os.fsync(written.fileno())
    return rows
