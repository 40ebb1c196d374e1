"""A real TimescaleDB for tests: the server that WAYSTOCK_TEST_TIMESCALE_URL names, else Debian 13's
own packages in a changed root (kept under /var/cache between runs; needs root to build and enter).
"""

import fcntl
import os
import secrets
import shutil
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.postgres import DatabaseServer, running_cluster
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, VOLATILE, Cluster, Install

URL_VARIABLE = "WAYSTOCK_TEST_TIMESCALE_URL"
ROOT = Path("/var/cache/waystock/trixie-timescale")
_DATA = Path("/var/lib/waystock-test")
_BIN = Path("/usr/lib/postgresql/17/bin")
_BUILD_WITHIN_S = 900


class TimescaleMissingError(Exception):
    """There is no TimescaleDB to be had; the text says what would give one."""


@contextmanager
def timescale(*, durable: bool = False) -> Generator[DatabaseServer]:
    """A server with TimescaleDB. Raises TimescaleMissingError."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        server = DatabaseServer(url)
        try:
            yield server
        finally:
            server.close()
        return
    with (
        timescale_cluster(durable=durable) as (cluster, log),
        running_cluster(cluster, log) as server,
    ):
        yield server


@contextmanager
def timescale_cluster(*, durable: bool = False) -> Generator[tuple[Cluster, Path]]:
    """A cluster with TimescaleDB that is not started yet, and where it logs to; for tests that kill
    the server themselves. Raises TimescaleMissingError.
    """
    if os.geteuid() != 0:
        raise TimescaleMissingError(f"no TimescaleDB: not root, and {URL_VARIABLE} is not set")
    _ensure_root()
    with _session_folder() as folder:
        cluster = Cluster(
            install=Install(bin_dir=_BIN, major=17, timescale=True, root=ROOT),
            data_dir=_DATA / folder.name / "data",
            port=free_port(),
            password=secrets.token_hex(8),
            settings={**(DURABLE if durable else VOLATILE), "dynamic_shared_memory_type": "mmap"},
        )
        yield cluster, folder / "log"


def _ensure_root() -> None:
    """Build the Debian root once; whoever comes second waits for the first."""
    with _one_at_a_time():
        if ROOT.exists():
            return
        debootstrap = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if debootstrap is None:
            raise TimescaleMissingError("no TimescaleDB: `apt-get install debootstrap` gives it")
        half = ROOT.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        packages = "postgresql-17,postgresql-17-timescaledb"
        done = subprocess.run(
            [debootstrap, "--variant=minbase", f"--include={packages}", "trixie", str(half)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_BUILD_WITHIN_S,
            check=False,
        )
        if done.returncode != 0:
            raise TimescaleMissingError(f"debootstrap failed: {done.stdout[-2000:]}")
        half.rename(ROOT)


@contextmanager
def _session_folder() -> Generator[Path]:
    """A folder in the root for this session, locked; folders of sessions that died are removed."""
    sessions = ROOT / _DATA.relative_to("/")
    folder = sessions / secrets.token_hex(6)
    with ExitStack() as held:
        with _one_at_a_time():
            folder.mkdir(parents=True)
            sessions.chmod(0o755)
            folder.chmod(0o755)
            lock = held.enter_context((folder / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            for other in sessions.iterdir():
                if other != folder:
                    _remove_if_dead(other)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _one_at_a_time() -> Generator[None]:
    ROOT.parent.mkdir(parents=True, exist_ok=True)
    with ROOT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_if_dead(folder: Path) -> None:
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except (FileNotFoundError, BlockingIOError):
        return


def postgres_tools(folder: Path) -> Path | None:
    """A folder with the root's own pg_dump and pg_restore, each in a wrapper that starts it with
    the root's libraries but sees this machine's files; None where the server is not of that root.
    """
    if os.environ.get(URL_VARIABLE):
        return None
    tools = folder / "tools"
    tools.mkdir()
    (libraries,) = (ROOT / "usr/lib").glob("*-linux-gnu")
    (loader,) = libraries.glob("ld-linux*.so*")
    for name in ("pg_dump", "pg_restore"):
        binary = ROOT / _BIN.relative_to("/") / name
        started = f'exec {loader} --library-path {libraries} {binary} "$@"'
        wrapper = tools / name
        wrapper.write_text(f"#!/bin/sh\nunset LD_LIBRARY_PATH\n{started}\n")
        wrapper.chmod(0o755)
    return tools
