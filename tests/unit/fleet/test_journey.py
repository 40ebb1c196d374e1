"""Which shipment a truck is on, where it has been for it, and whether it is where it should be."""

import msgspec
import pytest

from waystock.contract.masterdata import Shipment
from waystock.fleet.alert_rows import Episode
from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Derived, Fix, fold

from .tracks import at, drive, fix, lat_of, lon_of, shipment, square

FENCES = [
    square("depot", 0.0),
    square("first", 8000.0, kind="customer"),
    square("second", 14_000.0, kind="customer"),
    square("customer", 20_000.0, kind="customer"),
]


def derive(fixes: list[Fix], *shipments: Shipment) -> Derived:
    return fold("v1", NOTHING_KNOWN, fixes, FleetPlan.build(FENCES, shipments))[1]


def off_route(derived: Derived) -> list[Episode]:
    return [row for row in derived.episodes if row.type == "vehicle.off_route"]


def detour(north_m: float, from_s: int = 400, to_s: int = 700, until_s: int = 1500) -> list[Fix]:
    """A drive along the road that turns off it at one moment and is back on it at another."""
    return [
        fix(at(i), 15.0 * i, max(0.0, min(north_m, 18.0 * (i - from_s), 18.0 * (to_s - i))))
        for i in range(until_s)
    ]


def test_stops_are_reached_in_order_at_the_first_fix_in_their_fence() -> None:
    plan = shipment(stops=[("first", 9000.0), ("second", 9000.0), ("customer", 9000.0)])
    arrivals = derive(drive(1500, 15.0), plan).arrivals
    assert [(row.seq, row.arrived_at) for row in arrivals] == [
        (1, at(524)),
        (2, at(924)),
        (3, at(1324)),
    ]


def test_a_later_stop_driven_through_first_is_not_taken_for_delivered() -> None:
    plan = shipment(stops=[("second", 9000.0), ("first", 9000.0)])
    derived = derive(drive(1100, 15.0), plan)
    assert [row.seq for row in derived.arrivals] == [1]
    assert derived.progress is not None
    assert derived.progress.next_stop == 2


def _past_the_first(stand_s: int) -> list[Fix]:
    """Round the first stop's fence, then a stand at the second."""
    way = [fix(at(i), 15.0 * i, 90.0 if abs(15.0 * i - 8000) > 600 else 600.0) for i in range(935)]
    return way + [fix(at(935 + i), 14_020.0) for i in range(stand_s)]


def test_a_stop_that_was_left_out_does_not_hold_up_those_after_it() -> None:
    plan = shipment(stops=[("first", 9000.0), ("second", 9000.0), ("customer", 9000.0)])
    derived = derive(_past_the_first(400), plan)
    assert [row.seq for row in derived.arrivals] == [2]
    assert derived.arrivals[0].arrived_at < at(935)
    assert derived.progress is not None
    assert derived.progress.next_stop == 3


def test_a_stop_that_was_left_out_may_still_be_reached_afterwards() -> None:
    plan = shipment(stops=[("first", 9000.0), ("second", 9000.0), ("customer", 9000.0)])
    back = [fix(at(1335 + i), 14_020.0 - 15.0 * i, 90.0) for i in range(402)]
    there = [fix(at(1737 + i), 8000.0) for i in range(60)]
    derived = derive(_past_the_first(400) + back + there, plan)
    assert sorted(row.seq for row in derived.arrivals) == [1, 2]
    assert derived.progress is not None
    assert derived.progress.next_stop == 3


def test_standing_at_the_depot_before_a_round_trip_leaves_out_nothing() -> None:
    plan = shipment(
        stops=[("first", 9000.0), ("depot", 9000.0)],
        route=[(lon_of(x), lat_of(0)) for x in (0, 4000, 8000, 4001, 1)],
    )
    loading = [fix(at(i), 0.0) for i in range(900)]
    assert derive(loading, plan).arrivals == []


def test_two_stops_in_one_fence_are_both_reached_by_one_visit() -> None:
    plan = shipment(stops=[("first", 9000.0), ("first", 9000.0), ("customer", 9000.0)])
    assert [row.seq for row in derive(drive(600, 15.0), plan).arrivals] == [1, 2]


def test_the_next_shipment_takes_over_when_the_first_is_delivered() -> None:
    one = shipment("SH-1", stops=[("first", 9000.0)], depart_s=0)
    two = shipment("SH-2", stops=[("customer", 9000.0)], depart_s=60)
    fixes = drive(1500, 15.0)
    before, after = derive(fixes[:500], one, two).progress, derive(fixes[:600], one, two).progress
    assert before is not None
    assert after is not None
    assert (before.shipment, after.shipment) == ("SH-1", "SH-2")
    assert [row.shipment for row in derive(fixes, one, two).arrivals] == ["SH-1", "SH-2"]


def test_a_shipment_that_was_called_off_frees_its_truck_for_the_next() -> None:
    off = msgspec.structs.replace(shipment("SH-1", stops=[("customer", 900.0)]), closed_at=at(300))
    two = shipment("SH-2", stops=[("customer", 99_999.0)], depart_s=60)
    before, after = (derive(drive(until, 5.0), off, two) for until in (290, 310))
    assert before.progress is not None
    assert after.progress is not None
    assert (before.progress.shipment, after.progress.shipment) == ("SH-1", "SH-2")
    assert [row.figures["ended"] for row in after.episodes if row.cleared_at] == ["shipment_over"]


