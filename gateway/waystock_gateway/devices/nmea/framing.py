"""Finds NMEA 0183 sentences in a byte stream, whatever lies between them (binary protocols of the
same receiver, noise, halves of sentences). Sans-I/O. Upstream: the port. Downstream: `decoder`.
"""

import re
from typing import NamedTuple

LENGTH_MAX = 256
"""The standard says 82; receivers in the field send up to some 200 in their own sentences."""
GARBAGE_BYTES_MAX = 256
"""Garbage is reported in pieces of at most this length."""

_HEX_PAIR = re.compile(rb"[0-9A-Fa-f]{2}")
_STARTS = (0x24, 0x21)  # $ and !
_ENDS = (0x0D, 0x0A)


class Framed(NamedTuple):
    """`$…*hh` without line end if `reason` is None, else a stretch that is no good sentence."""

    at: int
    raw: bytes
    reason: str | None


class SentenceFraming:
    """`feed` returns sentences with a good checksum, and rejects for all other bytes."""

    def __init__(self) -> None:
        self._open = bytearray()
        """The sentence, or the garbage, that is being collected."""
        self._in_sentence = False
        self._at = 0
        self._position = 0

    def feed(self, data: bytes) -> list[Framed]:
        found: list[Framed] = []
        for byte in data:
            self._take(byte, found)
            self._position += 1
        return found

    def flush(self) -> list[Framed]:
        """Give up on what is open: the input has ended."""
        found: list[Framed] = []
        whole = self._in_sentence and _fault(bytes(self._open)) is None
        self._close(None if whole else self._why_broken(), found)
        return found

    def _why_broken(self) -> str:
        return "truncated" if self._in_sentence else "garbage"

    def _take(self, byte: int, found: list[Framed]) -> None:
        if byte in _STARTS:
            self._close(self._why_broken(), found)
            self._in_sentence = True
        elif byte in _ENDS:
            if self._in_sentence:
                self._close(_fault(bytes(self._open)), found)
                return
            if not self._open:
                return
        elif self._in_sentence and not 0x20 <= byte < 0x7F:
            self._in_sentence = False  # binary data that happened to hold a `$`
        if not self._open:
            self._at = self._position
        self._open.append(byte)
        if self._in_sentence and len(self._open) > LENGTH_MAX:
            self._close("too_long", found)
        elif not self._in_sentence and len(self._open) >= GARBAGE_BYTES_MAX:
            self._close("garbage", found)

    def _close(self, reason: str | None, found: list[Framed]) -> None:
        raw = bytes(self._open) if self._in_sentence else bytes(self._open).rstrip()
        if raw:
            found.append(Framed(self._at, raw, reason))
        self._open.clear()
        self._in_sentence = False


def _fault(sentence: bytes) -> str | None:
    """Why `$…` up to the line end is no good sentence: the checksum is required."""
    body, star, digits = sentence.rstrip(b" ").partition(b"*")
    if not star or not _HEX_PAIR.match(digits):
        return "no_checksum"
    if digits[2:].strip():
        return "truncated"
    stated = int(digits[:2], 16)
    actual = 0
    for byte in body[1:]:
        actual ^= byte
    return None if actual == stated else "checksum"
