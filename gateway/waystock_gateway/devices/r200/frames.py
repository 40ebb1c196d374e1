"""R200 / YRM100 / M100 serial frames: `BB type cmd lenHi lenLo payload sum 7E`, where sum is the
low byte of type…payload and 7E may occur inside. Sans-I/O: found by length, so that a payload may
hold anything. Upstream: the port. Downstream: `decoder`.
"""

from typing import NamedTuple

HEAD = 0xBB
END = 0x7E
TYPE_COMMAND, TYPE_ANSWER, TYPE_NOTICE = 0x00, 0x01, 0x02
CMD_INVENTORY, CMD_MULTI_INVENTORY, CMD_STOP, CMD_FAILED = 0x22, 0x27, 0x28, 0xFF
CMD_MODULE_INFORMATION = 0x03
PAYLOAD_BYTES_MAX = 512
"""No frame of the family is longer; a larger length field is noise."""
_OVERHEAD = 7


class Frame(NamedTuple):
    """One frame with good sum and end mark."""

    at: int
    type: int
    command: int
    payload: bytes
    raw: bytes


class Garbage(NamedTuple):
    """A stretch that is no frame; `reason` is `garbage`, `checksum` or `no_end`."""

    at: int
    raw: bytes
    reason: str


def encode_frame(command: int, payload: bytes = b"") -> bytes:
    """A command to the module."""
    body = bytes((TYPE_COMMAND, command)) + len(payload).to_bytes(2, "big") + payload
    return bytes((HEAD,)) + body + bytes((sum(body) & 0xFF, END))


START_INVENTORY = encode_frame(CMD_MULTI_INVENTORY, b"\x22\xff\xff")
"""Poll 65,535 times: `BB 00 27 00 03 22 FF FF 4A 7E`."""


ASK_SOFTWARE_VERSION = encode_frame(CMD_MODULE_INFORMATION, b"\x01")
"""Changes nothing in the module: `BB 00 03 00 01 01 05 7E`."""


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
        position = garbage_from = 0
        reason = "garbage"
        while position < len(self._held):
            if self._held[position] != HEAD:
                position += 1
                continue
            fault = self._fault_at(position)
            if fault == "incomplete" and not final:
                break
            if fault is None:
                self._refuse(garbage_from, position, reason, found)
                frame = self._frame_at(position)
                found.append(frame)
                position = garbage_from = position + len(frame.raw)
                reason = "garbage"
            else:
                reason = fault if position == garbage_from else reason
                position += 1
        self._refuse(garbage_from, position, reason, found)
        self._held = self._held[position:]
        self._at += position
        return found

    def _fault_at(self, position: int) -> str | None:
        """What keeps the bytes from `position` on from being a frame; None if nothing does."""
        held = self._held
        if len(held) - position < 5:
            return "incomplete"
        length = int.from_bytes(held[position + 3 : position + 5], "big")
        if held[position + 1] > TYPE_NOTICE or length > PAYLOAD_BYTES_MAX:
            return "garbage"
        end = position + _OVERHEAD + length
        if end > len(held):
            return "incomplete"
        if held[end - 1] != END:
            return "no_end"
        return None if sum(held[position + 1 : end - 2]) & 0xFF == held[end - 2] else "checksum"

    def _frame_at(self, position: int) -> Frame:
        length = int.from_bytes(self._held[position + 3 : position + 5], "big")
        raw = self._held[position : position + _OVERHEAD + length]
        return Frame(self._at + position, raw[1], raw[2], raw[5:-2], raw)

    def _refuse(self, start: int, stop: int, reason: str, found: list[Frame | Garbage]) -> None:
        if stop > start:
            found.append(Garbage(self._at + start, self._held[start:stop], reason))
