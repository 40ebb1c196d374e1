"""What sensors measured, held against a band: fuel, temperature, battery. Upstream: raw telemetry,
through waystock.store.questions_sensor. Downstream: pages and programs.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import Field

from waystock.store.questions_sensor import (
    BAND_EPISODES,
    LATEST_MEASUREMENTS,
    BandEpisode,
    Measurement,
)
from waystock_api.asking import (
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

router = APIRouter(prefix="/measurements", tags=["measurements"])

USUAL = timedelta(days=1)
LONGEST = timedelta(days=31)
CLOCK_AHEAD = timedelta(minutes=5)
"""A value dated further ahead of our clock is not the newest, but wrongly dated."""
USUAL_LOWS = {"fuel_ratio": 0.1}
"""Measures whose lower limit goes without saying; master data knows none."""

Measure = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_]{1,64}$",
        description="name of the value with its unit, such as fuel_ratio, temperature_c, battery_v",
    ),
]
Bound = Annotated[float, Field(allow_inf_nan=False)]
Low = Annotated[Bound | None, Field(description="below this is out of band (fuel_ratio: 0.1)")]
High = Annotated[Bound | None, Field(description="above this is out of band")]
SensorSite = Annotated[str | None, Field(description="sensors fixed at this site")]


class LatestQuery(ListQuery):
    measure: Measure
    low: Low = None
    high: High = None
    out_of_band: Annotated[bool, Field(description="false: also those within the band")] = True
    within_minutes: Annotated[
        Minutes, Field(gt=0, description="values older than this are left out")
    ] = 24 * 60
    vehicle: VehicleFilter = None
    site: SensorSite = None


class EpisodeQuery(PeriodQuery):
    measure: Measure
    low: Low = None
    high: High = None
    minutes: Annotated[Minutes, Field(description="lasted for at least so long")] = 0
    gap_minutes: Annotated[
        Minutes, Field(gt=0, description="a silence longer than this ends an episode")
    ] = 30
    vehicle: VehicleFilter = None
    site: SensorSite = None


@router.get("/latest")
def list_latest(
    services: ServicesOfApp, query: Annotated[LatestQuery, Query()]
) -> InstantPage[Measurement]:
    """What is out of band now: who is low on fuel, which cold room is too warm? The newest value of
    `measure` from each sensor that is below `low` or above `high`."""
    low, high = _band(query.measure, query.low, query.high, needed=query.out_of_band)
    frame = instant_frame(LATEST_MEASUREMENTS, query, None, services.now())
    at = frame.instants[0]
    asked: dict[str, object] = {
        "measure": query.measure,
        "low": low,
        "high": high,
        "out_of_band": query.out_of_band,
        "at": at,
        "since": at - timedelta(minutes=query.within_minutes),
        "until": at + CLOCK_AHEAD,
        "vehicle": query.vehicle,
        "site": query.site,
    }
    rows, cursor = read_answer(services.store, LATEST_MEASUREMENTS, frame, asked, query.limit)
    return InstantPage(items=rows, next=cursor, at=at)


@router.get("/episodes")
def list_episodes(
    services: ServicesOfApp, query: Annotated[EpisodeQuery, Query()]
) -> PeriodPage[BandEpisode]:
    """When was something out of band, and for how long? Spells of one sensor from its first value
    outside the band to the next one inside, of at least `minutes`, within the period (usually the
    last 24 hours, at most 31 days). A spell under way at the period's start counts from there; one
    that ends in silence counts to the last value before it."""
    low, high = _band(query.measure, query.low, query.high, needed=True)
    frame = period_frame(BAND_EPISODES, query, services.now(), usual=USUAL, longest=LONGEST)
    since, until = frame.instants
    asked: dict[str, object] = {
        "measure": query.measure,
        "low": low,
        "high": high,
        "since": since,
        "until": until,
        "gap_s": query.gap_minutes * 60,
        "lasted_s_min": query.minutes * 60,
        "vehicle": query.vehicle,
        "site": query.site,
    }
    rows, cursor = read_answer(services.store, BAND_EPISODES, frame, asked, query.limit)
    return PeriodPage(items=rows, next=cursor, since=since, until=until)


def _band(
    measure: str, low: float | None, high: float | None, *, needed: bool
) -> tuple[float | None, float | None]:
    if low is None and high is None:
        low = USUAL_LOWS.get(measure)
        if low is None and needed:
            raise HTTPException(
                422, f"low: give low, high or both; {measure} has no band that goes without saying"
            )
    if low is not None and high is not None and low >= high:
        raise HTTPException(422, "low: must be less than high")
    return low, high
