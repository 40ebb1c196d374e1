"""Known arrivals as a file: CSV with trip, stop, lat, lon, arrived_at. Upstream: a user's file;
downstream: `lane_trips`, which joins them with the fixes of the same trips.

Stops come in the order in which the trip reached them: that order is its plan. A line said twice
counts once.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from waystock.fleet.recorded import RAW_CHARACTERS_MAX, FixError, Reject, instant_us
from waystock.fleet.recording_files import cells_of, delimiter_of

_COLUMNS = ("trip", "stop", "lat", "lon", "arrived_at")
_ALIASES = {
    "device": "trip",
    "vehicle": "trip",
    "stop_id": "stop",
    "latitude": "lat",
    "longitude": "lon",
    "lng": "lon",
    "time": "arrived_at",
}
_LIMITS_DEG = {"lat": 90.0, "lon": 180.0}


class ArrivalsError(ValueError):
    """The file has no such columns."""


class Arrivals(NamedTuple):
    """Arrivals by columns, in the order of the file."""

    trip: list[str]
    stop: list[str]
    lat: "array[float]"
    lon: "array[float]"
    time_us: "array[int]"
    rejects: list[Reject]


def read_arrivals(lines: Iterable[str]) -> Arrivals:
    """Every line; one that is no arrival is kept with its number and the reason."""
    numbered = enumerate(lines, 1)
    header = next(numbered, (1, ""))[1]
    delimiter = delimiter_of(header)
    places = _places(cells_of(header, delimiter))
    found = Arrivals([], [], array("d"), array("d"), array("q"), [])
    seen: set[tuple[str, str, int]] = set()
    for number, line in numbered:
        if not line.strip():
            continue
        cells = cells_of(line, delimiter)
        try:
            _add(found, [cells[at].strip() if at < len(cells) else "" for at in places], seen)
        except FixError as error:
            found.rejects.append(Reject(number, str(error), line.rstrip()[:RAW_CHARACTERS_MAX]))
    return found


def _places(header: Sequence[str]) -> list[int]:
    names = [name.strip().lower().removeprefix("\ufeff") for name in header]
    known = {_ALIASES.get(name, name): place for place, name in enumerate(names)}
    known |= {name: place for place, name in enumerate(names) if name in _COLUMNS}
    missing = [name for name in _COLUMNS if name not in known]
    if missing:
        raise ArrivalsError(
            f"the first line names no column {', '.join(missing)}; it has to name"
            f" {', '.join(_COLUMNS)}, and it is {','.join(header)[:200].rstrip()!r}"
        )
    return [known[name] for name in _COLUMNS]


def _add(found: Arrivals, texts: list[str], seen: set[tuple[str, str, int]]) -> None:
    trip, stop, lat, lon, arrived_at = texts
    if not trip or not stop:
        raise FixError("no trip" if not trip else "no stop")
    time_us = instant_us(arrived_at)
    place = _degrees(lat, "lat"), _degrees(lon, "lon")
    if (trip, stop, time_us) in seen:
        raise FixError("the same arrival as on a line before")
    seen.add((trip, stop, time_us))
    found.trip.append(trip)
    found.stop.append(stop)
    found.lat.append(place[0])
    found.lon.append(place[1])
    found.time_us.append(time_us)


def _degrees(text: str, name: str) -> float:
    try:
        degrees = float(text)
    except ValueError as error:
        raise FixError(f"{name} {text!r} is not a number") from error
    if not abs(degrees) <= _LIMITS_DEG[name]:
        raise FixError(f"{name} {text} is not within {_LIMITS_DEG[name]:.0f} degrees")
    return degrees
