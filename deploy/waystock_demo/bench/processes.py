"""Waystock's own processes as a benchmark runs them: ready when the caller gets them, stopped
afterwards, their memory told.
"""

import re
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from waystock_demo import services
from waystock_demo.bench.servers import Servers, running
from waystock_demo.listening import listens
from waystock_demo.process import Command, Process
from waystock_demo.services import Endpoints

READY_WITHIN_S = 120.0
_POLL_S = 0.02


def endpoints(servers: Servers, database_url: str) -> Endpoints:
    """Where these processes find database and broker."""
    return Endpoints(database_url=database_url, mqtt_urls={"": servers.broker_url})


def ingest(servers: Servers, database_url: str) -> AbstractContextManager[Process]:
    """An ingest process that is subscribed."""
    command = services.ingest(endpoints(servers, database_url))
    return _started_saying("ingest_listening", command, servers)


@contextmanager
def api(servers: Servers, database_url: str, port: int) -> Generator[Process]:
    """An api process that listens on `port` of 127.0.0.1."""
    command = services.api(endpoints(servers, database_url), "127.0.0.1", port)
    with _started(command, servers, lambda process: listens(process.pid, port)) as process:
        yield process


def worker(servers: Servers, database_url: str) -> AbstractContextManager[Process]:
    """A worker process that has begun."""
    command = services.worker(endpoints(servers, database_url))
    return _started_saying("worker_started", command, servers)


@contextmanager
def _started_saying(word: str, command: Command, servers: Servers) -> Generator[Process]:
    """Ready when its log says so."""
    log = servers.folder / f"{command.name}.log"
    log.write_text("")
    with _started(command, servers, lambda _: word in log.read_text()) as process:
        yield process


@contextmanager
def _started(
    command: Command, servers: Servers, is_ready: Callable[[Process], bool]
) -> Generator[Process]:
    with running(command, servers.folder) as process:
        deadline = time.monotonic() + READY_WITHIN_S
        while not is_ready(process):
            if process.poll() is not None or time.monotonic() > deadline:
                said = (servers.folder / f"{command.name}.log").read_text(errors="replace")
                raise RuntimeError(f"{command.name} is not ready: {said[-2000:]}")
            time.sleep(_POLL_S)
        yield process


def peak_rss_mb(process: Process) -> float:
    """The most memory that a running process has had (VmHWM), MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return round(int(found[1]) * 1024 / 1e6, 1) if found else 0.0
