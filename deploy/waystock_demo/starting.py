"""How the demo comes up, step by step: world, database, broker, schema and master data, processes,
devices. Upstream: main; downstream: a running demo whose api serves and whose devices speak.
"""

import os
import secrets
import subprocess
from datetime import datetime

from waystock.contract.identifiers import iso_utc
from waystock.contract.masterdata import MasterData
from waystock_demo import services
from waystock_demo.listening import launch_listening
from waystock_demo.nats import NatsServer
from waystock_demo.postgres import DURABLE, Cluster, choose_install
from waystock_demo.process import Command, run
from waystock_demo.running import READY_WITHIN_S, Demo, StartError
from waystock_demo.services import Endpoints, GatewayConfig, waystock
from waystock_demo.state import DemoFile, Login, Secrets
from waystock_demo.supervisor import Service
from waystock_demo.world import (
    WORLDS_APART,
    make_world,
    new_day,
    read_document,
    read_stock,
    write_document,
)

STEPS = 6
_COMMAND_WITHIN_S = 120.0


def start(demo: Demo) -> DemoFile:
    """Bring everything up. Raises StartError, StoppedError."""
    kept = demo.state.read_secrets()
    _check_kept(demo, kept)
    _step(demo, 1, f"The simulated world (seed {demo.settings.seed})")
    world = make_world(demo.state.world, demo.settings.seed, _world_start(demo, kept))
    gateways = list(services.gateway_configs(demo.state.world))
    database_url = _start_database(demo, kept)
    mqtt_urls = _start_broker(demo, gateways, kept)
    endpoints = Endpoints(database_url=database_url, mqtt_urls=mqtt_urls)
    demo.state.write_secrets(kept)
    _step(demo, 4, "Schema and master data")
    _command(endpoints, "db", "migrate", "--post")
    _begin_day(demo, endpoints, world)
    kept.worlds += 1
    demo.state.write_secrets(kept)
    _make_accounts(demo, endpoints, kept)
    _step(demo, 5, f"Worker, api, ingest, {len(gateways)} gateways")
    _start_api(demo, endpoints)
    demo_file = _describe(demo, endpoints, kept)
    demo.announce(demo_file)
    _start_processes(demo, endpoints, gateways)
    demo_file.ready = True
    demo.announce(demo_file)
    return demo_file


def _check_kept(demo: Demo, kept: Secrets) -> None:
    """One seed for one state; accounts belong to one database."""
    if kept.worlds and kept.seed != demo.settings.seed:
        raise StartError(
            f"{demo.state.folder} holds the world of seed {kept.seed}; "
            f"--fresh forgets it, --seed {kept.seed} goes on with it"
        )
    kept.seed = demo.settings.seed
    database = demo.settings.database_url or ""
    if kept.accounts_in != database:
        kept.accounts_in, kept.admin, kept.viewer_token = database, "", ""
        demo.state.imported.unlink(missing_ok=True)


def _world_start(demo: Demo, kept: Secrets) -> datetime:
    """Now, but never in the same minute as the world before."""
    start = demo.started_at
    if kept.world_start is not None:
        start = max(start, kept.world_start + WORLDS_APART)
    kept.world_start = start
    return start


def _begin_day(demo: Demo, endpoints: Endpoints, world: MasterData) -> None:
    before = read_document(demo.state.imported)
    stock = read_stock(endpoints.database_url)
    document = new_day(world, before, stock, demo.started_at)
    write_document(demo.state.world / "import.json", document)
    _command(endpoints, "db", "import", str(demo.state.world / "import.json"))
    write_document(demo.state.imported, world)


def _step(demo: Demo, number: int, what: str) -> None:
    demo.say(f"[{number}/{STEPS}] {what}")
    demo.check_stopping()


def _start_database(demo: Demo, kept: Secrets) -> str:
    if demo.settings.database_url is not None:
        _step(demo, 2, "The database that WAYSTOCK_DATABASE_URL names")
        return demo.settings.database_url
    data_dir = demo.state.postgres / "data"
    install = choose_install(data_dir)
    timescale = " with TimescaleDB" if install.timescale else ""
    _step(demo, 2, f"A private PostgreSQL {install.major}{timescale}")
    port, password = demo.settings.database_port, kept.password("database")
    demo.state.write_secrets(kept)

    def cluster_there() -> Cluster:
        return Cluster(
            install=install,
            data_dir=data_dir,
            port=port.number,
            password=password,
            settings=DURABLE,
        )

    def service() -> Service:
        cluster = cluster_there()
        return Service(command=cluster.command(), before_start=cluster.prepare)

    launch_listening(demo, port, service)
    cluster = cluster_there()
    demo.database_is_ready = cluster.is_ready
    demo.wait_for_database()
    cluster.ensure_database()
    return cluster.url()


