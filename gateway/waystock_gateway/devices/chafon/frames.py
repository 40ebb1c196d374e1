"""Chafon / UHFReader18 serial frames: `len addr cmd status data… crcLo crcHi`, where len counts all
behind itself and the CRC is CRC-16/MCRF4XX over all before it. There is no start mark, so a frame
is what has a known command and a right CRC. Pure. Used by `decoder`.
"""

from typing import NamedTuple

import fastcrc

from waystock_gateway.devices.frame_search import NO_FRAME, Fault

CMD_INVENTORY, CMD_REAL_TIME = 0x01, 0xEE
ADDRESS_BROADCAST = 0xFF
_BODY_BYTES_MIN = 5
_COMMANDS = frozenset({CMD_INVENTORY, CMD_REAL_TIME, *range(0x02, 0x80)})
_UNFINISHED = Fault(may_mend=True)


class Answer(NamedTuple):
    """What a reader answers to one command, or sends by itself."""

    command: int
    status: int
    data: bytes


def encode_command(command: int, address: int = ADDRESS_BROADCAST) -> bytes:
    """A command without parameters to the reader."""
    head = bytes((4, address, command))
    return head + fastcrc.crc16.mcrf4xx(head).to_bytes(2, "little")


def judge_frame(held: bytes, position: int) -> int | Fault:
    """The length of the frame that begins at `position`, or why none does (`frame_search`)."""
    length = held[position]
    if length < _BODY_BYTES_MIN:
        return NO_FRAME
    if position + 2 < len(held) and held[position + 2] not in _COMMANDS:
        return NO_FRAME
    end = position + 1 + length
    if end > len(held):
        return _UNFINISHED
    crc = int.from_bytes(held[end - 2 : end], "little")
    return 1 + length if fastcrc.crc16.mcrf4xx(held[position : end - 2]) == crc else NO_FRAME


def read_frame(raw: bytes) -> Answer:
    """The parts of a frame with right CRC."""
    return Answer(raw[2], raw[3], raw[4:-2])
