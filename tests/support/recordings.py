"""Recordings of real receivers beside what a reference daemon (gpsd) understood of them. The folder
comes from WAYSTOCK_TEST_NMEA_DIR, by default ../shared/data/nmea beside the checkout.

The daemon reports several times per instant while its picture grows. A position agrees if one of
those reports has it; speed and course agree if one has them, of those that have a course: without
one the daemon computed the speed from two positions, which no sentence says.
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
DEGREES, METRES_PER_SECOND, COURSE_DEGREES = 1e-6, 0.01, 0.01
DATED_OTHERWISE = {"neo-m8n"}
"""The daemon took these for a later GPS era: times of day are compared, not dates."""
CONTRADICTS_ITSELF = {"bundg_zeus_9": 15}
"""A plotter whose clock runs ahead of its position, so that its sentences of one instant differ: in
so many instants the daemon took speed or course from the sentences of the instant before."""

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


def reports(log: Path) -> dict[str, list[Report]]:
    """What the daemon said of each instant at which it had a position."""
    by_time: dict[str, list[Report]] = {}
    for line in log.with_name(log.name + ".chk").read_bytes().splitlines():
        if not line.startswith(b'{"class":"TPV"'):
            continue
        report: Report = msgspec.json.decode(line)
        if report.get("mode", 0) >= 2 and "time" in report and "lat" in report:
            key = instant_key(log, datetime.fromisoformat(report["time"]))
            by_time.setdefault(key, []).append(report)
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
    """Instants whose speed and course the daemon had otherwise, beyond those it can't be asked."""
    wrong: list[str] = []
    for time, candidates in reports(log).items():
        place = ours[time]
        with_course = [report for report in candidates if "track" in report]
        if with_course and not any(
            _is_near(report, "speed", place.speed_mps, METRES_PER_SECOND)
            and _is_near(report, "track", place.course_deg_true, COURSE_DEGREES)
            for report in with_course
        ):
            wrong.append(f"{time}: {place.speed_mps} m/s, {place.course_deg_true}°")
    return wrong if len(wrong) > CONTRADICTS_ITSELF.get(log.stem, 0) else []


def _is_near(report: Report, name: str, value: float | None, tolerance: float) -> bool:
    if name not in report:
        return True
    return value is not None and abs(report[name] - value) <= tolerance
