"""Serial ports: one thread per port opens it, reads it, gives the bytes to its decoder and hands
the readings to the intake; whatever happens to the cable or in the decoder, it goes on. It sleeps
in `select` until bytes come, a pause has lasted, or it is told to stop. Upstream: the device.
Downstream: `intake`, and back to the device its answers.
"""

import glob
import os
import select
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import serial
import structlog

from waystock_gateway.backoff import Backoff
from waystock_gateway.clock import Clock, Moment
from waystock_gateway.intake import Arrival, Intake, SessionMaker
from waystock_gateway.readings import Answer, Decoded, Line, Reading, Reject, Scan
from waystock_gateway.tally import Tally

READ_BYTES_MAX = 4096
SUBMIT_TIMEOUT_S = 5.0
"""How long a full intake holds the port back before readings are dropped and counted."""
REOPEN_S, REOPEN_S_MAX = 0.2, 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PortConfig:
    """What a port needs to know of its device."""

    device: str
    path: str
    baud: int
    make_line: Callable[[], Line]
    session: SessionMaker


class KeepingSerial(serial.Serial):
    """What came while the port was closed is still good: pyserial would throw it away."""

    def _reset_input_buffer(self) -> None:
        pass


class Port:
    """One serial device. `run` in a thread of its own; `stop` from any."""

    def __init__(
        self, config: PortConfig, intake: Intake, clock: Clock, tally: Tally, backoff: Backoff
    ) -> None:
        self._config = config
        self._intake = intake
        self._clock = clock
        self._tally = tally
        self._backoff = backoff
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._device_fd = -1
        self._fd_lock = threading.Lock()
        self._last_answer_mono_s = -1.0
        self._is_reported_away = False

    def stop(self) -> None:
        self._stopping.set()
        os.write(self._wake_write, b"x")

    def run(self) -> None:
        """Open, converse, and open again, until stopped."""
        while not self._stopping.is_set():
            try:
                self._converse()
            except (OSError, serial.SerialException) as error:
                self._report_away(error)
            except Exception:  # noqa: BLE001 - outermost boundary of a port
                _log.exception("port_failed", device=self._config.device)
                self._tally.drop(self._config.device, "port_failure")
            self._pause(self._backoff.next_s())
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _converse(self) -> None:
        """One connection, from open to unplugged."""
        with KeepingSerial(
            find_path(self._config.path), self._config.baud, timeout=0, exclusive=True
        ) as device:
            line = self._config.make_line()
            self._report_back()
            self._set_fd(device.fileno())
            try:
                self._listen(device.fileno(), line)
            finally:
                self._set_fd(-1)
                if line.is_whole_at_loss:
                    self._deliver(self._decode(line, None), self._clock.now())

    def _listen(self, fd: int, line: Line) -> None:
        self._send(line.on_open)
        quiet_since_s = self._clock.now().mono_s
        may_flush = False
        while not self._stopping.is_set():
            timeout_s = _timeout_s(line, self._clock.now().mono_s - quiet_since_s, may_flush)
            ready, _, _ = select.select([fd, self._wake_read], [], [], timeout_s)
            moment = self._clock.now()
            if fd in ready:
                data = os.read(fd, READ_BYTES_MAX)
                if not data:
                    raise OSError("the port has been closed at its other end")
                self._backoff.reset()
                self._deliver(self._decode(line, data), moment)
                quiet_since_s, may_flush = moment.mono_s, True
            elif may_flush and line.idle_flush_s is not None:
                self._deliver(self._decode(line, None), moment)
                may_flush = False
            elif line.wake_after_s is not None:
                self._send(line.on_open)
                quiet_since_s = moment.mono_s

    def _decode(self, line: Line, data: bytes | None) -> list[Decoded]:
        """A decoder that raises is a fault of ours; it must not cost the port."""
        try:
            return line.decoder.idle() if data is None else line.decoder.feed(data)
        except Exception:  # noqa: BLE001 - whatever a decoder does, the port lives
            _log.exception("decoder_failed", device=self._config.device)
            line.decoder = self._config.make_line().decoder
            return [Reject(reason="decoder_failed", at=0, raw=(data or b"")[:512])]

    def _deliver(self, decoded: Sequence[Decoded], moment: Moment) -> None:
        """At-once answers go out now, readings to the intake; each scan by itself, so that it gets
        its own acknowledgement."""
        if not decoded:
            return
        self._tally.heard(self._config.device, moment.mono_s)
        for item in decoded:
            if isinstance(item, Answer):
                self._send(item.data)
        readings = [item for item in decoded if not isinstance(item, Answer)]
        answered = [item for item in readings if isinstance(item, Scan | Reject) and item.answer]
        plain = [item for item in readings if not _is_owed_answer(item)]
        if plain:
            self._submit(Arrival(self._config.device, self._config.session, plain, moment))
        for item in answered:
            self._submit(
                Arrival(
                    self._config.device,
                    self._config.session,
                    [item],
                    moment,
                    stored=lambda item=item: self._answer(item, moment),
                    sends_again=True,
                )
            )

    def _submit(self, arrival: Arrival) -> None:
        if not self._intake.submit(arrival, SUBMIT_TIMEOUT_S):
            self._tally.drop(arrival.device, "intake_full", len(arrival.readings))

    def _answer(self, item: Scan | Reject, moment: Moment) -> None:
        """Acknowledge, in the intake's thread. A retransmission that was read before our last
        answer went out has crossed it on the wire: a second answer would acknowledge the next
        code.
        """
        is_again = isinstance(item, Scan) and item.retransmitted
        if is_again and moment.mono_s <= self._last_answer_mono_s:
            return
        self._send(item.answer)
        self._last_answer_mono_s = self._clock.now().mono_s

    def _send(self, data: bytes) -> None:
        if not data:
            return
        with self._fd_lock:
            if self._device_fd < 0:
                return
            try:
                os.write(self._device_fd, data)
            except OSError:
                self._tally.drop(self._config.device, "answer_unsent")

    def _set_fd(self, fd: int) -> None:
        with self._fd_lock:
            self._device_fd = fd

    def _pause(self, seconds: float) -> None:
        if not self._stopping.is_set():
            select.select([self._wake_read], [], [], seconds)

    def _report_away(self, error: Exception) -> None:
        if not self._is_reported_away:
            _log.warning("port_away", device=self._config.device, reason=str(error))
        self._is_reported_away = True

    def _report_back(self) -> None:
        if self._is_reported_away:
            _log.warning("port_back", device=self._config.device)
        self._is_reported_away = False


def _is_owed_answer(reading: Reading) -> bool:
    return isinstance(reading, Scan | Reject) and bool(reading.answer)


def find_path(pattern: str) -> str:
    """`pattern` itself if it exists, else the first device that matches it as a glob."""
    if Path(pattern).exists():
        return pattern
    matches = sorted(glob.glob(pattern))  # noqa: PTH207 - an absolute pattern
    if not matches:
        raise FileNotFoundError(f"no device at {pattern}")
    return matches[0]


def _timeout_s(line: Line, quiet_s: float, may_flush: bool) -> float | None:
    """How long to sleep: until the pause that ends a frame, or the one that calls for waking up."""
    if may_flush and line.idle_flush_s is not None:
        return max(0.0, line.idle_flush_s - quiet_s)
    if line.wake_after_s is not None:
        return max(0.0, line.wake_after_s - quiet_s)
    return None
