"""What single NMEA sentences say: RMC, GGA, GNS, GLL, VTG, ZDA, GSA. Pure; fields that are empty
are None, fields that can't be true raise `ImpossibleError`. Upstream: `framing`. Downstream:
`epoch`.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

MPS_PER_KNOT = 1852 / 3600
MPS_PER_KMH = 1 / 3.6

_ADDRESS = re.compile(r"(?:[A-OQ-Z][A-Z]|PQ)[A-Z]{3}")
"""Talker and formatter. P marks manufacturers' own sentences, but for the QZSS of some makers."""
_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})(?:\.(\d*))?")
_DEGREES_MINUTES = re.compile(r"\d{1,5}(?:\.\d*)?")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?|-?\.\d+")

_DATE = re.compile(r"\d{8}")
_YEARS = range(1980, 3000)
"""No satellite told the date before; the end keeps a day's arithmetic within the calendar."""
_SPEED_MPS_MAX = 1e4
_ALTITUDE_M = (-1e4, 1e5)
_HDOP_MAX = 1e3
_SATELLITES_MAX = 255
"""A figure beyond is left out like an empty one: it can't be true, and not every store holds it."""

Verdict = Literal["valid", "void", "unknown"]


class ImpossibleError(ValueError):
    """A field holds what cannot be; the message is the reject's reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What one sentence contributes to its epoch. Degrees WGS 84, SI units."""

    kind: str
    """Formatter, such as `RMC`."""
    verdict: Verdict = "unknown"
    """What the sentence says of the fix as such."""
    time_of_day: timedelta | None = None
    day: date | None = None
    lat: float | None = None
    lon: float | None = None
    speed_mps: float | None = None
    course_deg_true: float | None = None
    altitude_m: float | None = None
    hdop: float | None = None
    satellites: int | None = None
    is_estimated: bool = False
    """Dead reckoning, manual input or a simulator."""


def parse_sentence(raw: bytes) -> Sentence | None:
    """The content of a sentence with a good checksum; None for kinds that say nothing of a fix.

    Raises ImpossibleError.
    """
    body = raw[1:].partition(b"*")[0].decode("ascii", "replace")
    address, *fields = body.split(",")
    if not _ADDRESS.fullmatch(address):
        return None
    reader = _READERS.get(address[2:])
    return reader(_Fields(fields)) if reader else None


class _Fields:
    """Fields by number as the standard counts them, from 1; what is missing is empty."""

    def __init__(self, fields: list[str]) -> None:
        self._fields = fields

    def __getitem__(self, number: int) -> str:
        return self._fields[number - 1].strip() if number <= len(self._fields) else ""

    def number(self, number: int, low: float = 0.0, high: float = math.inf) -> float | None:
        text = self[number]
        value = float(text) if _NUMBER.fullmatch(text) else None
        return value if value is not None and low <= value <= high else None

    def hdop(self, number: int) -> float | None:
        return self.number(number, 0, _HDOP_MAX)

    def altitude_m(self, number: int) -> float | None:
        return self.number(number, *_ALTITUDE_M)

    def satellites(self, number: int) -> int | None:
        text = self[number]
        is_count = text.isdigit() and len(text) <= 5 and int(text) <= _SATELLITES_MAX
        return int(text) if is_count else None

    def latitude(self, number: int) -> float | None:
        return _degrees(self[number], self[number + 1], "NS", 90.0, "latitude")

    def longitude(self, number: int) -> float | None:
        return _degrees(self[number], self[number + 1], "EW", 180.0, "longitude")


def _rmc(fields: _Fields) -> Sentence:
    if fields[2] not in {"A", "D"} or fields[12] == "N":
        return Sentence(kind="RMC", verdict="void", time_of_day=_time_or_none(fields[1]))
    return Sentence(
        kind="RMC",
        verdict="valid",
        time_of_day=_time(fields[1]),
        lat=fields.latitude(3),
        lon=fields.longitude(5),
        speed_mps=_speed(fields.number(7), MPS_PER_KNOT),
        course_deg_true=_course(fields.number(8)),
        day=_date_ddmmyy(fields[9]),
        is_estimated=fields[12] in {"E", "M", "S"},
    )


def _gga(fields: _Fields) -> Sentence:
    quality = fields[6]
    if quality in {"0", ""}:
        verdict: Verdict = "void" if quality else "unknown"
        return Sentence(kind="GGA", verdict=verdict, time_of_day=_time_or_none(fields[1]))
    return Sentence(
        kind="GGA",
        verdict="valid",
        time_of_day=_time(fields[1]),
        lat=fields.latitude(2),
        lon=fields.longitude(4),
        satellites=fields.satellites(7),
        hdop=fields.hdop(8),
        altitude_m=fields.altitude_m(9) if fields[10] in {"M", ""} else None,
        is_estimated=quality in {"6", "7", "8"},
    )


