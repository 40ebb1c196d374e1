"""`make bench`: `waystock bench` on embedded PostgreSQL and on the TimescaleDB of the tests; and
what is measured of the gateway's own code, which no other component may import.
"""

import sys
from collections.abc import Callable

from tests.bench import portal, presence
from tests.bench.timescale import with_timescale
from waystock import logs
from waystock_demo.bench import command
from waystock_demo.bench.result import BenchResult

OF_THE_GATEWAY: dict[str, Callable[[], BenchResult]] = {
    "portal": portal.run,
    "presence": presence.run,
}

if __name__ == "__main__":
    logs.configure("warning")
    names = [name for name in sys.argv[1:] if name in OF_THE_GATEWAY]
    for name in names:
        command.print_result(OF_THE_GATEWAY[name](), as_json="--json" in sys.argv)
    if not names:
        with with_timescale():
            sys.exit(command.run(sys.argv[1:]))
