"""Real processes in tests: started by the demo's own code, stopped at the end, killed with us."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from waystock_demo.process import Command, Process, start, stop


@contextmanager
def running(command: Command, log: Path) -> Generator[Process]:
    """`command` as a child whose output goes to `log`; stopped, or killed, at the end."""
    with log.open("ab") as output:
        process = start(command, output)
    try:
        yield process
    finally:
        stop(process, command.stop_signal)


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended but was not waited for doesn't."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(
    condition: Callable[[], object], what: str, *, within_s: float = 10.0, every_s: float = 0.02
) -> None:
    """Return once `condition()` is true. Raises AssertionError with `what` at the deadline."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(every_s)
