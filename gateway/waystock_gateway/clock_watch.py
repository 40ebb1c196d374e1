"""Notices when the wall clock steps, by holding it against the monotonic one, and how long it has
gone evenly. Pure. Used by `intake`, which must not believe a clock that has just jumped, and which
corrects readings that were timed before the clock was first set.
"""

from datetime import timedelta

from waystock_gateway.clock import Moment

STEP_S_MIN = 2.0
"""Less is drift, or NTP slewing."""


class ClockWatch:
    """Told of every moment, in order."""

    def __init__(self) -> None:
        self._last: Moment | None = None
        self._even_since_mono_s = 0.0
        self.steps = 0

    def step(self, moment: Moment) -> timedelta | None:
        """By how much the wall clock was set since the last call; None where it just went on."""
        last, self._last = self._last, moment
        if last is None:
            self._even_since_mono_s = moment.mono_s
            return None
        passed = timedelta(seconds=moment.mono_s - last.mono_s)
        stepped = moment.at - last.at - passed
        if abs(stepped.total_seconds()) < STEP_S_MIN:
            return None
        self._even_since_mono_s = moment.mono_s
        self.steps += 1
        return stepped

    @property
    def is_plausible(self) -> bool:
        """Whether the clock had been set when it was last looked at."""
        return self._last is not None and self._last.is_plausible

    def even_s(self, moment: Moment) -> float:
        """For how long the clock has not stepped."""
        return moment.mono_s - self._even_since_mono_s
