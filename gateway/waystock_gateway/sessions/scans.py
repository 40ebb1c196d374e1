"""A scanner's session: drops what the scanner sent twice. Two kinds of twice are told apart: a
retransmission (the scanner missed our ACK) repeats the last code we kept, however long ago and
across restarts; a double read is the same code again within the repeat window.
"""

from waystock.contract.events import Barcode
from waystock_gateway.clock import Moment
from waystock_gateway.readings import Reading, Scan
from waystock_gateway.sessions.session import Outcome, gateway_clock

_LAST = "last_scan"


class ScanSession:
    """State kept: the frame of the last code that was stored."""

    def __init__(self, device: str, state: dict[str, bytes], repeat_window_s: float) -> None:
        self._device = device
        self._repeat_window_s = repeat_window_s
        self._last_frame = state.get(_LAST)
        self._last_mono_s: float | None = None

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        if not isinstance(reading, Scan):
            return
        if reading.raw == self._last_frame:
            if reading.retransmitted:
                outcome.drops["retransmission"] += 1
                return
            if self._is_double_read(moment):
                self._last_mono_s = moment.mono_s
                outcome.drops["repeat"] += 1
                return
        outcome.events.append(self._event(reading, moment))
        outcome.remember(_LAST, reading.raw)
        self._last_frame, self._last_mono_s = reading.raw, moment.mono_s

    def due_mono_s(self) -> float | None:
        return None

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        """Scans don't age."""

    def _is_double_read(self, moment: Moment) -> bool:
        """The window runs from the last read of the code, stored or not."""
        if self._last_mono_s is None:
            return False
        return moment.mono_s - self._last_mono_s < self._repeat_window_s

    def _event(self, scan: Scan, moment: Moment) -> Barcode:
        clock, clock_marks = gateway_clock(moment)
        quality = (*scan.quality, *clock_marks)
        return Barcode(
            device=self._device,
            time=moment.at,
            captured_at=moment.at,
            clock=clock,
            quality=quality,
            raw=scan.raw.decode("latin-1") if scan.quality else None,
            aim=scan.aim,
            format=scan.format,
            data=scan.data,
            elements=scan.elements,
        )
