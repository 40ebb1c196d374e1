"""The tests' TimescaleDB for benchmarks: `make bench` measures on it as well, without a word."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from tests.support.timescale import TimescaleMissingError, timescale
from waystock_demo.bench.command import TIMESCALE_VARIABLE


@contextmanager
def with_timescale() -> Generator[None]:
    """Within, the benchmarks find a TimescaleDB (durable, as they need it), where there is one."""
    if os.environ.get(TIMESCALE_VARIABLE):
        yield
        return
    with ExitStack() as running:
        try:
            server = running.enter_context(timescale(durable=True))
        except TimescaleMissingError as missing:
            print(f"not on TimescaleDB: {missing}", file=sys.stderr)
        else:
            os.environ[TIMESCALE_VARIABLE] = server.admin_url
            running.callback(os.environ.pop, TIMESCALE_VARIABLE)
        yield
