"""The running demo: its processes in their order, the one loop that keeps them alive, and the end
of everything. Upstream: main, the unattended run; downstream: supervisor, state folder, database.
"""

import http.client
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import MasterData
from waystock_demo import services
from waystock_demo.logs import LogFolder
from waystock_demo.nats import NatsServer
from waystock_demo.postgres import DURABLE, Cluster, choose_install
from waystock_demo.process import Command, run
from waystock_demo.services import Endpoints, GatewayConfig, waystock
from waystock_demo.state import DemoFile, Login, Secrets, State
from waystock_demo.supervisor import Service, Supervisor
from waystock_demo.world import (
    WORLDS_APART,
    make_world,
    new_day,
    read_document,
    read_stock,
    write_document,
)

API_READY_WITHIN_S = 60.0
SIM_READY_WITHIN_S = 60.0
_COMMAND_WITHIN_S = 120.0
_ANSWER_WITHIN_S = 2.0
_TICK_S = 0.1
STEPS = 6


class StoppedError(Exception):
    """Ctrl-C or SIGTERM came."""


class StartError(Exception):
    """Something would not start; the text says what and shows its log."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line and the environment asked for."""

    seed: int
    host: str
    api_port: int
    database_port: int
    mqtt_port: int
    database_url: str | None
    """A server that is there already, instead of the embedded one."""
    mqtt_url: str | None


