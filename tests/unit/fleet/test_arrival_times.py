"""Arrival times that a control tower can act on: late trucks show early, red lights don't."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from waystock.contract.masterdata import Shipment
from waystock.fleet.alert_rows import Episode
from waystock.fleet.derived import MODELS
from waystock.fleet.eta import forecast, step_pace
from waystock.fleet.plan import FleetPlan
from waystock.fleet.records import dtype_of, row
from waystock.fleet.replay import NOTHING_KNOWN, Derived, Fix, Position, fold
from waystock.fleet.rows import Step
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Pace

from .tracks import LAT, at, drive, fix, lat_of, lon_of, shipment, square

S = FleetSettings()
RULES = S.as_record()
FENCES = [square("depot", 0.0), square("customer", 20_000.0, kind="customer")]
EDGE_M = 19_850.0


def derive(fixes: list[Fix], *shipments: Shipment) -> Derived:
    plan = FleetPlan.build(FENCES, shipments)
    return fold("v1", NOTHING_KNOWN, fixes, plan)[1]


def progress(fixes: list[Fix], *shipments: Shipment) -> Position:
    last = derive(fixes, *shipments).progress
    assert last is not None
    return last


def late(derived: Derived) -> list[Episode]:
    return [row for row in derived.episodes if row.type == "shipment.late_predicted"]


def test_a_truck_at_the_planned_pace_is_expected_when_it_really_comes() -> None:
    plan = shipment(stops=[("customer", 1800.0)])
    for seconds in (30, 300, 900):
        last = progress(drive(seconds, 16.7, noise_m=3.0), plan)
        assert last.eta is not None
        assert abs((last.eta - at(EDGE_M / 16.7)).total_seconds()) < 45
        assert last.remaining_m == pytest.approx(EDGE_M - 16.7 * (seconds - 1), abs=30)
        assert (last.shipment, last.next_stop, last.window_end) == ("SH-1", 1, at(1800))
        assert last.late_s == (last.eta - at(1800)).total_seconds()


@pytest.mark.parametrize(("remaining_m", "slack_s"), [(4500, 60), (6000, 240), (10_000, 240)])
@pytest.mark.parametrize("speed_mps", [3.0, 4.0])
def test_a_truck_crawling_from_its_first_fix_is_called_late_within_half_a_minute(
    remaining_m: float, slack_s: float, speed_mps: float
) -> None:
    from_m = EDGE_M - remaining_m
    plan = shipment(stops=[("customer", 900 + remaining_m / 16.7 + slack_s)])
    crawl = drive(35, speed_mps, from_s=900, from_m=from_m, noise_m=2.0)
    (episode,) = late(derive(crawl, plan))
    assert episode.opened_at <= at(900 + 30)
    assert episode.cleared_at is None
    assert episode.figures["model"] == "pace"
    assert float(episode.figures["late_s"]) > S.late_open_s


@pytest.mark.parametrize("halt_s", [20, 60, 90])
@pytest.mark.parametrize("when_s", [0, 60, 400])
def test_a_truck_waiting_at_a_red_light_is_not_called_late(halt_s: int, when_s: int) -> None:
    plan = shipment(stops=[("customer", EDGE_M / 16.7 + 240)])
    fixes = drive(
        1200,
        lambda s: 0.0 if when_s <= s < when_s + halt_s else 16.0,
        from_m=2000.0,
        noise_m=2.0,
    )
    assert late(derive(fixes[:900], plan)) == []


def test_a_truck_that_stands_for_long_is_expected_to_stand_on() -> None:
    plan = shipment(stops=[("customer", 3600.0)])
    moving = drive(300, 16.7)
    before = progress(moving, plan)
    after = progress(moving + drive(600, 0.0, from_s=300, from_m=5010), plan)
    assert before.eta is not None
    assert after.eta is not None
    assert 1100 < (after.eta - before.eta).total_seconds() < 1300


def test_before_departure_the_planned_departure_counts_and_after_it_the_clock() -> None:
    plan = shipment(stops=[("customer", 9000.0)], depart_s=3600.0)
    parked = [fix(at(60 * i), 0.0) for i in range(90)]
    early, overdue = progress(parked[:30], plan), progress(parked, plan)
    drive_s = EDGE_M / 16.7
    assert early.eta is not None
    assert overdue.eta is not None
    assert (early.eta - at(3600)).total_seconds() == pytest.approx(drive_s, abs=5)
    # Half an hour overdue, and a quarter of an hour more to be expected.
    assert (overdue.eta - at(89 * 60)).total_seconds() == pytest.approx(drive_s + 900, abs=5)


def test_a_truck_off_its_route_still_has_the_way_back_before_it() -> None:
    plan = shipment(stops=[("customer", 3600.0)])
    on, off = drive(300, 16.7), drive(300, 16.7, north_m=1000.0, from_s=0)
    there, aside = progress(on, plan), progress(on[:-1] + off[-1:], plan)
    assert there.remaining_m is not None
    assert aside.remaining_m is None or aside.remaining_m > there.remaining_m - 20


def test_without_a_route_the_straight_line_and_a_detour_serve() -> None:
    plan = shipment(stops=[("customer", 3600.0)], route=())
    last = progress(drive(10, 0.0), plan)
    assert last.remaining_m == pytest.approx(20_000 * S.detour, rel=1e-3)
    assert last.eta is not None


def test_without_route_or_fence_nothing_is_promised() -> None:
    last = progress(drive(60, 15.0), shipment(stops=[("nowhere", 3600.0)], route=()))
    assert (last.shipment, last.eta, last.late_s) == ("SH-1", None, None)


def test_a_vehicle_without_a_shipment_has_no_arrival_time() -> None:
    last = progress(drive(60, 15.0))
    assert (last.shipment, last.eta, last.late_s) == (None, None, None)


def ahead(
    pace: tuple[float, float, float], remaining_m: float, trip_m: float, trip_s: float
) -> Any:
    """What is expected of a vehicle that is to drive `remaining_m` at 16.7 m/s."""
    step = np.zeros(1, dtype_of(Step))[0]
    forecast(step, row(Pace, pace)[0], remaining_m, 16.7, trip_m, trip_s, 0.0, RULES[0])
    return step


def test_quantiles_lie_around_the_middle_and_narrow_as_the_trip_goes_on() -> None:
    wide = ahead((0.0, 0.0, 0.0), 50_000.0, 0.0, 0.0)
    narrow = ahead((2500.0, 170.0, 0.0), 50_000.0, 60_000.0, 3600.0)
    assert wide["p10_s"] < wide["p50_s"] < wide["p90_s"]
    assert narrow["p10_s"] < narrow["p50_s"] < narrow["p90_s"]
    assert narrow["p90_s"] / narrow["p50_s"] < wide["p90_s"] / wide["p50_s"]
    models = (MODELS[wide["model"]], MODELS[narrow["model"]])
    assert models == ("pace", "pace")
    near = ahead((0.0, 0.0, 0.0), 10.0, 0.0, 0.0)
    assert (near["p10_s"], near["p90_s"]) == (0.0, pytest.approx(30.6, abs=0.1))


def test_own_pace_is_what_was_driven_with_halts_at_the_floor() -> None:
    pace = row(Pace, (0.0, 0.0, 0.0))[0]
    for _ in range(100):
        step_pace(pace, 45.0, 3.0, RULES[0])
    assert pace["moved_m"] / pace["moved_s"] == pytest.approx(15.0)
    assert pace["moved_s"] == pytest.approx(S.pace_memory_s, rel=0.25)
    step_pace(pace, 32.0, 65.0, RULES[0])
    assert 12.5 < pace["moved_m"] / pace["moved_s"] < 15.0


def test_a_late_truck_that_makes_up_time_recovers_and_may_be_late_again() -> None:
    fixes: list[Fix] = []
    east_m, second = 1000.0, 600
    for seconds, speed in ((600, 4.0), (600, 22.0), (400, 2.6)):
        part = drive(seconds, speed, from_s=second, from_m=east_m)
        fixes += part
        second += seconds
        east_m += seconds * speed
    plan = shipment(stops=[("customer", second - 100.0)])
    rows = late(derive(fixes, plan))
    assert len(rows) >= 2
    assert rows[0].cleared_at is not None
    assert rows[0].figures["ended"] == "recovered"
    assert rows[0].opened_at < rows[0].cleared_at < rows[1].opened_at


def test_reaching_the_customer_ends_the_alert_with_how_late_it_really_was() -> None:
    plan = shipment(stops=[("customer", 600.0)])
    (row,) = late(derive(drive(1500, 15.0), plan))
    arrived_s = math.ceil(EDGE_M / 15.0)
    assert row.cleared_at == at(arrived_s)
    assert row.figures["ended"] == "arrived"
    assert row.figures["late_s"] == arrived_s - 600
    assert row.severity == "critical"


def test_an_open_alert_shows_new_figures_only_when_they_have_changed_enough_to_tell() -> None:
    plan = FleetPlan.build(FENCES, [shipment(stops=[("customer", 600.0)])])
    state = NOTHING_KNOWN
    shown: list[float] = []
    for one in drive(600, 8.0):
        state, derived = fold("v1", state, [one], plan)
        shown += [float(row.figures["late_s"]) for row in late(derived)]
    assert 2 <= len(shown) <= 20
    assert all(abs(b - a) >= S.figures_step_s - 1 for a, b in itertools.pairwise(shown))


def test_the_figures_name_destination_and_window_in_both_languages() -> None:
    plan = shipment(stops=[("customer", 600.0)])
    (row,) = late(derive(drive(100, 15.0), plan))
    assert row.subject == row.shipment == "SH-1"
    assert row.figures["destination_en"] == "Customer"
    assert row.figures["destination_zh"] == "customer"
    assert row.figures["window_end"] == "2026-11-23T00:10:00.000000Z"
    assert row.captured_at == at(2)


def test_lon_and_lat_helpers_agree_with_the_road() -> None:
    assert (lat_of(0), lon_of(0)) == (LAT, 121.0)
