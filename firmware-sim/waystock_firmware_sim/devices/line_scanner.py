"""A scanner that sends plain text: a code, framed as it was set up, and no answer is awaited.
Upstream: a worker's script; downstream: a serial line, and the truth once the code is on the wire.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from waystock_firmware_sim.devices.handheld import Symbol
from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.truth import Truth


class Framing(NamedTuple):
    """What stands before and behind each code."""

    prefix: bytes
    suffix: bytes


FRAMINGS = {
    "crlf": Framing(b"", b"\r\n"),
    "cr": Framing(b"", b"\r"),
    "lf": Framing(b"", b"\n"),
    "tab": Framing(b"", b"\t"),
    "etx": Framing(b"", b"\x03"),
    "stx-etx": Framing(b"\x02", b"\x03"),
    "none": Framing(b"", b""),
}


class LineScanner:
    """One scanner; it is always ready."""

    is_idle = True
    is_ready = True

    def __init__(
        self,
        device: str,
        line: Line,
        utc: Callable[[], datetime],
        truth: Truth,
        framing: Framing,
    ) -> None:
        self.device = device
        self._line = line
        self._utc = utc
        self._truth = truth
        self._framing = framing

    def boot(self) -> None:
        """Power is back; it has nothing to say of that."""

    def scan(self, symbol: Symbol) -> None:
        """Pull the trigger."""
        text = (symbol.aim + symbol.data).encode("latin-1")
        self._line.send(
            self._framing.prefix + text + self._framing.suffix,
            lambda: self._truth.barcode(self.device, self._utc(), symbol.data),
        )

    def on_input(self, data: bytes) -> None:
        """It listens to nobody."""