class Demo:
    """One run on one state folder."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        stopping: threading.Event,
        say: Callable[[str], None],
    ) -> None:
        self.state = state
        self.settings = settings
        self.logs = LogFolder(state.logs)
        self.started_at = datetime.now(UTC)
        self._stopping = stopping
        self._say = say
        self._supervisor = Supervisor(self.logs, time.monotonic, self._write_demo_file)
        self._demo_file: DemoFile | None = None
        self._database_is_ready: Callable[[], bool] = lambda: True

    # --- start -----------------------------------------------------------------------------------

    def start(self) -> DemoFile:
        """Bring everything up, step by step; returns when the api serves and devices speak. Raises
        StartError, StoppedError.
        """
        kept = self.state.read_secrets()
        self._check_seed(kept)
        self._step(1, f"The simulated world (seed {self.settings.seed})")
        world = make_world(self.state.world, self.settings.seed, self._world_start(kept))
        gateways = list(services.gateway_configs(self.state.world))
        database_url = self._start_database(kept)
        endpoints = Endpoints(
            database_url=database_url, mqtt_urls=self._start_broker(gateways, kept)
        )
        self.state.write_secrets(kept)
        self._step(4, "Schema and master data")
        self._command(endpoints, "db", "migrate")
        self._begin_day(endpoints, world)
        kept.worlds += 1
        self.state.write_secrets(kept)
        self._make_accounts(endpoints, kept)
        demo_file = self._describe(endpoints, kept)
        self._demo_file = demo_file
        self._start_processes(endpoints, gateways)
        demo_file.ready = True
        self._write_demo_file()
        return demo_file

    def _check_seed(self, kept: Secrets) -> None:
        if kept.worlds and kept.seed != self.settings.seed:
            raise StartError(
                f"{self.state.folder} holds the world of seed {kept.seed}; "
                f"--fresh forgets it, --seed {kept.seed} goes on with it"
            )
        kept.seed = self.settings.seed

    def _world_start(self, kept: Secrets) -> datetime:
        """Now, but never in the same minute as the world before."""
        start = self.started_at
        if kept.world_start is not None:
            start = max(start, kept.world_start + WORLDS_APART)
        kept.world_start = start
        return start

    def _begin_day(self, endpoints: Endpoints, world: MasterData) -> None:
        before = read_document(self.state.imported)
        stock = read_stock(endpoints.database_url)
        document = new_day(world, before, stock, self.started_at)
        write_document(self.state.world / "import.json", document)
        self._command(endpoints, "db", "import", str(self.state.world / "import.json"))
        write_document(self.state.imported, world)

    def _step(self, number: int, what: str) -> None:
        self._say(f"[{number}/{STEPS}] {what}")
        if self._stopping.is_set():
            raise StoppedError

    def _start_database(self, kept: Secrets) -> str:
        if self.settings.database_url is not None:
            self._step(2, "The database that WAYSTOCK_DATABASE_URL names")
            return self.settings.database_url
        data_dir = self.state.postgres / "data"
        install = choose_install(data_dir)
        timescale = " with TimescaleDB" if install.timescale else ""
        self._step(2, f"A private PostgreSQL {install.major}{timescale}")
        cluster = Cluster(
            install=install,
            data_dir=data_dir,
            port=self.settings.database_port,
            password=kept.password("database"),
            settings=DURABLE,
        )
        self.state.write_secrets(kept)
        self._supervisor.launch(Service(command=cluster.command(), before_start=cluster.prepare))
        self._database_is_ready = cluster.is_ready
        self.wait_for_database()
        cluster.ensure_database()
        return cluster.url()

    def _start_broker(self, gateways: list[GatewayConfig], kept: Secrets) -> dict[str, str]:
        if self.settings.mqtt_url is not None:
            self._step(3, "The broker that WAYSTOCK_MQTT_URL names")
            return {"": self.settings.mqtt_url}
        self._step(3, "A private broker, an account for each gateway")
        accounts = services.broker_accounts(gateways, kept)
        server = NatsServer(
            folder=self.state.nats, mqtt_port=self.settings.mqtt_port, accounts=accounts
        )
        server.prepare()
        self._supervisor.launch(Service(command=server.command()))
        self.wait("nats", server.is_ready, API_READY_WITHIN_S)
        return {account.user: server.url(account.user) for account in accounts}

    def _make_accounts(self, endpoints: Endpoints, kept: Secrets) -> None:
        """The admin's sign-in and the screen's token, made in the first run and kept. A database of
        the user's own may have an `admin` already: there the names end in something new.
        """
        end = "" if self.settings.database_url is None else f"-{secrets.token_hex(2)}"
        if not kept.admin:
            name = f"admin{end}"
            password = kept.password("admin").encode() + b"\n"
            self._command(endpoints, "api", "user", "add", name, "--role", "admin", stdin=password)
            kept.admin = name
            self.state.write_secrets(kept)
        if not kept.viewer_token:
            name = f"demo-screen{end}"
            printed = self._command(endpoints, "api", "token", "add", name, "--role", "viewer")
            kept.viewer_token = printed.strip().splitlines()[-1]
            self.state.write_secrets(kept)

    def _start_processes(self, endpoints: Endpoints, gateways: list[GatewayConfig]) -> None:
        self._step(5, f"Worker, api, ingest, {len(gateways)} gateways")
        settings = self.settings
        self._supervisor.launch(Service(command=services.worker(endpoints)))
        self._supervisor.launch(
            Service(command=services.api(endpoints, settings.host, settings.api_port))
        )
        self._supervisor.launch(Service(command=services.ingest(endpoints)))
        for config in gateways:
            data_dir = self.state.gateways / config.name
            data_dir.mkdir(exist_ok=True)
            self._supervisor.launch(Service(command=services.gateway(endpoints, config, data_dir)))
        self.wait("api", self._api_is_ready, API_READY_WITHIN_S)
        self._step(6, "The devices")
        self.state.truth.unlink(missing_ok=True)
        self._supervisor.launch(
            Service(
                command=services.simulators(
                    endpoints, self.state.world, settings.seed, self.state.truth
                )
            )
        )
        self.wait("sim", self._devices_speak, SIM_READY_WITHIN_S)

    def _api_is_ready(self) -> bool:
        connection = http.client.HTTPConnection(
            self._local_host, self.settings.api_port, timeout=_ANSWER_WITHIN_S
        )
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _devices_speak(self) -> bool:
        return self.state.truth.exists() and self.state.truth.stat().st_size > 0

    def _command(self, endpoints: Endpoints, *arguments: str, stdin: bytes = b"") -> str:
        command = Command(
            name=f"waystock {' '.join(arguments[:2])}",
            argv=waystock(*arguments),
            env=endpoints.environment("api"),
        )
        try:
            return run(command, timeout_s=_COMMAND_WITHIN_S, stdin=stdin)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise StartError(str(error)) from error

    # --- run -------------------------------------------------------------------------------------

    @property
    def local_address(self) -> str:
        """Where this machine reaches the api, without the scheme."""
        return f"{self._local_host}:{self.settings.api_port}"

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
        self.wait("postgres", self._database_is_ready, API_READY_WITHIN_S)

    def run_for(self, seconds: float) -> None:
        """Turn for so long."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.tick()

    def restarts(self) -> dict[str, int]:
        """Name → how often it was restarted."""
        return self._supervisor.restarts()

    # --- end -------------------------------------------------------------------------------------

    def stop_devices(self) -> None:
        """Stop the simulators alone: what they sent goes on through the chain."""
        self._supervisor.stop("sim")

    def stop(self) -> None:
        """Stop everything, in the order of the data: devices first, database last."""
        self._demo_file = None
        self._supervisor.stop_all()
        self.logs.look()

    def _describe(self, endpoints: Endpoints, kept: Secrets) -> DemoFile:
        shown_host = "localhost" if self.settings.host == "127.0.0.1" else self.settings.host
        return DemoFile(
            url=f"http://{shown_host}:{self.settings.api_port}/",
            login=Login(kept.admin, kept.password("admin")),
            viewer_token=kept.viewer_token,
            database_url=endpoints.database_url,
            mqtt_url=endpoints.mqtt_url("ingest"),
            ports={
                "api": self.settings.api_port,
                "database": self.settings.database_port,
                "mqtt": self.settings.mqtt_port,
            },
            state=str(self.state.folder),
            truth=str(self.state.truth),
            started_at=iso_utc(self.started_at),
            supervisor=os.getpid(),
        )

    def _write_demo_file(self) -> None:
        if self._demo_file is not None:
            self._demo_file.processes = self._supervisor.process_ids()
            self._demo_file.restarts = self._supervisor.restarts()
            self.state.write_demo_file(self._demo_file)
