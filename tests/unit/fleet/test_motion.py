"""Trips and stops that a dispatcher can bill and argue with."""

import random
from collections.abc import Sequence

import pytest

from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Derived, Fix, fold

from .tracks import at, clock, drive, fix

PLAN = FleetPlan.build([], [])


def derive(fixes: Sequence[Fix]) -> Derived:
    return fold("v1", NOTHING_KNOWN, fixes, PLAN)[1]


def closed(derived: Derived) -> list[tuple[object, object]]:
    return [(trip.started_at, trip.ended_at) for trip in derived.trips if trip.ended_at]


def test_a_three_kilometre_trip_starts_at_its_first_leg_and_ends_where_it_stopped() -> None:
    metres = [0, 0, 0, 1000, 2000, 3000, 3000, 3000, 3000]
    derived = derive([fix(at(60 * i), m) for i, m in enumerate(metres)])
    (trip,) = derived.trips
    assert (trip.started_at, trip.ended_at) == (clock("00:02"), clock("00:05"))
    assert trip.distance_m == pytest.approx(3000, rel=1e-6)
    assert derived.stops[-1].arrived_at == clock("00:05")
    assert derived.stops[-1].departed_at is None


def test_a_stop_is_stamped_at_arrival_though_it_is_known_three_minutes_later() -> None:
    fixes = drive(600, 15.0) + drive(400, 0.0, from_s=600, from_m=9000, noise_m=4.0)
    derived = derive(fixes)
    (trip,) = derived.trips
    assert trip.ended_at is not None
    assert abs((trip.ended_at - at(600)).total_seconds()) <= 3
    assert trip.distance_m == pytest.approx(9000, abs=60)
    assert derive(fixes[: 600 + 170]).trips[0].ended_at is None


def test_a_truck_that_waits_at_the_gate_and_then_docks_has_arrived_at_the_gate() -> None:
    gate = drive(300, 15.0) + drive(120, 0.0, from_s=300, from_m=4500)
    dock = drive(30, 5.0, from_s=420, from_m=4500) + drive(300, 0.0, from_s=450, from_m=4650)
    (trip,) = derive(gate + dock).trips
    assert trip.ended_at is not None
    assert abs((trip.ended_at - at(300)).total_seconds()) <= 3


def test_the_next_trip_starts_at_the_dock_it_left_not_at_the_gate_it_came_through() -> None:
    arrive = drive(300, 15.0) + drive(240, 0.0, from_s=300, from_m=4500)
    shunt = drive(30, 5.0, from_s=540, from_m=4500) + drive(3000, 0.0, from_s=570, from_m=4650)
    leave = drive(300, 15.0, from_s=3570, from_m=4650)
    trips = derive(arrive + shunt + leave).trips
    assert [round((trip.started_at - at(0)).total_seconds()) for trip in trips] == pytest.approx(
        [0, 3570], abs=3
    )


def test_a_long_silence_ends_the_trip_at_its_last_fix() -> None:
    before = [fix(at(60 * i), 900.0 * i) for i in range(6)]
    after = [fix(at(300 + 3601 + 60 * i), 20_000 + 900.0 * i) for i in range(6)]
    derived = derive(before + after)
    assert [trip.ended_at for trip in derived.trips] == [at(300), None]
    assert derived.trips[0].distance_m == pytest.approx(4500, rel=1e-6)
    assert derived.trips[1].started_at == at(3901)
    assert derived.trips[1].distance_m == pytest.approx(4500, rel=1e-6)


def test_a_silence_shorter_than_an_hour_on_the_road_does_not_split_the_trip() -> None:
    before = [fix(at(60 * i), 900.0 * i) for i in range(6)]
    after = [fix(at(300 + 3000 + 60 * i), 40_000 + 900.0 * i) for i in range(6)]
    (trip,) = derive(before + after).trips
    assert trip.distance_m == pytest.approx(44_500, rel=1e-6)


@pytest.mark.parametrize("hours", [0.5, 2.0])
@pytest.mark.parametrize("exit_m", [0.0, 60.0, 280.0])
def test_parking_underground_keeps_two_trips(hours: float, exit_m: float) -> None:
    down = drive(600, 12.0, noise_m=3.0)
    up_s = 600 + hours * 3600
    up = drive(600, 12.0, from_s=up_s, from_m=7200 + exit_m, noise_m=3.0, seed=2)
    derived = derive(down + up)
    assert len(derived.trips) == 2
    assert derived.trips[0].ended_at is not None
    assert abs((derived.trips[0].ended_at - at(599)).total_seconds()) <= 3
    assert abs((derived.trips[1].started_at - at(up_s)).total_seconds()) <= 3
    # Noise of 3 m a second lengthens the sum of legs by some per cent; it does not add the gap.
    assert derived.trips[1].distance_m == pytest.approx(7200, rel=0.08)


