"""`waystock fleet replay FILE`: what a recording would have shown, one JSON object a line, by the
rules that ingest runs. Upstream: files of fixes, routes and fences; downstream: standard output.

Exit status 0 when the recording was read to its end (what was refused is a line of its own), 2 when
it was not, or the arguments are unusable.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from waystock.fleet.derived import instant_from_us
from waystock.fleet.fixes import FixColumns
from waystock.fleet.lines import Line
from waystock.fleet.plan import FleetPlan
from waystock.fleet.plan_files import plan_of, read_fences, read_routes
from waystock.fleet.playback import play
from waystock.fleet.recorded import SPEED_UNITS, FixError, RecordedFixes, instant_us
from waystock.fleet.recording_files import FORMATS, READERS, Source
from waystock.fleet.settings import FleetSettings

T = TypeVar("T")

DESCRIPTION = (
    "Trips, stops, visits, ETAs and alerts of a recording, one JSON object a line"
    " / 回放轨迹文件：逐行输出行程、停留、围栏、预计到达与告警（JSON）"
)
_SETTINGS = {field.name: field for field in msgspec.structs.fields(FleetSettings)}


class ArgumentsError(Exception):
    """What is wrong with them, for the user to read."""


def run(arguments: Sequence[str]) -> int:
    """Read, fold, print; see the module's head."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options.set)
        fixes, broken = _read(options)
        columns = fixes.columns(_as_of_us(options))
        plan = _plan(options, columns, settings)
    except ArgumentsError as error:
        return _complain(str(error))
    playback = play(columns, plan, with_marks=options.marks, with_anomalies=options.anomalies)
    rejects: list[Line] = [
        {"type": "reject", "reason": one.reason, "at": one.at, "raw": one.raw}
        for one in fixes.rejects
    ]
    try:
        _print([*rejects, *playback.lines])
    except BrokenPipeError:
        # Whoever read the lines has had enough; nothing more is flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    _tell_what_was_left_out(fixes, playback.marks)
    return _complain(broken) if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waystock fleet replay", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", help="CSV, GPX or GeoJSON; - is standard input")
    parser.add_argument("--routes", type=Path, help="GeoJSON lines, each with a property vehicle")
    parser.add_argument("--fences", type=Path, help="GeoJSON areas, each with a property name")
    parser.add_argument("--format", choices=READERS, help="where FILE's name does not tell it")
    parser.add_argument("--vehicle", metavar="NAME", help="whose fixes they are, if FILE says not")
    parser.add_argument("--speed-unit", choices=SPEED_UNITS, default="mps", help="of column speed")
    parser.add_argument(
        "--as-of",
        metavar="TIME",
        help="when the recording was taken down (default: when FILE was last written); what is"
        " dated a day later is marked and left out",
    )
    parser.add_argument(
        "--anomalies",
        action="store_true",
        help="also alerts that no route or fence asks for: speeding, unplanned stops, receivers"
        " that are silent, jump or freeze",
    )
    parser.add_argument("--marks", action="store_true", help="also a line per fix left out")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"a rule's number: {', '.join(_SETTINGS)}",
    )
    return parser


def _settings(given: Sequence[str]) -> FleetSettings:
    values: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in _SETTINGS:
            raise ArgumentsError(f"--set: there is no number {name!r}")
        try:
            values[name] = _SETTINGS[name].type(number)
        except ValueError as error:
            raise ArgumentsError(f"--set {text}: {number!r} is not a number") from error
    settings = FleetSettings(**values)  # pyright: ignore[reportArgumentType]
    try:
        settings.check()
    except ValueError as error:
        raise ArgumentsError(f"--set: {error}") from error
    return settings


def _read(options: argparse.Namespace) -> tuple[RecordedFixes, str]:
    """The fixes, and why they are not all there, if so."""
    fixes = RecordedFixes(options.speed_unit)
    name = options.format or FORMATS.get(Path(options.file).suffix.lower(), "csv")
    with ExitStack() as stack:
        file = _open(options.file, stack)
        source = Source(file, options.vehicle or _stem(options.file), bool(options.vehicle))
        try:
            READERS[name](source, fixes)
        except (ValueError, OSError) as error:
            reason = f"{options.file}: {error}"
            if not len(fixes) and not fixes.rejects:
                raise ArgumentsError(reason) from error
            return fixes, reason
    return fixes, ""


def _open(file: str, stack: ExitStack) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except OSError as error:
        raise ArgumentsError(f"{file}: {error.strerror}") from error


def _stem(file: str) -> str:
    return "vehicle" if file == "-" else Path(file).stem


def _as_of_us(options: argparse.Namespace) -> int | None:
    if options.as_of:
        try:
            return instant_us(options.as_of)
        except FixError as error:
            raise ArgumentsError(f"--as-of: {error}") from error
    if options.file == "-":
        return None
    return round(Path(options.file).stat().st_mtime * 1e6)


def _plan(options: argparse.Namespace, columns: FixColumns, settings: FleetSettings) -> FleetPlan:
    since = datetime(1970, 1, 1, tzinfo=UTC)
    if len(columns.time_us):
        since = instant_from_us(int(columns.time_us.min()))
    routes = _of_file(options.routes, read_routes) if options.routes else []
    fences = _of_file(options.fences, read_fences) if options.fences else []
    strangers = {route.vehicle for route in routes}.difference(columns.devices)
    if strangers:
        sys.stderr.write(
            f"waystock fleet replay: no fix of {len(strangers)} vehicles that have a route,"
            f" such as {min(strangers)!r}\n"
        )
    return plan_of(routes, fences, since, settings)


def _of_file(path: Path, reader: Callable[[bytes], list[T]]) -> list[T]:
    try:
        return reader(path.read_bytes())
    except OSError as error:
        raise ArgumentsError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ArgumentsError(f"{path}: {error}") from error


def _print(lines: Iterable[Line]) -> None:
    encoder = msgspec.json.Encoder()
    for line in lines:
        sys.stdout.buffer.write(encoder.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _tell_what_was_left_out(fixes: RecordedFixes, marks: Mapping[str, int]) -> None:
    """Counts, on standard error; the lines themselves are on standard output."""
    told = [f"{count} fixes marked {mark} and left out" for mark, count in sorted(marks.items())]
    if fixes.rejects:
        first = min(fixes.rejects)
        told.insert(0, f"{len(fixes.rejects)} refused, the first at {first.at}: {first.reason}")
    for text in told:
        sys.stderr.write(f"waystock fleet replay: {text}\n")


def _complain(reason: str) -> int:
    sys.stderr.write(f"waystock fleet replay: {reason}\n")
    return 2
