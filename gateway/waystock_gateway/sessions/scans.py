"""A scanner's session: drops what the scanner sent twice. Two kinds of twice are told apart: a
retransmission (the scanner missed our ACK) repeats the last code we kept, however long ago and
across restarts; a double read is the same code again within the repeat window. Where several
scanners are one device, the same code from two of them is two readings.
"""

from dataclasses import dataclass

from waystock.contract.events import Barcode
from waystock_gateway.clock import Moment
from waystock_gateway.readings import Reading, Scan
from waystock_gateway.sessions.session import Outcome, gateway_clock

_LAST = "last_scan"
_LAST_OF = "last_scan@"
PEERS_KEPT_MAX = 256
"""Of so many scanners that are one device the last code is remembered."""


@dataclass(slots=True)
class _Last:
    """What a scanner sent last."""

    frame: bytes
    mono_s: float | None = None


class ScanSession:
    """State kept: the frame of the last code that was stored, of each scanner."""

    def __init__(self, device: str, state: dict[str, bytes], repeat_window_s: float) -> None:
        self._device = device
        self._repeat_window_s = repeat_window_s
        self._last = {
            key: _Last(frame)
            for key, frame in state.items()
            if key == _LAST or key.startswith(_LAST_OF)
        }

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        if not isinstance(reading, Scan):
            return
        key = _LAST_OF + reading.peer if reading.peer else _LAST
        last = self._last.get(key)
        if last is not None and reading.raw == last.frame:
            if reading.retransmitted:
                outcome.drops["retransmission"] += 1
                return
            if self._is_double_read(last, moment):
                last.mono_s = moment.mono_s
                outcome.drops["repeat"] += 1
                return
        outcome.events.append(self._event(reading, moment))
        self._remember(key, _Last(reading.raw, moment.mono_s), outcome)

    def due_mono_s(self) -> float | None:
        return None

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        """Scans don't age."""

    def _remember(self, key: str, last: _Last, outcome: Outcome) -> None:
        """The one that has been silent longest is forgotten first."""
        self._last.pop(key, None)
        self._last[key] = last
        outcome.remember(key, last.frame)
        while len(self._last) > PEERS_KEPT_MAX:
            oldest = next(iter(self._last))
            del self._last[oldest]
            outcome.forget(oldest)

    def _is_double_read(self, last: _Last, moment: Moment) -> bool:
        """The window runs from the last read of the code, stored or not."""
        if last.mono_s is None:
            return False
        return moment.mono_s - last.mono_s < self._repeat_window_s

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
