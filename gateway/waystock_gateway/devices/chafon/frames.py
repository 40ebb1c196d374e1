"""Chafon / UHFReader18 serial frames: `len addr cmd status data… crcLo crcHi`, where len counts all
behind itself and the CRC is CRC-16/MCRF4XX over all before it. Sans-I/O: there is no start mark, so
a frame is what has a known command and a right CRC; the search goes on at the byte behind one that
hasn't. Upstream: the port. Downstream: `decoder`.
"""

from typing import NamedTuple

import fastcrc

CMD_INVENTORY, CMD_REAL_TIME = 0x01, 0xEE
CMD_READER_INFORMATION = 0x21
ADDRESS_BROADCAST = 0xFF
_BODY_BYTES_MIN = 5
_COMMANDS = frozenset({CMD_INVENTORY, CMD_REAL_TIME, *range(0x02, 0x80)})


class Frame(NamedTuple):
    """One answer with right CRC."""

    at: int
    command: int
    status: int
    data: bytes
    raw: bytes


class Garbage(NamedTuple):
    """A stretch that is no frame."""

    at: int
    raw: bytes


def encode_command(command: int, address: int = ADDRESS_BROADCAST) -> bytes:
    """A command without parameters to the reader."""
    head = bytes((4, address, command))
    return head + fastcrc.crc16.mcrf4xx(head).to_bytes(2, "little")


ASK_READER_INFORMATION = encode_command(CMD_READER_INFORMATION)
"""Changes nothing in the reader."""


class FrameFraming:
    """`feed` returns frames and garbage in the order of the stream."""

    def __init__(self) -> None:
        self._held = b""
        self._at = 0

    def feed(self, data: bytes) -> list[Frame | Garbage]:
        self._held += data
        return self._scan(final=False)

    def flush(self) -> list[Frame | Garbage]:
        """Nothing more will complete what is held."""
        return self._scan(final=True)

    def _scan(self, *, final: bool) -> list[Frame | Garbage]:
        found: list[Frame | Garbage] = []
        position = refused_from = 0
        while position < len(self._held):
            end = position + 1 + self._held[position]
            if self._may_begin(position) and end > len(self._held) and not final:
                break
            frame = self._frame(position, end)
            if frame is None:
                position += 1
                continue
            self._refuse(refused_from, position, found)
            found.append(frame)
            position = refused_from = end
        self._refuse(refused_from, position, found)
        self._held = self._held[position:]
        self._at += position
        return found

    def _may_begin(self, position: int) -> bool:
        if self._held[position] < _BODY_BYTES_MIN:
            return False
        return position + 2 >= len(self._held) or self._held[position + 2] in _COMMANDS

    def _frame(self, position: int, end: int) -> Frame | None:
        if end > len(self._held) or not self._may_begin(position):
            return None
        raw = self._held[position:end]
        if fastcrc.crc16.mcrf4xx(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
            return None
        return Frame(self._at + position, raw[2], raw[3], raw[4:-2], raw)

    def _refuse(self, start: int, stop: int, found: list[Frame | Garbage]) -> None:
        if stop > start:
            found.append(Garbage(self._at + start, self._held[start:stop]))
