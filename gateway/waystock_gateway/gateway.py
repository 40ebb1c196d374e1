"""The running gateway: its threads, started and stopped in the order that loses nothing. Stopping
goes with the stream: ports first, then the intake stores what waits, then the uplink has a moment
to be acknowledged. Upstream: `main`, which made the parts.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

import msgspec
import structlog

from waystock_gateway.clock import Clock
from waystock_gateway.errors import SettingsError
from waystock_gateway.health import Reporter
from waystock_gateway.intake import Intake
from waystock_gateway.local_report import LocalReport, write_report
from waystock_gateway.mqtt_link import MqttLink
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.ports import Port
from waystock_gateway.reload import changes
from waystock_gateway.settings import PortSettings, Settings, silent_after_s
from waystock_gateway.uplink import Uplink

DRAIN_S = 2.5
"""How long a stopping gateway waits for acknowledgements; what is left waits on disk."""
JOIN_S = 1.0
HEALTH_SUBMIT_S = 1.0
DRAIN_POLL_S = 0.05

_log = structlog.get_logger(__name__)


Request = Literal["stop", "reload"]


class Requests:
    """`ask` from anywhere, `wait` in the main thread. It is no threading.Event: that one's lock is
    not reentrant, so a second SIGTERM in the middle of the handler of the first would wait for
    itself for ever.
    """

    def __init__(self) -> None:
        self._requests: SimpleQueue[Request] = SimpleQueue()

    def ask(self, request: Request) -> None:
        self._requests.put(request)

    def wait(self, timeout_s: float) -> Request | None:
        """What somebody asked for before `timeout_s` were over."""
        try:
            return self._requests.get(timeout=timeout_s)
        except Empty:
            return None


@dataclass(slots=True, kw_only=True)
class Gateway:
    """All parts of one gateway process."""

    clock: Clock
    outbox: Outbox
    readers: Sequence[OutboxReader]
    intake: Intake
    settings: Settings
    make_port: Callable[[PortSettings], Port]
    read_settings: Callable[[], Settings]
    """The file as it is now; raises SettingsError."""
    uplink: Uplink
    uplink_link: MqttLink
    tracker_links: Sequence[MqttLink]
    reporter: Reporter
    health_s: float
    report_file: Path
    requests: Requests = field(default_factory=Requests)
    failed: bool = False
    _ports: dict[str, tuple[Port, threading.Thread]] = field(
        default_factory=dict[str, tuple[Port, threading.Thread]]
    )

    def run(self) -> int:
        """Until somebody asks to stop; the exit status."""
        intake_thread = self._start("intake", self.intake.run)
        link_threads = [self._start("uplink", self.uplink_link.run)]
        link_threads += [self._start("trackers", link.run) for link in self.tracker_links]
        for port in self.settings.ports:
            self._open_port(port)
        self._leave_report()
        while (request := self.requests.wait(self.health_s)) != "stop":
            if request == "reload":
                self._reload()
            self._report()
        self._close_ports(tuple(self._ports))
        self.intake.stop()
        _join([intake_thread])
        self._await_acks()
        self._leave_report()
        for link in (*self.tracker_links, self.uplink_link):
            link.stop()
        _join(link_threads)
        for reader in self.readers:
            reader.close()
        self.outbox.close()
        return 1 if self.failed else 0

    def _open_port(self, settings: PortSettings) -> None:
        port = self.make_port(settings)
        self._ports[settings.device] = port, self._start("port", port.run)

    def _close_ports(self, devices: Sequence[str]) -> None:
        closing = [self._ports.pop(device) for device in devices]
        for port, _ in closing:
            port.stop()
        _join([thread for _, thread in closing])

    def _reload(self) -> None:
        """Ports that have changed are opened anew; a bad file changes nothing."""
        try:
            new = self.read_settings()
        except SettingsError as error:
            _log.error("settings_refused", reason=str(error))
            return
        asked = changes(self.settings, new)
        self._close_ports(asked.close)
        for port in asked.open:
            self._open_port(port)
        self.reporter.watch(self.intake, silent_after_s(new))
        if asked.need_restart:
            _log.warning("settings_need_restart", tables=", ".join(asked.need_restart))
        # What needs a restart stays as it was, and is said again at the next reload.
        self.settings = msgspec.structs.replace(self.settings, ports=new.ports)
        opened = [port.device for port in asked.open]
        _log.warning("settings_reloaded", closed=list(asked.close), opened=opened)

    def _report(self) -> None:
        self._leave_report()
        for report in self.reporter.health_events(self.intake, self.uplink.counters):
            if not self.intake.submit(report, HEALTH_SUBMIT_S):
                return  # readings go first, and a stop must not wait behind a stalled disk

    def _leave_report(self) -> None:
        """For `waystock gateway status`; a full disk costs no more than that."""
        counters, now = self.uplink.counters, self.clock.now()
        last_s = counters.last_ack_mono_s
        report = LocalReport(
            pid=os.getpid(),
            is_connected=self.uplink_link.is_up,
            last_ack_age_s=None if last_s is None else round(now.mono_s - last_s, 3),
            readings_stored=self.reporter.readings_stored(),
            commits=self.outbox.counters.commits,
            batches_sent=counters.batches_sent,
            status=self.reporter.status(),
        )
        try:
            write_report(self.report_file, report)
        except OSError as error:
            _log.debug("report_not_left", reason=str(error))

    def _start(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(name, run), name=name, daemon=True)
        thread.start()
        return thread

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """A thread that dies of a fault takes the process with it: a supervisor starts it afresh,
        and the outbox has all that was acknowledged."""
        try:
            run()
        except Exception:  # noqa: BLE001 - outermost boundary of a thread
            _log.exception("thread_failed", thread=name)
            self.failed = True
            self.requests.ask("stop")

    def _await_acks(self) -> None:
        """While there is a broker to bring them: without one, disk is the place to wait."""
        deadline_s = self.clock.now().mono_s + DRAIN_S
        pause = threading.Event()
        while (
            self.uplink_link.is_up
            and not self.uplink.is_drained
            and self.clock.now().mono_s < deadline_s
        ):
            pause.wait(DRAIN_POLL_S)


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(JOIN_S)
