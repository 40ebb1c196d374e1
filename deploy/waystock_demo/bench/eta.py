"""How good predictions of arrivals are on made-up lanes with traffic, beside a constant speed and a
straight line, by the transit benchmark. No database. Each lane is scored by itself.
"""

from statistics import mean

import numpy as np

from waystock.fleet.arrival_forecast import forecast
from waystock.fleet.eta_score import score
from waystock.fleet.fixes import FixColumns
from waystock.fleet.lane_baselines import baseline
from waystock.fleet.lane_trips import LaneTrips, lane_trips
from waystock_demo.bench.made_up_lanes import BUS, TRUCK, Arrival, Fix, Kind, Lane
from waystock_demo.bench.made_up_lines import LINES, Line
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult

DAYS = 3
OTHER_DAYS = 2
"""Of lines of other habits, one of each."""
LANES = 4
"""Of buses; and half as many of trucks."""


def run(options: BenchOptions) -> BenchResult:
    """Mean of the lanes' scores; the limit is the way left at a constant speed. `--events` is the
    number of lanes of buses. `others_…`: lines of another generator."""
    buses = options.events or LANES
    kinds = [BUS] * buses + [TRUCK] * (buses // 2)
    scores = [_scores(lane_of(seed, kind)) for seed, kind in enumerate(kinds)]
    means = {name: mean(one[name] for one in scores) for name in scores[0]}
    details: dict[str, float | str | list[float]] = {"lanes_of_buses": buses, "days": DAYS, **means}
    details |= {f"buses_{name}": mean(one[name] for one in scores[:buses]) for name in means}
    others = [
        _scores(columns_of(*Line("line", habits, seed).run(OTHER_DAYS)))
        for seed, habits in enumerate(LINES)
    ]
    details |= {f"others_{name}": mean(one[name] for one in others) for name in means}
    return BenchResult(
        name="eta",
        ours=means["learned"],
        limit=means["constant"],
        ratio=means["learned"] / means["constant"],
        unit="transit benchmark score (limit: the way left at the mean speed)",
        details=details,
    )


def lane_of(seed: int, kind: Kind, days: int = DAYS) -> LaneTrips:
    """A made-up lane's trips as the forecast takes them."""
    return columns_of(*Lane("lane", kind, seed).run(days))


def columns_of(fixes: list[Fix], arrivals: list[Arrival]) -> LaneTrips:
    """What a generator made, as the forecast takes it."""
    trips = sorted({fix.trip for fix in fixes})
    numbers = {trip: number for number, trip in enumerate(trips)}
    time_us = np.array([fix.time_s * 1e6 for fix in fixes], np.int64)
    unknown = np.full(len(fixes), np.nan)
    return lane_trips(
        FixColumns(
            trips,
            np.array([numbers[fix.trip] for fix in fixes], np.int32),
            time_us,
            time_us,
            np.array([fix.lat for fix in fixes]),
            np.array([fix.lon for fix in fixes]),
            unknown,
            unknown,
            unknown,
        ),
        [one.trip for one in arrivals],
        [one.stop for one in arrivals],
        np.array([one.lat for one in arrivals]),
        np.array([one.lon for one in arrivals]),
        np.array([one.time_s * 1e6 for one in arrivals], np.int64),
    )


def _scores(trips: LaneTrips) -> dict[str, float]:
    ours = forecast(trips)
    constant, straight = (baseline(trips, is_straight=one) for one in (False, True))
    now_s, arrived_s = trips.fix_s[ours.fix], trips.visit_s[ours.visit]
    predicted = {
        "learned": ours.told,
        "learned_p50": ours.p50,
        "constant": constant.told,
        "straight": straight.told,
    }
    found = {name: score(now_s, at_s, arrived_s).overall or 0.0 for name, at_s in predicted.items()}
    within = (arrived_s >= ours.p10) & (arrived_s <= ours.p90)
    return found | {"within_p10_p90": float(within.mean())}
