"""Arrival predictions that learn: from the past alone, and enough to be worth it."""

import numpy as np
import pytest

from waystock.fleet.arrival_forecast import Predictions, forecast
from waystock.fleet.eta_score import score
from waystock.fleet.fixes import FixColumns
from waystock.fleet.lane_baselines import baseline
from waystock.fleet.lane_trips import LaneTrips, lane_trips, median_of
from waystock_demo.bench.eta import lane_of
from waystock_demo.bench.made_up_lanes import BUS

START_S = 1_772_409_600.0
STOP_M = 600.0
METRE = 1 / 111_200.0


@pytest.fixture(scope="module")
def lane() -> LaneTrips:
    return lane_of(11, BUS, days=1)


def _drive(mps_by_trip: list[float], stay_s: float = 30.0, stops: int = 6) -> LaneTrips:
    """Trips an hour apart along a meridian, each at its own speed, a fix every 10 s."""
    rows: list[tuple[int, float, float]] = []
    arrivals: list[tuple[str, str, float, float]] = []
    for trip, mps in enumerate(mps_by_trip):
        at_s = START_S + trip * 3600.0
        for stop in range(stops):
            leg_s = STOP_M / mps if stop else 0.0
            came_s = at_s + leg_s
            way = np.arange(at_s, came_s + (stay_s if stop < stops - 1 else 0.1), 10.0)
            part = np.minimum(1.0, (way - at_s) / leg_s) if leg_s else np.ones(len(way))
            along = (max(0, stop - 1) + part * (stop > 0)) * STOP_M
            rows += [(trip, float(s), float(m)) for s, m in zip(way, along, strict=True)]
            arrivals.append((f"t{trip}", f"s{stop}", stop * STOP_M, came_s))
            at_s = came_s + stay_s
    numbers, seconds, along_m = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.full(len(rows), np.nan)
    time_us = (seconds * 1e6).astype(np.int64)
    fixes = FixColumns(
        [f"t{trip}" for trip in range(len(mps_by_trip))],
        numbers.astype(np.int32),
        time_us,
        time_us,
        45 + along_m * METRE,
        np.full(len(rows), 7.0),
        *(nothing,) * 3,
    )
    trip, stop, stop_m, came_s = zip(*arrivals, strict=True)
    lats = 45 + np.array(stop_m) * METRE
    us = (np.array(came_s) * 1e6).astype(np.int64)
    return lane_trips(fixes, trip, stop, lats, np.full(len(lats), 7.0), us)


def _by_place(made: Predictions) -> dict[tuple[int, int], tuple[float, ...]]:
    columns = (made.p10, made.p50, made.p90, made.told)
    places = zip(made.fix.tolist(), made.visit.tolist(), strict=True)
    values = zip(*(column.tolist() for column in columns), strict=True)
    return dict(zip(places, values, strict=True))


def test_no_prediction_knows_what_came_after_its_fix(lane: LaneTrips) -> None:
    now_s = float(np.median(lane.fix_s))
    rng = np.random.default_rng(1)
    late = lane.visit_s + np.where(lane.visit_s > now_s, 47.0, 0.0)
    moved = lane.fix_s > now_s
    other = lane._replace(
        visit_s=late,
        fix_lat=lane.fix_lat + np.where(moved, rng.normal(0, 0.01, len(moved)), 0.0),
    )
    before, after = _by_place(forecast(lane)), _by_place(forecast(other))
    past = [key for key in before.keys() & after.keys() if lane.fix_s[key[0]] <= now_s]
    assert len(past) > 1000
    assert all(before[key] == after[key] for key in past)
    assert any(before[key] != after[key] for key in before.keys() & after.keys())


