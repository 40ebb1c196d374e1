"""How well a tag at some place is heard by the antennas of a door: distance, the antenna's pattern,
the pallet's own shadow, and luck. Frame: x in metres through the door (negative inside, positive in
the yard), y along the wall, the door's middle at the origin. Upstream: `ways`; downstream: `scene`.
"""

import math
from dataclasses import dataclass
from random import Random

AT_ONE_METRE_DBM = -42.0
PATH_LOSS_PER_DECADE_DB = 32.0
"""Both ways between free space (40) and a hall full of reflections."""
FRONT_TO_BACK_DB = 14.0
"""A panel antenna hears so much less from behind; makers state 18 and more."""
SENSITIVITY_DBM = -76.0
"""Here a tag answers half as often as it can."""
SENSITIVITY_SLOPE_DB = 2.5
FADING_DB = 3.0
"""Spread of single reads: reflections."""
SHADOW_DB = 3.0
"""Spread of what the load itself takes away, slowly changing."""
SHADOW_S = 0.8


@dataclass(frozen=True)
class Antenna:
    """One panel at the door's frame; `facing` is the unit vector (x, y) of its beam's middle."""

    port: int
    x_m: float
    y_m: float
    facing: tuple[float, float]

    def level_dbm(self, x_m: float, y_m: float) -> float:
        """Without luck."""
        dx, dy = x_m - self.x_m, y_m - self.y_m
        distance_m = max(0.4, math.hypot(dx, dy))
        aside = (1.0 - (self.facing[0] * dx + self.facing[1] * dy) / distance_m) / 2.0
        loss_db = PATH_LOSS_PER_DECADE_DB * math.log10(distance_m)
        return AT_ONE_METRE_DBM - loss_db - FRONT_TO_BACK_DB * aside


PORTAL = (Antenna(1, -0.5, 1.6, (-0.77, -0.64)), Antenna(2, 0.5, 1.6, (0.77, -0.64)))
"""Both at one post and across the door, the one turned inside, the other one outside."""


class Shadow:
    """What one load takes away from one antenna: a slow walk around nothing."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._db = random.gauss(0.0, SHADOW_DB)

    def after(self, seconds: float) -> float:
        """In dB, `seconds` after the last look."""
        kept = math.exp(-seconds / SHADOW_S)
        spread_db = SHADOW_DB * math.sqrt(1.0 - kept * kept)
        self._db = self._db * kept + self._random.gauss(0.0, spread_db)
        return self._db


def answer_dbm(level_dbm: float, read_rate: float, random: Random) -> float | None:
    """What one round of one antenna hears of a tag; None where it hears nothing. `read_rate` is how
    often a tag right before the antenna is heard.
    """
    heard_dbm = level_dbm + random.gauss(0.0, FADING_DB)
    chance = read_rate / (1.0 + math.exp((SENSITIVITY_DBM - heard_dbm) / SENSITIVITY_SLOPE_DB))
    return heard_dbm if random.random() < chance else None
