"""A reader's clock against the gateway's. Many reads come in one message, so their order is told by
the reader's own timestamps, whatever its clock believes the time to be. Used by `presence`.
"""

STEP_S = 10.0
"""A reader whose delay has grown by so much has set its clock."""


class ReaderClock:
    """The least delay seen between a reader's stamp and our taking it in is taken for none."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None

    def mono_s(self, reader_s: float | None, taken_mono_s: float) -> float:
        """When it was heard, on our monotonic clock; never later than it was taken in."""
        if reader_s is None:
            return taken_mono_s
        ahead_s = taken_mono_s - reader_s
        if self._ahead_s is None or ahead_s < self._ahead_s or ahead_s > self._ahead_s + STEP_S:
            self._ahead_s = ahead_s
        return reader_s + self._ahead_s
