"""GPS units: what a receiver makes of a truck's true motion, and the serial unit that says it in
NMEA once a second. Upstream: motion; downstream: a serial line and the truth. A unit is blind for
its first seconds, as after power-up, and then says so.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.motion import Drive
from waystock_firmware_sim.protocol import nmea
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.world.geography import shifted

ORDERS: tuple[tuple[nmea.Sentence, ...], ...] = (
    ("RMC", "VTG", "GGA"),
    ("GGA", "RMC", "VTG"),
    ("RMC", "GGA", "VTG"),
    ("GGA", "VTG", "RMC"),
)
TALKERS = ("GN", "GP")
NOISE_M, NOISE_MEMORY = 2.6, 0.93
"""Standard deviation on each axis (mean error about 3.3 m), and how slowly it wanders."""
FIRST_FIX_S = 2.0


class Receiver:
    """Noise and figures of one receiver."""

    def __init__(self, drive: Drive, world_start: datetime, random: Random) -> None:
        self.drive = drive
        self._world_start = world_start
        self._random = random
        self._east_m = random.gauss(0, NOISE_M)
        self._north_m = random.gauss(0, NOISE_M)
        self._altitude_m = random.uniform(4, 12)

    def fix_at(self, time: datetime) -> nmea.Fix:
        """The solution for one instant; instants may only grow."""
        motion = self.drive.advance_to((time - self._world_start).total_seconds())
        fresh_m = NOISE_M * (1 - NOISE_MEMORY**2) ** 0.5
        self._east_m = NOISE_MEMORY * self._east_m + self._random.gauss(0, fresh_m)
        self._north_m = NOISE_MEMORY * self._north_m + self._random.gauss(0, fresh_m)
        lon, lat = shifted(motion.point, self._east_m, self._north_m)
        return nmea.Fix(
            time=time,
            lat=round(lat, 7),
            lon=round(lon, 7),
            speed_mps=max(0.0, motion.speed_mps + self._random.gauss(0, 0.08)),
            course_deg_true=(motion.course_deg_true + self._random.gauss(0, 0.4)) % 360,
            altitude_m=self._altitude_m + self._random.gauss(0, 0.6),
            hdop=round(self._random.uniform(0.7, 1.3), 2),
            satellites=self._random.randint(9, 16),
        )


class NmeaUnit:
    """One receiver on a serial line: a burst for every whole second of UTC."""

    def __init__(
        self,
        device: str,
        line: Line,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        receiver: Receiver,
        random: Random,
    ) -> None:
        self.device = device
        self._line = line
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._receiver = receiver
        self._talker = random.choice(TALKERS)
        self._order = random.choice(ORDERS)
        self._latency_s = random.uniform(0.03, 0.12)
        self._sees_from = utc() + timedelta(seconds=FIRST_FIX_S)
        self._is_on = True
        self._spoken = _whole_second(utc())
        self._wait_for_epoch()

    def switch_off(self) -> None:
        """Say nothing more."""
        self._is_on = False

    def _wait_for_epoch(self) -> None:
        now = self._utc()
        epoch = max(_whole_second(now), self._spoken) + timedelta(seconds=1)
        delay_s = (epoch - now).total_seconds() + self._latency_s
        self._scheduler.after(delay_s, lambda: self._speak(epoch))

    def _speak(self, epoch: datetime) -> None:
        if not self._is_on:
            return
        # A process that was stopped for a while goes on with the present second.
        epoch = max(epoch, _whole_second(self._utc()))
        self._spoken = epoch
        if epoch < self._sees_from:
            self._line.send(nmea.no_fix_burst(epoch, self._talker))
        else:
            burst = nmea.burst(self._receiver.fix_at(epoch), self._talker, self._order)
            self._line.send(burst, lambda: self._truth.position(self.device, epoch))
        self._wait_for_epoch()


def _whole_second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)
