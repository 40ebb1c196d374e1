"""`make bench`: `waystock bench` on embedded PostgreSQL and on the TimescaleDB of the tests."""

import sys

from tests.bench.timescale import with_timescale
from waystock import logs
from waystock_demo.bench import command

if __name__ == "__main__":
    logs.configure("warning")
    with with_timescale():
        sys.exit(command.run(sys.argv[1:]))
