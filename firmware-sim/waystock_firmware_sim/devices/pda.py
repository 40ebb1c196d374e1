"""An Android PDA: a scanner in a phone that writes what it scans to a TCP connection with the
gateway. With the framing `ssi` it speaks as a handheld on a cable does and beeps at the ACK; with
`line` it writes the code and a line end, as the scan services of PDAs do, and beeps when that is on
the wire: nobody answers. Upstream: a worker's script; downstream: a `TcpLine` and the truth.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from waystock_firmware_sim.devices.handheld import Handheld, Symbol
from waystock_firmware_sim.devices.tcp_line import TcpLine
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

Framing = Literal["ssi", "line"]
LINE_END = b"\r\n"
FLUSH_PERIOD_S = 0.05


class Pda:
    """One PDA; `scheduler` keeps its connection up."""

    def __init__(
        self,
        device: str,
        line: TcpLine,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        framing: Framing = "ssi",
    ) -> None:
        self.device = device
        self._line = line
        self._utc = utc
        self._truth = truth
        self._handheld = Handheld(device, line, scheduler, utc, truth) if framing == "ssi" else None
        self._unsent = 0
        scheduler.every(FLUSH_PERIOD_S, self.attend)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for an answer, or for the wire."""
        return self._unsent == 0 and (self._handheld is None or self._handheld.is_idle)

    def fileno(self) -> int:
        """For a selector; -1 while it has no connection."""
        return self._line.fileno()

    def scan(self, symbol: Symbol, beeped: Callable[[], None] | None = None) -> None:
        """Pull the trigger; `beeped` is called when the code counts as taken. With SSI one scan at
        a time: ValueError before the last one has been answered."""
        if self._handheld is not None:
            self._handheld.scan(symbol, beeped)
            return
        self._unsent += 1

        def sent() -> None:
            self._unsent -= 1
            self._truth.barcode(self.device, self._utc(), symbol.data)
            if beeped is not None:
                beeped()

        self._line.send((symbol.aim + symbol.data).encode("latin-1") + LINE_END, sent)

    def attend(self) -> None:
        """Take what the host said, and keep the connection up; when there is input at once."""
        data = self._line.receive()
        if self._handheld is not None and data:
            self._handheld.on_input(data)
        self._line.flush()

    def leave_network(self) -> None:
        """Walk out of the reach of Wi-Fi; it comes back by itself."""
        self._line.hang_up()

    def close(self) -> None:
        self._line.close()
