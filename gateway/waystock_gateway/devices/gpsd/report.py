"""Reads one report of gpsd: TPV (time, position, velocity) and SKY. Pure. Figures are what
gpsd_json(5) says: degrees WGS 84, m/s, degrees from true north, metres, UTC. Upstream: `decoder`.
"""

from dataclasses import dataclass
from datetime import datetime
from math import hypot
from typing import Any, cast

from waystock.contract.events import Quality
from waystock_gateway.devices.json_fields import (
    UnusableError,
    coordinate_of,
    instant_of,
    number_of,
    time_of_day,
)
from waystock_gateway.readings import Fix

NO_FIX, TWO_DIMENSIONS, THREE_DIMENSIONS = 1, 2, 3
_DEAD_RECKONING, _SIMULATED = 5, 8
RAW_CHARS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Sky:
    """What a receiver sees of the satellites."""

    hdop: float | None
    satellites: int | None
    """Used for the fix."""

    def updated(self, newer: "Sky") -> "Sky":
        """Receivers tell the one and the other in reports of their own."""
        return Sky(
            self.hdop if newer.hdop is None else newer.hdop,
            self.satellites if newer.satellites is None else newer.satellites,
        )


NO_SKY = Sky(None, None)


def mode_of(report: dict[str, Any]) -> int:
    """0 unknown, 1 no fix, 2 without and 3 with altitude; raises UnusableError."""
    mode = report.get("mode")
    if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= THREE_DIMENSIONS:
        raise UnusableError("bad_mode")
    return mode


def time_of(report: dict[str, Any]) -> datetime | None:
    """The instant, if the report names a usable one."""
    try:
        return instant_of(report.get("time"))
    except UnusableError:
        return None


def fix_of(report: dict[str, Any], raw: bytes, at: int) -> Fix:
    """The fix of a TPV with mode 2 or 3; raises UnusableError."""
    lat, lon = coordinate_of(report.get("lat"), 90), coordinate_of(report.get("lon"), 180)
    time = instant_of(report.get("time"))
    course = number_of(report.get("track"), 0, 360)
    return Fix(
        time=time,
        time_of_day=time_of_day(time),
        lat=lat,
        lon=lon,
        speed_mps=number_of(report.get("speed"), 0, 1e4),
        course_deg_true=None if course is None else course % 360.0,
        altitude_m=_altitude_m(report) if mode_of(report) == THREE_DIMENSIONS else None,
        accuracy_m=_accuracy_m(report),
        quality=_quality(report),
        raw=raw.decode("utf-8", "replace")[:RAW_CHARS_MAX],
        at=at,
    )


def sky_of(report: dict[str, Any]) -> Sky:
    """Dilution and number of satellites used; gpsd before 3.21 has them counted."""
    used = number_of(report.get("uSat"), 0, 200)
    listed: Any = report.get("satellites")
    if used is None and isinstance(listed, list) and listed:
        one_by_one = cast("list[Any]", listed)
        used = sum(1 for satellite in one_by_one if _is_used(satellite))
    return Sky(number_of(report.get("hdop"), 0, 1e3), None if used is None else int(used))


def _is_used(satellite: Any) -> bool:
    return isinstance(satellite, dict) and cast("dict[str, Any]", satellite).get("used") is True


def _altitude_m(report: dict[str, Any]) -> float | None:
    """Above mean sea level, never above the ellipsoid; `alt` was that before gpsd 3.20."""
    above_sea = number_of(report.get("altMSL"), -1e4, 1e5)
    if above_sea is not None:
        return above_sea
    above_ellipsoid = number_of(report.get("altHAE"), -1e4, 1e5)
    separation = number_of(report.get("geoidSep"), -200, 200)
    if above_ellipsoid is None:
        return number_of(report.get("alt"), -1e4, 1e5)
    return None if separation is None else round(above_ellipsoid - separation, 4)


def _accuracy_m(report: dict[str, Any]) -> float | None:
    """The horizontal error as gpsd estimates it, mostly of 95 % of fixes."""
    whole = number_of(report.get("eph"), 0, 1e6)
    if whole is not None:
        return whole
    east = number_of(report.get("epx"), 0, 1e6)
    north = number_of(report.get("epy"), 0, 1e6)
    return None if east is None or north is None else round(hypot(east, north), 3)


def _quality(report: dict[str, Any]) -> tuple[Quality, ...]:
    is_estimated = report.get("status") in (_DEAD_RECKONING, _SIMULATED)
    return ("low_accuracy",) if is_estimated else ()
