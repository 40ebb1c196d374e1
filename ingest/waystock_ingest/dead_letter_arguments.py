"""The arguments of `waystock dead-letter`, checked as far as they can be without the store."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

LIMIT_DEFAULT, LIMIT_MAX = 100, 10_000
REASON_CHARS_MAX = 1_000


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for; ends the process with status 2, saying why, where it can't be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    fault = _fault(options)
    if fault:
        parser.error(fault)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waystock dead-letter",
        description="Messages and readings that could not be taken in, kept with the reason.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    lister = commands.add_parser("list", help="newest first, without payloads")
    lister.add_argument("--stage", help="only what was refused there, such as decode")
    lister.add_argument("--since", type=_instant, metavar="ISO", help="2026-11-23T06:00:00Z")
    lister.add_argument("--limit", type=_limit, default=LIMIT_DEFAULT, metavar="N")
    lister.add_argument("--after", type=_id, metavar="ID", help="the last id of the page before")
    lister.add_argument("--dropped", action="store_true", help="those that were dropped")
    shower = commands.add_parser("show", help="one, with its payload and whether it is readable")
    shower.add_argument("id", type=_id, metavar="ID")
    shower.add_argument("--save", type=Path, metavar="FILE", help="write the payload there, too")
    retrier = commands.add_parser("retry", help="take into the store what can be taken now")
    _add_choice(retrier)
    retrier.add_argument("--edit", type=Path, metavar="FILE", help="with this payload instead")
    retrier.add_argument("--by", help="who corrected it; by default who is logged in")
    dropper = commands.add_parser("drop", help="do away with letters nobody needs")
    _add_choice(dropper)
    dropper.add_argument("--reason", type=_text, required=True, help="why; it is kept")
    dropper.add_argument("--by", help="who drops them; by default who is logged in")
    restorer = commands.add_parser("restore", help="bring dropped letters back")
    restorer.add_argument("ids", type=_id, nargs="+", metavar="ID")
    return parser


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", type=_id, nargs="*", metavar="ID")
    parser.add_argument("--all", action="store_true", help="every one, or every one of a stage")
    parser.add_argument("--stage", help="with --all: only what was refused there")


def _fault(options: argparse.Namespace) -> str:
    """What is wrong with these arguments taken together; empty where nothing."""
    if options.command not in {"retry", "drop"}:
        return ""
    if bool(options.ids) == options.all:
        return "name letters by their ids, or all of them by --all"
    if options.stage is not None and not options.all:
        return "--stage narrows --all; ids need none"
    if options.command == "drop" and options.all and options.stage is None:
        return "drop --all needs --stage: nobody means every letter there is"
    if options.command == "retry" and options.edit is not None and len(options.ids) != 1:
        return "--edit corrects one letter: name its id"
    return ""


def _id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError
    return number


def _limit(text: str) -> int:
    number = int(text)
    if not 1 <= number <= LIMIT_MAX:
        raise argparse.ArgumentTypeError(f"{text}: from 1 to {LIMIT_MAX}")
    return number


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: not like 2026-11-23T06:00:00Z") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _text(text: str) -> str:
    if not text.strip() or len(text) > REASON_CHARS_MAX:
        raise argparse.ArgumentTypeError(f"words, {REASON_CHARS_MAX} characters at most")
    return text.strip()
