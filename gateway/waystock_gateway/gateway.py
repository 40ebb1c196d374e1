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

import structlog

from waystock_gateway.clock import Clock
from waystock_gateway.health import Reporter
from waystock_gateway.intake import Intake
from waystock_gateway.local_report import LocalReport, write_report
from waystock_gateway.mqtt_link import MqttLink
from waystock_gateway.outbox import Outbox
from waystock_gateway.outbox_reader import OutboxReader
from waystock_gateway.ports import Port
from waystock_gateway.uplink import Uplink

DRAIN_S = 2.5
"""How long a stopping gateway waits for acknowledgements; what is left waits on disk."""
JOIN_S = 1.0
HEALTH_SUBMIT_S = 1.0
DRAIN_POLL_S = 0.05

_log = structlog.get_logger(__name__)


class StopRequest:
    """`set` from anywhere, `wait` in the main thread. It is no threading.Event: that one's lock is
    not reentrant, so a second SIGTERM in the middle of the handler of the first would wait for
    itself for ever.
    """

    def __init__(self) -> None:
        self._requests: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._requests.put(None)

    def wait(self, timeout_s: float) -> bool:
        """Whether somebody asked, before `timeout_s` were over."""
        try:
            self._requests.get(timeout=timeout_s)
        except Empty:
            return False
        return True


@dataclass(slots=True, kw_only=True)
class Gateway:
    """All parts of one gateway process."""

    clock: Clock
    outbox: Outbox
    readers: Sequence[OutboxReader]
    intake: Intake
    ports: Sequence[Port]
    uplink: Uplink
    uplink_link: MqttLink
    tracker_links: Sequence[MqttLink]
    reporter: Reporter
    health_s: float
    report_file: Path
    stopping: StopRequest = field(default_factory=StopRequest)
    failed: bool = False

    def run(self) -> int:
        """Until `stopping` is set; the exit status."""
        intake_thread = self._start("intake", self.intake.run)
        link_threads = [self._start("uplink", self.uplink_link.run)]
        link_threads += [self._start("trackers", link.run) for link in self.tracker_links]
        port_threads = [self._start("port", port.run) for port in self.ports]
        self._leave_report()
        while not self.stopping.wait(self.health_s):
            self._leave_report()
            for report in self.reporter.health_events(self.intake, self.uplink.counters):
                if not self.intake.submit(report, HEALTH_SUBMIT_S):
                    break  # readings go first, and a stop must not wait behind a stalled disk
        for port in self.ports:
            port.stop()
        _join(port_threads)
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
            self.stopping.set()

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
