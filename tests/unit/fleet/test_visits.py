"""Geofence visits: none missed, none invented by jitter at an edge."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Fix, VisitRow, fold

from .tracks import at, drive, fix, square

PLAN = FleetPlan.build([square("yard", 5000.0), square("zone", 5000.0, half_m=60.0)], [])


def visits(fixes: list[Fix], plan: FleetPlan = PLAN) -> dict[str, list[VisitRow]]:
    found: dict[str, list[VisitRow]] = {}
    for visit in fold("v1", NOTHING_KNOWN, fixes, plan)[1].visits:
        found.setdefault(visit.fence, []).append(visit)
    return found


def test_a_visit_begins_with_the_first_fix_inside_and_ends_with_the_first_outside() -> None:
    inward = drive(100, 10.0, from_m=4300)
    stay = [fix(at(70 + i), 5000.0) for i in range(600)]
    outward = drive(100, 10.0, from_s=670, from_m=5000)
    (visit,) = visits(inward[:70] + stay + outward)["yard"]
    assert visit.entered_at == at(55)
    # The edge is 150 m on; outside begins 30 m and the fix's accuracy (5 m) beyond it.
    assert visit.exited_at == at(670 + 19)


def test_a_truck_parked_beside_an_edge_makes_hardly_any_events_in_a_day() -> None:
    events = 0
    for seed in range(4):
        chance = random.Random(seed)
        edge = [
            fix(at(10 * i), 5165.0 + chance.gauss(0, 12), chance.gauss(0, 12)) for i in range(8640)
        ]
        rows = visits(edge).get("yard", [])
        events += sum(1 + (row.exited_at is not None) for row in rows)
    assert events / 4 <= 5


def test_a_poor_fix_far_outside_does_not_end_a_visit() -> None:
    inside = [fix(at(10 * i), 5000.0) for i in range(10)]
    poor = [fix(at(100 + 10 * i), 5300.0, accuracy_m=150.0) for i in range(10)]
    (visit,) = visits(inside + poor)["yard"]
    assert visit.exited_at is None


def test_trackers_that_report_every_minute_need_two_fixes_only() -> None:
    (visit,) = visits([fix(at(60 * i), 5000.0 if i in {3, 4} else 3000.0) for i in range(8)])[
        "yard"
    ]
    assert (visit.entered_at, visit.exited_at) == (at(180), at(300))


def test_driving_past_with_one_fix_inside_is_no_visit() -> None:
    assert visits([fix(at(10 * i), 4000.0 + 400 * i) for i in range(6)]) == {}


def test_the_smallest_of_nested_fences_is_where_the_vehicle_is() -> None:
    progress = fold("v1", NOTHING_KNOWN, [fix(at(i), 5000.0) for i in range(3)], PLAN)[1].progress
    assert progress is not None
    assert progress.at_fence == "zone"


def test_a_fence_that_is_no_longer_planned_is_left() -> None:
    state, _ = fold("v1", NOTHING_KNOWN, [fix(at(i), 5000.0) for i in range(5)], PLAN)
    empty = FleetPlan.build([], [])
    _, derived = fold("v1", state, [fix(at(5 + i), 5000.0) for i in range(5)], empty, PLAN)
    assert {visit.fence: visit.exited_at for visit in derived.visits} == {
        "yard": at(5),
        "zone": at(5),
    }


@pytest.mark.parametrize("every_s", [1, 5, 10])
def test_no_visit_of_a_minute_is_missed(every_s: int) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        arrive = chance.randrange(100, 200)

        def east_m(second: float, arrive: float = arrive) -> float:
            return 5000.0 - 20 * max(0, arrive - second) + 20 * max(0, second - arrive - 45)

        fixes = [
            fix(at(i), east_m(i) + chance.gauss(0, 10), chance.gauss(0, 10))
            for i in range(0, 400, every_s)
        ]
        (visit,) = visits(fixes)["yard"]
        assert abs((visit.entered_at - at(arrive - 7.5)).total_seconds()) <= every_s + 2
        assert visit.exited_at is not None


def own(**rules: Any) -> FleetPlan:
    return FleetPlan.build([replace(square("yard", 5000.0), **rules)], [])


def through(seconds_inside: int, every_s: int = 5) -> list[Fix]:
    """At 10 m/s to the fence, so long in its middle, and on."""
    inward = drive(500, 10.0, every_s=every_s)
    stay = [fix(at(500 + i), 5000.0) for i in range(0, seconds_inside, every_s)]
    return inward + stay + drive(100, 10.0, from_s=500 + seconds_inside, from_m=5000.0, every_s=5)


def test_a_fence_may_want_more_or_fewer_fixes_than_the_fleet() -> None:
    passing = drive(700, 25.0, every_s=4)
    assert visits(passing, own(enter_fixes=5, enter_s=3600.0)) == {}
    assert len(visits(passing)["yard"]) == 1
    one_inside = [fix(at(60 * i), 5000.0 if i == 3 else 3000.0) for i in range(8)]
    (visit,) = visits(one_inside, own(enter_fixes=1, exit_fixes=1))["yard"]
    assert (visit.entered_at, visit.exited_at) == (at(180), at(240))


def test_a_fence_may_begin_deeper_and_end_farther_out() -> None:
    fixes = through(60)
    (wide,) = visits(fixes, own(exit_margin_m=100.0))["yard"]
    (usual,) = visits(fixes, own())["yard"]
    (deep,) = visits(fixes, own(enter_margin_m=100.0))["yard"]
    assert wide.exited_at is not None
    assert usual.exited_at is not None
    assert (wide.exited_at - usual.exited_at).total_seconds() == 10.0
    assert (deep.entered_at - usual.entered_at).total_seconds() == 10.0


def test_seconds_count_where_a_tracker_is_slow() -> None:
    slow = [fix(at(30 * i), 5000.0 if 3 <= i <= 4 else 3000.0) for i in range(8)]
    assert visits(slow, own()) == {}
    (visit,) = visits(slow, own(enter_s=30.0, exit_s=30.0))["yard"]
    assert (visit.entered_at, visit.exited_at) == (at(90), at(150))


def test_a_truck_that_is_shunted_into_a_fence_is_in_it_from_its_first_fix_there() -> None:
    """It stood at the gate; whether its tracker tells a speed or not, the visit is not missed."""
    gate = [fix(at(10 * i), 4750.0, 2.0 * (i % 2)) for i in range(60)]
    for told_mps, seconds in ((3.0, 40), (None, 220)):
        rolling = [fix(at(600 + 10 * i), 4770.0 + 25 * i, speed_mps=told_mps) for i in range(8)]
        inside = [fix(at(680 + 10 * i), 4945.0, 2.0 * (i % 2), None, 0.0) for i in range(25)]
        (visit,) = visits(gate + rolling + inside)["yard"]
        assert visit.entered_at == at(640)
        early = visits([*gate, *rolling, *inside][: 60 + 4 + seconds // 10])
        assert len(early.get("yard", [])) == 1, told_mps


def test_reflections_that_last_for_minutes_take_no_parked_truck_out_of_a_fence() -> None:
    inside = [fix(at(10 * i), 5000.0, 2.0 * (i % 2)) for i in range(600)]
    for first, last in ((100, 120), (200, 255), (400, 420)):
        for i in range(first, last):
            inside[i] = fix(inside[i].time, 5290.0)
    (visit,) = visits(inside)["yard"]
    assert visit.exited_at is None