def test_what_was_learned_is_worth_half_as_much_again_as_a_constant_speed(lane: LaneTrips) -> None:
    ours, constant = forecast(lane), baseline(lane, is_straight=False)
    now_s, arrived_s = lane.fix_s[ours.fix], lane.visit_s[ours.visit]
    learned = score(now_s, ours.told, arrived_s).overall or 0.0
    assert learned > 0.75
    assert learned > 1.5 * (score(now_s, constant.told, arrived_s).overall or 1.0)


def test_the_range_holds_most_of_what_came(lane: LaneTrips) -> None:
    made = forecast(lane)
    arrived_s = lane.visit_s[made.visit]
    assert (made.p10 <= made.p50).all()
    assert (made.p50 <= made.p90).all()
    assert 0.6 < ((arrived_s >= made.p10) & (arrived_s <= made.p90)).mean() < 0.95


def test_a_line_that_runs_like_clockwork_is_predicted_to_the_second_or_so() -> None:
    trips = _drive([8.0] * 8)
    made = forecast(trips)
    last = trips.fix_trip[made.fix] == 7
    error_s = np.abs(made.p50 - trips.visit_s[made.visit])[last]
    assert np.median(error_s) < 10


def test_a_trip_that_crawls_is_expected_later_than_its_lane() -> None:
    trips = _drive([8.0] * 8 + [4.0])
    made = forecast(trips)
    far = (trips.fix_trip[made.fix] == 8) & (made.visit == len(trips.visit_s) - 1)
    left_at_lane_speed_s = (5 * STOP_M - (trips.fix_lat[made.fix] - 45) / METRE) / 8.0
    halfway = far & (trips.fix_lat[made.fix] > 45 + 2 * STOP_M * METRE)
    assert halfway.any()
    away_s = made.p50 - trips.fix_s[made.fix]
    assert (away_s[halfway] > 1.1 * left_at_lane_speed_s[halfway]).mean() > 0.9


def test_the_very_first_trip_has_predictions_too() -> None:
    made = forecast(_drive([8.0]))
    assert len(made.fix) > 100
    assert all(np.isfinite(column).all() for column in made)


def test_a_trip_that_leaves_stops_out_learns_from_those_that_call_there() -> None:
    trips = _drive([8.0] * 6, stay_s=240.0)
    kept = np.ones(len(trips.visit_s), np.bool_)
    kept[[-4, -3]] = False
    made = forecast(_planned(trips, kept))
    last = made.visit == kept.sum() - 1
    error_s = np.abs(made.p50 - trips.visit_s[-1])[last]
    assert last.any()
    assert np.median(error_s) < 20


def test_the_last_minutes_of_a_long_winding_road_are_told_by_place() -> None:
    """Hairpins of 700 m over 60 km; each trip stood for another time on the way."""
    way_m = np.arange(0.0, 60_000.0, 10.0)
    east_m = 700 * np.sin(way_m / 300)
    along_m = np.cumsum(np.hypot(np.gradient(way_m), np.gradient(east_m)))
    begin = (np.arange(5) * 1e5 + START_S)[:, None]
    stood_s = np.array([0.0, 1500.0, 300.0, 2400.0, 900.0])[:, None]
    seconds = begin + along_m / 20.0 + stood_s * (way_m > 30_000)
    kept = np.s_[:, ::3]
    lat, lon = 45 + way_m * METRE, 7 + east_m * METRE / np.cos(np.pi / 4)
    shape = seconds[kept].shape
    numbers = np.repeat(np.arange(5, dtype=np.int32), shape[1])
    us = (seconds[kept] * 1e6).astype(np.int64).reshape(-1)
    nothing = np.full(len(us), np.nan)
    names = [f"t{trip}" for trip in range(5)]
    lats, lons = (np.tile(column[::3], 5) for column in (lat, lon))
    fixes = FixColumns(names, numbers, us, us, lats, lons, *(nothing,) * 3)
    ends = [0, -1]
    came_us = (seconds[:, ends].reshape(-1) * 1e6).astype(np.int64)
    stops = np.tile(lat[ends], 5), np.tile(lon[ends], 5)
    trips = lane_trips(fixes, [n for n in names for _ in ends], ["a", "b"] * 5, *stops, came_us)
    made = forecast(trips)
    last = trips.fix_trip[made.fix] == 4
    assert last.sum() > 100
    assert np.abs(made.p50 - trips.visit_s[made.visit])[last].max() < 60


