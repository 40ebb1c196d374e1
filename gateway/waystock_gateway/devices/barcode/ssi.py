"""Zebra Simple Serial Interface: packets `len opcode source status data… checksum(2)`, `len`
without the checksum, the checksum the big-endian two's complement of the byte sum. Sans-I/O: finds
packets in the stream whatever lies between them. Upstream: the port. Downstream: `decoder`.
"""

from typing import NamedTuple

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


class Spoilt(NamedTuple):
    """Bytes that are no packet; `was_packet` if they looked like one with a bad checksum."""

    at: int
    raw: bytes
    was_packet: bool


def checksum(head: bytes) -> bytes:
    """Two's complement of the byte sum, big-endian."""
    return (-sum(head) & 0xFFFF).to_bytes(2, "big")


def encode_packet(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    """A packet from host to scanner."""
    head = bytes((_LENGTH_MIN + len(data), opcode, SOURCE_HOST, status)) + data
    return head + checksum(head)


ASK_REVISION = encode_packet(REQUEST_REVISION)
"""Changes nothing in the scanner."""


class SsiFraming:
    """`feed` returns packets and spoilt stretches; `flush` gives up on a packet that stopped
    short.
    """

    def __init__(self) -> None:
        self._held = b""
        self._at = 0

    def feed(self, data: bytes) -> list[Packet | Spoilt]:
        self._held += data
        return self._scan(final=False)

    def flush(self) -> list[Packet | Spoilt]:
        """The line went quiet: nothing more will complete what is held."""
        return self._scan(final=True)

    def _scan(self, *, final: bool) -> list[Packet | Spoilt]:
        found: list[Packet | Spoilt] = []
        garbage_from = 0
        position = 0
        while position < len(self._held):
            length = self._held[position]
            end = position + length + 2
            if not self._may_start(position):
                position += 1
            elif end > len(self._held):
                if not final:
                    break
                position += 1
            elif self._held[end - 2 : end] == checksum(self._held[position : end - 2]):
                self._refuse(garbage_from, position, found)
                found.append(self._packet(position, end))
                position = garbage_from = end
            else:
                position += 1
        self._refuse(garbage_from, position, found)
        self._held = self._held[position:]
        self._at += position
        return found

    def _may_start(self, position: int) -> bool:
        """Whether what is held from `position` can be a scanner's packet, as far as it is known."""
        head = self._held[position : position + _HEADER_LENGTH]
        return (
            head[0] >= _LENGTH_MIN
            and (len(head) < 2 or head[1] in _FROM_SCANNER)
            and (len(head) < _HEADER_LENGTH or head[2] == SOURCE_DECODER)
        )

    @property
    def holds_some(self) -> bool:
        """Whether a packet may have begun and not ended."""
        return bool(self._held)

    def _packet(self, start: int, end: int) -> Packet:
        raw = self._held[start:end]
        return Packet(self._at + start, raw[1], raw[3], raw[4:-2], raw)

    def _refuse(self, start: int, stop: int, found: list[Packet | Spoilt]) -> None:
        if stop <= start:
            return
        raw = self._held[start:stop]
        was_packet = len(raw) > 2 and raw[1] == DECODE_DATA and raw[2] == SOURCE_DECODER
        found.append(Spoilt(self._at + start, raw, was_packet))