def _gns(fields: _Fields) -> Sentence:
    modes = fields[6].strip("N")
    if not modes:
        return Sentence(kind="GNS", verdict="void", time_of_day=_time_or_none(fields[1]))
    return Sentence(
        kind="GNS",
        verdict="valid",
        time_of_day=_time(fields[1]),
        lat=fields.latitude(2),
        lon=fields.longitude(4),
        satellites=fields.satellites(7),
        hdop=fields.hdop(8),
        altitude_m=fields.altitude_m(9),
        is_estimated=not modes.strip("EMS"),
    )


def _gll(fields: _Fields) -> Sentence:
    if fields[6] != "A" or fields[7] == "N":
        return Sentence(kind="GLL", verdict="void", time_of_day=_time_or_none(fields[5]))
    return Sentence(
        kind="GLL",
        verdict="valid",
        time_of_day=_time(fields[5]),
        lat=fields.latitude(1),
        lon=fields.longitude(3),
        is_estimated=fields[7] in {"E", "M", "S"},
    )


def _vtg(fields: _Fields) -> Sentence:
    if fields[9] == "N":
        return Sentence(kind="VTG")
    speed_mps = _speed(fields.number(5), MPS_PER_KNOT)
    if speed_mps is None:
        speed_mps = _speed(fields.number(7), MPS_PER_KMH)
    course = _course(fields.number(1)) if fields[2] in {"T", ""} else None
    return Sentence(kind="VTG", speed_mps=speed_mps, course_deg_true=course)


def _zda(fields: _Fields) -> Sentence:
    if not (fields[2] and fields[3] and fields[4]):
        return Sentence(kind="ZDA", time_of_day=_time_or_none(fields[1]))
    return Sentence(
        kind="ZDA",
        time_of_day=_time(fields[1]),
        day=_date(fields[4], fields[3], fields[2]),
    )


def _gsa(fields: _Fields) -> Sentence:
    return Sentence(kind="GSA", verdict="void" if fields[2] == "1" else "unknown")


_READERS = {
    "RMC": _rmc,
    "GGA": _gga,
    "GNS": _gns,
    "GLL": _gll,
    "VTG": _vtg,
    "ZDA": _zda,
    "GSA": _gsa,
}


def _time(text: str) -> timedelta | None:
    """`hhmmss.sss` since midnight UTC; ImpossibleError for `240000` and its like."""
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ImpossibleError("bad_time")
    hours, minutes, seconds = (int(match[i]) for i in (1, 2, 3))
    is_leap_second = (hours, minutes, seconds) == (23, 59, 60)  # counts as the next day's first
    if hours > 23 or minutes > 59 or (seconds > 59 and not is_leap_second):
        raise ImpossibleError("bad_time")
    microseconds = int((match[4] or "")[:6].ljust(6, "0"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)


def _time_or_none(text: str) -> timedelta | None:
    """The time of a void fix only tells epochs apart; a wrong one is no further loss."""
    try:
        return _time(text)
    except ImpossibleError:
        return None


def _date_ddmmyy(text: str) -> date | None:
    if not text:
        return None
    if len(text) != 6:
        raise ImpossibleError("bad_date")
    year = text[4:6]
    century = "19" if year >= "80" else "20"
    return _date(century + year, text[2:4], text[0:2])


def _date(year: str, month: str, day: str) -> date:
    if not _DATE.fullmatch(year + month.zfill(2) + day.zfill(2)) or int(year) not in _YEARS:
        raise ImpossibleError("bad_date")
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise ImpossibleError("bad_date") from error


def _degrees(text: str, hemisphere: str, letters: str, limit: float, what: str) -> float | None:
    """`dddmm.mmmm` and its hemisphere as signed degrees, to 1e-9 (a tenth of a millimetre)."""
    if not text:
        return None
    if hemisphere not in letters or not hemisphere or text.startswith("-"):
        raise ImpossibleError("hemisphere")
    if not _DEGREES_MINUTES.fullmatch(text):
        raise ImpossibleError(f"bad_{what}")
    whole, _, fraction = text.partition(".")
    degrees = int(whole[:-2] or "0")
    minutes = float(f"{whole[-2:]}.{fraction}")
    value = degrees + minutes / 60
    if minutes >= 60 or value > limit:
        raise ImpossibleError(f"bad_{what}")
    return round(-value if hemisphere == letters[1] else value, 9)


def _speed(value: float | None, mps: float) -> float | None:
    speed_mps = None if value is None else round(value * mps, 6)
    return speed_mps if speed_mps is not None and speed_mps <= _SPEED_MPS_MAX else None


def _course(value: float | None) -> float | None:
    return value % 360.0 if value is not None and value <= 360 else None
