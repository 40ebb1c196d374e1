"""What a request asks of a report, settled: defaults filled in, values checked, and on later pages
what the first one settled, which the cursor carries. Upstream: query parameters; downstream:
waystock.store.reports.
"""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from waystock.contract.identifiers import iso_utc
from waystock.reports.asked import GRACE_MIN_MAX, Asked, By, Per, chosen_options
from waystock.reports.catalogue import Report
from waystock.reports.columns import Lang
from waystock.store.api import Key, UnusableValueError
from waystock.store.connection import Database
from waystock.store.reports import check_zone, checked, time_zone_of
from waystock_api.asking import Day, TimeZone
from waystock_api.paging import ListQuery, decode_cursor, encode_cursor

USUAL_DAYS = 7


class ReportQuery(BaseModel):
    """The days, both included, and what the report is narrowed to."""

    model_config = ConfigDict(extra="forbid")

    first_day: Annotated[Day | None, Field(description="such as 2026-11-23")] = None
    last_day: Annotated[Day | None, Field(description="included; left out: today")] = None
    time_zone: Annotated[
        TimeZone | None,
        Field(
            description="whose midnight counts; left out: the site's, or the one all sites share"
        ),
    ] = None
    vehicle: str | None = None
    site: str | None = None
    carrier: str | None = None
    customer: str | None = None
    per: Annotated[Per | None, Field(description="mileage: rows per day (usual), week, month")] = (
        None
    )
    by: Annotated[By | None, Field(description="punctuality: rows by lane (usual) …")] = None
    grace_min: Annotated[
        float | None,
        Field(ge=0, le=GRACE_MIN_MAX, description="punctuality: so late is on time; usually 5"),
    ] = None
    lang: Annotated[Lang, Field(description="of headings and names in files")] = "en"


class PageQuery(ReportQuery, ListQuery):
    pass


def settled(
    database: Database, report: Report, query: ReportQuery, now: datetime, cursor: str | None = None
) -> tuple[Asked, datetime, Key | None]:
    """What is asked, the "now" of the whole answer, and the key to go on behind.

    Raises UnusableValueError.
    """
    first_day, last_day, time_zone = query.first_day, query.last_day, query.time_zone
    after = None
    if cursor is not None:
        now, first_day, last_day, time_zone, after = _of_cursor(report, query, cursor)
    time_zone = time_zone or time_zone_of(database, query.site)
    given = {"per": query.per, "by": query.by, "grace_min": query.grace_min}
    try:
        options = chosen_options(report, given)
    except ValueError as error:
        raise UnusableValueError(str(error)) from error
    check_zone(database, time_zone)
    last_day = last_day or now.astimezone(ZoneInfo(time_zone)).date()
    narrowed = query.model_dump(include={"vehicle", "site", "carrier", "customer", "lang"})
    asked = Asked(
        report=report,
        first_day=first_day or last_day - timedelta(days=USUAL_DAYS - 1),
        last_day=last_day,
        time_zone=time_zone,
        **narrowed,
        **options,
    )
    return checked(database, asked), now, after


def cursor_of(asked: Asked, now: datetime, key: Key) -> str:
    """Goes on behind `key`, with what this page has settled."""
    days = (asked.first_day.isoformat(), asked.last_day.isoformat())
    return encode_cursor(_cursor_name(asked.report), (iso_utc(now), *days, asked.time_zone, *key))


def _cursor_name(report: Report) -> str:
    return f"report {report.name}"


def _of_cursor(
    report: Report, query: ReportQuery, cursor: str
) -> tuple[datetime, date, date, str, Key]:
    key = decode_cursor(_cursor_name(report), cursor)
    try:
        now = datetime.fromisoformat(key[0])
        first_day, last_day = date.fromisoformat(key[1]), date.fromisoformat(key[2])
        time_zone, after = key[3], key[4:]
        is_whole = now.tzinfo is not None and bool(after)
    except (ValueError, IndexError) as error:
        raise UnusableValueError("cursor: not one that this list gave as `next`") from error
    if not is_whole:
        raise UnusableValueError("cursor: not one that this list gave as `next`")
    for name, given, kept in (
        ("first_day", query.first_day, first_day),
        ("last_day", query.last_day, last_day),
        ("time_zone", query.time_zone, time_zone),
    ):
        if given is not None and given != kept:
            raise UnusableValueError(
                f"{name}: a cursor goes on with its own answer, where it is {kept};"
                " leave it out, or begin again without cursor"
            )
    return now, first_day, last_day, time_zone, after
