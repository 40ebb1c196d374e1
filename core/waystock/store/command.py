"""`waystock db migrate|info|import` and `waystock stock verify`: the store from the shell. Output
is one JSON object a line on standard output.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psycopg

from waystock.contract.masterdata import decode_master_data
from waystock.store import audit, backup_command, migrate, retention_command
from waystock.store.connection import connect
from waystock.store.errors import RefusedError
from waystock.store.masterdata import import_master_data


def run(arguments: Sequence[str]) -> int:
    """`waystock db …`; exit status 2 on unusable arguments, 1 where the database can't be used."""
    parser = argparse.ArgumentParser(prog="waystock db", description="The store's schema and data.")
    commands = parser.add_subparsers(dest="command", required=True)
    migrator = commands.add_parser("migrate", help="bring the schema up to date")
    migrator.add_argument(
        "--post", action="store_true", help="also what may only run where no older process is left"
    )
    commands.add_parser("info", help="tier, migrations, how much is stored, retention")
    importer = commands.add_parser("import", help="load a master-data document (JSON)")
    importer.add_argument("file", type=Path)
    backup_command.add_parsers(commands.add_parser)
    retention_command.add_parser(commands.add_parser)
    options = parser.parse_args(arguments)
    try:
        match options.command:
            case "migrate":
                _print({"applied": migrate.migrate(_database_url(), post=options.post)})
            case "backup" | "restore" | "copy":
                return backup_command.run(options, _database_url, _print)
            case "retention":
                return retention_command.run(options, _database_url(), _print)
            case "info":
                _info(_database_url())
            case _:
                _import(_database_url(), options.file)
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        sys.stderr.write(f"waystock db {options.command}: {error}\n")
        return 2
    except (RefusedError, psycopg.Error) as error:
        sys.stderr.write(f"waystock db {options.command}: {error}\n")
        return 1
    return 0


def run_stock(arguments: Sequence[str]) -> int:
    """`waystock stock verify`; exit status 1 where the projection differs from the ledger."""
    parser = argparse.ArgumentParser(prog="waystock stock", description="Checks of the ledger.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("verify", help="compare each position with the sum of its movements")
    parser.parse_args(arguments)
    try:
        positions, mismatches = audit.verify_ledger(_database_url())
    except (ValueError, psycopg.Error) as error:
        sys.stderr.write(f"waystock stock verify: {error}\n")
        return 2
    for mismatch in mismatches:
        _print({"type": "mismatch", **mismatch._asdict()})
    _print({"type": "result", "positions": positions, "mismatches": len(mismatches)})
    return 1 if mismatches else 0


def _database_url() -> str:
    url = os.environ.get("WAYSTOCK_DATABASE_URL", "")
    if not url:
        raise ValueError("set WAYSTOCK_DATABASE_URL, such as postgresql://user:password@host/name")
    return url


def _info(database_url: str) -> None:
    missing = migrate.pending(database_url)
    report: dict[str, object] = {
        "tier": migrate.tier(database_url),
        "pending": missing,
        "pending_post": migrate.pending_post(database_url),
    }
    if not missing:
        report["readings"] = audit.readings_by_kind(database_url)
        report["dead_letters"] = audit.dead_letters(database_url)
        report |= retention_command.room(database_url)
    _print(report)


def _import(database_url: str, file: Path) -> None:
    try:
        document = decode_master_data(file.read_bytes())
    except msgspec.DecodeError as error:
        raise ValueError(f"{file}: {error}") from error
    with connect(database_url, "import") as database:
        done = import_master_data(database, document)
    _print(
        {**done.records, "opening_booked": done.opening_booked, "opening_known": done.opening_known}
    )


def _print(report: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
