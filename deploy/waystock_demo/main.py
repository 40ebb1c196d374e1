"""`waystock demo`: everything on one machine. Reads the options, owns the state folder, starts the
demo and waits: for Ctrl-C, or for an unattended run's end. Upstream: the shell; downstream: Demo.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from waystock import logs
from waystock.stopping import StopRequest
from waystock_demo.ports import PortBusyError, PortChoice
from waystock_demo.report import summary, write_report
from waystock_demo.running import Demo, Settings, StartError, StoppedError
from waystock_demo.starting import start
from waystock_demo.state import DemoFile, State, StateInUseError
from waystock_demo.unattended import Unattended, run_unattended

API_PORT = 8080
DATABASE_PORT = 54329
MQTT_PORT = 18830
"""The usual ports; a free one is taken where one of them is busy."""


def run(arguments: Sequence[str]) -> int:
    """Exit status 0 after a clean end, 1 where something would not start (or --then's command
    failed), 2 on unusable arguments.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.report or options.then) and options.seconds is None:
        parser.error("--report and --then need --for")
    logs.configure(os.environ.get("WAYSTOCK_LOG", "info"))
    stopping = _stop_on_signals()
    state = State(options.state)
    try:
        with state.locked(fresh=options.fresh):
            return _run(Demo(state, _settings(options), stopping, _say), _unattended(options))
    except (StateInUseError, PortBusyError) as error:
        sys.stderr.write(f"waystock demo: {error}\n")
        return 2


def _run(demo: Demo, unattended: Unattended | None) -> int:
    try:
        _check_writable(unattended)
        running = start(demo)
        _say(_welcome(running))
        if unattended is None:
            while True:
                demo.tick()
        return _finish(demo, running, unattended)
    except StoppedError:
        return 0
    except (StartError, RuntimeError) as error:
        sys.stderr.write(f"waystock demo: {error}\n")
        return 1
    finally:
        _say("Stopping.")
        demo.stop()


def _finish(demo: Demo, running: DemoFile, unattended: Unattended) -> int:
    report = run_unattended(demo, running, unattended)
    if unattended.report is not None:
        write_report(unattended.report, report)
    _say(summary(report))
    return 1 if report.then_status else 0


def _check_writable(unattended: Unattended | None) -> None:
    """Find out now, not after the run, that the report cannot be written; an old one goes."""
    if unattended is not None and unattended.report is not None:
        try:
            unattended.report.parent.mkdir(parents=True, exist_ok=True)
            unattended.report.write_bytes(b"")
            unattended.report.unlink()
        except OSError as error:
            raise StartError(f"--report {unattended.report}: {error.strerror}") from error


def _welcome(running: DemoFile) -> str:
    return (
        f"\nWaystock runs:  {running.url}\n"
        f"Sign in as      {running.login.user}   password {running.login.password}\n"
        f"Ctrl-C stops it; everything else that runs is in {running.state}/demo.json\n"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _stop_on_signals() -> StopRequest:
    stopping = StopRequest()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopping.set())
    return stopping


def _settings(options: argparse.Namespace) -> Settings:
    database_url = os.environ.get("WAYSTOCK_DATABASE_URL") or None
    mqtt_url = os.environ.get("WAYSTOCK_MQTT_URL") or None
    return Settings(
        seed=options.seed,
        host=options.host,
        api_port=PortChoice(options.api_port, API_PORT, "--api-port", options.host),
        database_port=PortChoice(options.database_port, DATABASE_PORT, "--database-port"),
        mqtt_port=PortChoice(options.mqtt_port, MQTT_PORT, "--mqtt-port"),
        database_url=database_url,
        mqtt_url=mqtt_url,
    )


def _unattended(options: argparse.Namespace) -> Unattended | None:
    if options.seconds is None:
        return None
    return Unattended(seconds=options.seconds, report=options.report, then=options.then)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waystock demo",
        description="Everything on this machine: database, broker, gateways, ingest, api, pages, "
        "and simulated devices that speak real bytes. WAYSTOCK_DATABASE_URL and WAYSTOCK_MQTT_URL "
        "name servers to use instead of the embedded ones.",
    )
    option = parser.add_argument
    option("--for", dest="seconds", type=float, metavar="S", help="run S seconds, then stop")
    option("--report", type=Path, metavar="FILE", help="with --for: write what happened as JSON")
    option("--then", metavar="CMD", help="with --for: a shell command to run before it stops")
    option("--seed", type=int, default=1, metavar="N", help="which world (default 1)")
    option("--state", type=Path, default=Path(".waystock"), metavar="DIR",
           help="where everything is kept (default .waystock)")  # fmt: skip
    option("--fresh", action="store_true", help="forget what the state folder holds")
    option("--host", default="127.0.0.1", help="where the pages are served (default 127.0.0.1)")
    option("--api-port", type=int, metavar="PORT", help=f"default {API_PORT}, or a free one")
    option(
        "--database-port", type=int, metavar="PORT", help=f"default {DATABASE_PORT}, or a free one"
    )
    option("--mqtt-port", type=int, metavar="PORT", help=f"default {MQTT_PORT}, or a free one")
    return parser
