"""A report on a map, as GPX 1.1 or GeoJSON (RFC 7946): trips are tracks with times, stops and
visits points. Upstream: rows with their points; downstream: map programs. WGS 84, times in UTC.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import BinaryIO, NamedTuple
from xml.sax.saxutils import escape

import msgspec

from waystock.contract.identifiers import iso_utc
from waystock.reports.asked import Asked
from waystock.reports.columns import Row, text_of
from waystock.reports.json_file import told

_encode = msgspec.json.encode


class Point(NamedTuple):
    """Where something was at an instant; degrees, WGS 84."""

    time: datetime
    lat: float
    lon: float
    altitude_m: float | None = None


class Feature(NamedTuple):
    """A row, and its points: many for a track, one for a place, none where nobody knows."""

    row: Row
    points: Sequence[Point]
    is_straight: bool = False
    """Only the ends are known: the fixes between them are kept no more."""


def write_gpx(out: BinaryIO, asked: Asked, features: Iterable[Feature], now: datetime) -> None:
    """A `trk` for each trip, a `wpt` for each stop or visit, in the order that the schema wants."""
    title = escape(asked.report.title[asked.lang])
    out.write(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<gpx version="1.1" creator="Waystock" xmlns="http://www.topografix.com/GPX/1/1">\n'
            f"<metadata><name>{title} {asked.first_day} – {asked.last_day}</name>"
            f"<time>{iso_utc(now)}</time></metadata>\n"
        ).encode()
    )
    is_track = asked.report.shape == "track"
    for feature in features:
        if feature.points:
            text = _track(asked, feature) if is_track else _waypoint(asked, feature)
            out.write(text.encode("utf-8", "replace"))
    out.write(b"</gpx>\n")


def write_geojson(out: BinaryIO, asked: Asked, features: Iterable[Feature]) -> None:
    """A LineString (cut in two at the antimeridian) for each trip, a Point for each stop or visit;
    a row whose place nobody knows has the geometry null, as the standard has it.
    """
    out.write(b'{"type":"FeatureCollection","features":[')
    for number, feature in enumerate(features):
        out.write(b"\n" if number == 0 else b",\n")
        out.write(_encode(_feature(asked, feature)))
    out.write(b"\n]}\n")


def _track(asked: Asked, feature: Feature) -> str:
    points = "".join(_point("trkpt", point) for point in feature.points)
    kind = "ends only" if feature.is_straight else "fixes"
    return (
        f"<trk><name>{_name(asked, feature.row)}</name><desc>{_said(asked, feature.row)}</desc>"
        f"<type>{kind}</type><trkseg>{points}</trkseg></trk>\n"
    )


def _waypoint(asked: Asked, feature: Feature) -> str:
    [point] = feature.points
    more = f"<name>{_name(asked, feature.row)}</name><desc>{_said(asked, feature.row)}</desc>"
    return _point("wpt", point, more) + "\n"


def _point(tag: str, point: Point, more: str = "") -> str:
    height = "" if point.altitude_m is None else f"<ele>{point.altitude_m:.1f}</ele>"
    at = f'lat="{point.lat:.7f}" lon="{point.lon:.7f}"'
    return f"<{tag} {at}>{height}<time>{iso_utc(point.time)}</time>{more}</{tag}>"


def _name(asked: Asked, row: Row) -> str:
    began = row[asked.report.begins]
    if not isinstance(began, datetime):
        return _clean(str(row["plate"]))
    return _clean(f"{row['plate']} {began.astimezone(asked.zone).isoformat(' ', 'minutes')}")


def _said(asked: Asked, row: Row) -> str:
    """The texts of the row, in short."""
    said = [
        text_of(column, row[column.name], asked.lang)
        for column in asked.report.columns
        if column.kind in {"words", "choice"} and row[column.name] is not None
    ]
    return _clean(", ".join(said))


def _clean(text: str) -> str:
    """XML 1.0 has no control characters, not even escaped."""
    return escape("".join(one if one >= " " and one not in "\ufffe\uffff" else " " for one in text))


def _feature(asked: Asked, feature: Feature) -> dict[str, object]:
    properties = told(asked, feature.row)
    geometry: dict[str, object] | None = None
    if feature.points and asked.report.shape == "track":
        parts = _cut(feature.points)
        if len(parts) == 1:
            geometry = {"type": "LineString", "coordinates": parts[0]}
        else:
            geometry = {"type": "MultiLineString", "coordinates": parts}
        properties["times"] = [point.time for point in feature.points]
        properties["track"] = "ends" if feature.is_straight else "fixes"
    elif feature.points:
        geometry = {"type": "Point", "coordinates": _lonlat(feature.points[0])}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _cut(points: Sequence[Point]) -> list[list[list[float]]]:
    """The way in parts that don't cross the antimeridian; each has two positions or more."""
    parts = [[_lonlat(points[0])]]
    for before, point in pairwise(points):
        if abs(point.lon - before.lon) > 180:
            side = 180.0 if before.lon > 0 else -180.0
            around = point.lon + 2 * side
            share = (side - before.lon) / (around - before.lon) if around != before.lon else 0.0
            lat = round(before.lat + share * (point.lat - before.lat), 7)
            parts[-1].append([side, lat])
            parts.append([[-side, lat]])
        parts[-1].append(_lonlat(point))
    if len(parts[-1]) == 1:
        parts[-1] *= 2
    return parts


def _lonlat(point: Point) -> list[float]:
    return [round(point.lon, 7), round(point.lat, 7)]
