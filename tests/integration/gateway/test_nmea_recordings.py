"""Recordings of real receivers against what a reference daemon (gpsd) understood of them. The
folder comes from WAYSTOCK_TEST_NMEA_DIR, by default ../shared/data/nmea beside the checkout.

The daemon reports several times per instant while its picture grows. A position agrees if one of
those reports has it. Speed and course are compared in the reports made after the RMC sentence of
that instant: before it the daemon computes them from earlier positions and from compasses, which
no fix says.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("WAYSTOCK_TEST_NMEA_DIR", ROOT / "../shared/data/nmea"))
LOGS = sorted(FOLDER.glob("*.log"))
DEGREES, METRES_PER_SECOND, COURSE_DEGREES = 1e-6, 0.01, 0.01
DATED_OTHERWISE = {"neo-m8n"}
"""The daemon took these for a later GPS era: times of day are compared, not dates."""
needs_recordings = pytest.mark.skipif(
    not LOGS, reason=f"no recordings of receivers in {FOLDER} (WAYSTOCK_TEST_NMEA_DIR)"
)
each_recording = pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)

Report = dict[str, Any]


def decode(data: bytes, step: int | None = None) -> list[Decoded]:
    decoder = NmeaDecoder()
    size = step or max(len(data), 1)
    found = [x for i in range(0, len(data), size) for x in decoder.feed(data[i : i + size])]
    return found + decoder.finish()


def dated_fixes(log: Path, found: list[Decoded]) -> dict[str, Fix]:
    return {_key(log, x.time): x for x in found if isinstance(x, Fix) and x.time is not None}


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
            by_time.setdefault(_key(log, moment), []).append(report)
    return by_time


def _key(log: Path, moment: datetime) -> str:
    text = moment.isoformat(timespec="milliseconds")
    return text.partition("T")[2] if log.stem in DATED_OTHERWISE else text


def _is_near(report: Report, name: str, value: float | None, tolerance: float) -> bool:
    if name not in report:
        return True
    return value is not None and abs(report[name] - value) <= tolerance


@needs_recordings
@each_recording
def test_every_instant_that_the_daemon_understood_is_a_fix_at_the_same_place(log: Path) -> None:
    ours = dated_fixes(log, decode(log.read_bytes()))
    for time, candidates in reports(log).items():
        fix = ours[time]
        assert any(
            _is_near(report, "lat", fix.lat, DEGREES) and _is_near(report, "lon", fix.lon, DEGREES)
            for report in candidates
        ), (time, fix, candidates)


@needs_recordings
@each_recording
def test_speed_and_course_are_the_daemon_s(log: Path) -> None:
    ours = dated_fixes(log, decode(log.read_bytes()))
    differing: list[str] = []
    for time, candidates in reports(log).items():
        informed = [report for report in candidates if report["after_rmc"]]
        if informed and not any(
            _is_near(report, "speed", ours[time].speed_mps, METRES_PER_SECOND)
            and _is_near(report, "track", ours[time].course_deg_true, COURSE_DEGREES)
            for report in informed
        ):
            differing.append(time)
    assert not differing


@needs_recordings
@each_recording
def test_no_instant_becomes_two_fixes(log: Path) -> None:
    times = [x.time for x in decode(log.read_bytes()) if isinstance(x, Fix) and x.time is not None]
    assert len(set(times)) == len(times)


@needs_recordings
@each_recording
@pytest.mark.parametrize("step", [1, 2, 7, 64, 1000])
def test_reads_may_cut_a_recording_anywhere(log: Path, step: int) -> None:
    data = log.read_bytes()
    assert decode(data, step) == decode(data)


@needs_recordings
def test_each_single_cut_of_a_mixed_binary_recording_gives_the_same() -> None:
    data = (FOLDER / "ac12_binary.log").read_bytes()
    whole = decode(data)
    for cut in range(len(data)):
        decoder = NmeaDecoder()
        found = decoder.feed(data[:cut]) + decoder.feed(data[cut:]) + decoder.finish()
        assert found == whole, cut


@needs_recordings
@each_recording
def test_a_recording_behind_binary_noise_loses_nothing(log: Path) -> None:
    noise = bytes(range(256)) * 2
    data = log.read_bytes()
    noisy = dated_fixes(log, decode(noise + b"\r\n" + data))
    assert noisy.keys() == dated_fixes(log, decode(data)).keys()
