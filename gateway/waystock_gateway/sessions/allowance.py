"""So many a second and no more: what keeps single reads on request from filling the outbox. Used by
`presence`.
"""


class Allowance:
    """A bucket that fills at `per_s` and holds what one second brings."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = max(1.0, per_s)
        self._at_s: float | None = None

    def take(self, mono_s: float) -> bool:
        """Whether one more is allowed now."""
        if self._at_s is not None:
            grown = self._left + (mono_s - self._at_s) * self._per_s
            self._left = min(max(1.0, self._per_s), grown)
        self._at_s = mono_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
