"""Anomalies that a dispatcher acts on: each once per episode, with the figures that made it, and
none from a truck that does what it should."""

import random

import msgspec
import pytest

from waystock.contract.masterdata import Fence
from waystock.fleet.alert_rows import Episode
from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Fix, fold

from .tables import Tables
from .tracks import at, drive, fix, shipment, square

FENCES = [square("depot", 0.0), square("customer", 20_000.0, kind="customer")]


def episodes(fixes: list[Fix], plan: FleetPlan | None = None) -> list[Episode]:
    plan = plan or FleetPlan.build([], [])
    whole = fold("v1", NOTHING_KNOWN, fixes, plan)[1].episodes
    tables, state = Tables(), NOTHING_KNOWN
    for first in range(0, len(fixes), 7):
        # However it comes in pieces, the last form of each episode is the same.
        state, derived = fold("v1", state, fixes[first : first + 7], plan)
        tables.write(derived)
    assert sorted(tables.episodes.values(), key=str) == sorted(whole, key=str)
    return whole


def limited(fence: Fence, **limits: object) -> Fence:
    return msgspec.structs.replace(fence, **limits)


def told(fixes: list[Fix], plan: FleetPlan | None = None) -> list[tuple[object, ...]]:
    return [(one.type, one.opened_at, one.cleared_at) for one in episodes(fixes, plan)]


def with_speed(fixes: list[Fix], speed_mps: float) -> list[Fix]:
    return [msgspec.structs.replace(one, speed_mps=speed_mps) for one in fixes]


def test_a_truck_that_does_what_it_should_raises_nothing() -> None:
    chance = random.Random(1)
    plan = FleetPlan.build(FENCES, [shipment(stops=[("customer", 9000.0)])])
    way = drive(1450, lambda s: 15.0 if s % 300 < 270 else 0.0, every_s=5, noise_m=5.0)
    rest = [
        fix(at(1450 + 10 * i), 19_950 + chance.gauss(0, 5), chance.gauss(0, 5)) for i in range(600)
    ]
    assert episodes(way + rest, plan) == []


def test_speeding_in_a_fence_is_one_episode_from_the_first_fix_to_the_first_that_is_not() -> None:
    yard = limited(square("yard", 5000.0, half_m=1000.0), speed_limit_mps=8.0)
    plan = FleetPlan.build([yard], [])
    fixes = [
        fix(at(5 * i), 75.0 * i, speed_mps=14.0 if 60 <= i < 70 and i != 63 else 7.0)
        for i in range(90)
    ]
    (row,) = episodes(fixes, plan)
    assert (row.type, row.subject) == ("vehicle.speeding", "v1")
    assert (row.opened_at, row.cleared_at) == (at(300), at(350))
    assert (row.figures["speed_mps"], row.figures["limit_mps"]) == (14.0, 8.0)
    assert row.figures["fence"] == "yard"


def test_the_fleets_own_limit_holds_on_the_road_and_without_a_speed_from_the_device() -> None:
    fast = drive(300, lambda s: 45.0 if 100 <= s < 200 else 25.0, every_s=10)
    (row,) = episodes(fast)
    assert row.type == "vehicle.speeding"
    assert row.figures["speed_mps"] == pytest.approx(45.0, rel=1e-3)
    assert "fence" not in row.figures
    assert row.cleared_at is not None
    assert (row.opened_at, row.cleared_at) == (at(110), at(210))


def test_two_fast_fixes_are_no_speeding() -> None:
    fixes = with_speed(drive(100, 15.0), 15.0)
    fixes[40:42] = with_speed(fixes[40:42], 50.0)
    assert episodes(fixes) == []


def test_the_detention_clock_runs_from_the_end_of_the_free_time_until_the_truck_leaves() -> None:
    plan = FleetPlan.build(FENCES, [])
    stay = [fix(at(60 * i), 20_000.0) for i in range(200)]
    way = drive(400, 15.0, from_s=12_000, from_m=20_000.0, every_s=10)
    (row,) = episodes(stay + way, plan)
    assert (row.type, row.opened_at) == ("vehicle.dwell", at(7200))
    assert row.cleared_at == at(12_020)
    assert row.figures["dwell_s"] == 12_020.0
    assert row.figures["detention_s"] == 4_820.0
    assert episodes(stay[:119], plan) == []


