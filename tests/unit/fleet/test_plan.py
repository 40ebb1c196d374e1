"""Stops lie on the route where it enters their fences."""

import pytest

from waystock.fleet.plan import FleetPlan

from .tracks import LAT, lon_of, shipment, square


def along(plan: FleetPlan) -> list[float | None]:
    return [stop.along_m for stop in plan.shipments["v1"][0].stops]


def test_a_stop_is_reached_at_the_edge_of_its_fence() -> None:
    plan = FleetPlan.build(
        [square("a", 8000.0), square("b", 20_000.0)], [shipment(stops=[("a", 1), ("b", 2)])]
    )
    assert along(plan) == pytest.approx([7850, 19_850], rel=1e-4)


def test_a_round_trip_ends_at_the_return_not_at_the_start() -> None:
    out = [(lon_of(100.0 * i), LAT) for i in range(101)]
    plan = FleetPlan.build(
        [square("depot", 0.0), square("a", 10_000.0)],
        [shipment(stops=[("a", 1), ("depot", 2)], route=(*out, *reversed(out)))],
    )
    assert along(plan) == pytest.approx([9850, 19_850], rel=1e-4)


def test_a_stop_whose_fence_lies_beside_the_route_is_placed_at_the_nearest_point() -> None:
    plan = FleetPlan.build(
        [square("a", 8000.0, north_m=400.0), square("b", 20_000.0, north_m=400.0)],
        [shipment(stops=[("a", 1), ("b", 2)])],
    )
    assert along(plan) == pytest.approx([8000, 20_000], rel=1e-3)


def test_without_route_or_fence_a_stop_has_no_place_but_the_plan_still_holds() -> None:
    plan = FleetPlan.build([], [shipment(stops=[("a", 1), ("b", 2)], route=())])
    assert along(plan) == [None, None]


def test_shipments_of_a_vehicle_are_ordered_by_departure() -> None:
    plan = FleetPlan.build([], [shipment("B", depart_s=9), shipment("A", depart_s=5)])
    assert [planned.shipment for planned in plan.shipments["v1"]] == ["A", "B"]
