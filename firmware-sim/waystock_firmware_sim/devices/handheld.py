"""A handheld scanner that speaks Zebra SSI: it sends a code and beeps only when the host has
answered ACK; until then it sends again, marked as a retransmission, and takes no further scan.
Upstream: a worker's script; downstream: a serial line and the truth.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.protocol import gs1, ssi
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

RETRANSMIT_AFTER_S = 1.0
REVISION = b"PAACNS00-001-R00 WS 0100 D 0"
CAPABILITIES = bytes.fromhex("07ff0101") + bytes(sorted(ssi.OBEYED))
"""Its rates, that it knows parameters and several packets, and the commands that it takes."""


class Symbol(NamedTuple):
    """One printed code: AIM identifier and content."""

    aim: str
    data: str


class _Pending(NamedTuple):
    symbol: Symbol
    scan: int
    beeped: Callable[[], None] | None


class Handheld:
    """One scanner; at most one scan is unanswered at a time."""

    def __init__(
        self,
        device: str,
        line: Line,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
    ) -> None:
        self.device = device
        self._line = line
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._host = ssi.HostPackets()
        self._pending: _Pending | None = None
        self._last: Symbol | None = None
        self._scans = 0
        self._is_enabled = True
        self.retransmissions = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is unanswered."""
        return self._pending is None

    @property
    def is_ready(self) -> bool:
        """Whether it takes a scan: it is idle, and the host has not switched scanning off."""
        return self.is_idle and self._is_enabled

    def boot(self) -> None:
        """Power is back: a scan that was unanswered is forgotten, and never beeps."""
        self._host = ssi.HostPackets()
        self._pending = None
        self._is_enabled = True
        self._line.send(ssi.answer(ssi.EVENT, bytes((ssi.POWER_UP_EVENT,))))

    def scan(self, symbol: Symbol, beeped: Callable[[], None] | None = None) -> None:
        """Pull the trigger; `beeped` is called at the ACK.

        ValueError for the code scanned last: if its first copy got lost, the host could not tell
        the retransmission from a repeat of the scan before it.
        """
        if self._pending is not None:
            raise ValueError(f"{self.device} still waits for an answer")
        if symbol == self._last:
            raise ValueError(f"{self.device} has just scanned {symbol}")
        # An answer that comes late belongs to the scan before, never to this one.
        self._host.feed(self._line.receive())
        self._scans += 1
        self._last = symbol
        self._pending = _Pending(symbol, self._scans, beeped)
        self._send(retransmission=False)

    def on_input(self, data: bytes) -> None:
        """Bytes from the host."""
        for opcode in self._host.feed(data):
            if opcode in {ssi.CMD_ACK, ssi.CMD_NAK}:
                self._on_answer(opcode)
            else:
                self._on_command(opcode)

    def _on_answer(self, opcode: int) -> None:
        pending = self._pending
        if pending is None:
            return
        if opcode == ssi.CMD_NAK:
            self.retransmissions += 1
            self._line.send(self._frame(pending.symbol, retransmission=True))
            return
        self._pending = None
        self._truth.barcode(self.device, self._utc(), pending.symbol.data)
        if pending.beeped is not None:
            pending.beeped()

    def _on_command(self, opcode: int) -> None:
        if opcode in {ssi.SCAN_ENABLE, ssi.SCAN_DISABLE}:
            self._is_enabled = opcode == ssi.SCAN_ENABLE
        if opcode == ssi.REQUEST_REVISION:
            self._line.send(ssi.answer(ssi.REPLY_REVISION, REVISION))
        elif opcode == ssi.CAPABILITIES_REQUEST:
            self._line.send(ssi.answer(ssi.CAPABILITIES_REPLY, CAPABILITIES))
        elif opcode in ssi.OBEYED:
            self._line.send(ssi.answer(ssi.CMD_ACK))
        else:
            self._line.send(ssi.answer(ssi.CMD_NAK, bytes((ssi.NAK_DENIED,))))

    def _send(self, retransmission: bool) -> None:
        pending = self._pending
        if pending is None:
            return
        # The host has not taken the last copy yet: another would only pile up behind it.
        if self._line.unread_bytes() == 0:
            self._line.send(self._frame(pending.symbol, retransmission))
            self.retransmissions += retransmission
        self._scheduler.after(RETRANSMIT_AFTER_S, lambda: self._send_again(pending.scan))

    def _send_again(self, scan: int) -> None:
        if self._pending is not None and self._pending.scan == scan:
            self._send(retransmission=True)

    @staticmethod
    def _frame(symbol: Symbol, retransmission: bool) -> bytes:
        kind = ssi.TYPE_EAN_13 if symbol.aim == gs1.AIM_EAN_13 else ssi.TYPE_GS1_128
        return ssi.decode_data(kind, symbol.aim + symbol.data, retransmission)
