"""R200 / YRM100 / M100 serial frames: `BB type cmd lenHi lenLo payload sum 7E`, where sum is the
low byte of type…payload and 7E may occur inside: found by length, so that a payload may hold
anything. Pure. Used by `decoder`.
"""

from typing import NamedTuple

from waystock_gateway.devices.frame_search import NO_FRAME, Fault, FrameSearch

HEAD = 0xBB
END = 0x7E
TYPE_COMMAND, TYPE_ANSWER, TYPE_NOTICE = 0x00, 0x01, 0x02
CMD_INVENTORY, CMD_MULTI_INVENTORY, CMD_STOP, CMD_FAILED = 0x22, 0x27, 0x28, 0xFF
CMD_MODULE_INFORMATION = 0x03
PAYLOAD_BYTES_MAX = 512
"""No frame of the family is longer; a larger length field is noise."""
_HEADER_BYTES = 5
_OVERHEAD = 7


class Frame(NamedTuple):
    """One frame with good sum and end mark."""

    at: int
    type: int
    command: int
    payload: bytes
    raw: bytes


def encode_frame(command: int, payload: bytes = b"") -> bytes:
    """A command to the module."""
    body = bytes((TYPE_COMMAND, command)) + len(payload).to_bytes(2, "big") + payload
    return bytes((HEAD,)) + body + bytes((sum(body) & 0xFF, END))


START_INVENTORY = encode_frame(CMD_MULTI_INVENTORY, b"\x22\xff\xff")
"""Poll 65,535 times: `BB 00 27 00 03 22 FF FF 4A 7E`."""


ASK_SOFTWARE_VERSION = encode_frame(CMD_MODULE_INFORMATION, b"\x01")
"""Changes nothing in the module: `BB 00 03 00 01 01 05 7E`."""


class FrameFraming(FrameSearch[Frame]):
    """`feed` returns frames and garbage in the order of the stream."""

    def __init__(self) -> None:
        super().__init__(_judge, _read)


def _judge(held: bytes, position: int) -> int | Fault:
    if held[position] != HEAD:
        return NO_FRAME
    left = len(held) - position
    if left < _HEADER_BYTES:
        return Fault(may_mend=True)
    payload_bytes = int.from_bytes(held[position + 3 : position + 5], "big")
    if held[position + 1] > TYPE_NOTICE or payload_bytes > PAYLOAD_BYTES_MAX:
        return NO_FRAME
    length = _OVERHEAD + payload_bytes
    if length > left:
        return Fault("truncated", left, may_mend=True)
    end = position + length
    if held[end - 1] != END:
        return Fault("no_end", length)
    is_right = sum(held[position + 1 : end - 2]) & 0xFF == held[end - 2]
    return length if is_right else Fault("checksum", length)


def _read(at: int, raw: bytes) -> Frame:
    return Frame(at, raw[1], raw[2], raw[5:-2], raw)
