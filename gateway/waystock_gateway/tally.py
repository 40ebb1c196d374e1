"""Counts per device: readings stored, rejects and drops by reason, age of the last frame. Written
by the intake and the ports, read by health and status. Counters only grow while the process lives.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from waystock.contract.events import Position
from waystock_gateway.sessions.session import Outcome

GPS_FIXES = 30
"""The gateway's clock is judged by so many fixes."""


@dataclass(slots=True)
class DeviceTally:
    """What one device brought since the gateway started."""

    events: int = 0
    rejects: Counter[str] = field(default_factory=Counter[str])
    drops: Counter[str] = field(default_factory=Counter[str])
    notices: Counter[str] = field(default_factory=Counter[str])
    """What it told that is no reading, and how often it connected."""
    last_frame_mono_s: float | None = None
    clock_ahead_s: deque[float] = field(default_factory=partial(deque[float], maxlen=GPS_FIXES))
    """Of the newest fixes: how far the gateway's clock was ahead of the time they gave."""

    @property
    def clock_ahead_of_gps_s(self) -> float | None:
        """What a GPS unit says of the gateway's clock: the least of its newest fixes, as each is
        some moments old when it is read. None before its first fix."""
        return min(self.clock_ahead_s, default=None)


class Tally:
    """One DeviceTally per device, safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._devices: dict[str, DeviceTally] = {}

    def register(self, device: str) -> None:
        """Report this device even before it has said anything."""
        with self._lock:
            self._devices.setdefault(device, DeviceTally())

    def heard(self, device: str, mono_s: float) -> None:
        """A frame came."""
        with self._lock:
            self._devices.setdefault(device, DeviceTally()).last_frame_mono_s = mono_s

    def drop(self, device: str, reason: str, count: int = 1) -> None:
        """`count` readings were thrown away for `reason`."""
        with self._lock:
            self._devices.setdefault(device, DeviceTally()).drops[reason] += count

    def notice(self, device: str, what: str) -> None:
        """It told something that is no reading."""
        with self._lock:
            self._devices.setdefault(device, DeviceTally()).notices[what] += 1

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """What was committed."""
        with self._lock:
            for outcome in outcomes:
                tally = self._devices.setdefault(outcome.device, DeviceTally())
                tally.events += len(outcome.events)
                tally.rejects.update(reject.reason for reject in outcome.rejects)
                tally.drops.update(outcome.drops)
                tally.clock_ahead_s.extend(
                    (event.captured_at - event.time).total_seconds()
                    for event in outcome.events
                    if isinstance(event, Position) and event.clock == "gps"
                )

    def snapshot(self) -> dict[str, DeviceTally]:
        """A copy, by device."""
        with self._lock:
            return {
                device: DeviceTally(
                    tally.events,
                    Counter(tally.rejects),
                    Counter(tally.drops),
                    Counter(tally.notices),
                    tally.last_frame_mono_s,
                    tally.clock_ahead_s.copy(),
                )
                for device, tally in self._devices.items()
            }
