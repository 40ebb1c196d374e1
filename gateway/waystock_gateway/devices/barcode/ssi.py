"""Zebra Simple Serial Interface: packets `len opcode source status data… checksum(2)`, `len`
without the checksum, the checksum the big-endian two's complement of the byte sum. Pure. Used by
`decoder`.
"""

from typing import NamedTuple

from waystock_gateway.devices.frame_search import NO_FRAME, Fault, FrameSearch

DECODE_DATA = 0xF3
REQUEST_REVISION, REPLY_REVISION = 0xA3, 0xA4
ACK = 0xD0
NAK = 0xD1
NAK_RESEND = 0x01
SOURCE_DECODER = 0x00
SOURCE_HOST = 0x04
STATUS_RETRANSMITTED = 0x01
STATUS_CONTINUED = 0x02

_LENGTH_MIN = 4
_HEADER_LENGTH = 3
_CHECKSUM_LENGTH = 2
_EVENT, _CAPABILITIES, _PARAMETERS, _BATCH = 0xF6, 0xD4, 0xC6, 0xD6
_FROM_SCANNER = frozenset(
    {DECODE_DATA, ACK, NAK, _EVENT, _CAPABILITIES, _PARAMETERS, REPLY_REVISION, _BATCH}
)
"""Opcodes a scanner sends; a byte pair that is none of these starts no packet."""


class Packet(NamedTuple):
    """One packet with a good checksum."""

    at: int
    opcode: int
    status: int
    data: bytes
    raw: bytes

    @property
    def is_retransmission(self) -> bool:
        return bool(self.status & STATUS_RETRANSMITTED)

    @property
    def is_continued(self) -> bool:
        return bool(self.status & STATUS_CONTINUED)


def checksum(head: bytes) -> bytes:
    """Two's complement of the byte sum, big-endian."""
    return (-sum(head) & 0xFFFF).to_bytes(2, "big")


def encode_packet(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    """A packet from host to scanner."""
    head = bytes((_LENGTH_MIN + len(data), opcode, SOURCE_HOST, status)) + data
    return head + checksum(head)


ASK_REVISION = encode_packet(REQUEST_REVISION)
"""Changes nothing in the scanner."""


class SsiFraming(FrameSearch[Packet]):
    """`feed` returns packets and spoilt stretches; `flush` gives up on a packet that stopped
    short.
    """

    def __init__(self) -> None:
        super().__init__(_judge, _read)


def _judge(held: bytes, position: int) -> int | Fault:
    head = held[position : position + _HEADER_LENGTH]
    if not _may_start(head):
        return NO_FRAME
    length, left = head[0] + _CHECKSUM_LENGTH, len(held) - position
    is_reading = head[1:] == bytes((DECODE_DATA, SOURCE_DECODER))
    if length > left:
        return Fault("truncated", left, may_mend=True) if is_reading else Fault(may_mend=True)
    end = position + length
    if held[end - _CHECKSUM_LENGTH : end] == checksum(held[position : end - _CHECKSUM_LENGTH]):
        return length
    return Fault("checksum", length) if is_reading else NO_FRAME


def _may_start(head: bytes) -> bool:
    """Whether `head` can begin a scanner's packet, as far as it is known."""
    return (
        head[0] >= _LENGTH_MIN
        and (len(head) < 2 or head[1] in _FROM_SCANNER)
        and (len(head) < _HEADER_LENGTH or head[2] == SOURCE_DECODER)
    )


def _read(at: int, raw: bytes) -> Packet:
    return Packet(at, raw[1], raw[3], raw[4:-_CHECKSUM_LENGTH], raw)
