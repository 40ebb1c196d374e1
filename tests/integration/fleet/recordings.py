"""Recordings as a user has them: files of fixes, routes and fences, and what the command says of
them. Positions are metres east and north of 48° N 11° E."""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from waystock.fleet.command import run
from waystock.fleet.geodesy import metres_per_degree

START = datetime(2026, 11, 23, tzinfo=UTC)
LAT, LON = 48.0, 11.0
PER_LON, PER_LAT = metres_per_degree(LAT)
HEADER = "device,time,lat,lon"

Line = dict[str, Any]
LonLat = list[float]


class Told(NamedTuple):
    """What the command said."""

    status: int
    lines: list[Line]
    errors: str

    def of(self, kind: str, vehicle: str | None = None) -> list[Line]:
        return [
            line
            for line in self.lines
            if line["type"] == kind and vehicle in {None, line["vehicle"]}
        ]

    def alerts(self, state: str, vehicle: str | None = None) -> list[Line]:
        return [line for line in self.of("alert", vehicle) if line["state"] == state]


class Replay:
    """`waystock fleet replay` on files of one folder."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, recording: str | Path, *options: str) -> Told:
        """`recording` is a file, or the text of a CSV."""
        file = recording
        if isinstance(recording, str):
            file = self.write("recording.csv", recording)
        self._capture.readouterr()
        status = run(["replay", str(file), *options])
        out, errors = self._capture.readouterr()
        return Told(status, [json.loads(line) for line in out.splitlines()], errors.decode())

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def features(self, name: str, features: Iterable[tuple[dict[str, Any], Line]]) -> str:
        """A FeatureCollection of (properties, geometry)."""
        listed = [
            {"type": "Feature", "properties": properties, "geometry": geometry}
            for properties, geometry in features
        ]
        document = {"type": "FeatureCollection", "features": listed}
        return str(self.write(name, json.dumps(document)))


def iso(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clock(text: str) -> str:
    """`00:02` of the day of START, as the command writes it."""
    hours, minutes = text.split(":")
    return iso(int(hours) * 3600 + int(minutes) * 60)


def lonlat(east_m: float, north_m: float = 0.0) -> LonLat:
    return [LON + east_m / PER_LON, LAT + north_m / PER_LAT]


def row(vehicle: str, seconds: float, east_m: float, north_m: float = 0.0, *more: object) -> str:
    lon, lat = lonlat(east_m, north_m)
    return ",".join([vehicle, iso(seconds), f"{lat:.7f}", f"{lon:.7f}", *map(str, more)])


def csv(rows: Iterable[str], header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def each_minute(vehicle: str, metres: Sequence[float], from_s: float = 0.0) -> list[str]:
    return [row(vehicle, from_s + 60 * i, east_m) for i, east_m in enumerate(metres)]


def drive(
    vehicle: str,
    way: Callable[[float], tuple[float, float]],
    seconds: int,
    every_s: int = 5,
    noise_m: float = 3.0,
    speed_mps: float = 12.0,
) -> list[str]:
    """A drive along `way` (metres along → metres east and north), as a receiver of some quality
    sees it: most fixes within three times `noise_m`, now and then one that a wall threw aside."""
    chance = random.Random(vehicle)
    rows: list[str] = []
    for second in range(0, seconds, every_s):
        east_m, north_m = way(second * speed_mps)
        wild = 8.0 if chance.random() < 0.01 else 1.0
        rows.append(
            row(
                vehicle,
                second,
                east_m + chance.gauss(0, noise_m * wild),
                north_m + chance.gauss(0, noise_m * wild),
            )
        )
    return rows
