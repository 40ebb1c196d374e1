"""Questions about a period or an instant: settles which one is meant, answers page by page, and
keeps what "now" was from the first page to the last by carrying it in the cursor. Upstream: routes
that ask the store's questions. Downstream: waystock.store.questions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Generic

from fastapi import HTTPException
from pydantic import AwareDatetime, Field

from waystock.contract.identifiers import iso_utc
from waystock.store.api import Key, UnusableValueError
from waystock.store.pool import StorePool
from waystock.store.questions import Question, ask
from waystock_api.paging import Item, ListQuery, Page, Row, decode_cursor, encode_cursor

CLOCK_LEAD = timedelta(days=1)
"""What is dated ahead of our clock by less than this is shown too: device clocks are wrong."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond these, reckoning with days and time zones would run out of dates."""
Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
Day = Annotated[date, Field(ge=EARLIEST.date(), le=LATEST.date())]
TimeZone = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}$",
        description="whose midnight counts: an IANA name such as Europe/Berlin; left out: each"
        " vehicle's own, which is that of the site its last shipment left from, else UTC",
    ),
]
VehicleFilter = Annotated[str | None, Field(description="only this vehicle")]
Minutes = Annotated[float, Field(ge=0, le=366 * 24 * 60, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=366 * 24, allow_inf_nan=False)]


class PeriodQuery(ListQuery):
    """From `since` up to, and without, `until`."""

    since: Annotated[Instant | None, Field(description="from this instant on")] = None
    until: Annotated[Instant | None, Field(description="before this instant; at most now")] = None


class PeriodPage(Page[Item], Generic[Item]):
    """A page, and the period it answers for."""

    since: datetime
    until: datetime


class InstantPage(Page[Item], Generic[Item]):
    """A page, and the instant it answers for."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """The instants that the whole answer is about, and the key of the last row seen."""

    instants: tuple[datetime, ...]
    after: Key | None = None


def instant_frame(
    question: Question[Row], query: ListQuery, at: datetime | None, now: datetime
) -> Frame:
    """The instant asked for, else now. Raises UnusableValueError for a cursor of another answer."""
    if query.cursor is not None:
        return _frame_of_cursor(question, query.cursor, {"at": at})
    return Frame((at or now,))


def period_frame(
    question: Question[Row],
    query: PeriodQuery,
    latest: datetime,
    *,
    usual: timedelta,
    longest: timedelta,
) -> Frame:
    """The period asked for, cut off at `latest`; left out, the `usual` time before that.

    Raises HTTPException where it is empty or longer than `longest`, UnusableValueError for a cursor
    of another answer.
    """
    if query.cursor is not None:
        frame = _frame_of_cursor(question, query.cursor, {"since": query.since, "until": None})
        _check_same("until", query.until and min(query.until, frame.instants[1]), frame.instants[1])
        return frame
    until = min(query.until or latest, latest)
    since = query.since or max(until - usual, EARLIEST)
    if since >= until:
        raise HTTPException(
            422, f"since: must be before until, which is {iso_utc(until)} here (at most now)"
        )
    if until - since > longest:
        raise HTTPException(
            422, f"since: at most {longest.days} days before until, which is {iso_utc(until)} here"
        )
    return Frame((since, until))


def day_frame(
    question: Question[Row],
    query: ListQuery,
    first_day: date | None,
    last_day: date | None,
    today: date,
    *,
    usual_days: int,
    longest_days: int,
) -> Frame:
    """The days asked for, both included, as their midnights in UTC; raises as period_frame does."""
    first = None if first_day is None else _midnight(first_day)
    last = None if last_day is None else _midnight(last_day)
    if query.cursor is not None:
        return _frame_of_cursor(question, query.cursor, {"first_day": first, "last_day": last})
    until = last or _midnight(today)
    since = first or max(until - timedelta(days=usual_days - 1), EARLIEST)
    if since > until:
        raise HTTPException(422, f"first_day: must not be after last_day, {until:%Y-%m-%d} here")
    if (until - since).days >= longest_days:
        raise HTTPException(
            422, f"first_day: at most {longest_days} days in all up to {until:%Y-%m-%d}"
        )
    return Frame((since, until))


def read_answer(
    store: StorePool,
    question: Question[Row],
    frame: Frame,
    asked: Mapping[str, object],
    limit: int,
) -> tuple[list[Row], str | None]:
    """One page's rows, and the cursor to go on from. Raises UnusableValueError, StoreAwayError."""
    with store.connection() as database:
        rows, key = ask(database, question, asked, frame.after, limit)
    if key is None:
        return rows, None
    return rows, encode_cursor(question.query, (*map(iso_utc, frame.instants), *key))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _frame_of_cursor(
    question: Question[Row], cursor: str, asked: Mapping[str, datetime | None]
) -> Frame:
    """What the first page settled; a parameter may be given again, but not changed."""
    key = decode_cursor(question.query, cursor)
    try:
        instants = tuple(datetime.fromisoformat(text) for text in key[: len(asked)])
        is_whole = len(key) > len(asked) and all(EARLIEST <= one <= LATEST for one in instants)
    except (ValueError, TypeError):  # TypeError: an instant without its offset can't be compared.
        is_whole, instants = False, ()
    if not is_whole:
        raise UnusableValueError("cursor: not one that this list gave as `next`")
    for (name, given), instant in zip(asked.items(), instants, strict=True):
        _check_same(name, given, instant)
    return Frame(instants, key[len(asked) :])


def _check_same(name: str, given: datetime | None, settled: datetime) -> None:
    if given is not None and given != settled:
        raise UnusableValueError(
            f"{name}: a cursor goes on with its own answer, where it is {iso_utc(settled)};"
            " leave it out, or begin again without cursor"
        )
