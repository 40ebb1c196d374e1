"""Finds the frames of a binary protocol in a byte stream, whatever lies between them. Sans-I/O: how
the stream is cut into reads changes nothing of what is found; only a pause does. Upstream: the
port. Downstream: the decoders of `chafon`, `r200` and `barcode` (SSI), each of which brings how a
frame of its protocol is told and read.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

GARBAGE_BYTES_MAX = 512
"""Bytes that belong to no frame are reported in pieces of at most this length."""


FrameT = TypeVar("FrameT")


class Garbage(NamedTuple):
    """A stretch that is no frame, and what it looks like."""

    at: int
    raw: bytes
    reason: str


class Fault(NamedTuple):
    """Why no good frame begins at a byte."""

    reason: str = "garbage"
    claim: int = 0
    """How many bytes a spoilt frame claims to have; 0 where nothing looks like a frame."""
    may_mend: bool = False
    """Bytes that are still to come may make a good frame of it."""


NO_FRAME = Fault()

Judge = Callable[[bytes, int], int | Fault]
"""Of the bytes from a position on: the length of the good frame that begins there, or its fault.
What it says must not change when more bytes come, but where it `may_mend`."""


class FrameSearch(Generic[FrameT]):
    """`feed` returns frames, as `read` makes them of their offset and bytes, and garbage in the
    order of the stream. A frame inside a spoilt one is found too: the search goes on at the byte
    behind one where no frame begins."""

    def __init__(self, judge: Judge, read: Callable[[int, bytes], FrameT]) -> None:
        self._judge = judge
        self._read = read
        self._held = b""
        self._at = 0
        """Offset of the first held byte in the stream."""
        self._garbage = bytearray()
        self._garbage_fault = NO_FRAME
        self._garbage_at = 0

    def feed(self, data: bytes) -> list[FrameT | Garbage]:
        self._held += data
        return self._search(final=False)

    def flush(self) -> list[FrameT | Garbage]:
        """The line went quiet: nothing more will complete what is held."""
        found = self._search(final=True)
        self._report_garbage(found)
        return found

    def _search(self, *, final: bool) -> list[FrameT | Garbage]:
        found: list[FrameT | Garbage] = []
        position = 0
        while position < len(self._held):
            verdict = self._judge(self._held, position)
            if isinstance(verdict, int):
                self._report_garbage(found)
                raw = self._held[position : position + verdict]
                found.append(self._read(self._at + position, raw))
                position += verdict
                continue
            if verdict.may_mend and not final:
                break
            self._refuse(position, verdict, found)
            position += 1
        self._held = self._held[position:]
        self._at += position
        return found

    def _refuse(self, position: int, fault: Fault, found: list[FrameT | Garbage]) -> None:
        """A spoilt frame is told apart from the noise before it and from what follows it."""
        if fault.claim and not self._garbage_fault.claim:
            self._report_garbage(found)
        if not self._garbage:
            self._garbage_at = self._at + position
            self._garbage_fault = fault
        self._garbage.append(self._held[position])
        if len(self._garbage) == (self._garbage_fault.claim or GARBAGE_BYTES_MAX):
            self._report_garbage(found)

    def _report_garbage(self, found: list[FrameT | Garbage]) -> None:
        if self._garbage:
            raw, reason = bytes(self._garbage), self._garbage_fault.reason
            found.append(Garbage(self._garbage_at, raw, reason))
        self._garbage.clear()
        self._garbage_fault = NO_FRAME
