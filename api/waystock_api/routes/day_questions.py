"""What each vehicle did by the hour and by the day: how much it moved, how far it drove. Upstream:
the fleet fold's rows, through waystock.store.questions_fleet. Downstream: pages and programs.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Generic, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from waystock.store.questions_fleet import (
    ACTIVITY,
    DAY_M_MAX,
    DISTANCES,
    Activity,
    DayDistance,
)
from waystock_api.asking import (
    Day,
    PeriodPage,
    PeriodQuery,
    TimeZone,
    VehicleFilter,
    day_frame,
    period_frame,
    read_answer,
)
from waystock_api.paging import Item, ListQuery, Page
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/fleet", tags=["fleet questions"])

LONGEST_DAYS = 366
LONGEST_DAYS_BY_HOUR = 31
ZONES_APART = timedelta(days=1)
"""Midnight anywhere on earth is less than this from midnight in UTC."""
TRIP_SEEN_WITHIN = timedelta(days=2)
"""How far beyond the days asked for the fixes of a trip over midnight are looked at."""


class ActivityQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    by: Literal["hour", "day"] = "hour"
    time_zone: TimeZone | None = None


class DistanceQuery(ListQuery):
    first_day: Annotated[Day | None, Field(description="such as 2026-11-23")] = None
    last_day: Annotated[Day | None, Field(description="included; left out: today")] = None
    vehicle: VehicleFilter = None
    time_zone: TimeZone | None = None


class DayPage(Page[Item], Generic[Item]):
    """A page, and the days it answers for, both included."""

    items: Sequence[Item]
    first_day: date
    last_day: date


@router.get("/activity")
def list_activity(
    services: ServicesOfApp, query: Annotated[ActivityQuery, Query()]
) -> PeriodPage[Activity]:
    """When was each vehicle on the move? For every vehicle and every hour (or day) of the period,
    usually the last 24 hours, how long it moved, how long it stood, and the share that it moved.
    The first and last span are cut off at the period's ends. At most 31 days by the hour, 366 by
    the day."""
    longest = LONGEST_DAYS_BY_HOUR if query.by == "hour" else LONGEST_DAYS
    frame = period_frame(
        ACTIVITY, query, services.now(), usual=timedelta(days=1), longest=timedelta(days=longest)
    )
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "bucket": query.by,
        "vehicle": query.vehicle,
        "time_zone": query.time_zone,
    }
    rows, cursor = read_answer(services.store, ACTIVITY, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/distances")
def list_distances(
    services: ServicesOfApp, query: Annotated[DistanceQuery, Query()]
) -> DayPage[DayDistance]:
    """How far did each vehicle drive each day? One row for every vehicle and day, from midnight to
    midnight of `time_zone`, usually the last 7 days; days without driving are there with 0. By the
    odometer where a unit on board tells it, else by fixes: a trip over midnight is shared out by
    the way between its fixes on either side; so is one still under way, as far as it has come."""
    frame = day_frame(
        DISTANCES, query, query.first_day, query.last_day, services.now().date(),
        usual_days=7, longest_days=LONGEST_DAYS,
    )  # fmt: skip
    first, last = frame.instants
    asked: dict[str, object] = {
        "first_day": first.date(),
        "last_day": last.date(),
        "until": last + 2 * ZONES_APART,
        "looked_back_to": first - ZONES_APART - TRIP_SEEN_WITHIN,
        "looked_on_to": last + 2 * ZONES_APART + TRIP_SEEN_WITHIN,
        "day_m_max": DAY_M_MAX,
        "vehicle": query.vehicle,
        "time_zone": query.time_zone,
    }
    rows, cursor = read_answer(services.store, DISTANCES, frame, asked, query.limit)
    return DayPage(items=rows, next=cursor, first_day=first.date(), last_day=last.date())
