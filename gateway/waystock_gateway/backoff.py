"""Growing pauses with jitter, so that a fleet does not knock all at once."""

from collections.abc import Callable


class Backoff:
    """Pauses that double from `first_s` to `max_s`; each is spread over its upper half."""

    def __init__(self, first_s: float, max_s: float, random: Callable[[], float]) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._random = random
        self._current_s = first_s

    def next_s(self) -> float:
        """How long to wait now."""
        pause_s = self._current_s * (0.5 + 0.5 * self._random())
        self._current_s = min(self._current_s * 2, self._max_s)
        return pause_s

    def reset(self) -> None:
        """It worked: begin with short pauses again."""
        self._current_s = self._first_s
