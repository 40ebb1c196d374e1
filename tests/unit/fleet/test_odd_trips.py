"""Recordings as they come: trips that end before they are seen, call twice at a stop, are at two
places at one instant, or alone in their file. Each is predicted, and from the past."""

import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waystock.fleet.arrival_forecast import Predictions, forecast
from waystock.fleet.fixes import FixColumns
from waystock.fleet.lane_baselines import baseline
from waystock.fleet.lane_trips import LaneTrips, lane_trips

BEGIN_S = 1_772_409_600
TRIPS = ["a", "b", "c"]
INSTANTS = st.sampled_from([0, 0, 1, 7, 60, 61, 600, 899, 900, 5_000, 90_000])
PLACES = st.sampled_from([-89.99, 0.0, 45.0, 45.0, 45.001, 45.01, 46.0])
LONGITUDES = st.sampled_from([-180.0, -179.999, 7.0, 7.0, 7.001, 8.0, 180.0])
FIXES = st.lists(st.tuples(st.integers(0, 2), INSTANTS, PLACES, LONGITUDES), max_size=25)
ARRIVALS = st.lists(
    st.tuples(st.sampled_from(TRIPS), st.sampled_from("pqr"), INSTANTS, PLACES, LONGITUDES),
    max_size=12,
)
Fixes = list[tuple[int, int, float, float]]
Arrivals = list[tuple[str, str, int, float, float]]


def trips_of(fixes: Fixes, arrivals: Arrivals) -> LaneTrips:
    device, second, lat, lon = (np.array([row[at] for row in fixes]) for at in range(4))
    time_us = (second.astype(np.int64) + BEGIN_S) * 1_000_000
    unknown = np.full(len(fixes), math.nan)
    columns = FixColumns(
        TRIPS,
        device.astype(np.int32),
        time_us,
        time_us,
        lat.astype(np.float64),
        lon.astype(np.float64),
        unknown,
        unknown,
        unknown,
    )
    return lane_trips(
        columns,
        [row[0] for row in arrivals],
        [row[1] for row in arrivals],
        np.array([row[3] for row in arrivals], np.float64),
        np.array([row[4] for row in arrivals], np.float64),
        (np.array([row[2] for row in arrivals], np.int64) + BEGIN_S) * 1_000_000,
    )


def check(trips: LaneTrips, made: Predictions) -> None:
    """Every prediction is an instant, at or after its fix, of a stop that was still ahead."""
    now_s = trips.fix_s[made.fix]
    for told in (made.p10, made.p50, made.p90, made.told):
        assert np.isfinite(told).all()
        assert (told >= now_s).all()
    assert (made.p10 <= made.p50).all()
    assert (made.p50 <= made.p90).all()
    assert (trips.visit_s[made.visit] > now_s).all()
    assert (trips.visit_trip[made.visit] == trips.fix_trip[made.fix]).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIXES, ARRIVALS)
def test_odd_trips_cost_no_prediction_of_the_others(fixes: Fixes, arrivals: Arrivals) -> None:
    trips = trips_of(fixes, arrivals)
    learned = forecast(trips)
    check(trips, learned)
    for is_straight in (True, False):
        plain = baseline(trips, is_straight=is_straight)
        check(trips, plain)
        assert len(plain.fix) == len(learned.fix)


def test_fixes_that_say_the_same_again_are_counted() -> None:
    fixes: Fixes = [(0, 0, 45.0, 7.0), (0, 0, 45.0, 7.0), (0, 0, 45.001, 7.0), (1, 0, 45.0, 7.0)]
    arrivals: Arrivals = [(trip, "p", 60, 45.01, 7.0) for trip in TRIPS]
    trips = trips_of([*fixes, fixes[0]], arrivals)
    assert (len(trips.fix_s), trips.repeated) == (3, 2)


def test_a_trip_alone_in_its_file_is_predicted_by_its_own_pace() -> None:
    """Nothing is known of the road; after two legs at 5 m/s it is expected to go on so."""
    fixes: Fixes = [(0, 10 * step, 45.0 + 50 * step / 111_200, 7.0) for step in range(70)]
    arrivals: Arrivals = [
        ("a", f"s{stop}", 120 * stop, 45.0 + 600 * stop / 111_200, 7.0) for stop in range(1, 6)
    ]
    trips = trips_of(fixes, arrivals)
    made = forecast(trips)
    check(trips, made)
    last = (made.visit == 4) & (trips.fix_s[made.fix] > BEGIN_S + 300)
    off_s = made.p50[last] - trips.visit_s[4]
    assert np.abs(off_s).max() < 60
