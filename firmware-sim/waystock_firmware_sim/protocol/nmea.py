"""NMEA 0183 sentences of a GPS unit: RMC, GGA, VTG with checksum. Upstream: one fix; downstream: a
serial line. Source: NMEA 0183 version 4.10 as receiver manuals tell it (u-blox M8, L76).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Sentence = Literal["RMC", "GGA", "VTG"]

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


def burst(fix: Fix, talker: str, order: tuple[Sentence, ...]) -> bytes:
    """The sentences of one epoch in the unit's own order."""
    return b"".join(_WRITERS[sentence](fix, talker) for sentence in order)


def no_fix_burst(time: datetime, talker: str) -> bytes:
    """What a unit says before its first fix: time known, position void."""
    clock = _clock(time)
    return _sentence(f"{talker}RMC,{clock},V,,,,,,,{time:%d%m%y},,,N") + _sentence(
        f"{talker}GGA,{clock},,,,,0,00,99.99,,,,,,"
    )


def _rmc(fix: Fix, talker: str) -> bytes:
    knots = fix.speed_mps * KNOTS_PER_MPS
    return _sentence(
        f"{talker}RMC,{_clock(fix.time)},A,{_place(fix)},{knots:.3f},{_course(fix)},"
        f"{fix.time:%d%m%y},,,A"
    )


def _gga(fix: Fix, talker: str) -> bytes:
    return _sentence(
        f"{talker}GGA,{_clock(fix.time)},{_place(fix)},1,{fix.satellites:02d},{fix.hdop:.2f},"
        f"{fix.altitude_m:.1f},M,9.7,M,,"
    )


def _vtg(fix: Fix, talker: str) -> bytes:
    knots = fix.speed_mps * KNOTS_PER_MPS
    return _sentence(f"{talker}VTG,{_course(fix)},T,,M,{knots:.3f},N,{fix.speed_mps * 3.6:.3f},K,A")


_WRITERS = {"RMC": _rmc, "GGA": _gga, "VTG": _vtg}


def _sentence(body: str) -> bytes:
    check = 0
    for byte in body.encode("ascii"):
        check ^= byte
    return f"${body}*{check:02X}\r\n".encode("ascii")


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
