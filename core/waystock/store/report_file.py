"""A report as a file: rows of the store into one of the formats. Upstream: waystock.store.reports
and, for maps, stored fixes; downstream: the api's downloads and `waystock report`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, BinaryIO, cast

from waystock.fleet.fence_shapes import fence_polygon
from waystock.reports.asked import Asked
from waystock.reports.catalogue import Format
from waystock.reports.columns import Row
from waystock.reports.csv_file import write_csv
from waystock.reports.json_file import write_json
from waystock.reports.map_features import Feature, Point, write_geojson, write_gpx
from waystock.reports.workbook import write_xlsx
from waystock.store.api import UnusableValueError
from waystock.store.connection import Database
from waystock.store.fences import load_fences
from waystock.store.reports import ReportTooLargeError, read_rows
from waystock.store.sql import queries

POINTS_MAX = 2_000_000
"""Of one file; some 200 MB of GPX."""
_TRIPS_AT_ONCE = 50

MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpx": "application/gpx+xml",
    "geojson": "application/geo+json",
}


def write_report(
    database: Database,
    asked: Asked,
    kind: Format,
    out: BinaryIO,
    now: datetime,
    *,
    bom: bool = False,
) -> None:
    """Write all of it, in a transaction. Raises as `read_rows` does; what was written then is cut
    off in the middle. UnusableValueError where the report has no such format.
    """
    if kind not in asked.report.formats:
        raise UnusableValueError(
            f"format: the report {asked.report.name} has no places for {kind}; it can be had as"
            f" {', '.join(asked.report.formats)}"
        )
    rows = read_rows(database, asked, now)
    match kind:
        case "json":
            write_json(out, asked, rows)
        case "csv":
            write_csv(out, asked, rows, bom=bom)
        case "xlsx":
            write_xlsx(out, asked, rows)
        case "gpx":
            write_gpx(out, asked, _features(database, asked, rows), now)
        case "geojson":
            write_geojson(out, asked, _features(database, asked, rows))


def _features(database: Database, asked: Asked, rows: Iterator[Row]) -> Iterator[Feature]:
    match asked.report.shape:
        case "track":
            return _bounded(_tracks(database, rows))
        case "point":
            return (_at(asked, row, row["lat"], row["lon"]) for row in rows)
        case _:
            middles = _middles(database)
            return (
                _at(asked, row, *middles.get(cast(str, row["fence"]), (None, None))) for row in rows
            )


def _at(asked: Asked, row: Row, lat: object, lon: object) -> Feature:
    if not isinstance(lat, float) or not isinstance(lon, float):
        return Feature(row, ())
    return Feature(row, (Point(cast(datetime, row[asked.report.begins]), lat, lon),))


def _middles(database: Database) -> dict[str, tuple[float, float]]:
    """Fence → a place within it, (lat, lon)."""
    found: dict[str, tuple[float, float]] = {}
    for fence in load_fences(database):
        middle = fence_polygon(fence.fence, fence.geometry).representative_point()
        found[fence.fence] = (float(middle.y), (float(middle.x) + 180.0) % 360.0 - 180.0)
    return found


def _bounded(features: Iterable[Feature]) -> Iterator[Feature]:
    points = 0
    for feature in features:
        points += len(feature.points)
        if points > POINTS_MAX:
            raise ReportTooLargeError(
                f"these trips have more than {POINTS_MAX:,} positions: ask for fewer days, or for"
                " one site, carrier or vehicle"
            )
        yield feature


def _tracks(database: Database, trips: Iterator[Row]) -> Iterator[Feature]:
    """The fixes of some trips at a time, by one statement."""
    while batch := list(islice(trips, _TRIPS_AT_ONCE)):
        starts = [cast(datetime, trip["started_at"]) for trip in batch]
        ends = [cast(datetime, trip["counted_until"]) for trip in batch]
        parameters: dict[str, Any] = {
            "vehicles": [trip["vehicle"] for trip in batch],
            "starts": starts,
            "ends": ends,
            "since": min(starts),
            "until": max(ends) + timedelta(microseconds=1),
        }
        with database.cursor("report_tracks") as cursor:
            cursor.itersize = 5_000
            cursor.execute(queries("reports")["tracks"], parameters)
            yield from _with_points(batch, cursor)


def _with_points(
    batch: list[Row], fixes: Iterable[tuple[int, datetime, float, float, float | None]]
) -> Iterator[Feature]:
    groups = groupby(fixes, itemgetter(0))
    following = next(groups, None)
    for number, trip in enumerate(batch, 1):
        points: list[Point] = []
        if following is not None and following[0] == number:
            points = [Point(*fix[1:]) for fix in following[1]]
            following = next(groups, None)
        yield Feature(trip, points) if len(points) > 1 else Feature(trip, _ends(trip), True)


def _ends(trip: Row) -> list[Point]:
    """What the trip itself knows: where it began and ended."""
    start = Point(
        cast(datetime, trip["started_at"]),
        cast(float, trip["start_lat"]),
        cast(float, trip["start_lon"]),
    )
    lat, lon = trip["end_lat"], trip["end_lon"]
    if not isinstance(lat, float) or not isinstance(lon, float):
        return [start, start]
    return [start, Point(cast(datetime, trip["counted_until"]), lat, lon)]