def test_a_second_delivery_to_the_same_customer_is_not_done_by_standing_there_from_the_first() -> (
    None
):
    one = shipment("SH-1", stops=[("first", 9000.0)])
    two = shipment("SH-2", stops=[("first", 20_000.0)], depart_s=60)
    parked = drive(545, 15.0) + [fix(at(545 + i), 8100.0) for i in range(600)]
    assert [row.shipment for row in derive(parked, one, two).arrivals] == ["SH-1"]


def test_a_shipment_of_tomorrow_night_is_not_yet_the_trucks_and_a_forgotten_one_no_longer() -> None:
    tomorrow = shipment("SH-2", depart_s=13 * 3600.0, stops=[("customer", 99_999.0)])
    forgotten = shipment("SH-0", depart_s=-200_000.0, stops=[("customer", -100_000.0)])
    last = derive(drive(60, 15.0), tomorrow, forgotten).progress
    assert last is not None
    assert last.shipment is None


@pytest.mark.parametrize("north_m", [150.0, 2000.0])
def test_leaving_the_route_raises_one_alert_and_rejoining_clears_it(north_m: float) -> None:
    plan = shipment(stops=[("customer", 9000.0)])
    (row,) = off_route(derive(detour(north_m), plan))
    assert row.subject == row.vehicle == "v1"
    assert row.shipment == "SH-1"
    assert (row.opened_at, row.cleared_at) == (at(406), at(695))
    assert row.figures["limit_m"] == 100.0
    assert row.figures["ended"] == "recovered"


def test_two_fixes_aside_are_no_alert_and_a_poor_fix_gets_more_room() -> None:
    plan = shipment(stops=[("customer", 9000.0)])
    assert off_route(derive(detour(150.0, 400, 411), plan)) == []
    poor = [
        fix(one.time, 15.0 * i, 150.0 if 400 <= i < 500 else 0.0, accuracy_m=70.0)
        for i, one in enumerate(drive(900, 15.0))
    ]
    assert off_route(derive(poor, plan)) == []


def test_a_second_departure_from_the_route_is_a_second_alert() -> None:
    plan = shipment(stops=[("customer", 9000.0)])
    twice = detour(150.0, 400, 420)[:600] + detour(150.0, 700, 720)[600:]
    assert [row.opened_at for row in off_route(derive(twice, plan))] == [at(406), at(706)]


def test_wandering_about_the_customers_yard_is_not_off_route() -> None:
    plan = shipment(stops=[("first", 9000.0), ("customer", 9000.0)])
    yard = square("first", 8000.0, half_m=600.0, kind="customer")
    fences = [fence for fence in FENCES if fence.fence != "first"] + [yard]
    there = drive(540, 15.0) + [fix(at(540 + i), 8100.0, min(i, 400.0)) for i in range(800)]
    derived = fold("v1", NOTHING_KNOWN, there, FleetPlan.build(fences, [plan]))[1]
    assert off_route(derived) == []


def test_an_errand_before_the_shipment_departs_is_not_off_route() -> None:
    plan = shipment(stops=[("customer", 30_000.0)], depart_s=7200.0)
    errand = [fix(at(i), 0.0, 12.0 * min(i, 600)) for i in range(1800)]
    assert off_route(derive(errand, plan)) == []


def test_a_truck_on_another_trucks_route_from_the_start_is_off_its_own() -> None:
    plan = shipment(stops=[("customer", 9000.0)])
    wrong = drive(300, 15.0, north_m=5000.0)
    (row,) = off_route(derive(wrong, plan))
    assert row.opened_at == at(0)


def test_a_shortcut_that_rejoins_further_on_moves_progress_on() -> None:
    out = [(lon_of(100.0 * i), lat_of(0)) for i in range(51)]
    loop = [(lon_of(5000), lat_of(100.0 * i)) for i in range(31)]
    over = [(lon_of(5000 + 100.0 * i), lat_of(3000)) for i in range(31)]
    down = [(lon_of(8000), lat_of(3000 - 100.0 * i)) for i in range(31)]
    on = [(lon_of(8000 + 100.0 * i), lat_of(0)) for i in range(121)]
    plan = shipment(stops=[("customer", 9000.0)], route=(*out, *loop, *over, *down, *on))
    fences = [square("depot", 0.0), square("customer", 20_000.0, kind="customer")]
    straight = drive(700, 15.0)
    derived = fold("v1", NOTHING_KNOWN, straight, FleetPlan.build(fences, [plan]))[1]
    assert derived.progress is not None
    assert derived.progress.remaining_m == pytest.approx(19_850 - 15 * 699, abs=20)
    (row,) = off_route(derived)
    assert row.cleared_at is not None


def test_a_route_drawn_anew_during_the_journey_is_measured_anew() -> None:
    plan = FleetPlan.build(FENCES, [shipment(stops=[("customer", 9000.0)])])
    state, _ = fold("v1", NOTHING_KNOWN, drive(300, 15.0), plan)
    longer = shipment(
        stops=[("customer", 9000.0)],
        route=((lon_of(-5000), lat_of(0)), (lon_of(20_000), lat_of(0))),
    )
    more = drive(10, 15.0, from_s=300, from_m=4500)
    last = fold("v1", state, more, FleetPlan.build(FENCES, [longer]))[1].progress
    assert last is not None
    assert last.remaining_m == pytest.approx(19_850 - 4635, abs=5)