@pytest.mark.parametrize("every_s", [10, 60])
@pytest.mark.parametrize("seed", range(4))
def test_a_parked_vehicle_that_drifts_for_a_day_makes_no_trip(every_s: int, seed: int) -> None:
    chance = random.Random(seed)
    east = north = 0.0
    fixes: list[Fix] = []
    for i in range(86_400 // every_s):
        # A wander pulled back to the truth, as reflections make it: 40 m of standard deviation.
        pull, kick = every_s / 300, 40 * (2 * every_s / 300) ** 0.5
        east += -pull * east + chance.gauss(0, kick)
        north += -pull * north + chance.gauss(0, kick)
        fixes.append(fix(at(i * every_s), east, north))
    derived = derive(fixes)
    assert derived.trips == []
    assert len(derived.stops) == 1


def test_one_stray_fix_makes_no_trip() -> None:
    parked = [fix(at(10 * i), 0.0) for i in range(60)]
    parked[30] = fix(at(300), 450.0)
    assert derive(parked).trips == []


def test_a_three_hundred_metre_move_between_two_rests_is_a_trip() -> None:
    metres = [0, 0, 0, 0, 300, 300, 300, 300, 300]
    derived = derive([fix(at(60 * i), m) for i, m in enumerate(metres)])
    assert closed(derived) == [(clock("00:03"), clock("00:04"))]


def test_a_queue_that_creeps_half_a_kilometre_is_a_trip_at_last() -> None:
    fixes: list[Fix] = []
    for step in range(25):
        fixes += drive(90, 0.0, from_s=100 * step, from_m=40.0 * step)
    trips = derive(fixes).trips
    assert len(trips) == 1


def test_trackers_that_report_every_ten_minutes_make_trips_too() -> None:
    metres = [0, 0, 0, 8000, 16_000, 16_000, 16_000]
    derived = derive([fix(at(600 * i), m) for i, m in enumerate(metres)])
    assert closed(derived) == [(at(1200), at(2400))]


def test_a_fix_that_would_need_flying_is_left_out_and_said() -> None:
    fixes = drive(120, 15.0)
    fixes[60] = fix(at(60), 50_000)
    derived = derive(fixes)
    assert [(skip.time, skip.mark) for skip in derived.skipped] == [(at(60), "teleport")]
    assert derived.trips[0].distance_m == pytest.approx(119 * 15, rel=1e-6)


def test_a_first_fix_that_was_wrong_does_not_shut_out_all_the_others() -> None:
    derived = derive([fix(at(0), 900_000), *drive(300, 15.0, from_s=1)])
    assert len(derived.skipped) == 2
    assert derived.progress is not None
    assert derived.progress.at == at(300)
    (trip,) = derived.trips
    assert trip.distance_m == pytest.approx(297 * 15, rel=1e-6)


def test_fixes_from_the_future_and_hopeless_ones_are_left_out_and_said() -> None:
    captured = at(0)
    future = Fix(at(90_000), 31.2, 121.0, None, None, None, captured)
    derived = derive([fix(at(0), 0.0), fix(at(1), 0.0, accuracy_m=201.0), future])
    assert [skip.mark for skip in derived.skipped] == ["low_accuracy", "future_time"]
    assert derived.progress is not None
    assert derived.progress.at == at(0)


def test_before_two_hundred_metres_are_driven_motion_is_what_the_device_says_or_unknown() -> None:
    quiet = derive([fix(at(0), 0.0)]).progress
    told = derive([fix(at(0), 0.0, speed_mps=12.0)]).progress
    assert quiet is not None
    assert told is not None
    assert (quiet.motion, told.motion) == ("unknown", "moving")


def test_no_fixes_give_nothing_and_change_nothing() -> None:
    known, _ = fold("v1", NOTHING_KNOWN, drive(60, 15.0), PLAN)
    state, derived = fold("v1", known, [], PLAN)
    assert state == known
    assert derived.progress is None
    assert fold("v1", NOTHING_KNOWN, [], PLAN)[1].progress is None
