"""Zebra Simple Serial Interface: packets of a handheld scanner. Upstream: a decoded symbol;
downstream: a serial line. Source: Simple Serial Interface Programmer's Guide (72E-40451) and the
SE 923 Integration Guide, chapter 6: length, opcode, source, status, payload, checksum; DECODE_DATA
carries one byte of bar code type before the data, which includes the AIM prefix when enabled.
"""

DECODE_DATA = 0xF3
CMD_ACK = 0xD0
CMD_NAK = 0xD1
EVENT = 0xF6
REQUEST_REVISION, REPLY_REVISION = 0xA3, 0xA4
CAPABILITIES_REQUEST, CAPABILITIES_REPLY = 0xD3, 0xD4
SCAN_ENABLE, SCAN_DISABLE = 0xE9, 0xEA
AIM_OFF, AIM_ON, PARAM_DEFAULTS, FLUSH_QUEUE = 0xC4, 0xC5, 0xC8, 0xD2
START_SESSION, STOP_SESSION, BEEP, LED_ON, LED_OFF = 0xE4, 0xE5, 0xE6, 0xE7, 0xE8
OBEYED = frozenset(
    {
        SCAN_ENABLE, SCAN_DISABLE, AIM_OFF, AIM_ON, PARAM_DEFAULTS, FLUSH_QUEUE,
        START_SESSION, STOP_SESSION, BEEP, LED_ON, LED_OFF,
    }
)  # fmt: skip
"""Commands that a scanner answers with CMD_ACK."""

POWER_UP_EVENT = 0x03
NAK_DENIED = 0x06

SOURCE_DECODER = 0x00
SOURCE_HOST = 0x04

STATUS_RETRANSMIT = 0x01

TYPE_EAN_13 = 0x0B
TYPE_GS1_128 = 0x0F

DATA_BYTES_MAX = 250
"""`length` is one byte and counts the four header bytes and the bar code type too."""


def checksum(body: bytes) -> bytes:
    """Two's complement of the byte sum, big-endian, over everything before it."""
    return (-sum(body) & 0xFFFF).to_bytes(2, "big")


def packet(opcode: int, source: int, status: int, payload: bytes = b"") -> bytes:
    """One packet; its length byte leaves the checksum out."""
    body = bytes((4 + len(payload), opcode, source, status)) + payload
    return body + checksum(body)


def decode_data(symbol_type: int, text: str, retransmission: bool) -> bytes:
    """The scanner's packet for one decoded symbol; ValueError when it needs several packets."""
    data = text.encode("latin-1")
    if len(data) > DATA_BYTES_MAX:
        raise ValueError(f"{len(data)} characters need a multi-packet message")
    status = STATUS_RETRANSMIT if retransmission else 0
    return packet(DECODE_DATA, SOURCE_DECODER, status, bytes((symbol_type,)) + data)


def answer(opcode: int, payload: bytes = b"") -> bytes:
    """The scanner's packet that needs no answer itself."""
    return packet(opcode, SOURCE_DECODER, 0, payload)


class HostPackets:
    """Finds the host's packets in what comes down the line; bytes that are none are skipped."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[int]:
        """Opcodes of the complete packets with a right checksum, in order."""
        self._pending += data
        opcodes: list[int] = []
        while self._pending:
            length = self._pending[0]
            if length < 4:
                self._pending = self._pending[1:]
                continue
            if len(self._pending) < length + 2:
                # A true packet comes whole within a read or two; the host sends short ones only.
                self._pending = self._pending if length <= 16 else self._pending[1:]
                if length <= 16:
                    break
                continue
            body, check = self._pending[:length], self._pending[length : length + 2]
            if checksum(body) == check and body[2] == SOURCE_HOST:
                opcodes.append(body[1])
                self._pending = self._pending[length + 2 :]
            else:
                self._pending = self._pending[1:]
        return opcodes
