"""`waystock report NAME --from DAY --to DAY`: a report of the fleet into a file or onto standard
output. Upstream: the store; downstream: whoever reads files.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, get_args

import psycopg

from waystock.reports.asked import BYS, GRACE_MIN_MAX, PERS, Asked, chosen_options
from waystock.reports.catalogue import REPORTS, Format
from waystock.store.api import UnusableValueError
from waystock.store.connection import connect
from waystock.store.report_file import write_report
from waystock.store.reports import ReportTooLargeError, checked, time_zone_of

COPIED_BYTES = 1 << 20
KEPT_IN_MEMORY_BYTES = 8 << 20


def run(arguments: Sequence[str]) -> int:
    """Exit status 2 on unusable arguments, 1 where the database can't be used."""
    options = _parser().parse_args(arguments)
    url = os.environ.get("WAYSTOCK_DATABASE_URL", "")
    try:
        if not url:
            raise ValueError(
                "set WAYSTOCK_DATABASE_URL, such as postgresql://user:password@host/name"
            )
        _write(url, options)
    except BrokenPipeError:
        return 1
    except (UnusableValueError, ReportTooLargeError, ValueError, OSError) as error:
        sys.stderr.write(f"waystock report {options.name}: {error}\n")
        return 2
    except psycopg.Error as error:
        sys.stderr.write(f"waystock report {options.name}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waystock report",
        description="A report of the fleet as a file. Days run from midnight to midnight of the"
        " site's time zone; what began on a day belongs to it.",
    )
    parser.add_argument("name", choices=list(REPORTS))
    parser.add_argument("--from", dest="first_day", type=_day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="last_day", type=_day, required=True, metavar="DAY",
                        help="included")  # fmt: skip
    parser.add_argument("--format", choices=get_args(Format), default=None,
                        help="left out: what --out ends in, else csv")  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="left out: standard output; a folder: a file"
                        " in it named after the report")  # fmt: skip
    for name in ("vehicle", "site", "carrier", "customer"):
        parser.add_argument(f"--{name}", help=f"only this {name}")
    parser.add_argument("--time-zone", help="left out: the site's, or the one all sites share")
    parser.add_argument("--per", choices=PERS, help="mileage: rows per (day)")
    parser.add_argument("--by", choices=BYS, help="punctuality: rows by (lane)")
    parser.add_argument("--grace", type=float, metavar="MIN",
                        help="punctuality: so late is still on time (5)")  # fmt: skip
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    parser.add_argument("--bom", action="store_true", help="csv: marked as UTF-8, for Excel")
    return parser


def _write(url: str, options: argparse.Namespace) -> None:
    kind = _format_of(options)
    if options.grace is not None and not 0 <= options.grace <= GRACE_MIN_MAX:
        raise ValueError(f"--grace: 0 to {GRACE_MIN_MAX} minutes")
    report = REPORTS[options.name]
    given = {"per": options.per, "by": options.by, "grace_min": options.grace}
    chosen = chosen_options(report, given)
    with connect(url, "report") as database:
        asked = checked(
            database,
            Asked(
                report=report,
                first_day=options.first_day,
                last_day=options.last_day,
                time_zone=options.time_zone or time_zone_of(database, options.site),
                vehicle=options.vehicle,
                site=options.site,
                carrier=options.carrier,
                customer=options.customer,
                lang=options.lang,
                **chosen,
            ),
        )
        # Not straight into the file: one that is cut off in the middle looks like a whole one.
        with tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY_BYTES) as made:
            out: BinaryIO = made  # type: ignore[assignment]
            write_report(database, asked, kind, out, datetime.now(UTC), bom=options.bom)
            out.seek(0)
            _hand_over(out, options.out, asked.file_name(kind))


def _hand_over(made: BinaryIO, out: str | None, name: str) -> None:
    if out is None:
        while block := made.read(COPIED_BYTES):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    path = Path(out)
    path = path / name if path.is_dir() else path
    with path.open("wb") as file:
        while block := made.read(COPIED_BYTES):
            file.write(block)
    sys.stderr.write(f"{path}\n")


def _format_of(options: argparse.Namespace) -> Format:
    if options.format is not None:
        return options.format
    ending = Path(options.out or "").suffix.removeprefix(".").lower()
    found: Format = ending if ending in get_args(Format) else "csv"  # type: ignore[assignment]
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-11-23") from error
