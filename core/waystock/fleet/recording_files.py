"""Recordings as files: CSV, GPX and GeoJSON. Upstream: a user's file; downstream: `recorded`, which
says what each text means.

CSV has a header with device, time, lat, lon and, if they are known, speed, course, accuracy, in any
order; other columns are left alone. GeoJSON has Points with the same names as properties, or
LineStrings with a property `coordTimes`. A GPX track is one device, of the track's name.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from itertools import chain, repeat
from typing import Any, BinaryIO, NamedTuple, cast

from waystock.fleet.geojson import Feature, features_of
from waystock.fleet.gpx import GpxError, track_points
from waystock.fleet.recorded import RecordedFixes

_REQUIRED = ("device", "time", "lat", "lon")
_COLUMNS = (*_REQUIRED, "speed", "course", "accuracy")
_ALIASES = {
    "vehicle": "device",
    "timestamp": "time",
    "latitude": "lat",
    "longitude": "lon",
    "lng": "lon",
    "speed_mps": "speed",
    "course_deg_true": "course",
    "heading": "course",
    "accuracy_m": "accuracy",
}
_DELIMITERS = ",;\t|"


class FileError(ValueError):
    """The file could not be read, or not to its end; what was read before it broke is there."""


class Source(NamedTuple):
    """A file that is open, and what its fixes are called where they don't say."""

    file: BinaryIO
    vehicle: str
    is_named: bool
    """Whether the user gave that name: then it goes before what the file says of itself."""


def read_csv(source: Source, fixes: RecordedFixes) -> None:
    """Every line; FileError without the columns that are needed."""
    lines = TextIOWrapper(source.file, encoding="utf-8-sig", errors="replace")
    try:
        _read_lines(lines, source, fixes)
    finally:
        lines.detach()  # Whoever opened the file closes it.


def _read_lines(lines: TextIOWrapper, source: Source, fixes: RecordedFixes) -> None:
    header = lines.readline()
    delimiter = delimiter_of(header)
    places = _places(cells_of(header, delimiter), source)
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        cells = cells_of(line, delimiter)
        texts = [cells[place] if 0 <= place < len(cells) else "" for place in places]
        device = texts[0].strip() if places[0] >= 0 else source.vehicle
        fixes.add(number, line.rstrip, device, *texts[1:])


def delimiter_of(header: str) -> str:
    """What the cells of a header are told apart by."""
    return max(_DELIMITERS, key=header.count)


def cells_of(line: str, delimiter: str) -> list[str]:
    """One line by itself: a quote that is never closed takes no other line with it."""
    line = line.rstrip("\n")
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:  # A cell of more characters than the module takes: no cell of ours.
        return line.split(delimiter)


def _places(header: list[str], source: Source) -> list[int]:
    """Where each of the columns stands; −1 where there is none."""
    names = [name.strip().lower() for name in header]
    known = {_ALIASES.get(name, name): place for place, name in enumerate(names)}
    known |= {name: place for place, name in enumerate(names) if name in _COLUMNS}
    if source.is_named:
        known["device"] = -1
    missing = [name for name in _REQUIRED if name not in known]
    if missing:
        raise FileError(
            f"the first line names no column {', '.join(missing)};"
            f" it has to name device, time, lat and lon, and it is {','.join(header)[:200]!r}"
        )
    return [known.get(name, -1) for name in _COLUMNS]


def read_gpx(source: Source, fixes: RecordedFixes) -> None:
    """Every track point; FileError where the file breaks off."""
    try:
        for point in track_points(source.file):
            vehicle = source.vehicle if source.is_named else point.track or source.vehicle
            texts = point.texts
            fixes.add(
                point.line,
                point.raw,
                vehicle,
                texts.get("time", ""),
                point.lat,
                point.lon,
                texts.get("speed", ""),
                texts.get("course", ""),
                texts.get("accuracy", ""),
            )
    except GpxError as error:
        raise FileError(str(error)) from error


def read_geojson(source: Source, fixes: RecordedFixes) -> None:
    """Every point of every feature; what is refused is told by the feature's number."""
    for number, feature in enumerate(features_of(source.file.read()), 1):
        properties = feature.properties
        vehicle = _text(properties.get("device", properties.get("vehicle")))
        if source.is_named or not vehicle:
            vehicle = source.vehicle
        for place, texts in _points(feature):
            raw = str(place)
            fixes.add(number, raw.__str__, vehicle, texts[0], *_lonlat(place), *texts[1:])


def _points(feature: Feature) -> Iterator[tuple[Any, list[str]]]:
    """Coordinates and the texts of time, speed, course and accuracy of each point."""
    geometry, properties = feature.geometry, feature.properties
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        named = {_ALIASES.get(name.lower(), name.lower()): v for name, v in properties.items()}
        yield coordinates, [_text(named.get(name)) for name in ("time", *_COLUMNS[4:])]
        return
    is_many = geometry.get("type") == "MultiLineString"
    times = _times(properties)
    lines = (coordinates, times) if is_many else ([coordinates], [times])
    for places, instants in zip(_listed(lines[0]), _padded(lines[1]), strict=False):
        for place, instant in zip(_listed(places), _padded(instants), strict=False):
            yield place, [_text(instant)]


def _times(properties: Mapping[str, Any]) -> Any:
    """The times of a line's points, where converters from GPX put them."""
    more: Any = properties.get("coordinateProperties")
    found: Any = cast(dict[str, Any], more).get("times") if isinstance(more, dict) else None
    return properties.get("coordTimes", properties.get("times", found))


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _padded(value: Any) -> Iterator[Any]:
    """The values, then nothing for ever."""
    return chain(_listed(value), repeat(None))


def _lonlat(place: Any) -> tuple[str, str]:
    """lat and lon of a position as texts, for all that comes out of a file is looked at alike."""
    numbers = [_text(number) for number in _listed(place)[:2]]
    return (numbers[1], numbers[0]) if len(numbers) == 2 else ("", "")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


READERS: dict[str, Callable[[Source, RecordedFixes], None]] = {
    "csv": read_csv,
    "gpx": read_gpx,
    "geojson": read_geojson,
}
"""By format."""
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".gpx": "gpx",
    ".geojson": "geojson",
    ".json": "geojson",
}
"""By the end of the file's name."""
