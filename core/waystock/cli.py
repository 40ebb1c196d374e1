"""The one command, `waystock`. Each installed component adds its subcommands by entry point, so a
gateway's install shows the gateway's commands and nothing that it lacks.
"""

import os
import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from waystock import logs


def main() -> int:
    """Run `waystock SUBCOMMAND ARGS…`; exit status 2 means the arguments were unusable."""
    commands = {point.name: point for point in entry_points(group="waystock.commands")}
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_overview(commands.values()))
        return 0 if arguments else 2
    command = commands.get(arguments[0])
    if command is None:
        sys.stderr.write(f"waystock: no command '{arguments[0]}'\n{_overview(commands.values())}")
        return 2
    try:
        logs.configure(os.environ.get("WAYSTOCK_LOG", "info"))
    except ValueError as error:
        sys.stderr.write(f"waystock: {error}\n")
        return 2
    return int(command.load()(arguments[1:]) or 0)


def _overview(commands: Iterable[EntryPoint]) -> str:
    names = sorted(point.name for point in commands)
    return "usage: waystock {" + ",".join(names) + "} …   (waystock COMMAND --help tells more)\n"
