"""False events at a fence's edge: trucks that park within 15 m of it all day, and trucks that come
and go, under skies from clear to bad, through the fold in the order of the fixes. No database.

An event is the beginning or the end of a visit; those beyond one visit per stay that really was in
the fence are false. A stay is missed if no visit overlaps it; how late it is told counts from the
first fix that lay inside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import mean, median
from typing import NamedTuple

import numpy as np

from waystock.contract.masterdata import Fence
from waystock.fleet.fixes import TrackFixes
from waystock.fleet.fold import fold_tracks
from waystock.fleet.geodesy import metres_per_degree
from waystock.fleet.plan import FleetPlan, instant_us
from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import VISIT
from waystock.fleet.state import nothing_known
from waystock_demo.bench.edge_day import EVERY_S, FENCE_M, SKIES, EdgeDay
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult

DAYS = 60
"""Of each sky, parked; and as many of comings and goings."""
STAYS = 6
FALSE_PER_DAY_MAX = 5.0
START = datetime(2026, 11, 23, tzinfo=UTC)
LAT, LON = 45.0, 5.0


class Visit(NamedTuple):
    """In seconds of the day; the last is when it was first told."""

    start_s: float
    end_s: float
    told_s: float


class _Day(NamedTuple):
    false: int
    missed: int
    stays: int
    told_after_s: list[float]


def run(options: BenchOptions) -> BenchResult:
    """The worst of all parked days, beside the five false events that a day may have."""
    count = options.events or DAYS
    details: dict[str, float | str | list[float]] = {"days_of_each_kind": count}
    worst = 0.0
    missed = stays = 0
    for name, sky in SKIES.items():
        parked = [EdgeDay(seed, sky, 1) for seed in range(count)]
        judged = _judged(parked)
        details[f"{name}_parked_raw_per_day"] = mean(day.raw_crossings() for day in parked)
        details[f"{name}_parked_false_per_day"] = mean(day.false for day in judged)
        details[f"{name}_parked_false_worst_day"] = max(day.false for day in judged)
        worst = max(worst, *(day.false for day in judged))
        busy = _judged([EdgeDay(1000 + seed, sky, STAYS) for seed in range(count)])
        late_s = [one for day in busy for one in day.told_after_s]
        details[f"{name}_busy_false_per_day"] = mean(day.false for day in busy)
        details[f"{name}_busy_false_worst_day"] = max(day.false for day in busy)
        details[f"{name}_busy_told_after_s_p50"] = median(late_s)
        details[f"{name}_busy_told_after_s_p95"] = float(np.percentile(late_s, 95))
        missed += sum(day.missed for day in (*judged, *busy))
        stays += sum(day.stays for day in (*judged, *busy))
    return BenchResult(
        name="flapping",
        ours=worst,
        limit=FALSE_PER_DAY_MAX,
        ratio=worst / FALSE_PER_DAY_MAX,
        unit="false events on the worst day of a truck parked within 15 m of an edge (limit: five)",
        details={**details, "stays": stays, "missed": missed},
    )


def _judged(days: Sequence[EdgeDay]) -> list[_Day]:
    return [_judge(day, visits) for day, visits in zip(days, _fold(days), strict=True)]


def _judge(day: EdgeDay, visits: Sequence[Visit]) -> _Day:
    right: set[int] = set()
    told_after_s: list[float] = []
    for start_s, end_s in day.inside:
        met = [
            place
            for place, visit in enumerate(visits)
            if visit.start_s < end_s and visit.end_s > start_s
        ]
        if met:
            first = visits[met[0]]
            right.add(met[0])
            told_after_s.append(first.told_s - first.start_s)
    missed = len(day.inside) - len(told_after_s)
    last_s = day.fixes[-1].second
    events = sum(1 + (visit.end_s < last_s) for visit in visits)
    true = sum(1 + (visits[place].end_s < last_s) for place in right)
    return _Day(events - true, missed, len(day.inside), told_after_s)


def _fold(days: Sequence[EdgeDay]) -> list[list[Visit]]:
    """All trucks together, one step of the receivers after the other."""
    plan = FleetPlan.build([_fence()], [])
    shipments = plan.shipments_of([f"v{truck}" for truck in range(len(days))])
    fixes = _fixes(days)
    states = nothing_known(len(days))
    known: list[dict[int, Visit]] = [{} for _ in days]
    order = np.argsort(fixes.time_us, kind="stable")
    bounds = np.flatnonzero(np.diff(fixes.time_us[order], prepend=-1, append=-1))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        piece = fixes.take(order[first:end])
        output = fold_tracks(states, piece, shipments, plan)
        states = output.states
        now_s = _seconds(int(piece.time_us[0]))
        for row in output.rows[output.rows["kind"] == VISIT]:
            mine, begin_us = known[int(row["track"])], int(row["begin_us"])
            told_s = mine[begin_us].told_s if begin_us in mine else now_s
            is_open = int(row["end_us"]) == UNKNOWN_US
            end_s = float("inf") if is_open else _seconds(int(row["end_us"]))
            mine[begin_us] = Visit(_seconds(begin_us), end_s, told_s)
    return [[mine[begin_us] for begin_us in sorted(mine)] for mine in known]


def _seconds(us: int) -> float:
    return (us - instant_us(START)) / 1e6


def _fence() -> Fence:
    per_lon, per_lat = metres_per_degree(LAT)
    west, east = LON - FENCE_M / per_lon, LON
    south, north = (LAT + side * FENCE_M / 2 / per_lat for side in (-1, 1))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return Fence(fence="yard", name={"en": "yard"}, kind="site", geometry=geometry)


def _fixes(days: Sequence[EdgeDay]) -> TrackFixes:
    per_lon, per_lat = metres_per_degree(LAT)
    seen = [(truck, *fix) for truck, day in enumerate(days) for fix in day.fixes]
    columns = np.array(seen, np.float64).T
    time_us = instant_us(START) + (columns[1] / EVERY_S).astype(np.int64) * EVERY_S * 1_000_000
    return TrackFixes(
        columns[0].astype(np.int32),
        time_us,
        time_us,
        LAT + columns[3] / per_lat,
        LON + columns[2] / per_lon,
        columns[4],
        np.full(len(time_us), np.nan),
        columns[5],
    )
