"""Looks at one serial port: whether it is free, and what speaks on it at the usual rates. Listens
first; asks (harmlessly) only where nothing is heard, or too little to be certain. A port that a
program has locked, as a running gateway does, is named as such and not read. Upstream:
`devices_command`. Downstream: `recognition`.
"""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import serial

from waystock_gateway.openers import KeepingSerial
from waystock_gateway.recognition import QUESTIONS, Decoder, Finding, recognise

RATES = (115_200, 9_600, 57_600, 38_400, 19_200, 4_800)
"""Those that scanners, RFID readers and receivers leave the factory with."""
ANSWER_S = 0.3
"""How long a question waits for its answer."""
PIECE_PAUSE_S = 0.1
"""A pause this long parts what was heard."""
HEARD_BYTES_MAX = 16_384
SAMPLE_BYTES = 48
PROC = Path("/proc")

State = Literal["free", "in_use", "not_allowed", "gone", "unusable"]


@dataclass(frozen=True)
class Probe:
    """What was found out about a port."""

    state: State
    why: str
    baud: int | None = None
    """Of `finding`, or of the bytes that nobody understands."""
    finding: Finding | None = None
    heard_bytes: int = 0
    sample: bytes = b""
    """The first bytes that were heard there."""


def probe(path: str, listen_s: float, *, asks: bool, rates: tuple[int, ...] = RATES) -> Probe:
    """Ends after `listen_s`, and with `asks` a second more, for each rate at most."""
    try:
        with KeepingSerial(path, rates[0], timeout=0, exclusive=True) as port:
            return _hear(port, listen_s, asks=asks, rates=rates)
    except (serial.SerialException, OSError) as error:
        return _refused(path, error)


def _hear(port: serial.Serial, listen_s: float, *, asks: bool, rates: tuple[int, ...]) -> Probe:
    """The first rate at which something is understood; else the one with most bytes."""
    best = Probe("free", _silence(rates, asks=asks))
    for rate in rates:
        port.baudrate = rate
        heard = _Hearing(port)
        heard.listen(listen_s)
        finding = recognise(heard.pieces)
        if asks and (not heard.pieces or (finding is not None and finding.sure == "likely")):
            heard.ask(finding.decoder if finding else None)
            finding = recognise(heard.pieces)
        data = b"".join(heard.pieces)
        if finding is not None and finding.sure != "unsure":
            return Probe("free", finding.why, rate, finding, len(data), data[:SAMPLE_BYTES])
        if len(data) > best.heard_bytes or (finding is not None and best.finding is None):
            why = finding.why if finding else "bytes that are none of the known protocols"
            best = Probe("free", why, rate, finding, len(data), data[:SAMPLE_BYTES])
    return best


class _Hearing:
    """What is heard at one rate."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._last_s = 0.0
        self._bytes = 0
        self.pieces: list[bytes] = []

    def listen(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """For so long, but no longer than what is heard is of use."""
        until_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < until_s and self._bytes < HEARD_BYTES_MAX:
            self._port.timeout = min(until_s - now_s, PIECE_PAUSE_S)
            data = self._port.read(1)
            data += self._port.read(self._port.in_waiting) if data else b""
            if not data:
                if enough():
                    return
                continue
            self._take(data)

    def ask(self, decoder: Decoder | None) -> None:
        """What makes it certain; without a suspicion one question after the other, until one is
        answered."""
        before = self._bytes
        for question in QUESTIONS:
            if decoder not in {None, question.decoder}:
                continue
            with suppress(serial.SerialTimeoutException):  # nobody takes it
                self._port.write_timeout = ANSWER_S
                self._port.write(question.data)
            self.listen(ANSWER_S, enough=lambda: self._bytes > before)
            if self._bytes > before:
                return

    def _take(self, data: bytes) -> None:
        now_s = time.monotonic()
        if self.pieces and now_s - self._last_s < PIECE_PAUSE_S:
            self.pieces[-1] += data
        else:
            self.pieces.append(data)
        self._bytes += len(data)
        self._last_s = now_s


def _silence(rates: tuple[int, ...], *, asks: bool) -> str:
    at = ", ".join(str(rate) for rate in rates)
    asked = " and no question was answered" if asks else ""
    return f"nothing was heard at {at} baud{asked}; a scanner speaks only when it scans"


def _refused(path: str, error: OSError) -> Probe:
    if error.errno in {errno.EAGAIN, errno.EBUSY}:
        return Probe("in_use", f"in use by {holder_of(path)}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Probe("not_allowed", "this user may not open it: add it to the group of the port")
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return Probe("gone", "nothing is there")
    return Probe("unusable", str(error))


def holder_of(path: str) -> str:
    """Who has the port open: a gateway rather than another program. Only what this user may see."""
    target = os.path.realpath(path)
    holders = sorted(
        (("gateway" not in name, name, pid) for pid, name in _openers(target)),
    )
    if not holders:
        return "another program"
    is_other, name, pid = holders[0]
    return f"{name} (process {pid})" if is_other else f"a running gateway (process {pid})"


def _openers(target: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for process in PROC.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):  # it has ended, or is somebody else's
            if any(os.path.realpath(fd) == target for fd in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                found.append((int(process.name), _name_of(words)))
    return found


def _name_of(words: list[str]) -> str:
    """`gateway` where the command line is that of one, else the program's name."""
    is_gateway = "run" in words and any("gateway" in word for word in words[:4])
    return "gateway" if is_gateway else Path(words[0]).name or "a program"
