"""`waystock sim world` writes a seeded world; `waystock sim run` plays it on pseudo-terminals and
MQTT until SIGTERM or the end of `--for`; `waystock sim device` plays one device alone. Clock,
sockets, ports and files are made here. Upstream: the command line; downstream: simulation, world
and device_command.
"""

import argparse
import os
import selectors
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from waystock import logs
from waystock_firmware_sim import device_command
from waystock_firmware_sim.devices.pseudo_terminal import PseudoTerminal
from waystock_firmware_sim.devices.uplink import MqttUplink
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.simulation import Simulation, serial_devices
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.world.build import World, build
from waystock_firmware_sim.world.files import TRACKER_TOPIC, port_path, read, write

DRAIN_S_MAX = 4.2
"""After it the run ends even if a host has not answered; SIGTERM allows five seconds."""
FLUSH_PERIOD_S = 0.1
TICK_S_MAX = 0.1

_log = structlog.get_logger()


def run(argv: Sequence[str]) -> int:
    """Exit status of `waystock sim ARGV…`: 0 done, 1 it could not run, 2 unusable arguments."""
    arguments = _parser().parse_args(argv)
    logs.configure(os.environ.get("WAYSTOCK_LOG", "info"))
    try:
        if arguments.command == "world":
            return _make_world(arguments)
        if arguments.command == "device":
            return device_command.run(arguments, _on_signals())
        return _run_world(arguments)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        sys.stderr.write(f"waystock sim {arguments.command}: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waystock sim",
        description="Simulated warehouses, trucks and devices / 模拟仓库、车辆与设备",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    world = commands.add_parser(
        "world", help="write master data and gateway settings / 生成主数据和网关配置"
    )
    world.add_argument("--seed", type=int, required=True, help="same seed, same world")
    world.add_argument(
        "--start", type=_instant, required=True, help="ISO 8601 with zone: when the plot begins"
    )
    world.add_argument("--out", type=Path, required=True, help="directory to write")
    play = commands.add_parser(
        "run", help="speak as all its devices until stopped / 运行全部模拟设备直到停止"
    )
    play.add_argument("--world", type=Path, required=True, help="directory of `sim world`")
    play.add_argument("--seed", type=int, required=True, help="noise, pace and read luck")
    play.add_argument("--mqtt", required=True, help="mqtt://user:password@host:port for trackers")
    play.add_argument("--truth", type=Path, required=True, help="file to append the truth to")
    play.add_argument(
        "--for", type=float, dest="seconds", help="stop after so many seconds, drained"
    )
    device_command.add_arguments(
        commands.add_parser("device", help="speak as one device alone / 单独模拟一台设备")
    )
    return parser


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no time zone (add Z or +08:00)")
    return instant.astimezone(UTC)


def _make_world(arguments: argparse.Namespace) -> int:
    world = build(arguments.seed, arguments.start)
    write(world, arguments.out)
    _log.info("world_written", directory=str(arguments.out), seed=world.seed)
    return 0


def _run_world(arguments: argparse.Namespace) -> int:
    world = read(arguments.world)
    is_asked_to_stop = _on_signals()
    with ExitStack() as stack:
        truth = stack.enter_context(arguments.truth.open("a", encoding="utf-8", buffering=1))
        ports = _open_ports(arguments.world, stack)
        uplinks = _open_uplinks(world, arguments.mqtt, stack)
        scheduler = Scheduler(time.monotonic)
        simulation = Simulation(
            world,
            arguments.seed,
            scheduler,
            lambda: datetime.now(UTC),
            Truth(truth.write),
            ports.__getitem__,
            uplinks.__getitem__,
        )
        _log.info("simulation_started", serial_devices=len(ports), trackers=len(uplinks))
        _play(simulation, scheduler, ports, is_asked_to_stop, arguments.seconds)
    _report(simulation, ports)
    return 0


def _open_ports(directory: Path, stack: ExitStack) -> dict[str, PseudoTerminal]:
    ports: dict[str, PseudoTerminal] = {}
    for device in serial_devices():
        ports[device] = PseudoTerminal(port_path(directory, device))
        stack.callback(ports[device].close)
    return ports


def _open_uplinks(world: World, url: str, stack: ExitStack) -> dict[str, MqttUplink]:
    uplinks: dict[str, MqttUplink] = {}
    for device in (trip.truck.device for trip in world.trips if trip.truck.link == "mqtt"):
        uplinks[device] = MqttUplink(url, device, TRACKER_TOPIC.format(device=device))
        stack.callback(uplinks[device].close)
    return uplinks


def _on_signals() -> list[int]:
    """A list that gets the number of each signal to stop."""
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        del frame
        received.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return received


def _play(
    simulation: Simulation,
    scheduler: Scheduler,
    ports: dict[str, PseudoTerminal],
    is_asked_to_stop: list[int],
    seconds: float | None,
) -> None:
    """Turn the wheel until the run is over and drained."""
    began_s = time.monotonic()
    finish_at_s = began_s + max(0.0, seconds - DRAIN_S_MAX) if seconds is not None else None
    end_by_s: float | None = None

    def flush() -> None:
        for port in ports.values():
            port.flush()

    scheduler.every(FLUSH_PERIOD_S, flush)
    with selectors.DefaultSelector() as selector:
        for device, port in ports.items():
            selector.register(port, selectors.EVENT_READ, device)
        while not simulation.is_at_rest:
            wait_s = scheduler.run_due()
            for key, _ in selector.select(min(wait_s or 0.0, TICK_S_MAX)):
                simulation.on_input(key.data, ports[key.data].receive())
            now_s = time.monotonic()
            if end_by_s is None:
                if is_asked_to_stop or (finish_at_s is not None and now_s >= finish_at_s):
                    simulation.finish()
                    end_by_s = now_s + DRAIN_S_MAX
            elif now_s >= end_by_s:
                _log.warning("simulation_not_drained", waited_s=DRAIN_S_MAX)
                return


def _report(simulation: Simulation, ports: dict[str, PseudoTerminal]) -> None:
    _log.info(
        "simulation_stopped",
        retransmissions=sum(one.retransmissions for one in simulation.handhelds),
        dropped_notices=sum(one.dropped_notices for one in simulation.portals),
        dropped_frames=sum(port.dropped_frames for port in ports.values()),
        dropped_fixes=sum(one.dropped_fixes for one in simulation.trackers),
    )
