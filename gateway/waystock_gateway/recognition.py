"""What speaks on a port, judged by the bytes that were heard: by frames with right checksums, by
the answer to a harmless question, or by text that says itself what it is. Pure. Never a guess: each
finding says how sure it is and why. Upstream: `probe`. Downstream: `proposal`, which writes the
settings.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from waystock_gateway.check_digit import has_valid_check_digit
from waystock_gateway.devices.barcode import ssi
from waystock_gateway.devices.barcode.aim import identify
from waystock_gateway.devices.chafon import frames as chafon
from waystock_gateway.devices.nmea.framing import SentenceFraming
from waystock_gateway.devices.r200 import frames as r200

Decoder = Literal["barcode", "chafon", "nmea", "r200"]
Sureness = Literal["certain", "likely", "unsure"]

CERTAIN_FRAMES = 2
"""One right checksum may be chance; an answer to our own question is not."""
CODE_CHARS_MIN = 4
GTIN_LENGTHS = (8, 12, 13, 14)
_STX, _GS = "\x02", "\x1d"
_TERMINATORS = (("crlf", b"\r\n"), ("cr", b"\r"), ("lf", b"\n"), ("etx", b"\x03"), ("tab", b"\t"))


class Finding(NamedTuple):
    """What speaks there."""

    decoder: Decoder
    sure: Sureness
    why: str
    settings: tuple[tuple[str, str | bool], ...] = ()
    """Of the decoder's table, where they differ from the defaults."""
    version: str = ""
    """What it answered when it was asked."""


class Question(NamedTuple):
    """What a device may be asked without changing anything in it."""

    decoder: Decoder
    data: bytes


QUESTIONS = (
    Question("r200", r200.ASK_SOFTWARE_VERSION),
    Question("chafon", chafon.ASK_READER_INFORMATION),
    Question("barcode", ssi.ASK_REVISION),
)


def recognise(pieces: Sequence[bytes]) -> Finding | None:
    """The finding that `pieces` (what was heard, parted where the line was quiet) speak for most,
    None if they speak for nothing."""
    heard = b"".join(pieces)
    findings = [finding for judge in _JUDGES if (finding := judge(heard)) is not None]
    findings = findings or [text for text in [_codes(pieces)] if text is not None]
    return max(findings, key=lambda finding: _RANK[finding.sure], default=None)


_RANK: dict[Sureness, int] = {"unsure": 0, "likely": 1, "certain": 2}


def _nmea(heard: bytes) -> Finding | None:
    framing = SentenceFraming()
    sentences = [f.raw for f in (*framing.feed(heard), *framing.flush()) if f.reason is None]
    if not sentences:
        return None
    kinds = sorted({raw[3:6].decode("ascii", "replace") for raw in sentences})
    why = f"{_count(len(sentences), 'sentence')} with a right checksum ({' '.join(kinds)})"
    return Finding("nmea", _sureness(len(sentences)), why)


def _r200(heard: bytes) -> Finding | None:
    framing = r200.FrameFraming()
    found = [f for f in (*framing.feed(heard), *framing.flush()) if isinstance(f, r200.Frame)]
    frames = [frame for frame in found if frame.type != r200.TYPE_COMMAND]
    answers = [f.payload[1:] for f in frames if f.command == r200.CMD_MODULE_INFORMATION]
    if answers:
        return _answered("r200", "the question for its version", _printable(answers[-1]))
    if not _fills(heard, [frame.raw for frame in frames]):
        return None
    why = f"{_count(len(frames), 'frame')} BB … 7E with a right checksum"
    return Finding("r200", _sureness(len(frames)), why)


