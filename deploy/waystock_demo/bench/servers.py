"""A database server and a broker for one benchmark, empty, durable, gone afterwards."""

import os
import pwd
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from waystock.store.databases import make_database
from waystock_demo.bench.options import EMBEDDED, LOCAL_TIMESCALE, BenchOptions
from waystock_demo.nats import NatsServer, takes_connections, unlimited_account
from waystock_demo.ports import free_port
from waystock_demo.postgres import DURABLE, Cluster, Install, timescale_install, wheel_install
from waystock_demo.process import Command, Process, start, stop

BROKERS = ("nats", "mosquitto")
BROKER_READY_WITHIN_S = 15.0
_POLL_S = 0.05


@dataclass(frozen=True)
class Servers:
    """What a benchmark runs on."""

    folder: Path
    admin_url: str
    broker_url: str

    def database(self, name: str) -> str:
        """URL of a new, empty database; one left over from an earlier run is dropped."""
        make_database(self.admin_url, f"waystock_bench_{name}")
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/waystock_bench_{name}"))


@contextmanager
def scratch_folder() -> Generator[Path]:
    """A new folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="waystock-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_servers(options: BenchOptions | None = None) -> Generator[Servers]:
    """Start what is needed, stop it at the end."""
    options = options or BenchOptions()
    brokers = {"nats": nats, "mosquitto": mosquitto}
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        install = _install(options.server)
        admin_url = stack.enter_context(_postgres(folder, install)) if install else options.server
        broker_url = stack.enter_context(brokers[options.broker](folder))
        yield Servers(folder, admin_url, broker_url)


def _install(server: str) -> Install | None:
    """What to start; None where `server` is a URL and runs already."""
    if server == EMBEDDED:
        return wheel_install()
    if server == LOCAL_TIMESCALE:
        found = timescale_install()
        if found is None:
            raise RuntimeError("this machine has no TimescaleDB (postgresql-17-timescaledb)")
        return found
    return None


@contextmanager
def _postgres(folder: Path, install: Install) -> Generator[str]:
    cluster = Cluster(
        install=install,
        data_dir=folder / "postgres",
        port=free_port(),
        password=secrets.token_hex(8),
        settings=DURABLE,
    )
    cluster.prepare()
    with running(cluster.command(), folder) as process:
        cluster.wait_ready(process)
        yield cluster.url("postgres")


@contextmanager
def nats(folder: Path) -> Generator[str]:
    """The embedded broker; its URL."""
    server = NatsServer(
        folder=folder / "nats",
        mqtt_port=free_port(),
        accounts=(unlimited_account("bench", secrets.token_hex(8)),),
    )
    server.prepare()
    with running(server.command(), folder) as process:
        server.wait_ready(process)
        yield server.url("bench")


@contextmanager
def mosquitto(folder: Path) -> Generator[str]:
    """The machine's mosquitto with no limit on queues, kept in memory; its URL. Raises
    RuntimeError where there is none.
    """
    binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if binary is None:
        raise RuntimeError("mosquitto is not installed (Debian: apt-get install mosquitto)")
    port = free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        f"user {pwd.getpwuid(os.geteuid()).pw_name}\nset_tcp_nodelay true\n"
        "max_queued_messages 0\nmax_queued_bytes 0\nmax_inflight_messages 0\n"
        "max_inflight_bytes 0\nmemory_limit 0\n"
    )
    command = Command(name="mosquitto", argv=(binary, "-c", str(configuration)))
    with running(command, folder) as process:
        deadline = time.monotonic() + BROKER_READY_WITHIN_S
        while not takes_connections(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mosquitto: {(folder / 'mosquitto.log').read_text()}")
            time.sleep(_POLL_S)
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def running(command: Command, folder: Path) -> Generator[Process]:
    """`command` with its output in `folder`/NAME.log; stopped at the end."""
    with (folder / f"{command.name}.log").open("ab") as output:
        process = start(command, output)
    try:
        yield process
    finally:
        stop(process, command.stop_signal)
