"""A unit that publishes its position over MQTT, every two seconds by default, in the JSON of its
maker (protocol.tracker_json). Upstream: a receiver; downstream: an uplink, and the truth once the
broker has answered.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from waystock_firmware_sim.devices.gps_unit import Receiver, tell_intended_fix
from waystock_firmware_sim.devices.uplink import Message, Uplink
from waystock_firmware_sim.protocol.nmea import Fix
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

FIX_PERIOD_S = 2.0
FIRST_FIX_S = 3.0
ANSWERS_POLL_S = 0.1
BATTERY_FULL_RATIO, BATTERY_PER_FIX_RATIO = 0.98, 0.0002


class Dialect(NamedTuple):
    """How a maker's units write."""

    encode: Callable[[Fix, float], bytes]
    """A fix and the battery's charge (0 to 1)."""
    values: Callable[[Fix, float], dict[str, float]] | None = None
    """What of it is telemetry, under the names that a gateway has for it."""
    step_us: int = 1_000
    """Its instants are whole multiples of so many microseconds."""


class Tracker:
    """One unit."""

    def __init__(
        self,
        device: str,
        uplink: Uplink,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        receiver: Receiver,
        dialect: Dialect,
        first_fix_s: float = FIRST_FIX_S,
        period_s: float = FIX_PERIOD_S,
    ) -> None:
        self.device = device
        self.dropped_fixes = 0
        self.fixes = 0
        self._uplink = uplink
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._receiver = receiver
        self._dialect = dialect
        self._period_s = period_s
        self._is_on = True
        self._last = utc()
        scheduler.after(first_fix_s, self._speak)
        scheduler.every(ANSWERS_POLL_S, uplink.poll)

    @property
    def is_drained(self) -> bool:
        """Whether the broker has everything."""
        return self._uplink.waiting() == 0

    def switch_off(self) -> None:
        """Take no further fix; what is in flash still goes out."""
        self._is_on = False

    def _speak(self) -> None:
        if not self._is_on:
            return
        now, step_us = self._utc(), self._dialect.step_us
        time = now.replace(microsecond=now.microsecond // step_us * step_us)
        if time > self._last:
            self._last = time
            self._send(time)
        self._scheduler.after(self._period_s, self._speak)

    def _send(self, time: datetime) -> None:
        fix = self._receiver.fix_at(time)
        battery_ratio = round(max(0.05, BATTERY_FULL_RATIO - self.fixes * BATTERY_PER_FIX_RATIO), 4)
        self.fixes += 1
        values = self._dialect.values(fix, battery_ratio) if self._dialect.values else {}
        tell_intended_fix(self._truth, self.device, fix)
        if values:
            self._truth.intended("telemetry", self.device, time=time, values=values)

        def delivered() -> None:
            self._truth.position(self.device, time)
            if values:
                self._truth.telemetry(self.device, time, values)

        message = Message(self._dialect.encode(fix, battery_ratio))
        if not self._uplink.publish(message, delivered):
            self.dropped_fixes += 1
