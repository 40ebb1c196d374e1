"""Chafon / UHFReader18 decoder: bytes of one reader in, tag reads and rejects out. Upstream: the
port. Downstream: the reader's presence session, which makes arrivals and departures of them.
"""

from waystock_gateway.devices.chafon.frames import (
    CMD_INVENTORY,
    CMD_REAL_TIME,
    Frame,
    FrameFraming,
    encode_command,
)
from waystock_gateway.devices.chafon.settings import ChafonSettings
from waystock_gateway.devices.frame_search import Garbage
from waystock_gateway.readings import Answer, Decoded, Line, Reject, TagRead

INVENTORY = encode_command(CMD_INVENTORY)
"""`04 FF 01 1B B4`."""
_FRAME_IDLE_S = 0.5
"""A frame that stops for this long in the middle is given up, so that the next one is found."""
_DONE, _TIMED_OUT, _MORE_FOLLOWS, _FULL, _NO_TAG = 0x01, 0x02, 0x03, 0x04, 0xFB
_WITH_TAGS = frozenset({_DONE, _TIMED_OUT, _MORE_FOLLOWS, _FULL})
_EPC_BYTES_MAX = 62


def make_line(settings: ChafonSettings) -> Line:
    """The conversation with a reader: an inventory is asked for as soon as the last one ended."""
    return Line(
        ChafonDecoder(poll=settings.poll),
        idle_flush_s=_FRAME_IDLE_S,
        on_open=INVENTORY if settings.poll else b"",
        wake_after_s=settings.wake_after_s if settings.poll else None,
    )


class ChafonDecoder:
    """One reader's stream. With `poll` the end of an inventory is answered by the next command."""

    def __init__(self, *, poll: bool = False) -> None:
        self._framing = FrameFraming()
        self._poll = poll

    def feed(self, data: bytes) -> list[Decoded]:
        return self._read_all(self._framing.feed(data))

    def idle(self) -> list[Decoded]:
        return self._read_all(self._framing.flush())

    finish = idle

    def _read_all(self, found: list[Frame | Garbage]) -> list[Decoded]:
        decoded: list[Decoded] = []
        for item in found:
            if isinstance(item, Garbage):
                decoded.append(Reject(reason=item.reason, at=item.at, raw=item.raw))
                continue
            decoded += _tag_reads(item)
            ended = item.command == CMD_INVENTORY and item.status != _MORE_FOLLOWS
            if self._poll and ended:
                decoded.append(Answer(INVENTORY))
        return decoded


def _tag_reads(frame: Frame) -> list[Decoded]:
    """What a reader answers to other commands, and that no tag is there, is nothing to report."""
    if frame.command == CMD_INVENTORY and frame.status in _WITH_TAGS:
        reads = _inventory(frame.data)
    elif frame.command == CMD_REAL_TIME and frame.status == 0:
        reads = _real_time(frame.data)
    elif frame.command == CMD_INVENTORY and frame.status != _NO_TAG:
        return [Reject(reason="reader_error", at=frame.at, raw=frame.raw)]
    else:
        return []
    if reads is None:
        return [Reject(reason="malformed_inventory", at=frame.at, raw=frame.raw)]
    return list(reads)


def _inventory(data: bytes) -> list[TagRead] | None:
    """Older readers send `count (len EPC)…`, those with several antennas `antenna count (len EPC
    rssi)…`; the data must be used up by exactly one of the two."""
    if not data:
        return []
    plain = _counted(data[1:], data[0], trailer=0, antenna=None)
    with_antenna = _counted(data[2:], data[1], 1, _antenna(data[0])) if len(data) > 1 else None
    if plain is not None and with_antenna is not None and plain != with_antenna:
        return None
    return with_antenna if plain is None else plain


def _counted(data: bytes, count: int, trailer: int, antenna: int | None) -> list[TagRead] | None:
    reads: list[TagRead] = []
    for _ in range(count):
        length = data[0] if data else 0
        epc = data[1 : 1 + length]
        if not _is_epc(epc, length) or len(data) < 1 + length + trailer:
            return None
        reads.append(TagRead(epc=epc.hex().upper(), antenna=antenna))
        data = data[1 + length + trailer :]
    return None if data else reads


def _real_time(data: bytes) -> list[TagRead] | None:
    """`antenna len EPC rssi`, or in active mode the EPC alone: an EPC is whole words, so that the
    two differ in being odd and even. The signal strength has no documented unit and is left out."""
    if len(data) % 2 == 0:
        return [TagRead(epc=data.hex().upper())] if _is_epc(data, len(data)) else None
    epc = data[2:-1]
    if len(data) < 3 or not _is_epc(epc, data[1]):
        return None
    return [TagRead(epc=epc.hex().upper(), antenna=_antenna(data[0]))]


def _is_epc(epc: bytes, length: int) -> bool:
    return len(epc) == length and 2 <= length <= _EPC_BYTES_MAX and length % 2 == 0


def _antenna(mask: int) -> int | None:
    """Antennas are bits, the lowest is antenna 1."""
    return mask.bit_length() if mask.bit_count() == 1 else None
