"""Real MQTT brokers for tests, each empty, on a free port, with its state in a folder that is
removed at the end: the embedded NATS (MQTT 3.1.1) and Debian's mosquitto (MQTT 5).
"""

import os
import pwd
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.postgres import on_ci
from tests.support.processes import wait_until
from waystock_demo.nats import (
    BrokerAccount,
    NatsServer,
    takes_connections,
    unlimited_account,
)
from waystock_demo.ports import free_port
from waystock_demo.process import Command, Process, start, stop


@dataclass
class Broker:
    """A running broker that can be killed and started again: same port, same state."""

    url: str
    port: int
    urls: dict[str, str] = field(default_factory=dict)
    """URL of each further account, by user."""
    command: Command = field(kw_only=True)
    log: Path = field(kw_only=True)
    _process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with self.log.open("ab") as output:
            self._process = start(self.command, output)
        wait_until(self._listens, f"{self.command.name} listens", within_s=15)

    def kill(self) -> None:
        """SIGKILL, as if the plug was pulled."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """A clean end."""
        if self._process is not None:
            stop(self._process, self.command.stop_signal)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(errors="replace")
        return takes_connections(self.port)


@contextmanager
def nats(accounts: Sequence[BrokerAccount] = ()) -> Generator[Broker]:
    """The embedded NATS with an account `test` that may do everything, and `accounts`."""
    with _folder("nats") as folder:
        port = free_port()
        everybody = (unlimited_account("test", "test"), *accounts)
        server = NatsServer(folder=folder, mqtt_port=port, accounts=everybody)
        server.prepare()
        broker = Broker(
            url=server.url("test"),
            port=port,
            urls={account.user: server.url(account.user) for account in everybody},
            command=server.command(),
            log=folder / "log",
        )
        yield from _run(broker)


@contextmanager
def mosquitto(*, forgetful: bool = False, further: str = "") -> Generator[Broker]:
    """Debian's mosquitto with persistence (`forgetful`: without, so that a kill costs it all that
    it knew), open to everybody on 127.0.0.1. `further` configuration may add listeners.
    """
    binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        if on_ci():
            raise AssertionError("mosquitto is missing: `apt-get install mosquitto`")
        pytest.skip("mosquitto is not installed (`apt-get install mosquitto`)")
    with _folder("mosquitto") as folder:
        port = free_port()
        configuration = folder / "mosquitto.conf"
        configuration.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\n"
            f"user {pwd.getpwuid(os.geteuid()).pw_name}\n"
            f"persistence {str(not forgetful).lower()}\npersistence_location {folder}/\n"
            "autosave_interval 1\nautosave_on_changes true\n"
            f"max_queued_messages 0\nmax_inflight_messages 0\n{further}"
        )
        broker = Broker(
            url=f"mqtt://127.0.0.1:{port}",
            port=port,
            command=Command(name="mosquitto", argv=(binary, "-c", str(configuration))),
            log=folder / "log",
        )
        yield from _run(broker)


def _run(broker: Broker) -> Iterator[Broker]:
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def _folder(name: str) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"waystock-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