def test_a_fence_may_have_a_shorter_limit_and_a_depot_has_none() -> None:
    shorter = limited(FENCES[1], dwell_limit_s=600.0)
    stay = [fix(at(60 * i), 20_000.0) for i in range(30)]
    assert told(stay, FleetPlan.build([shorter], [])) == [("vehicle.dwell", at(600), None)]
    parked = [fix(at(600 * i), 0.0) for i in range(200)]
    assert episodes(parked, FleetPlan.build(FENCES, [])) == []


def test_entering_a_no_go_area_is_told_until_it_is_left() -> None:
    plan = FleetPlan.build([square("tunnel", 3000.0, kind="no_go")], [])
    assert told(drive(400, 10.0), plan) == [("vehicle.no_go", at(285), at(319))]


def test_a_stop_on_the_way_that_nobody_planned_is_told_and_one_at_a_light_is_not() -> None:
    plan = FleetPlan.build(FENCES, [shipment(stops=[("customer", 90_000.0)])])
    to = drive(500, 15.0, every_s=5)
    on = drive(800, 15.0, from_s=500 + 1200, from_m=7500.0, every_s=5)
    stand = [fix(at(500 + 10 * i), 7500.0) for i in range(120)]
    (row,) = episodes(to + stand + on, plan)
    assert (row.type, row.shipment) == ("vehicle.unplanned_stop", "SH-1")
    assert (row.opened_at, row.cleared_at) == (at(500), at(1700))
    assert row.figures["stopped_s"] == 1200.0
    assert row.figures["ended"] == "recovered"
    light = [fix(at(500 + 10 * i), 7500.0) for i in range(60)]
    late = drive(800, 15.0, from_s=1100, from_m=7500.0, every_s=5)
    assert episodes(to + light + late, plan) == []


def test_a_silence_on_the_road_is_told_and_one_of_a_parked_truck_is_not() -> None:
    road = drive(300, 15.0, every_s=5) + drive(300, 15.0, from_s=3000, from_m=40_000.0, every_s=5)
    assert told(road) == [("gps.silent", at(295), at(3000))]
    parked = [fix(at(60 * i), 0.0) for i in range(10)] + [
        fix(at(9000 + 60 * i), 0.0) for i in (0, 1)
    ]
    assert episodes(parked) == []


def test_jumps_are_one_episode_with_the_farthest_of_them() -> None:
    fixes = drive(2500, 15.0, every_s=5)
    for i, north_m in ((100, 5_000.0), (101, 9_000.0), (160, 4_000.0)):
        fixes[i] = fix(fixes[i].time, 75.0 * i, north_m)
    (row,) = episodes(fixes)
    assert (row.type, row.opened_at, row.cleared_at) == ("gps.jump", at(500), None)
    assert row.figures["jumps"] == 3.0
    assert row.figures["distance_m"] == pytest.approx(9_000.0, rel=0.01)
    later = drive(2000, 15.0, from_s=2500, from_m=37_500.0, every_s=5)
    assert told(fixes + later) == [("gps.jump", at(500), at(800))]


def test_a_receiver_that_freezes_while_driving_is_told_and_a_parked_one_that_holds_is_not() -> None:
    fixes = drive(600, 15.0, every_s=5)
    frozen = [
        msgspec.structs.replace(one, lat=fixes[40].lat, lon=fixes[40].lon) for one in fixes[41:60]
    ]
    track = fixes[:41] + frozen + fixes[60:]
    assert told(track) == [("gps.frozen", at(200), at(300))]
    saying = with_speed(track, 15.0)
    assert told(saying[:60]) == [("gps.frozen", at(200), None)]
    parked = fixes[:41] + [
        msgspec.structs.replace(fixes[40], time=at(200 + 5 * i), captured_at=at(200 + 5 * i))
        for i in range(1, 300)
    ]
    away = drive(300, 12.0, from_s=1700, from_m=3000.0, every_s=5)
    assert episodes(parked + away) == []
