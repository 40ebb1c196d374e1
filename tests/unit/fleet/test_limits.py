"""Limits of vehicles and fences: each is held against its own, at the hours in which they count."""

from typing import Any

import msgspec
import pytest

from waystock.contract.limits import DayHours, VehicleLimits, check_limits, inherited
from waystock.contract.masterdata import Fence
from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Fix, fold
from waystock.fleet.vehicle_rules import FleetRules, VehicleRule

from .test_anomalies import FENCES, episodes, told
from .tracks import at, drive, fix, shipment, square

SHANGHAI = "Asia/Shanghai"


def of(**limits: Any) -> FleetRules:
    """Limits of v1; START is Monday, 08:00 in Shanghai."""
    return FleetRules(of_vehicle={"v1": VehicleRule(VehicleLimits(**limits), SHANGHAI)})


def plan(rules: FleetRules, *fences: Fence, shipments: tuple[Any, ...] = ()) -> FleetPlan:
    return FleetPlan.build([*FENCES, *fences], list(shipments), rules=rules)


def hours(start: str, end: str) -> tuple[DayHours, ...]:
    return (DayHours(days=("mon",), start=start, end=end),)


def test_a_vehicles_own_speed_limit_holds_and_another_vehicles_does_not() -> None:
    fast = drive(300, lambda s: 28.0 if 100 <= s < 200 else 15.0, every_s=10)
    (row,) = episodes(fast, plan(of(speed_limit_mps=22.0)))
    assert (row.type, row.figures["limit_mps"]) == ("vehicle.speeding", 22.0)
    other = FleetRules(of_vehicle={"v2": VehicleRule(VehicleLimits(speed_limit_mps=22.0))})
    assert episodes(fast, plan(other)) == []
    everybody = FleetRules(otherwise=VehicleRule(VehicleLimits(speed_limit_mps=22.0)))
    assert len(episodes(fast, plan(everybody))) == 1


def test_an_unplanned_stop_is_told_after_the_vehicles_own_time() -> None:
    to = drive(500, 15.0, every_s=5)
    stand = [fix(at(500 + 10 * i), 7500.0) for i in range(60)]
    way = (shipment(stops=[("customer", 90_000.0)]),)
    assert episodes(to + stand, plan(of(), shipments=way)) == []
    (row,) = episodes(to + stand, plan(of(unplanned_stop_s=300.0), shipments=way))
    assert (row.type, row.figures["limit_s"]) == ("vehicle.unplanned_stop", 300.0)


def test_driving_outside_working_hours_is_told_from_their_end_until_the_vehicle_stands() -> None:
    way = drive(1200, 15.0, every_s=10)
    rest = [fix(at(1200 + 10 * i), 18_000.0) for i in range(60)]
    rules = of(working_hours=hours("06:00", "08:10"))
    (row,) = episodes(way + rest, plan(rules))
    assert (row.type, row.opened_at, row.cleared_at) == ("vehicle.off_hours", at(600), at(1200))
    assert row.figures["distance_m"] == pytest.approx(9000.0, abs=300)
    assert row.figures["ended"] == "recovered"
    assert episodes(way + rest, plan(of(working_hours=()))) == []


def test_who_sets_out_too_early_is_told_of_until_the_hours_begin() -> None:
    rules = of(working_hours=hours("08:10", "18:00"))
    (row,) = episodes(drive(1200, 15.0, every_s=10), plan(rules))
    assert (row.type, row.cleared_at) == ("vehicle.off_hours", at(600))
    assert row.figures["ended"] == "hours_over"


def test_driving_without_a_shipment_is_told_where_the_vehicle_needs_one() -> None:
    way = drive(600, 15.0, every_s=10)
    (row,) = episodes(way, plan(of(needs_shipment=True)))
    assert (row.type, row.cleared_at) == ("vehicle.no_shipment", None)
    assert row.figures["distance_m"] == pytest.approx(1050.0, abs=150)
    assert episodes(way, plan(of())) == []
    planned = (shipment(stops=[("customer", 90_000.0)]),)
    assert episodes(way, plan(of(needs_shipment=True), shipments=planned)) == []


def test_a_truck_moved_about_in_a_yard_needs_no_shipment() -> None:
    yard = square("yard", 0.0, half_m=2_000.0)
    about = drive(100, 10.0, every_s=5) + drive(100, -10.0, from_s=100, from_m=1000.0, every_s=5)
    assert episodes(about, plan(of(needs_shipment=True), yard)) == []


