"""NMEA 0183 sentences of a GPS unit: RMC, GGA, VTG with checksum. Upstream: one fix; downstream: a
serial line. Source: NMEA 0183 version 4.10 as receiver manuals tell it (u-blox M8, L76).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Sentence = Literal["RMC", "GGA", "VTG"]

HOST_SENTENCE_BYTES_MAX = 256
KNOTS_PER_MPS = 3600 / 1852
COURSE_SPEED_MPS_MIN = 0.6
"""Below it a receiver leaves the course empty: at rest there is none."""


@dataclass(frozen=True)
class Fix:
    """One solution: WGS 84 degrees, metres, metres per second, degrees from true north, UTC."""

    time: datetime
    lat: float
    lon: float
    speed_mps: float
    course_deg_true: float
    altitude_m: float
    hdop: float
    satellites: int


PLACED: frozenset[str] = frozenset({"RMC", "GGA"})
"""Sentences that say where and when."""


def sentences(fix: Fix, talker: str, order: tuple[Sentence, ...]) -> list[bytes]:
    """The sentences of one epoch in the unit's own order."""
    return [_WRITERS[kind](fix, talker) for kind in order]


def no_fix_sentences(time: datetime, talker: str) -> list[bytes]:
    """What a unit says before its first fix: time known, position void."""
    clock = _clock(time)
    return [
        sentence(f"{talker}RMC,{clock},V,,,,,,,{time:%d%m%y},,,N"),
        sentence(f"{talker}GGA,{clock},,,,,0,00,99.99,,,,,,"),
    ]


class HostSentences:
    """Finds the host's commands (`$PMTK…*hh`) in what comes down the line; noise is skipped."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[list[str]]:
        """The fields of each complete sentence with a right checksum, in order."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        self._pending = self._pending[-HOST_SENTENCE_BYTES_MAX:]
        found: list[list[str]] = []
        for line in lines:
            body = line.rstrip(b"\r").rpartition(b"$")[2].rpartition(b"*")[0]
            text = body.decode("ascii", "replace")
            if body and line.rstrip(b"\r").endswith(sentence(text).rstrip(b"\r\n")):
                found.append(text.split(","))
        return found


def _rmc(fix: Fix, talker: str) -> bytes:
    knots = fix.speed_mps * KNOTS_PER_MPS
    return sentence(
        f"{talker}RMC,{_clock(fix.time)},A,{_place(fix)},{knots:.3f},{_course(fix)},"
        f"{fix.time:%d%m%y},,,A"
    )


def _gga(fix: Fix, talker: str) -> bytes:
    return sentence(
        f"{talker}GGA,{_clock(fix.time)},{_place(fix)},1,{fix.satellites:02d},{fix.hdop:.2f},"
        f"{fix.altitude_m:.1f},M,9.7,M,,"
    )


def _vtg(fix: Fix, talker: str) -> bytes:
    knots = fix.speed_mps * KNOTS_PER_MPS
    return sentence(f"{talker}VTG,{_course(fix)},T,,M,{knots:.3f},N,{fix.speed_mps * 3.6:.3f},K,A")


_WRITERS = {"RMC": _rmc, "GGA": _gga, "VTG": _vtg}


def sentence(body: str) -> bytes:
    """With start mark, checksum and line end."""
    check = 0
    for byte in body.encode("ascii", "replace"):
        check ^= byte
    return f"${body}*{check:02X}\r\n".encode("ascii", "replace")


def _clock(time: datetime) -> str:
    return f"{time:%H%M%S}.{time.microsecond // 10_000:02d}"


def _place(fix: Fix) -> str:
    return (
        f"{_degrees_minutes(fix.lat, 2)},{'N' if fix.lat >= 0 else 'S'},"
        f"{_degrees_minutes(fix.lon, 3)},{'E' if fix.lon >= 0 else 'W'}"
    )


def _degrees_minutes(degrees: float, digits: int) -> str:
    # Rounded as a whole number first, so that 59.999996' becomes the next degree, never 60.00000'.
    whole, rest = divmod(round(abs(degrees) * 6_000_000), 6_000_000)
    return f"{whole:0{digits}d}{rest // 100_000:02d}.{rest % 100_000:05d}"


def _course(fix: Fix) -> str:
    return f"{fix.course_deg_true:.2f}" if fix.speed_mps >= COURSE_SPEED_MPS_MIN else ""
