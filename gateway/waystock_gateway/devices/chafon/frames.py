"""Chafon / UHFReader18 serial frames: `len addr cmd status data… crcLo crcHi`, where len counts all
behind itself and the CRC is CRC-16/MCRF4XX over all before it. There is no start mark and a CRC of
16 bits fits noise now and then: a frame is what has a right CRC and answers what the gateway asks
for, or is what a reader sends by itself. Pure. Used by `decoder`.
"""

from typing import NamedTuple

import fastcrc

from waystock_gateway.devices.frame_search import NO_FRAME, Fault, FrameSearch

CMD_INVENTORY, CMD_REAL_TIME = 0x01, 0xEE
CMD_READER_INFORMATION = 0x21
ADDRESS_BROADCAST = 0xFF
_BODY_BYTES_MIN = 5
_COMMANDS = frozenset({CMD_INVENTORY, CMD_REAL_TIME, CMD_READER_INFORMATION})
_STATUSES = frozenset({*range(0x05), *range(0xF8, 0x100)})
"""Success, what ends an inventory, and the errors that any command can have."""
_UNFINISHED = Fault(may_mend=True)


class Frame(NamedTuple):
    """One answer with right CRC."""

    at: int
    command: int
    status: int
    data: bytes
    raw: bytes


def encode_command(command: int, address: int = ADDRESS_BROADCAST) -> bytes:
    """A command without parameters to the reader."""
    head = bytes((4, address, command))
    return head + fastcrc.crc16.mcrf4xx(head).to_bytes(2, "little")


ASK_READER_INFORMATION = encode_command(CMD_READER_INFORMATION)
"""Changes nothing in the reader."""


class FrameFraming(FrameSearch[Frame]):
    """`feed` returns frames and garbage in the order of the stream."""

    def __init__(self) -> None:
        super().__init__(_judge, _read)


def _judge(held: bytes, position: int) -> int | Fault:
    length = held[position]
    if length < _BODY_BYTES_MIN:
        return NO_FRAME
    command, status = held[position + 2 : position + 3], held[position + 3 : position + 4]
    if not _COMMANDS.issuperset(command) or not _STATUSES.issuperset(status):
        return NO_FRAME
    end = position + 1 + length
    if end > len(held):
        return _UNFINISHED
    crc = int.from_bytes(held[end - 2 : end], "little")
    return 1 + length if fastcrc.crc16.mcrf4xx(held[position : end - 2]) == crc else NO_FRAME


def _read(at: int, raw: bytes) -> Frame:
    return Frame(at, raw[2], raw[3], raw[4:-2], raw)
