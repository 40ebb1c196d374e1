"""The simulated gpsd says what a real one says: its lines beside those recorded from gpsd 3.22."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from waystock_firmware_sim.protocol import gpsd
from waystock_firmware_sim.protocol.nmea import Fix

RECORDED = Path(__file__).parents[1] / "gateway" / "gpsd" / "gpsd-3.22.jsonl"
TIME = datetime(2026, 11, 27, 8, 18, 53, tzinfo=UTC)
FIX = Fix(
    time=TIME,
    lat=31.2307,
    lon=121.4737,
    speed_mps=11.1,
    course_deg_true=3.5,
    altitude_m=14.2,
    hdop=0.9,
    satellites=7,
)


def recorded(kind: str, place: int = 0) -> dict[str, Any]:
    lines = [json.loads(line) for line in RECORDED.read_bytes().splitlines()]
    return [line for line in lines if line["class"] == kind][place]


def said(line: bytes) -> dict[str, Any]:
    assert line.endswith(b"\r\n")
    return json.loads(line)


def test_greeting_and_answers_are_those_of_the_real_one() -> None:
    assert said(gpsd.version()) == recorded("VERSION")
    assert said(gpsd.watch(True)) == recorded("WATCH")
    real, ours = recorded("DEVICES"), said(gpsd.devices("/dev/pts/0", TIME))
    assert ours["devices"][0].keys() >= real["devices"][0].keys()
    asked = "?NONSENSE;\n?VERSION;\n?DEVICES;\n"
    assert said(gpsd.error(asked)) == recorded("ERROR")


def test_the_same_fix_is_told_in_the_same_figures() -> None:
    real, ours = recorded("TPV", 3), said(gpsd.full_report("/dev/pts/0", FIX))
    assert {name: real[name] for name in ours} == ours


def test_a_first_report_tells_the_place_alone_and_a_blind_one_nothing() -> None:
    first = said(gpsd.first_report("/dev/pts/0", FIX))
    assert (first["mode"], first["lat"], first["lon"]) == (2, 31.2307, 121.4737)
    assert "altMSL" not in first
    blind = said(gpsd.no_fix("/dev/pts/0", TIME.replace(second=58)))
    assert blind == recorded("TPV", 8)


def test_the_sky_counts_the_satellites_that_are_used() -> None:
    real, ours = recorded("SKY"), said(gpsd.sky("/dev/pts/0", FIX))
    assert (ours["hdop"], ours["uSat"], ours["nSat"]) == (real["hdop"], 7, 8)
    assert sum(one["used"] for one in ours["satellites"]) == 7
    assert ours["satellites"][0].keys() <= real["satellites"][0].keys()