def test_silence_is_measured_by_the_vehicles_limit_and_a_parked_one_sleeps() -> None:
    gap = drive(300, 15.0, every_s=5) + drive(300, 15.0, from_s=1000, from_m=15_000.0, every_s=5)
    assert told(gap, plan(of(silent_s=600.0))) == [("gps.silent", at(295), at(1000))]
    assert told(gap, plan(of())) == []
    parked = [fix(at(60 * i), 0.0) for i in range(10)] + [fix(at(9000), 0.0)]
    assert told(parked, plan(of(parked_silent_s=3600.0))) == [("gps.silent", at(540), at(9000))]


def test_a_truck_that_parks_and_sleeps_before_its_stop_is_known_is_not_silent() -> None:
    way = [msgspec.structs.replace(one, speed_mps=15.0) for one in drive(300, 15.0, every_s=5)]
    last = [fix(at(300), 4500.0, speed_mps=0.0)]
    wakes = [fix(at(9000), 4500.0, speed_mps=0.0)]
    assert told(way + last + wakes) == []
    assert told(way + wakes) == [("gps.silent", at(295), at(9000))]


def overdue_at(fixes: list[Fix], rules: FleetRules) -> object:
    _, derived = fold("v1", NOTHING_KNOWN, fixes, plan(rules))
    assert derived.progress is not None
    return derived.progress.silent_at


def test_the_fold_says_from_when_on_a_vehicle_is_overdue() -> None:
    way = drive(300, 15.0, every_s=5)
    assert overdue_at(way, of()) == at(295 + 1800)
    assert overdue_at(way, of(silent_s=600.0)) == at(295 + 600)
    parked = [fix(at(60 * i), 0.0) for i in range(10)]
    assert overdue_at(parked, of()) is None
    assert overdue_at(parked, of(parked_silent_s=7200.0)) == at(540 + 7200)


def no_go(**rules: Any) -> FleetPlan:
    area = square("bridge", 3000.0, half_m=1000.0, kind="no_go")
    fence = msgspec.structs.replace(area, site="sha", **rules)
    return FleetPlan.build([fence], [], rules=FleetRules(time_zones={"sha": SHANGHAI}))


def test_a_no_go_area_is_one_in_its_hours_alone() -> None:
    stay = drive(300, 10.0, every_s=10) + [
        fix(at(300 + 10 * i), 3000.0, 3.0 * (i % 2)) for i in range(120)
    ]
    assert told(stay, no_go()) == [("vehicle.no_go", at(200), None)]
    assert told(stay, no_go(active_hours=hours("09:00", "17:00"))) == []
    closed = no_go(active_hours=hours("08:10", "08:20"))
    assert told(stay, closed) == [("vehicle.no_go", at(600), at(1200))]
    (row,) = episodes(stay, closed)
    assert row.figures["ended"] == "hours_over"


def test_a_speed_limit_of_a_fence_counts_in_its_hours() -> None:
    school = msgspec.structs.replace(
        square("school", 3000.0, half_m=1000.0), site="sha", speed_limit_mps=8.0
    )
    zones = FleetRules(time_zones={"sha": SHANGHAI})
    way = drive(400, 12.0, every_s=10)

    def when(start: str, end: str) -> FleetPlan:
        fence = msgspec.structs.replace(school, active_hours=hours(start, end))
        return FleetPlan.build([fence], [], rules=zones)

    assert [row.type for row in episodes(way, when("08:00", "08:30"))] == ["vehicle.speeding"]
    assert episodes(way, when("12:00", "13:00")) == []


def test_of_each_limit_the_nearest_that_is_given_counts() -> None:
    own, of_class = VehicleLimits(silent_s=60.0), VehicleLimits(silent_s=90.0, needs_shipment=True)
    default = VehicleLimits(working_hours=hours("06:00", "22:00"), needs_shipment=False)
    effect = inherited(own, None, of_class, default)
    assert (effect.silent_s, effect.needs_shipment) == (60.0, True)
    assert effect.working_hours == default.working_hours
    with pytest.raises(ValueError, match="temperature_low_c"):
        check_limits(VehicleLimits(temperature_low_c=8.0, temperature_high_c=2.0))
