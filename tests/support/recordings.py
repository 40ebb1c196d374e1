"""Recordings of real receivers beside what a reference daemon (gpsd) understood of them. The folder
comes from WAYSTOCK_TEST_NMEA_DIR, by default ../shared/data/nmea beside the checkout.

The daemon reports several times per instant while its picture grows. A position agrees if one of
those reports has it (of nearly all recordings the last one does). Speed and course are compared in
the reports made after the RMC sentence of that instant: before it the daemon computes them from
earlier positions and from compasses, which no fix says. Heights are those above mean sea level.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("WAYSTOCK_TEST_NMEA_DIR", ROOT / "../shared/data/nmea"))
LOGS = sorted(FOLDER.glob("*.log"))
DEGREES, METRES_PER_SECOND, COURSE_DEGREES, METRES = 1e-6, 0.01, 0.01, 0.05
METRES_PER_DEGREE = 111_320
DATED_OTHERWISE = {"neo-m8n"}
"""The daemon took these for a later GPS era: times of day are compared, not dates."""

SEPARATION_M = {"ac12_binary": -13.9}
"""Here the daemon takes the height above the ellipsoid from a sentence of the maker's ($PASHR,POS),
and its own geoid for the sea below. GGA has the receiver's geoid, this far from the ellipsoid: the
two meet in the height above the ellipsoid."""
LAST_WORD_M = {"bundg_zeus_9": 1.0}
"""How far the last report of an instant may lie from ours. This plotter says its place three times
a second, each time a little further on, and moves the second on somewhere between: its RMC may be
that of the second before, or a quarter of a second ahead of its GLL, which we take."""

needs_recordings = pytest.mark.skipif(
    not LOGS, reason=f"no recordings of receivers in {FOLDER} (WAYSTOCK_TEST_NMEA_DIR)"
)
each_recording = pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)

Report = dict[str, Any]


class Place(Protocol):
    """What a decoder or the store says of one instant."""

    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...
    @property
    def speed_mps(self) -> float | None: ...
    @property
    def course_deg_true(self) -> float | None: ...
    @property
    def altitude_m(self) -> float | None: ...


def reports(log: Path) -> dict[str, list[Report]]:
    """What the daemon said of each instant at which it had a position; `after_rmc` is ours."""
    by_time: dict[str, list[Report]] = {}
    rmc_time = b""
    for line in log.with_name(log.name + ".chk").read_bytes().splitlines():
        if line[3:6] == b"RMC":
            rmc_time = line.split(b",")[1][:6]
        if not line.startswith(b'{"class":"TPV"'):
            continue
        report: Report = msgspec.json.decode(line)
        if report.get("mode", 0) >= 2 and "time" in report and "lat" in report:
            moment = datetime.fromisoformat(report["time"])
            report["after_rmc"] = f"{moment:%H%M%S}".encode() == rmc_time
            by_time.setdefault(instant_key(log, moment), []).append(report)
    return by_time


def instant_key(log: Path, moment: datetime) -> str:
    """What an instant of this recording is called on both sides."""
    text = moment.isoformat(timespec="milliseconds")
    return text.partition("T")[2] if log.stem in DATED_OTHERWISE else text


def disagreements(log: Path, ours: Mapping[str, Place]) -> list[str]:
    """Instants that the daemon understood and that we lack or have elsewhere, in words."""
    wrong: list[str] = []
    for time, candidates in reports(log).items():
        place = ours.get(time)
        if place is None:
            wrong.append(f"{time}: no fix")
        elif not any(
            _is_near(one, "lat", place.lat, DEGREES) and _is_near(one, "lon", place.lon, DEGREES)
            for one in candidates
        ):
            wrong.append(f"{time}: {place.lat}, {place.lon} is none of {candidates}")
    return wrong


def motion_disagreements(log: Path, ours: Mapping[str, Place]) -> list[str]:
    """Instants whose speed or course the daemon had otherwise."""
    wrong: list[str] = []
    for time, candidates in reports(log).items():
        place = ours[time]
        informed = [report for report in candidates if report["after_rmc"]]
        if informed and not any(
            _is_near(report, "speed", place.speed_mps, METRES_PER_SECOND)
            and _is_near(report, "track", place.course_deg_true, COURSE_DEGREES)
            for report in informed
        ):
            wrong.append(f"{time}: {place.speed_mps} m/s, {place.course_deg_true}°")
    return wrong


def height_disagreements(log: Path, ours: Mapping[str, Place]) -> list[str]:
    """Instants whose height above the sea the daemon had otherwise."""
    name, below_m = "alt", 0.0
    if log.stem in SEPARATION_M:
        name, below_m = "altHAE", SEPARATION_M[log.stem]
    wrong: list[str] = []
    for time, candidates in reports(log).items():
        height_m = ours[time].altitude_m
        known = [report for report in candidates if name in report]
        value = None if height_m is None else height_m + below_m
        if known and not any(_is_near(report, name, value, METRES) for report in known):
            wrong.append(f"{time}: {height_m} m")
    return wrong


def last_word_disagreements(log: Path, ours: Mapping[str, Place]) -> list[str]:
    """Instants whose last report lies further from ours than LAST_WORD_M."""
    limit = LAST_WORD_M.get(log.stem, 0.0) / METRES_PER_DEGREE + DEGREES
    return [
        f"{time}: {place.lat}, {place.lon} is not {candidates[-1]}"
        for time, candidates in reports(log).items()
        if (place := ours[time])
        and not (
            _is_near(candidates[-1], "lat", place.lat, limit)
            and _is_near(candidates[-1], "lon", place.lon, limit)
        )
    ]


def _is_near(report: Report, name: str, value: float | None, tolerance: float) -> bool:
    if name not in report:
        return True
    return value is not None and abs(report[name] - value) <= tolerance