def test_the_same_name_at_another_place_is_another_stop() -> None:
    trips = _drive([8.0] * 2)
    far = np.arange(len(trips.visit_s)) >= trips.visit_first[1]
    there = _planned(trips, np.ones(len(far), np.bool_), moved_deg=far * 1.0)
    assert there.legs == 2 * trips.legs


def _planned(trips: LaneTrips, kept: np.ndarray, moved_deg: np.ndarray | float = 0.0) -> LaneTrips:
    """The same trips with another plan."""
    nothing = np.full(len(trips.fix_s), np.nan)
    time_us = (trips.fix_s * 1e6).astype(np.int64)
    names = [f"t{trip}" for trip in range(len(trips.fix_first) - 1)]
    places = (trips.fix_lat, trips.fix_lon)
    fixes = FixColumns(names, trips.fix_trip, time_us, time_us, *places, *(nothing,) * 3)
    seq = np.arange(len(trips.visit_s)) - trips.visit_first[trips.visit_trip]
    return lane_trips(
        fixes,
        [names[trip] for trip in trips.visit_trip[kept]],
        [f"s{stop}" for stop in seq[kept]],
        (trips.visit_lat + moved_deg)[kept],
        trips.visit_lon[kept],
        (trips.visit_s[kept] * 1e6).astype(np.int64),
    )


def test_a_stray_fix_does_not_throw_the_prediction() -> None:
    trips = _drive([8.0] * 6)
    stray = int(trips.fix_first[5]) + 20
    thrown = trips._replace(fix_lat=trips.fix_lat.copy())
    thrown.fix_lat[stray] += 0.5
    kept = _by_place(forecast(trips))
    found = {key: at for key, at in _by_place(forecast(thrown)).items() if key[0] > stray}
    assert found
    assert all(abs(at[1] - kept[key][1]) < 60 for key, at in found.items())


@pytest.mark.parametrize(
    ("left_s", "error_s", "is_right"),
    [
        (180, -30, True),
        (180, -31, False),
        (180, 90, True),
        (180, 91, False),
        (181, -60, True),
        (360, 151, False),
        (600, 210, True),
        (600, -61, False),
        (900, -90, True),
        (900, 271, False),
    ],
)
def test_a_prediction_is_right_within_the_limits_of_its_bucket(
    left_s: float, error_s: float, is_right: bool
) -> None:
    """`error_s` below 0: the vehicle came earlier than predicted, which is forgiven less."""
    found = score(np.array([0.0]), np.array([left_s - error_s]), np.array([left_s]))
    assert found.overall == float(is_right)
    assert found.mae_s == abs(error_s)


def test_the_score_is_the_mean_of_the_buckets_that_have_predictions() -> None:
    left_s = np.array([100.0, 100.0, 100.0, 700.0, 2000.0])
    found = score(np.zeros(5), left_s + np.array([0, 0, 500, 500, 0]), left_s)
    assert found.buckets == {"0-3": pytest.approx(2 / 3), "10-15": 0.0}
    assert found.overall == pytest.approx(1 / 3)
    assert found.n == 4


def test_no_prediction_is_no_score_rather_than_a_good_one() -> None:
    nothing = np.empty(0)
    assert score(nothing, nothing, nothing).overall is None


def test_a_weighted_median_leans_to_what_weighs_more() -> None:
    values = np.array([30.0, 10.0, 20.0])
    assert median_of(values, np.ones(3), 3) == 20.0
    assert median_of(values, np.array([1.0, 0.01, 0.01]), 3) > 29.0
    assert np.isnan(median_of(values, np.ones(3), 0))
