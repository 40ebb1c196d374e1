"""`waystock db backup|restore|copy` on the command line. Output is one JSON object a line."""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from waystock.store import migrate
from waystock.store.backup import back_up
from waystock.store.database_copy import copy_database
from waystock.store.manifest import Difference
from waystock.store.restore import restore

Print = Callable[[dict[str, object]], None]
JOBS_MAX = 64


def add_parsers(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the three subcommands to `waystock db`, by its subparsers' `add_parser`."""
    backup = add("backup", help="write the database into a file, while it is used")
    backup.add_argument("file", type=Path, help="to be made, with FILE.json beside it")
    restorer = add("restore", help="restore a backup and count its rows")
    restorer.add_argument("file", type=Path)
    restorer.add_argument("--into", metavar="URL", help="instead of WAYSTOCK_DATABASE_URL")
    restorer.add_argument(
        "--replace", action="store_true", help="take the place of a database that is not empty"
    )
    restorer.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="connections that restore at once"
    )
    for parser in (backup, restorer):
        parser.add_argument(
            "--bin-dir", type=Path, metavar="DIR", help="the folder of pg_dump and pg_restore"
        )
    copier = add("copy", help="carry all rows into a new database, also of another tier")
    copier.add_argument("--into", metavar="URL", required=True)


def run(options: argparse.Namespace, database_url: Callable[[], str], tell: Print) -> int:
    """Exit status 1 where rows are missing. Raises RefusedError, psycopg.Error, OSError."""
    match options.command:
        case "backup":
            manifest = back_up(database_url(), options.file, options.bin_dir)
            told = msgspec.to_builtins(manifest)
            tell({"type": "backup", "file": str(options.file), **told, "tables": len(told["rows"])})
            return 0
        case "restore":
            return _restore(options, options.into or database_url(), tell)
        case _:
            started = time.monotonic()
            rows, differences = copy_database(database_url(), options.into)
            return _tell_result(rows, differences, {}, started, tell)


def _restore(options: argparse.Namespace, database_url: str, tell: Print) -> int:
    started = time.monotonic()
    manifest, differences = restore(
        options.file,
        database_url,
        replace=options.replace,
        jobs=options.jobs,
        bin_dir=options.bin_dir,
    )
    more: dict[str, object] = {
        "made_at": manifest.made_at,
        "tier": manifest.tier,
        "pending": migrate.pending(database_url),
    }
    return _tell_result(manifest.rows, differences, more, started, tell)


def _tell_result(
    rows: dict[str, int],
    differences: Sequence[Difference],
    more: dict[str, object],
    started: float,
    tell: Print,
) -> int:
    for difference in differences:
        tell({"type": "mismatch", **difference._asdict()})
    tell(
        {
            "type": "result",
            "tables": len(rows),
            "rows": sum(rows.values()),
            "mismatches": len(differences),
            **more,
            "seconds": round(time.monotonic() - started, 3),
        }
    )
    return 1 if differences else 0


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= JOBS_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {JOBS_MAX}, not {text!r}")
    return int(text)
