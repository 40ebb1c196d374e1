"""R200 decoder: bytes of one RFID module in, tag reads and rejects out. Upstream: the port.
Downstream: the reader's presence session, which makes arrivals and departures of them.
"""

import fastcrc

from waystock_gateway.devices.frame_search import Garbage
from waystock_gateway.devices.r200.frames import (
    CMD_INVENTORY,
    START_INVENTORY,
    TYPE_NOTICE,
    Frame,
    FrameFraming,
)
from waystock_gateway.devices.r200.settings import R200Settings
from waystock_gateway.readings import Decoded, Line, Reject, TagRead

RAW_BYTES_MAX = 512
"""How much of a refused stretch is kept."""
_FRAME_IDLE_S = 0.5
"""A frame that stops for this long in the middle is given up, so that the next one is found."""
_NOTICE_BYTES_MIN = 1 + 2 + 2
_EPC_WORDS_SHIFT = 3


def make_line(settings: R200Settings) -> Line:
    """The conversation with a module: we ask it to poll, it sends a notice per tag heard."""
    return Line(
        R200Decoder(),
        idle_flush_s=_FRAME_IDLE_S,
        on_open=START_INVENTORY if settings.poll else b"",
        wake_after_s=settings.wake_after_s if settings.poll else None,
    )


class R200Decoder:
    """One module's stream."""

    def __init__(self) -> None:
        self._framing = FrameFraming()

    def feed(self, data: bytes) -> list[Decoded]:
        return _read_all(self._framing.feed(data))

    def idle(self) -> list[Decoded]:
        return _read_all(self._framing.flush())

    finish = idle


def _read_all(found: list[Frame | Garbage]) -> list[Decoded]:
    decoded: list[Decoded] = []
    for item in found:
        if isinstance(item, Garbage):
            raw = item.raw[:RAW_BYTES_MAX]
            decoded.append(Reject(reason=item.reason, at=item.at, raw=raw))
        elif (item.type, item.command) == (TYPE_NOTICE, CMD_INVENTORY):
            decoded.append(_tag_read(item))
    return decoded


def _tag_read(frame: Frame) -> TagRead | Reject:
    """Notice payload: RSSI (signed dBm), PC (2), EPC (length by PC), CRC (2) over PC and EPC."""
    payload, raw = frame.payload, frame.raw[:RAW_BYTES_MAX]
    if len(payload) < _NOTICE_BYTES_MIN:
        return Reject(reason="short_notice", at=frame.at, raw=raw)
    rssi_dbm = int.from_bytes(payload[:1], "big", signed=True)
    protocol_control, epc, crc = payload[1:3], payload[3:-2], payload[-2:]
    if fastcrc.crc16.genibus(protocol_control + epc) != int.from_bytes(crc, "big"):
        return Reject(reason="tag_crc", at=frame.at, raw=raw)
    epc_bytes = (protocol_control[0] >> _EPC_WORDS_SHIFT) * 2
    if len(epc) != epc_bytes or not epc:
        return Reject(reason="pc_length", at=frame.at, raw=raw)
    return TagRead(epc=epc.hex().upper(), rssi_dbm=float(rssi_dbm))
