"""`waystock contract [--check] DIR`: writes the published contract, or says what has drifted from
the code. Upstream: schema and asyncapi; downstream: docs/contract and whoever reads it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from waystock.contract.asyncapi import asyncapi
from waystock.contract.schema import documents

ASYNCAPI_FILE = "asyncapi.json"


def run(arguments: Sequence[str]) -> int:
    """A JSON object per file on standard output; exit status 1 where --check found a difference."""
    parser = argparse.ArgumentParser(
        prog="waystock contract", description="JSON Schema and AsyncAPI of the wire contract."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="such as docs/contract")
    parser.add_argument("--check", action="store_true", help="write nothing, compare only")
    options = parser.parse_args(arguments)
    made = files()
    try:
        states = {name: _state(options.directory / name, text) for name, text in made.items()}
        states |= dict.fromkeys(_left_over(options.directory, made), "left over")
        if not options.check:
            options.directory.mkdir(parents=True, exist_ok=True)
            for name, text in made.items():
                (options.directory / name).write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"waystock contract: {error}\n")
        return 2
    for name, state in sorted(states.items()):
        print(json.dumps({"file": name, "state": state}))
    return 1 if options.check and set(states.values()) != {"same"} else 0


def files() -> dict[str, str]:
    """The text of each published file, by its name; the same for the same code."""
    texts = {f"{name}.schema.json": _text(schema) for name, schema in documents().items()}
    return texts | {ASYNCAPI_FILE: _text(asyncapi())}


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _state(path: Path, text: str) -> str:
    if not path.exists():
        return "missing"
    return "same" if path.read_text(encoding="utf-8") == text else "different"


def _left_over(directory: Path, made: dict[str, str]) -> list[str]:
    """Schemas that no code stands for any more; to be removed by hand."""
    return [path.name for path in directory.glob("*.schema.json") if path.name not in made]
