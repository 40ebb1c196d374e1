"""`make fuzz`: every decoder of the gateway fed with random, spoilt and good bytes. One line each;
exit status 1, with seed and smallest input, when one breaks a rule. ARGS:

    --decoder NAME   only this one (may be repeated); --list names them
    --bytes N        for each of them, by default 10,000,000
    --seed N         by default 1; the same seed feeds the same bytes
    --replay TEXT    what an earlier failure printed, or @FILE where that was too long for a line

The rules are in `checks` and `trial`. One of them, that a good frame behind noise is heard, can
fail by chance where a frame has no more than 16 bits to prove itself: noise that happens to fit
them is a frame. The smallest input then shows one of noise that reaches into the good ones.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.campaign import Failure, fuzz, undocumented
from tests.fuzz.checks import Broken
from tests.fuzz.reproduction import read
from tests.fuzz.subjects import Subject, subjects
from tests.fuzz.trial import Tally, run

BYTES = 10_000_000
LINE_CHARS_MAX = 2_000


def main(argv: list[str]) -> int:
    known = subjects()
    options = _parser(known).parse_args(argv)
    if options.list:
        print(*known, sep="\n")
        return 0
    if options.replay:
        return _replay(options.replay, known)
    failed = 0
    for name in options.decoder or known:
        tally, failure = fuzz(known[name], options.bytes, options.seed)
        print(_line(known[name], tally, failure), flush=True)
        if failure is not None:
            failed = 1
            print(f"  {str(failure.broken)[:LINE_CHARS_MAX]}\n  seed {options.seed}, again with:")
            print(f"  make fuzz ARGS='--replay {_written(name, failure)}'", flush=True)
        for reason in undocumented(known[name], tally.reasons):
            failed = 1
            print(f"  the reason `{reason}` is missing from the README of {name}", flush=True)
    return failed


def _written(name: str, failure: Failure) -> str:
    """The reproduction itself, or where it lies."""
    if len(failure.reproduction) <= LINE_CHARS_MAX:
        return failure.reproduction
    file = Path(tempfile.gettempdir()) / f"waystock-fuzz-{name}.txt"
    file.write_text(failure.reproduction)
    return f"@{file}"


def _replay(text: str, known: dict[str, Subject]) -> int:
    text = Path(text[1:]).read_text() if text.startswith("@") else text
    try:
        run(*read(text, known), Tally())
    except Broken as broken:
        print(broken)
        return 1
    print("holds")
    return 0


def _line(subject: Subject, tally: Tally, failure: Failure | None) -> str:
    speed = tally.bytes / tally.decode_s / 1e6 if tally.decode_s else 0.0
    return (
        f"{subject.name:<15} {tally.bytes:>11,} bytes {tally.frames:>9,} frames "
        f"{tally.events:>9,} events {tally.rejects:>9,} rejects {speed:>8.2f} MB/s  "
        f"{'holds' if failure is None else 'BROKEN'}"
    )


def _parser(known: dict[str, Subject]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__, add_help=True)
    parser.add_argument("--decoder", action="append", choices=[*known])
    parser.add_argument("--bytes", type=int, default=BYTES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", default="")
    parser.add_argument("--list", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
