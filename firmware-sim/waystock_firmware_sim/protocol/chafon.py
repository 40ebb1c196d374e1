"""Chafon / UHFReader18 reader: the frames it answers with. Upstream: tags in the field; downstream:
a serial line. Source: the family's user manual (V2.0), chapters Protocol and Operation commands:
`len address command status data… crcLow crcHigh`, len without itself, CRC-16 of polynomial 0x8408
from 0xFFFF over all before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

INVENTORY = 0x01
READER_INFORMATION = 0x21
SET_SCAN_TIME, SET_POWER = 0x25, 0x2F
UNKNOWN_COMMAND = 0x00
"""What an answer names when the command was none."""

OK = 0x00
INVENTORY_ENDS, INVENTORY_GOES_ON = 0x01, 0x03
NO_TAG, WRONG_LENGTH, ILLEGAL_COMMAND = 0xFB, 0xFD, 0xFE

BROADCAST = 0xFF
EPCS_PER_FRAME_MAX = 15
_BODY_BYTES_MIN = 4
_BODY_BYTES_MAX = 64
"""Longer than any command a host sends; a length beyond it is noise."""


@dataclass(frozen=True)
class HostCommand:
    """One command of the host with its parameters."""

    command: int
    parameters: bytes


def crc(data: bytes) -> bytes:
    """Low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def answer(address: int, command: int, status: int, data: bytes = b"") -> bytes:
    """One whole frame."""
    head = bytes((5 + len(data), address, command, status)) + data
    return head + crc(head)


def inventory(address: int, epcs: Sequence[bytes]) -> list[bytes]:
    """The answers to one inventory, each with a count and its `length EPC` after it; every one but
    the last says that more follow."""
    if not epcs:
        return [answer(address, INVENTORY, NO_TAG)]
    pages = [epcs[i : i + EPCS_PER_FRAME_MAX] for i in range(0, len(epcs), EPCS_PER_FRAME_MAX)]
    return [
        answer(
            address,
            INVENTORY,
            INVENTORY_ENDS if page is pages[-1] else INVENTORY_GOES_ON,
            bytes((len(page),)) + b"".join(bytes((len(epc),)) + epc for epc in page),
        )
        for page in pages
    ]


class HostCommands:
    """Finds commands to one address in the bytes from the host; noise is skipped."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._pending = b""

    def feed(self, data: bytes) -> list[HostCommand]:
        """The complete, undamaged commands, in order."""
        self._pending += data
        commands: list[HostCommand] = []
        while self._pending:
            end = self._pending[0] + 1
            if not _BODY_BYTES_MIN < end <= _BODY_BYTES_MAX:
                self._pending = self._pending[1:]
            elif len(self._pending) < end:
                return commands
            elif crc(self._pending[: end - 2]) != self._pending[end - 2 : end]:
                self._pending = self._pending[1:]
            else:
                frame, self._pending = self._pending[:end], self._pending[end:]
                if frame[1] in {self._address, BROADCAST}:
                    commands.append(HostCommand(frame[2], frame[3:-2]))
        return commands
