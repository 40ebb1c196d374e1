"""Cuts frames out of a byte stream by terminator, pause and prefix. Sans-I/O: a frame may come in
any number of pieces, five may come in one. Used by the decoders of kinds whose frames are lines.
"""

from typing import NamedTuple


class Cut(NamedTuple):
    """One frame and where it began; `too_long` if it never ended in time and was cut short."""

    at: int
    frame: bytes
    too_long: bool = False


class LineFraming:
    """`feed` returns the frames that ended, `flush` the one that a pause has ended."""

    def __init__(
        self, terminators: tuple[bytes, ...], length_max: int, prefix: bytes = b""
    ) -> None:
        self._terminators = terminators
        self._prefix = prefix
        self._length_max = length_max
        self._held = b""
        self._at = 0
        """Offset of the first held byte in the stream."""
        self._skipping = False
        """Inside a frame that was already refused as too long."""

    def feed(self, data: bytes) -> list[Cut]:
        """Frames completed by `data`, without terminator and prefix; empty ones left out."""
        self._held += data
        cuts: list[Cut] = []
        while (end := self._next_end()) is not None:
            stop, next_start = end
            self._take(stop, next_start, cuts)
        self._refuse_overlong(cuts)
        return cuts

    def flush(self) -> list[Cut]:
        """What is held is a whole frame after all: the line went quiet."""
        cuts: list[Cut] = []
        self._take(len(self._held), len(self._held), cuts)
        return cuts

    def _next_end(self) -> tuple[int, int] | None:
        ends = [
            (found, found + len(terminator))
            for terminator in self._terminators
            if (found := self._held.find(terminator)) >= 0
        ]
        return min(ends, default=None)

    def _take(self, stop: int, next_start: int, cuts: list[Cut]) -> None:
        frame = self._held[:stop].removeprefix(self._prefix)
        if len(frame) > self._length_max and not self._skipping:
            cuts.append(Cut(self._at, frame[: self._length_max], too_long=True))
        elif frame and not self._skipping:
            cuts.append(Cut(self._at, frame))
        self._skipping = False
        self._drop(next_start)

    def _refuse_overlong(self, cuts: list[Cut]) -> None:
        limit = self._length_max + len(self._prefix) + 2
        if len(self._held) <= limit:
            return
        if not self._skipping:
            frame = self._held.removeprefix(self._prefix)[: self._length_max]
            cuts.append(Cut(self._at, frame, too_long=True))
        self._skipping = True
        self._drop(len(self._held) - 1)

    def _drop(self, count: int) -> None:
        self._held = self._held[count:]
        self._at += count
