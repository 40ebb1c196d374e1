"""Barcode decoder: bytes of one scanner in, scans and rejects out. Upstream: the port. Downstream:
the scanner's session, which drops repeats and adds device and time.
"""

from dataclasses import replace

from waystock_gateway.devices.barcode import ssi
from waystock_gateway.devices.barcode.content import read_frame, refusal
from waystock_gateway.devices.barcode.framing import make_framing
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.devices.frame_search import Garbage
from waystock_gateway.devices.line_framing import Cut
from waystock_gateway.readings import Answer, Decoded, Line, Reject

_IDLE_FLUSH_S = 0.1
RAW_BYTES_MAX = 512
"""How much of a refused frame is kept."""


def make_line(settings: BarcodeSettings) -> Line:
    """The conversation with a scanner set up as `settings` say."""
    if settings.framing == "ssi":
        return Line(SsiDecoder(settings), idle_flush_s=settings.idle_flush_s or _IDLE_FLUSH_S)
    idle_flush_s = settings.idle_flush_s
    if idle_flush_s is None and settings.terminator == "none":
        idle_flush_s = _IDLE_FLUSH_S
    return Line(
        LineDecoder(settings),
        idle_flush_s=idle_flush_s,
        hang_up_ends_frame=idle_flush_s is not None,
    )


class LineDecoder:
    """Codes that end with a terminator or a pause; the scanner wants no answer."""

    def __init__(self, settings: BarcodeSettings) -> None:
        self._settings = settings
        self._framing = make_framing(settings)

    def feed(self, data: bytes) -> list[Decoded]:
        return [self._read(cut) for cut in self._framing.feed(data)]

    def idle(self) -> list[Decoded]:
        return [self._read(cut) for cut in self._framing.flush()]

    def finish(self) -> list[Decoded]:
        """Half a code could pass for a whole one."""
        return [_unterminated(cut.at, cut.frame) for cut in self._framing.flush()]

    def _read(self, cut: Cut) -> Decoded:
        reason = "too_long" if cut.too_long else refusal(cut.frame, self._settings)
        if reason is not None:
            return Reject(reason=reason, at=cut.at, raw=cut.frame[:RAW_BYTES_MAX])
        return read_frame(cut.frame, self._settings)


class SsiDecoder:
    """SSI packets; each reading carries the ACK that it is owed once it is on disk. Codes that need
    more than one packet (over 250 characters) are refused: half of one could pass for a whole one.
    """

    def __init__(self, settings: BarcodeSettings) -> None:
        self._settings = settings
        self._framing = ssi.SsiFraming()
        self._in_continuation = False

    def feed(self, data: bytes) -> list[Decoded]:
        return self._read_all(self._framing.feed(data))

    def idle(self) -> list[Decoded]:
        return self._read_all(self._framing.flush())

    def finish(self) -> list[Decoded]:
        """Nobody is there any more who could be asked to send it again."""
        found = self._framing.flush()
        halves = [item for item in found if isinstance(item, Garbage)]
        whole = [item for item in found if not isinstance(item, Garbage)]
        return [*self._read_all([*whole]), *(_unterminated(one.at, one.raw) for one in halves)]

    def _read_all(self, found: list[ssi.Packet | Garbage]) -> list[Decoded]:
        decoded: list[Decoded] = []
        for item in found:
            if isinstance(item, Garbage):
                decoded += _refused(item)
            elif item.opcode == ssi.DECODE_DATA:
                decoded.append(self._scan(item))
        return decoded

    def _scan(self, packet: ssi.Packet) -> Decoded:
        """DECODE_DATA holds the scanner's own symbology number, then the code."""
        answer = ssi.encode_packet(ssi.ACK)
        code = packet.data[1:]
        is_part = packet.is_continued or self._in_continuation
        self._in_continuation = packet.is_continued
        reason = "ssi_continued" if is_part else refusal(code, self._settings)
        if reason is not None:
            return Reject(reason=reason, at=packet.at, raw=packet.raw, answer=answer)
        scan = read_frame(code, self._settings)
        return replace(scan, answer=answer, retransmitted=packet.is_retransmission)


def _refused(garbage: Garbage) -> list[Decoded]:
    """A reading that was spoilt on the way is asked for again."""
    reject = Reject(reason=garbage.reason, at=garbage.at, raw=garbage.raw)
    if garbage.reason == "garbage":
        return [reject]
    return [reject, Answer(ssi.encode_packet(ssi.NAK, bytes((ssi.NAK_RESEND,))))]


def _unterminated(at: int, raw: bytes) -> Reject:
    return Reject(reason="unterminated", at=at, raw=raw[:RAW_BYTES_MAX])
