"""GPS units: what a receiver makes of a truck's true motion, and the serial unit that says it in
NMEA. Upstream: motion; downstream: a serial line and the truth. A unit is blind for
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
VERSION = "SW 2.31 HW 000A0000"
PMTK_UNSUPPORTED, PMTK_DONE = 1, 3


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


def tell_intended_fix(truth: Truth, device: str, fix: nmea.Fix) -> None:
    """What the unit makes of one instant, before it goes out."""
    truth.intended(
        "position", device, time=fix.time, lat=fix.lat, lon=fix.lon, speed_mps=fix.speed_mps
    )


class NmeaUnit:
    """One receiver on a serial line: a burst for every whole `period_s` of UTC. `is_parted`: each
    sentence goes out by itself, as its own frame.
    """

    def __init__(
        self,
        device: str,
        line: Line,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        receiver: Receiver,
        random: Random,
        *,
        period_s: float = 1.0,
        is_parted: bool = False,
    ) -> None:
        self.device = device
        self.fixes = 0
        self._line = line
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._receiver = receiver
        self._talker = random.choice(TALKERS)
        self._order = random.choice(ORDERS)
        self._latency_s = random.uniform(0.03, 0.12) * min(1.0, period_s)
        self._period = timedelta(seconds=period_s)
        self._is_parted = is_parted
        self._host = nmea.HostSentences()
        self._sees_from = utc() + timedelta(seconds=FIRST_FIX_S)
        self._is_on = True
        self._spoken = self._epoch_before(utc())
        self._wait_for_epoch()

    def boot(self) -> None:
        """Power is back: it says its version, and is blind for a while."""
        self._host = nmea.HostSentences()
        self._sees_from = self._utc() + timedelta(seconds=FIRST_FIX_S)
        self._line.send(nmea.sentence(f"{self._talker}TXT,01,01,02,{VERSION}"))

    def switch_off(self) -> None:
        """Say nothing more."""
        self._is_on = False

    def on_input(self, data: bytes) -> None:
        """Commands of the host, as MediaTek receivers take them."""
        for fields in self._host.feed(data):
            match fields[0]:
                case "PMTK605":
                    self._line.send(nmea.sentence(f"PMTK705,{VERSION},0000,WS,1.0"))
                case "PMTK101" | "PMTK102" | "PMTK103" | "PMTK104":
                    self.boot()
                case name if name.startswith("PMTK") and name[4:].isdigit():
                    done = PMTK_DONE if name == "PMTK000" else PMTK_UNSUPPORTED
                    self._line.send(nmea.sentence(f"PMTK001,{int(name[4:])},{done}"))
                case _:
                    pass

    def _wait_for_epoch(self) -> None:
        now = self._utc()
        epoch = max(self._epoch_before(now), self._spoken) + self._period
        delay_s = (epoch - now).total_seconds() + self._latency_s
        self._scheduler.after(delay_s, lambda: self._speak(epoch))

    def _speak(self, epoch: datetime) -> None:
        if not self._is_on:
            return
        # A process that was stopped for a while goes on with the present second.
        epoch = max(epoch, self._epoch_before(self._utc()))
        self._spoken = epoch
        if epoch < self._sees_from:
            self._say(nmea.no_fix_sentences(epoch, self._talker), lambda: None)
        else:
            self.fixes += 1
            self._tell(self._receiver.fix_at(epoch))
        self._wait_for_epoch()

    def _tell(self, fix: nmea.Fix) -> None:
        tell_intended_fix(self._truth, self.device, fix)
        is_told = False

        def told() -> None:
            nonlocal is_told
            if not is_told:
                is_told = True
                self._truth.position(self.device, fix.time)

        self._say(nmea.sentences(fix, self._talker, self._order), told)

    def _say(self, sentences: list[bytes], told: Callable[[], None]) -> None:
        """`told` is called when a sentence that says where and when is out."""
        if not self._is_parted:
            self._line.send(b"".join(sentences), told)
            return
        for sentence in sentences:
            is_placed = sentence[3:6].decode() in nmea.PLACED
            self._line.send(sentence, told if is_placed else None)

    def _epoch_before(self, instant: datetime) -> datetime:
        """The last whole period of UTC."""
        midnight = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (instant - midnight) // self._period * self._period
