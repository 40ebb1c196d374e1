"""`waystock bench NAME [--json]`: run a benchmark, or all of them, and print what came of it."""

import argparse
import sys
from collections.abc import Callable, Sequence

import msgspec

from waystock_demo.bench import ingest
from waystock_demo.bench.result import BenchResult

BENCHES: dict[str, Callable[[], BenchResult]] = {
    "ingest": ingest.run,
    "ingest-one-by-one": ingest.run_one_by_one,
}


def run(arguments: Sequence[str]) -> int:
    """`waystock bench …`; exit status 2 on an unknown name."""
    parser = argparse.ArgumentParser(prog="waystock bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHES, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON object a line, nothing else")
    options = parser.parse_args(arguments)
    for name in BENCHES if options.name == "all" else [options.name]:
        result = BENCHES[name]()
        if options.json:
            sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        else:
            sys.stdout.write(_words(result))
        sys.stdout.flush()
    return 0


def _words(result: BenchResult) -> str:
    lines = [
        f"{result.name}: {result.ours:,.0f} of {result.limit:,.0f} {result.unit}"
        f" = {result.ratio:.2f}"
    ]
    lines += [f"    {key}: {value}" for key, value in result.details.items()]
    return "\n".join(lines) + "\n"
