"""What a fleet manager asks of the past days: who was last heard where, who stood, who drove too
long. Upstream: the fleet fold's rows, through waystock.store.questions_fleet. Downstream: pages and
programs.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from waystock.store.questions_fleet import (
    DRIVING_HOURS,
    LAST_FIXES,
    LONG_DRIVING,
    STATIONARY,
    DrivingHours,
    DrivingSession,
    LastFix,
    Stationary,
)
from waystock_api.asking import (
    Hours,
    InstantPage,
    Minutes,
    PeriodPage,
    PeriodQuery,
    VehicleFilter,
    instant_frame,
    period_frame,
    read_answer,
)
from waystock_api.paging import ListQuery
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/fleet", tags=["fleet questions"])

DAY = timedelta(days=1)
LONGEST = timedelta(days=92)
LONGEST_OF_RAW_FIXES = timedelta(days=2)
"""A mean speed reads every fix of every vehicle in the period."""
SESSION_BEGAN_WITHIN = timedelta(days=2)
"""How long before the period a driving session under way may have begun."""


class LastFixQuery(ListQuery):
    vehicle: VehicleFilter = None
    site: Annotated[str | None, Query(description="where its shipment leaves from")] = None
    silent_minutes: Annotated[
        Minutes | None,
        Field(description="only vehicles not heard of for at least so long, or never"),
    ] = None


class StationaryQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    minutes: Annotated[Minutes, Field(description="stood for at least so long in all")] = 60
    speed_mps_below: Annotated[
        float | None,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="also: the mean of the speeds reported was below this; then the period"
            " is at most 2 days",
        ),
    ] = None


class LongDrivingQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    hours: Annotated[Hours, Field(description="driven for at least so long")] = 4
    rest_minutes: Annotated[
        Minutes, Field(gt=0, description="a stand of at least so long is a rest")
    ] = 20


class DrivingHoursQuery(PeriodQuery):
    vehicle: VehicleFilter = None
    hours: Annotated[Hours, Field(description="driven for at least so long")] = 10
    within_hours: Annotated[Hours, Field(description="in any span of so long")] = 24


@router.get("/last-fixes")
def list_last_fixes(
    services: ServicesOfApp, query: Annotated[LastFixQuery, Query()]
) -> InstantPage[LastFix]:
    """Where is each vehicle, and how old is that? The last usable fix of each with its age;
    with `silent_minutes`, the vehicles that have fallen silent."""
    frame = instant_frame(LAST_FIXES, query, None, services.now())
    asked: dict[str, object] = {
        "at": frame.instants[0],
        "vehicle": query.vehicle,
        "site": query.site,
        "silent_s_min": None if query.silent_minutes is None else query.silent_minutes * 60,
    }
    rows, cursor = read_answer(services.store, LAST_FIXES, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=frame.instants[0])


@router.get("/stationary")
def list_stationary(
    services: ServicesOfApp, query: Annotated[StationaryQuery, Query()]
) -> PeriodPage[Stationary]:
    """Which vehicles stood about? Vehicles that stood for at least `minutes` in all within the
    period (usually the last 24 hours), with the longest stand and where it was. A stand that is
    not over counts until the vehicle's last fix. With `minutes=0&speed_mps_below=1` the question
    is that of TSBS: vehicles whose mean reported speed was under 1 m/s."""
    longest = LONGEST if query.speed_mps_below is None else LONGEST_OF_RAW_FIXES
    frame = period_frame(STATIONARY, query, services.now(), usual=DAY, longest=longest)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "vehicle": query.vehicle,
        "stood_s_min": query.minutes * 60,
        "speed_mps_below": query.speed_mps_below,
    }
    rows, cursor = read_answer(services.store, STATIONARY, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/long-driving")
def list_long_driving(
    services: ServicesOfApp, query: Annotated[LongDrivingQuery, Query()]
) -> PeriodPage[DrivingSession]:
    """Who drove too long without a rest? Sessions of at least `hours` of driving in which no
    stand lasted `rest_minutes`, that touch the period (usually the last 7 days). A session is
    counted from its beginning, even where that lies up to two days before the period, and up to
    the period's end. Stands shorter than a rest are no driving time."""
    frame = period_frame(LONG_DRIVING, query, services.now(), usual=7 * DAY, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "looked_back_to": since - SESSION_BEGAN_WITHIN,
        "vehicle": query.vehicle,
        "driven_s_min": query.hours * 3600,
        "rest_s": query.rest_minutes * 60,
    }
    rows, cursor = read_answer(services.store, LONG_DRIVING, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


@router.get("/driving-hours")
def list_driving_hours(
    services: ServicesOfApp, query: Annotated[DrivingHoursQuery, Query()]
) -> PeriodPage[DrivingHours]:
    """Who drove too much in a day? For each vehicle the span of `within_hours` with the most
    driving, of the spans that end within the period (usually the last 7 days), where that is at
    least `hours`. The span may begin at any minute, not only at midnight."""
    frame = period_frame(DRIVING_HOURS, query, services.now(), usual=7 * DAY, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "since": since,
        "until": until,
        "looked_back_to": since - timedelta(hours=query.within_hours),
        "vehicle": query.vehicle,
        "driven_s_min": query.hours * 3600,
        "window_s": query.within_hours * 3600,
    }
    rows, cursor = read_answer(services.store, DRIVING_HOURS, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)
