"""How a truck really moves along its way: smooth speeds, slow near the yards, at rest at the end; a
crawl or a departure from the route when the plot says so. Upstream: world.transport; downstream:
the GPS units, which add their noise.
"""

from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from random import Random

from waystock_firmware_sim.world.geography import LonLat, Path, Place, shifted

STEP_S = 1.0
ACCELERATION_MPS2, BRAKING_MPS2 = 0.5, 0.8
MOTORWAY_MPS_MIN, MOTORWAY_MPS_MEAN, MOTORWAY_MPS_MAX = 17.0, 20.5, 25.0
LOCAL_MPS, LOCAL_M = 11.0, 2_500.0
DETOUR_OUT_M, DETOUR_ALONG_M = 3_000.0, 12_000.0
CATCH_UP_S_MAX = 12 * 3_600.0


@dataclass(frozen=True)
class Motion:
    """What is true of a truck at one instant; WGS 84, m/s, degrees from true north."""

    point: LonLat
    speed_mps: float
    course_deg_true: float


class Drive:
    """One truck. Time is seconds since the world began; `advance_to` may only go forward."""

    def __init__(
        self, points: tuple[LonLat, ...], started_m: float, departs_at_s: float, random: Random
    ) -> None:
        self._path = Path(points)
        self._travelled_m = started_m
        self._departs_at_s = departs_at_s
        self._random = random
        self._at_s = 0.0
        self._cruise_mps = random.uniform(19.0, 22.0)
        self._speed_mps = self._cruise_mps if departs_at_s <= 0 else 0.0
        self._crawl_mps: float | None = None

    @property
    def remaining_m(self) -> float:
        """To the end of the way."""
        return self._path.length_m - self._travelled_m

    def crawl(self, speed_mps: float) -> None:
        """From now on traffic allows no more than about this."""
        self._crawl_mps = speed_mps
        self._speed_mps = min(self._speed_mps, speed_mps)

    def leave_route(self) -> None:
        """Turn off here at right angles, drive some way beside the route, come back to it."""
        here_m = self._travelled_m
        here = self._path.at(here_m)
        back_m = min(here_m + DETOUR_ALONG_M, self._path.length_m)
        side = _away_side(self._path, here, here_m)
        out = _sideways(here, side, DETOUR_OUT_M)
        beside = _sideways(self._path.at(back_m), side, DETOUR_OUT_M)
        rest = self._path.cut(back_m, self._path.length_m)
        self._path = Path((here.point, out, beside, *rest))
        self._travelled_m = 0.0

    def advance_to(self, at_s: float) -> Motion:
        """The truck at that instant; long gaps are cut to CATCH_UP_S_MAX."""
        self._at_s = max(self._at_s, at_s - CATCH_UP_S_MAX)
        while self._at_s < at_s:
            step_s = min(STEP_S, at_s - self._at_s)
            self._at_s += step_s
            if self._at_s >= self._departs_at_s:
                self._step(step_s)
        place = self._path.at(self._travelled_m)
        return Motion(place.point, self._speed_mps, place.course_deg_true)

    def _step(self, step_s: float) -> None:
        target_mps = self._target_mps()
        slowest = self._speed_mps - BRAKING_MPS2 * step_s
        fastest = self._speed_mps + ACCELERATION_MPS2 * step_s
        self._speed_mps = max(0.0, min(max(target_mps, slowest), fastest))
        self._travelled_m = min(self._path.length_m, self._travelled_m + self._speed_mps * step_s)
        if self.remaining_m < 1.0:
            self._speed_mps = 0.0

    def _target_mps(self) -> float:
        pull = (MOTORWAY_MPS_MEAN - self._cruise_mps) * 0.01
        self._cruise_mps += pull + self._random.gauss(0, 0.12)
        self._cruise_mps = max(MOTORWAY_MPS_MIN, min(MOTORWAY_MPS_MAX, self._cruise_mps))
        wanted_mps = self._cruise_mps
        if self._travelled_m < LOCAL_M or self.remaining_m < LOCAL_M:
            wanted_mps = LOCAL_MPS
        if self._crawl_mps is not None:
            wanted_mps = min(wanted_mps, max(3.0, self._crawl_mps + self._random.gauss(0, 0.15)))
        braking_mps = sqrt(2 * BRAKING_MPS2 * 0.8 * max(0.0, self.remaining_m))
        return min(wanted_mps, braking_mps)


def _sideways(place: Place, side: int, metres: float) -> LonLat:
    angle = place.course_deg_true * pi / 180 + side * pi / 2
    return shifted(place.point, metres * sin(angle), metres * cos(angle))


def _away_side(path: Path, here: Place, here_m: float) -> int:
    """+1 (right) or −1 (left): the side to which the route does not bend ahead."""
    ahead = path.at(here_m + DETOUR_ALONG_M / 2)
    bend_deg = (ahead.course_deg_true - here.course_deg_true + 180) % 360 - 180
    return -1 if bend_deg > 0 else 1
