"""Reports read from the store, row by row through a server-side cursor, so that a month of a large
fleet is never held in memory. Upstream: stored trips, stops, visits, arrivals and odometers;
downstream: the pages of the api, and files by waystock.store.report_file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from psycopg.rows import dict_row

from waystock.contract.identifiers import iso_utc
from waystock.fleet.settings import FleetSettings
from waystock.reports.asked import DAYS_MAX, Asked, Per
from waystock.reports.columns import Row
from waystock.store.api import Key, UnusableValueError
from waystock.store.connection import Database
from waystock.store.questions_fleet import DAY_M_MAX
from waystock.store.sql import queries

ROWS_MAX = 500_000
"""Of one report; more is no file that anybody reads, and soon none that Excel can."""
_FETCHED_AT_ONCE = 1_000
_ZONES_APART = timedelta(days=1)
"""Midnight anywhere on earth is less than this from midnight in UTC."""
_TRIP_SEEN_WITHIN = timedelta(days=2)
_KEYS = {
    "trips": ("vehicle", "started_at"),
    "stops": ("vehicle", "arrived_at"),
    "visits": ("vehicle", "entered_at", "fence"),
    "detention": ("vehicle", "entered_at", "fence"),
    "punctuality": ("code",),
    "mileage": ("vehicle", "last_day"),
}
_SPANS = {"mileage": "trips", "detention": "visits"}
"""Reports whose rows come from another report's table."""

Emptiness = Literal["nothing_yet", "outside", "filters", "nothing"]


class ReportTooLargeError(ValueError):
    """More than a report may hold, or than can be found in time; the text says what to narrow."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Why a report has no rows: nothing was ever recorded, nothing on these days (there is from
    `first_day` to `last_day`), or nothing that the filters let through."""

    why: Emptiness
    first_day: date | None = None
    last_day: date | None = None


def checked(database: Database, asked: Asked) -> Asked:
    """The same, if it can be answered. UnusableValueError says what is wrong and would be right."""
    if asked.first_day > asked.last_day:
        raise UnusableValueError(
            f"the first day, {asked.first_day}, is after the last, {asked.last_day}"
        )
    if (asked.last_day - asked.first_day).days >= DAYS_MAX:
        raise UnusableValueError(
            f"{asked.first_day} to {asked.last_day} is more than {DAYS_MAX} days: ask for fewer"
        )
    for name in ("vehicle", "site", "carrier", "customer"):
        if getattr(asked, name) is not None and name not in asked.report.filters:
            raise UnusableValueError(
                f"{name}: the report {asked.report.name} can't be narrowed by it, only by"
                f" {', '.join(asked.report.filters)}"
            )
    parameters = {name: getattr(asked, name) for name in _NARROWING}
    try:
        found = database.execute(queries("reports")["unknown_filters"], parameters).fetchone()
    except psycopg.DataError as error:
        raise UnusableValueError(f"a value in the request can't be used: {error}") from error
    for name, is_unknown in zip(_NARROWING, found or (), strict=False):
        if is_unknown:
            raise UnusableValueError(f"{name}: there is no {name} {getattr(asked, name)!r}")
    if asked.site is not None:
        time_zone_of(database, asked.site)
    check_zone(database, asked.time_zone)
    return asked


def check_zone(database: Database, time_zone: str) -> None:
    """UnusableValueError where the database or this process does not know the zone."""
    statement = queries("reports")["use_time_zone"]
    try:
        ZoneInfo(time_zone)
        database.execute(statement, {"time_zone": time_zone})
    except (ZoneInfoNotFoundError, ValueError, OSError, psycopg.DataError) as error:
        raise UnusableValueError(
            f"time_zone: {time_zone!r} is none that this server knows; one is Europe/Berlin"
        ) from error


_NARROWING = ("vehicle", "carrier", "customer")


def time_zone_of(database: Database, site: str | None) -> str:
    """The zone whose midnight counts: the site's, else the one that all sites share.

    UnusableValueError where there is no such site, or where the sites' zones differ.
    """
    statement = queries("reports")["time_zones"]
    try:
        zones = dict(database.execute(statement, {"site": site}).fetchall())
    except psycopg.DataError as error:
        raise UnusableValueError(f"a value in the request can't be used: {error}") from error
    if site is not None and not zones:
        known = dict(database.execute(statement, {"site": None}).fetchall())
        raise UnusableValueError(
            f"site: there is no site {site!r}, but {', '.join(known) or 'none at all'}"
        )
    if len(set(zones.values())) > 1:
        raise UnusableValueError(
            f"time_zone: sites lie in {', '.join(sorted(set(zones.values())))}; say which one's"
            " midnight counts, or ask for one site"
        )
    return next(iter(zones.values()), "UTC")


def read_rows(
    database: Database, asked: Asked, now: datetime, after: Key | None = None
) -> Iterator[Row]:
    """The rows of the report behind the key `after`, in its order, each as it is fetched. In a
    transaction, one such iterator at a time. ReportTooLargeError after ROWS_MAX rows, or where the
    database gave up; UnusableValueError for a value that it can't read.
    """
    read = _read_mileage if asked.report.name == "mileage" else _read
    try:
        for number, row in enumerate(read(database, asked, now, after), 1):
            if number > ROWS_MAX:
                raise ReportTooLargeError(
                    f"{asked.report.name} has more than {ROWS_MAX:,} rows here: ask for fewer days,"
                    " or for one site, carrier or vehicle"
                )
            yield row
    except psycopg.errors.QueryCanceled as error:
        raise ReportTooLargeError(
            f"{asked.report.name} takes too long here: ask for fewer days, or for one site,"
            " carrier or vehicle"
        ) from error
    except psycopg.DataError as error:
        raise UnusableValueError(f"a value in the request can't be used: {error}") from error