def _chafon(heard: bytes) -> Finding | None:
    framing = chafon.FrameFraming()
    found = [f for f in (*framing.feed(heard), *framing.flush()) if isinstance(f, chafon.Frame)]
    answers = [f.data for f in found if f.command == chafon.CMD_READER_INFORMATION and not f.status]
    if answers and len(answers[-1]) >= 2:
        version = f"{answers[-1][0]}.{answers[-1][1]}"
        return _answered("chafon", "the question for its version", version)
    if not _fills(heard, [frame.raw for frame in found]):
        return None
    by_itself = any(frame.command == chafon.CMD_REAL_TIME for frame in found)
    why = f"{_count(len(found), 'frame')} with a right CRC"
    settings = (("poll", False),) if by_itself else ()
    return Finding("chafon", _sureness(len(found)), why, settings)


def _ssi(heard: bytes) -> Finding | None:
    framing = ssi.SsiFraming()
    found = [p for p in (*framing.feed(heard), *framing.flush()) if isinstance(p, ssi.Packet)]
    settings = (("framing", "ssi"),)
    answers = [packet.data for packet in found if packet.opcode == ssi.REPLY_REVISION]
    if answers:
        version = _printable(answers[-1])
        return _answered("barcode", "Zebra SSI's question for its version", version, settings)
    if not _fills(heard, [packet.raw for packet in found]):
        return None
    if any(_GS.encode() in packet.data for packet in found):
        settings = (*settings, ("gs_kept", True))
    why = f"{_count(len(found), 'packet')} of Zebra SSI with a right checksum"
    return Finding("barcode", _sureness(len(found)), why, settings)


_JUDGES: tuple[Callable[[bytes], Finding | None], ...] = (_nmea, _r200, _chafon, _ssi)


def _codes(pieces: Sequence[bytes]) -> Finding | None:
    """Text proves itself a code by AIM identifiers or check digits; other text may be anything."""
    name, codes = _cut(pieces)
    prefix = _STX if codes and all(code.startswith(_STX) for code in codes) else ""
    codes = [code.removeprefix(prefix) for code in codes]
    if not codes or not all(_is_text(code) for code in codes):
        return None
    settings: tuple[tuple[str, str | bool], ...] = (("terminator", name),)
    settings += (("prefix", prefix),) if prefix else ()
    settings += (("gs_kept", True),) if any(_GS in code for code in codes) else ()
    told = f"{_count(len(codes), 'code')} of text"
    if all(identify(code).aim for code in codes):
        sure: Sureness = "certain" if len(codes) >= CERTAIN_FRAMES else "likely"
        return Finding("barcode", sure, f"{told}, each with its AIM identifier", settings)
    if all(_is_gtin(code) for code in codes):
        return Finding("barcode", "likely", f"{told} with right check digits, no AIM", settings)
    why = f"{_count(len(codes), 'line')} of text without AIM identifier: see if they are your codes"
    return Finding("barcode", "unsure", why, settings)


def _cut(pieces: Sequence[bytes]) -> tuple[str, list[str]]:
    """The terminator's name and the codes; without any terminator each piece is one."""
    heard = b"".join(pieces)
    for name, terminator in _TERMINATORS:
        if heard.endswith(terminator):
            codes = heard.split(terminator)[:-1]
            return name, [code.decode("latin-1") for code in codes if code]
    return "none", [piece.decode("latin-1") for piece in pieces if piece]


def _is_text(code: str) -> bool:
    return len(code) >= CODE_CHARS_MIN and all(
        " " <= letter <= "~" or letter == _GS for letter in code
    )


def _is_gtin(code: str) -> bool:
    return code.isdigit() and len(code) in GTIN_LENGTHS and has_valid_check_digit(code)


def _fills(heard: bytes, frames: Sequence[bytes]) -> bool:
    """Whether frames make up the most of it: in much noise a right checksum comes by chance."""
    return bool(frames) and 2 * sum(map(len, frames)) >= len(heard)


def _answered(
    decoder: Decoder, what: str, version: str, settings: tuple[tuple[str, str | bool], ...] = ()
) -> Finding:
    return Finding(decoder, "certain", f"it answered {what}: {version}", settings, version)


def _sureness(frames: int) -> Sureness:
    return "certain" if frames >= CERTAIN_FRAMES else "likely"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data).strip()
