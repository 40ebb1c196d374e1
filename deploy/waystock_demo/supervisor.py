"""Keeps processes running as systemd would: starts them, restarts what dies with growing pauses,
stops them in order. Upstream: the demo's steps; downstream: child processes and their logs. It does
nothing by itself: the main loop calls `tick`, from the thread that started the processes.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from waystock_demo.logs import LogFolder
from waystock_demo.process import STOP_GRACE_S, Command, Process, await_end, start

_log = structlog.get_logger()

PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 5.0
STEADY_AFTER_S = 10.0
"""A process that has run this long is healthy: its next death starts from the first pause again."""


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Service:
    """A process to keep running, and what must be done before each of its starts."""

    command: Command
    before_start: Callable[[], None] = _nothing


@dataclass
class _Kept:
    service: Service
    process: Process
    started_at_s: float
    pause_s: float = PAUSE_FIRST_S
    restart_at_s: float | None = None
    restarts: int = 0


class Supervisor:
    """Processes by name, in the order they were launched."""

    def __init__(
        self, logs: LogFolder, clock: Callable[[], float], on_change: Callable[[], None]
    ) -> None:
        self._logs = logs
        self._clock = clock
        self._on_change = on_change
        self._kept: dict[str, _Kept] = {}

    def launch(self, service: Service) -> Process:
        """Start `service` and keep it running. Raises OSError where it cannot be started."""
        process = self._start(service)
        self._kept[service.command.name] = _Kept(service, process, self._clock())
        self._on_change()
        return process

    def process_ids(self) -> dict[str, int]:
        """Name → process id of what runs now."""
        return {
            name: kept.process.pid
            for name, kept in self._kept.items()
            if kept.process.poll() is None
        }

    def restarts(self) -> dict[str, int]:
        """Name → how often it was restarted; only what was."""
        return {name: kept.restarts for name, kept in self._kept.items() if kept.restarts}

    def is_running(self, name: str) -> bool:
        """Whether `name` runs now."""
        return name in self._kept and self._kept[name].process.poll() is None

    def tick(self) -> None:
        """See who died, restart who is due."""
        now_s = self._clock()
        for name, kept in self._kept.items():
            if kept.process.poll() is None:
                if now_s - kept.started_at_s > STEADY_AFTER_S:
                    kept.pause_s = PAUSE_FIRST_S
            elif kept.restart_at_s is None:
                kept.restart_at_s = now_s + kept.pause_s
                kept.pause_s = min(kept.pause_s * 2, PAUSE_MAX_S)
            elif now_s >= kept.restart_at_s:
                self._restart(name, kept)

    def _restart(self, name: str, kept: _Kept) -> None:
        ended = _describe(kept.process.returncode)
        kept.process = self._start(kept.service)
        kept.started_at_s = self._clock()
        kept.restart_at_s = None
        kept.restarts += 1
        _log.warning("process_restarted", process=name, ended=ended, restarts=kept.restarts)
        self._on_change()

    def stop(self, name: str, grace_s: float = STOP_GRACE_S) -> None:
        """Stop `name` for good; no harm if it isn't there."""
        if name in self._kept:
            self._ask_to_stop(name)
            self._await_end(name, grace_s)

    def stop_all(self) -> None:
        """Stop everything, last launched first; equals (name up to the first `-`) side by side."""
        while self._kept:
            last = next(reversed(self._kept))
            group = [name for name in self._kept if _group(name) == _group(last)]
            for name in group:
                self._ask_to_stop(name)
            for name in group:
                self._await_end(name)

    def _ask_to_stop(self, name: str) -> None:
        """Once: for some servers a second signal means `at once`."""
        kept = self._kept[name]
        if kept.process.poll() is None:
            kept.process.send_signal(kept.service.command.stop_signal)

    def _await_end(self, name: str, grace_s: float = STOP_GRACE_S) -> None:
        if not await_end(self._kept.pop(name).process, grace_s):
            _log.warning("process_killed", process=name, grace_s=grace_s)
        self._on_change()

    def _start(self, service: Service) -> Process:
        service.before_start()
        with self._logs.open(service.command.name) as output:
            return start(service.command, output)


def _group(name: str) -> str:
    return name.split("-", 1)[0]


def _describe(status: int) -> str:
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"status {status}"
