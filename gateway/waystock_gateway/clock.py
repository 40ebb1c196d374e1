"""The gateway's clocks, made in `main` and passed to whoever asks for the time."""

import time
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

PLAUSIBLE_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""A box that believes it is earlier than this software has a clock that nothing has set."""


class Moment(NamedTuple):
    """One instant on both clocks: `at` can jump, `mono_s` only grows."""

    at: datetime
    mono_s: float

    @property
    def is_plausible(self) -> bool:
        return self.at >= PLAUSIBLE_FROM


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Moment: ...


class SystemClock:
    """The machine's clocks, UTC."""

    def now(self) -> Moment:
        return Moment(datetime.now(UTC), time.monotonic())
