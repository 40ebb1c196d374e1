"""R200/YRM100/M100 UHF reader: the frames it answers and the notices it sends while polling.
Upstream: tags in the field; downstream: a serial line. Source: the module family's serial protocol
manual: `BB type command lengthHi lengthLo payload sum 7E`, sum = low byte of type…payload.
"""

from dataclasses import dataclass

HEADER = 0xBB
END = 0x7E

TYPE_COMMAND = 0x00
TYPE_RESPONSE = 0x01
TYPE_NOTICE = 0x02

MODULE_INFO = 0x03
SINGLE_POLL = 0x22
MULTI_POLL = 0x27
STOP_POLL = 0x28
SET_POWER = 0xB6
FAILURE = 0xFF

ERROR_NO_TAG = 0x15
ERROR_COMMAND = 0x17

PC_EPC_96 = b"\x30\x00"
"""Protocol control word of a tag with six words of EPC."""

PAYLOAD_BYTES_MAX = 64
"""Longer than any command a host sends; a length beyond it is noise."""


@dataclass(frozen=True)
class HostCommand:
    """One command of the host with its payload."""

    command: int
    payload: bytes


def frame(kind: int, command: int, payload: bytes) -> bytes:
    """One whole frame."""
    body = bytes((kind, command)) + len(payload).to_bytes(2, "big") + payload
    return bytes((HEADER,)) + body + bytes((sum(body) & 0xFF, END))


def genibus_crc(data: bytes) -> bytes:
    """CRC-16/GENIBUS, big-endian: what a Gen2 tag keeps over PC and EPC."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return (crc ^ 0xFFFF).to_bytes(2, "big")


def tag_notice(epc: bytes, rssi_dbm: int) -> bytes:
    """One read of a 96-bit tag: RSSI (signed byte), PC, EPC, CRC of the tag's memory."""
    memory = PC_EPC_96 + epc
    payload = rssi_dbm.to_bytes(1, "big", signed=True) + memory + genibus_crc(memory)
    return frame(TYPE_NOTICE, SINGLE_POLL, payload)


def response(command: int, payload: bytes = b"\x00") -> bytes:
    """Success, or the data that was asked for."""
    return frame(TYPE_RESPONSE, command, payload)


def failure(error: int) -> bytes:
    """An error frame; ERROR_NO_TAG is what a poll without any tag answers."""
    return frame(TYPE_RESPONSE, FAILURE, bytes((error,)))


def multi_poll_count(payload: bytes) -> int | None:
    """How many polls the host asked for, None when the payload is not `22 count count`."""
    if len(payload) != 3 or payload[0] != SINGLE_POLL:
        return None
    return int.from_bytes(payload[1:], "big")


class HostCommands:
    """Finds commands in the bytes from the host, by length; noise is skipped."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[HostCommand]:
        """The complete, undamaged commands, in order."""
        self._pending += data
        commands: list[HostCommand] = []
        while (start := self._pending.find(HEADER)) >= 0:
            self._pending = self._pending[start:]
            if len(self._pending) < 7:
                return commands
            length = int.from_bytes(self._pending[3:5], "big")
            if length > PAYLOAD_BYTES_MAX:
                self._pending = self._pending[1:]
                continue
            if len(self._pending) < length + 7:
                return commands
            body, tail = self._pending[1 : 5 + length], self._pending[5 + length : 7 + length]
            if tail == bytes((sum(body) & 0xFF, END)) and body[0] == TYPE_COMMAND:
                commands.append(HostCommand(body[1], body[4:]))
                self._pending = self._pending[7 + length :]
            else:
                self._pending = self._pending[1:]
        self._pending = b""
        return commands