def _start_broker(demo: Demo, gateways: list[GatewayConfig], kept: Secrets) -> dict[str, str]:
    if demo.settings.mqtt_url is not None:
        _step(demo, 3, "The broker that WAYSTOCK_MQTT_URL names")
        return {"": demo.settings.mqtt_url}
    _step(demo, 3, "A private broker, an account for each gateway")
    accounts = services.broker_accounts(gateways, kept)
    port = demo.settings.mqtt_port

    def server_there() -> NatsServer:
        return NatsServer(folder=demo.state.nats, mqtt_port=port.number, accounts=accounts)

    def service() -> Service:
        server = server_there()
        return Service(command=server.command(), before_start=server.prepare)

    launch_listening(demo, port, service)
    server = server_there()
    return {account.user: server.url(account.user) for account in accounts}


def _make_accounts(demo: Demo, endpoints: Endpoints, kept: Secrets) -> None:
    """The admin's sign-in and the screen's token, made in the first run and kept. A database that
    is not new may have an `admin` already: there the names end in something of their own.
    """
    is_new = demo.settings.database_url is None and kept.worlds == 1
    end = "" if is_new else f"-{secrets.token_hex(2)}"
    if not kept.admin:
        name = f"admin{end}"
        password = kept.password("admin").encode() + b"\n"
        _command(endpoints, "api", "user", "add", name, "--role", "admin", stdin=password)
        kept.admin = name
        demo.state.write_secrets(kept)
    if not kept.viewer_token:
        name = f"demo-screen{end}"
        printed = _command(endpoints, "api", "token", "add", name, "--role", "viewer")
        kept.viewer_token = printed.strip().splitlines()[-1]
        demo.state.write_secrets(kept)


def _start_api(demo: Demo, endpoints: Endpoints) -> None:
    """With the worker before it, so that it is stopped after it."""
    demo.launch(Service(command=services.worker(endpoints)))
    host, port = demo.settings.host, demo.settings.api_port
    launch_listening(
        demo, port, lambda: Service(command=services.api(endpoints, host, port.number))
    )


def _start_processes(demo: Demo, endpoints: Endpoints, gateways: list[GatewayConfig]) -> None:
    demo.launch(Service(command=services.ingest(endpoints)))
    for config in gateways:
        data_dir = demo.state.gateways / config.name
        data_dir.mkdir(exist_ok=True)
        demo.launch(Service(command=services.gateway(endpoints, config, data_dir)))
    demo.wait("api", demo.api_is_ready, READY_WITHIN_S)
    _step(demo, 6, "The devices")
    demo.state.truth.unlink(missing_ok=True)
    demo.launch(
        Service(
            command=services.simulators(
                endpoints, demo.state.world, demo.settings.seed, demo.state.truth
            )
        )
    )
    demo.wait("sim", lambda: _devices_speak(demo), READY_WITHIN_S)


def _devices_speak(demo: Demo) -> bool:
    return demo.state.truth.exists() and demo.state.truth.stat().st_size > 0


def _command(endpoints: Endpoints, *arguments: str, stdin: bytes = b"") -> str:
    command = Command(
        name=f"waystock {' '.join(arguments[:2])}",
        argv=waystock(*arguments),
        env=endpoints.environment("api"),
    )
    try:
        return run(command, timeout_s=_COMMAND_WITHIN_S, stdin=stdin)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise StartError(str(error)) from error


def _describe(demo: Demo, endpoints: Endpoints, kept: Secrets) -> DemoFile:
    shown_host = "localhost" if demo.settings.host == "127.0.0.1" else demo.settings.host
    return DemoFile(
        url=f"http://{shown_host}:{demo.settings.api_port.number}/",
        login=Login(kept.admin, kept.password("admin")),
        viewer_token=kept.viewer_token,
        database_url=endpoints.database_url,
        mqtt_url=endpoints.mqtt_url("ingest"),
        ports={
            "api": demo.settings.api_port.number,
            "database": demo.settings.database_port.number,
            "mqtt": demo.settings.mqtt_port.number,
        },
        state=str(demo.state.folder),
        truth=str(demo.state.truth),
        started_at=iso_utc(demo.started_at),
        supervisor=os.getpid(),
    )