def read_report_page(
    database: Database, asked: Asked, now: datetime, after: Key | None, limit: int
) -> tuple[list[Row], Key | None]:
    """At most `limit` rows, and the key to go on from (None: that was all)."""
    rows = list(islice(read_rows(database, asked, now, after), limit + 1))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], tuple(_key_text(last[name]) for name in _KEYS[asked.report.name])


def why_empty(database: Database, asked: Asked, now: datetime) -> Empty:
    """Of a report that has no rows."""
    name = _SPANS.get(asked.report.name, asked.report.name)
    statement = queries("reports")[f"span_{name}"]
    parameters = {"now": now} if name == "punctuality" else {}
    first, last = database.execute(statement, parameters).fetchone() or (None, None)
    if first is None or last is None:
        return Empty("nothing_yet")
    zone = ZoneInfo(asked.time_zone)
    first_day, last_day = first.astimezone(zone).date(), last.astimezone(zone).date()
    if asked.last_day < first_day or asked.first_day > last_day:
        return Empty("outside", first_day, last_day)
    return Empty("filters" if asked.narrowed() else "nothing", first_day, last_day)


def choices(database: Database) -> dict[str, list[tuple[str, Any]]]:
    """What reports can be narrowed to: vehicles with their plates, carriers and customers with
    their names.
    """
    found = {"vehicle": database.execute(queries("reports")["vehicles"]).fetchall()}
    for role in ("carrier", "customer"):
        found[role] = database.execute(queries("reports")["parties"], {"role": role}).fetchall()
    return cast(dict[str, list[tuple[str, Any]]], found)


def _read(database: Database, asked: Asked, now: datetime, after: Key | None) -> Iterator[Row]:
    name = "visits" if asked.report.name == "detention" else asked.report.name
    since, until = _looked_at(asked)
    parameters: dict[str, object] = {
        "since": since,
        "until": until,
        "first_day": asked.first_day,
        "last_day": asked.last_day,
        "time_zone": asked.time_zone,
        "vehicle": asked.vehicle,
        "site": asked.site,
        "carrier": asked.carrier,
        "customer": asked.customer,
        "after": None if after is None else list(after),
        "expire_s": FleetSettings().expire_s,
        "free_s": FleetSettings().free_time_s,
        "only_detained": asked.report.name == "detention",
        "by": asked.by,
        "grace_s": asked.grace_min * 60,
        "now": now,
    }
    yield from _fetch(database, "reports", name, parameters)


def _read_mileage(
    database: Database, asked: Asked, now: datetime, after: Key | None
) -> Iterator[Row]:
    """Days come from the question of distances, put together here by week or month."""
    since, until = _looked_at(asked)
    today = now.astimezone(asked.zone).date()
    last_day = min(asked.last_day, today)
    if last_day < asked.first_day:
        return
    parameters: dict[str, object] = {
        "first_day": asked.first_day,
        "last_day": last_day,
        "until": until,
        "looked_back_to": since - _TRIP_SEEN_WITHIN,
        "looked_on_to": until + _TRIP_SEEN_WITHIN,
        "day_m_max": DAY_M_MAX,
        "vehicle": asked.vehicle,
        "site": asked.site,
        "carrier": asked.carrier,
        "time_zone": asked.time_zone,
        "after": None if after is None else list(after),
        "limit": None,
    }
    names = dict(database.execute(queries("reports")["parties"], {"role": "carrier"}).fetchall())
    days = _fetch(database, "day_questions", "distances", parameters)

    def bucket(row: Row) -> tuple[str, date]:
        return cast(str, row["vehicle"]), _bucket(cast(date, row["day"]), asked.per)

    for _, group in groupby(days, bucket):
        yield _put_together(list(group), names)


def _put_together(days: list[Row], names: Mapping[str, object]) -> Row:
    first, last = days[0], days[-1]
    ways = {cast(str, day["measured_by"]) for day in days}
    return {
        "vehicle": first["vehicle"],
        "plate": first["plate"],
        "carrier": first["carrier"],
        "carrier_name": names.get(cast(str, first["carrier"])),
        "site": first["site"],
        "first_day": first["day"],
        "last_day": last["day"],
        "distance_km": sum(cast(float, day["distance_m"]) for day in days) / 1000,
        "driven_h": sum(cast(float, day["driven_s"]) for day in days) / 3600,
        "trips": sum(cast(int, day["trips_started"]) for day in days),
        "measured_by": ways.pop() if len(ways) == 1 else "both",
    }


def _bucket(day: date, per: Per) -> date:
    """The day that begins the day's week (a Monday) or month."""
    if per == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if per == "month" else day


def _fetch(
    database: Database, family: str, name: str, parameters: Mapping[str, object]
) -> Iterator[Row]:
    with database.cursor(f"report_{name}", row_factory=dict_row) as cursor:
        cursor.itersize = _FETCHED_AT_ONCE
        yield from cast(Iterator[dict[str, Any]], cursor.execute(queries(family)[name], parameters))


def _looked_at(asked: Asked) -> tuple[datetime, datetime]:
    """Instants around the days in whichever zone."""
    first = datetime.combine(asked.first_day, datetime.min.time(), UTC)
    last = datetime.combine(asked.last_day, datetime.min.time(), UTC)
    return first - _ZONES_APART, last + 2 * _ZONES_APART


def _key_text(value: object) -> str:
    if isinstance(value, datetime):
        return iso_utc(value)
    return value.isoformat() if isinstance(value, date) else str(value or "")
