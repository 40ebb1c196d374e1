"""What a backup says of itself: FILE.json beside FILE. Restoring checks the file and the target
against it before, and the rows after. Upstream: backup; downstream: restore.
"""

import hashlib
import os
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from psycopg import sql

from waystock.store.connection import Database
from waystock.store.errors import RefusedError
from waystock.store.migrate import Tier
from waystock.store.sql import queries


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup: where it comes from and how much is in it."""

    v: Literal[1] = 1
    made_at: datetime
    waystock: str
    tier: Tier
    postgres_major: int
    """Of the server; a backup can't go back into an older one."""
    tools_major: int
    """Of pg_dump; an older pg_restore can't read its file."""
    timescaledb: str | None
    migrations: list[str]
    rows: dict[str, int]
    """Table → rows, counted in the very snapshot that was dumped."""
    bytes: int
    sha256: str
    seconds: float


class Difference(NamedTuple):
    """A table whose rows are not as many as they were."""

    table: str
    expected: int
    found: int


def waystock_version() -> str:
    """Of the code that runs."""
    return version("waystock-core")


def count_rows(database: Database) -> dict[str, int]:
    """Rows of every table of ours, whichever way the tier stores them."""
    tables = [row[0] for row in database.execute(queries("backup")["tables"])]
    count = sql.SQL(queries("backup")["count_rows"])
    rows: dict[str, int] = {}
    for table in tables:
        counted = database.execute(count.format(table=sql.Identifier(table))).fetchone()
        rows[table] = counted[0] if counted else 0
    return rows


def compare_rows(expected: dict[str, int], found: dict[str, int]) -> list[Difference]:
    """Where the two differ; a table that isn't there has no rows."""
    return [
        Difference(table, expected.get(table, 0), found.get(table, 0))
        for table in sorted(expected.keys() | found.keys())
        if expected.get(table) != found.get(table)
    ]


def manifest_path(file: Path) -> Path:
    """FILE.json."""
    return file.with_name(f"{file.name}.json")


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Durably, whole or not at all."""
    part = file.with_name(f"{file.name}.json.part")
    with part.open("wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    part.rename(manifest_path(file))


def read_manifest(file: Path) -> Manifest:
    """What FILE.json says, after a look whether FILE is still what was written. Raises
    RefusedError, OSError.
    """
    try:
        manifest = msgspec.json.decode(manifest_path(file).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise RefusedError(
            f"{manifest_path(file)} is not there: `waystock db backup` writes it beside the file,"
            f" and both belong together"
        ) from error
    except msgspec.DecodeError as error:
        raise RefusedError(f"{manifest_path(file)} can't be read: {error}") from error
    size = file.stat().st_size
    if size != manifest.bytes or digest(file) != manifest.sha256:
        raise RefusedError(
            f"{file} is not what was written ({size} bytes, {manifest.bytes} expected): it was"
            f" cut or changed; use another backup"
        )
    return manifest


def digest(file: Path) -> str:
    """SHA-256, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
