"""`waystock fleet COMMAND …`: what can be asked of recorded fixes, and of what was predicted.
Upstream: a user's files, the store; downstream: standard output, one JSON object a line.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "replay": "waystock.fleet.replay_command",
    "eta-score": "waystock.fleet.eta_score_command",
    "eta-report": "waystock.store.eta_report_command",
}
"""Each is loaded when it is asked for: the rules bring numba with them."""


def run(arguments: Sequence[str]) -> int:
    """Exit status 2 on an unknown command."""
    if arguments and arguments[0] in COMMANDS:
        return int(import_module(COMMANDS[arguments[0]]).run(arguments[1:]))
    is_asked = bool(arguments) and arguments[0] in {"-h", "--help"}
    text = "usage: waystock fleet {" + ",".join(COMMANDS) + "} …\n"
    (sys.stdout if is_asked else sys.stderr).write(text)
    return 0 if is_asked else 2
