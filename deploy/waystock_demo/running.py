"""The running demo: its processes, the one loop that keeps them alive, and the end of everything.
Upstream: main, the starting steps, the unattended run; downstream: supervisor, state folder.
"""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from waystock.stopping import StopRequest
from waystock_demo.logs import LogFolder
from waystock_demo.ports import PortChoice
from waystock_demo.state import DemoFile, State
from waystock_demo.supervisor import Service, Supervisor

READY_WITHIN_S = 60.0
_ANSWER_WITHIN_S = 2.0
_TICK_S = 0.1


class StoppedError(Exception):
    """Ctrl-C or SIGTERM came."""


class StartError(Exception):
    """Something would not start; the text says what and shows its log."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line and the environment asked for."""

    seed: int
    host: str
    api_port: PortChoice
    database_port: PortChoice
    mqtt_port: PortChoice
    database_url: str | None
    """A server that is there already, instead of the embedded one."""
    mqtt_url: str | None


class Demo:
    """One run on one state folder."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        stopping: StopRequest,
        say: Callable[[str], None],
    ) -> None:
        self.state = state
        self.settings = settings
        self.logs = LogFolder(state.logs)
        self.started_at = datetime.now(UTC)
        self._stopping = stopping
        self.say = say
        self._supervisor = Supervisor(self.logs, time.monotonic, self._write_demo_file)
        self._demo_file: DemoFile | None = None
        self.database_is_ready: Callable[[], bool] = lambda: True
        """Whether the embedded database takes connections; a database of the user's own does."""

    def launch(self, service: Service) -> None:
        """Start a process and keep it running until `stop`."""
        self._supervisor.launch(service)

    def process_id(self, name: str) -> int | None:
        """Of a launched process; None while it does not run."""
        return self._supervisor.process_ids().get(name)

    def withdraw(self, name: str) -> None:
        """Stop a process for good and forget it."""
        self._supervisor.stop(name)

    def announce(self, demo_file: DemoFile) -> None:
        """Write `demo.json` now, and again whenever a process is replaced."""
        self._demo_file = demo_file
        self._write_demo_file()

    def check_stopping(self) -> None:
        """Raises StoppedError where a signal to stop has come."""
        if self._stopping.is_set():
            raise StoppedError

    def api_is_ready(self) -> bool:
        """Whether the api says that it can serve."""
        connection = http.client.HTTPConnection(
            self._local_host, self.settings.api_port.number, timeout=_ANSWER_WITHIN_S
        )
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @property
    def local_address(self) -> str:
        """Where this machine reaches the api, without the scheme."""
        return f"{self._local_host}:{self.settings.api_port.number}"

    @property
    def _local_host(self) -> str:
        return "127.0.0.1" if self.settings.host in {"0.0.0.0", "::"} else self.settings.host

    def tick(self) -> None:
        """One turn of the loop: restart who died, read the logs, sleep a moment."""
        self._supervisor.tick()
        self.logs.look()
        if self._stopping.wait(_TICK_S):
            raise StoppedError

    def wait(self, process: str, condition: Callable[[], bool], within_s: float) -> None:
        """Turn until `condition` holds. Raises StartError with the log of `process` if it won't."""
        deadline_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise StartError(
                    f"{process} was not ready within {within_s:.0f} s; the end of "
                    f"{self.logs.path(process)}:\n{self.logs.tail(process)}"
                )
            self.tick()

    def wait_for_database(self) -> None:
        """Turn until the embedded database takes connections (again)."""
        self.wait("postgres", self.database_is_ready, READY_WITHIN_S)

    def run_for(self, seconds: float) -> None:
        """Turn for so long."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.tick()

    def restarts(self) -> dict[str, int]:
        """Name → how often it was restarted."""
        return self._supervisor.restarts()

    def stop_devices(self) -> None:
        """Stop the simulators alone: what they sent goes on through the chain."""
        self.withdraw("sim")

    def stop(self) -> None:
        """Stop everything, in the order of the data: devices first, database last."""
        self._demo_file = None
        self._supervisor.stop_all()
        self.logs.look()

    def _write_demo_file(self) -> None:
        if self._demo_file is not None:
            self._demo_file.processes = self._supervisor.process_ids()
            self._demo_file.restarts = self._supervisor.restarts()
            self.state.write_demo_file(self._demo_file)
