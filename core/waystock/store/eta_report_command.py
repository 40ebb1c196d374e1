"""`waystock fleet eta-report`: how good the arrival times were that screens showed, from what was
predicted and the arrivals that came. Upstream: the store; downstream: standard output, one JSON
object a line.

Exit status 0 with a report (an empty one, too), 2 on unusable arguments, 1 where the database can't
be used.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg

from waystock.store.connection import connect
from waystock.store.predictions import ACCURACY
from waystock.store.questions import ask

DESCRIPTION = (
    "How good predicted arrival times were, by minutes away / 按提前时间统计已展示的到达预测有多准"
)
BY = ("all", "lane", "carrier", "vehicle")
MODELS = ("learned", "pace", "straight_line")
ROWS_AT_ONCE = 500


def run(arguments: Sequence[str]) -> int:
    """Ask, print; see the module's head."""
    options = _parser().parse_args(arguments)
    until = datetime.now(UTC)
    asked: dict[str, object] = {
        "since": until - timedelta(days=options.days),
        "until": until,
        "by": options.by,
        "model": options.model,
    }
    url = os.environ.get("WAYSTOCK_DATABASE_URL", "")
    if not url:
        sys.stderr.write(
            "waystock fleet eta-report: set WAYSTOCK_DATABASE_URL, such as"
            " postgresql://user:password@host/name\n"
        )
        return 2
    try:
        _report(url, asked)
    except psycopg.Error as error:
        sys.stderr.write(f"waystock fleet eta-report: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock fleet eta-report", description=DESCRIPTION)
    parser.add_argument("--by", choices=BY, default=BY[0], help="one report for each of these")
    parser.add_argument("--model", choices=MODELS, help="only what this model said")
    parser.add_argument(
        "--days", type=_days, default=28.0, metavar="N", help="what was said within N days (28)"
    )
    return parser


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= 3650:
        raise argparse.ArgumentTypeError(f"more than 0 and at most 3650 days, not {text}")
    return days


def _report(url: str, asked: dict[str, object]) -> None:
    with connect(url, "eta-report") as database:
        after = None
        while True:
            rows, after = ask(database, ACCURACY, asked, after, ROWS_AT_ONCE)
            for row in rows:
                line = {"type": "eta_accuracy", "by": asked["by"], **asdict(row)}
                sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
            if after is None:
                return
