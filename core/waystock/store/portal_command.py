"""`waystock portal list|decide`: what a portal could not tell, put to a person. Output is one JSON
object a line on standard output. Upstream: the shell; downstream: `portal`.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

import msgspec
import psycopg

from waystock.store.connection import connect
from waystock.store.errors import RefusedError
from waystock.store.portal import decide_passage, undecided_passages


def run(arguments: Sequence[str]) -> int:
    """Exit status 2 on unusable arguments, 1 where it is refused or the database can't be used."""
    options = _parser().parse_args(arguments)
    try:
        url = os.environ.get("WAYSTOCK_DATABASE_URL", "")
        if not url:
            raise ValueError("set WAYSTOCK_DATABASE_URL, such as postgresql://user@host/name")
        with connect(url, "portal") as database:
            if options.action == "list":
                for passage in undecided_passages(database):
                    _print(passage._asdict())
            else:
                by = options.by or getpass.getuser()
                _print(decide_passage(database, options.reading, options.direction, by)._asdict())
    except ValueError as error:
        sys.stderr.write(f"waystock portal {options.action}: {error}\n")
        return 2
    except (RefusedError, psycopg.Error) as error:
        sys.stderr.write(f"waystock portal {options.action}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waystock portal",
        description="Pallets that passed a portal nobody knows which way / 方向不明的通道门记录",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="those that wait for a decision / 待确认的记录")
    decide = actions.add_parser("decide", help="say which way it went / 指定方向")
    decide.add_argument(
        "reading",
        help="the pallet's SSCC, or the reading as `list` names it / 托盘 SSCC 或记录编号",
    )
    decide.add_argument(
        "direction", choices=("in", "out", "none"), help="none: it did not go through / 未通过"
    )
    decide.add_argument("--by", default="", help="who says so; default: you / 确认人")
    return parser


def _print(report: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
