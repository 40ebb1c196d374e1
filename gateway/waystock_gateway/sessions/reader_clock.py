"""A reader's clock against the gateway's. Many reads come in one message, so their order is told by
the reader's own timestamps, whatever its clock believes the time to be. Used by `presence`.
"""

STEP_S = 10.0
"""A reader that is so much further off than before has set its clock."""


class ReaderClock:
    """All reads are moved by the same time, that of the first one, until the reader's clock steps:
    only their order and distances are of use."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def mono_s(self, reader_s: float | None, taken_mono_s: float) -> float:
        """About when it was heard, on our monotonic clock."""
        if reader_s is None:
            return taken_mono_s
        ahead_s = taken_mono_s - reader_s
        if self._ahead_s is None or abs(ahead_s - self._ahead_s) > STEP_S:
            self._ahead_s = ahead_s
        return reader_s + self._ahead_s
