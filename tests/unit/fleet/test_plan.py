"""Stops lie on the route where it enters their fences."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from waystock.fleet import plan as plan_module
from waystock.fleet.plan import FleetPlan, key_of

from .tracks import LAT, lon_of, shipment, square


def along(plan: FleetPlan) -> list[float | None]:
    return [None if math.isnan(s.along_m) else s.along_m for s in plan.placed["SH-1"].stops]


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
    first, end, _ = plan.shipments_of(["v1"])[0]
    keys = [key_of(code) for code in ("A", "B")]
    assert np.asarray(plan.arrays.shipments)["key"][first:end].tolist() == keys


def told(plan: FleetPlan) -> list[str]:
    """Every number of it; not its bytes, for those between a record's fields mean nothing."""
    *records, hours, lanes = plan.arrays
    return [repr(np.asarray(part).tolist()) for part in (*records, *hours, *lanes)]


def test_a_plan_built_on_the_one_before_is_the_plan_built_alone() -> None:
    """Ingest builds a plan whenever master data changes; it may not differ from a restart's."""
    fences = [square("a", 8000.0), square("b", 20_000.0)]
    shipments = [shipment(f"S{i}", stops=[("a", 1), ("b", 2)], depart_s=i) for i in range(5)]
    before = FleetPlan.build(fences, shipments)
    same = FleetPlan.build(list(fences), [replace(one) for one in shipments], before=before)
    assert same.fences is before.fences
    assert all(same.placed[name] is before.placed[name] for name in before.placed)
    moved = [square("a", 9000.0), fences[1]]
    fewer = [*shipments[1:], shipment("S9", stops=[("b", 2)])]
    assert told(FleetPlan.build(moved, fewer, before=before)) == told(FleetPlan.build(moved, fewer))


def test_what_shipments_are_placed_together_with_does_not_move_their_stops() -> None:
    """A route's length is what a journey is known by: it may not change with its neighbours."""
    fences = [square("a", 8000.0)]
    long = shipment("L", stops=[("a", 1)], length_m=20_050.0)
    alone = FleetPlan.build(fences, [long])
    many = [shipment(f"S{i}", stops=[("a", 1)], length_m=1000.0 + 333.3 * i) for i in range(40)]
    together = FleetPlan.build(fences, [*many, long])
    assert together.placed["L"].route_m == alone.placed["L"].route_m
    assert together.placed["L"].stops == alone.placed["L"].stops


def test_two_codes_with_one_key_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "key_of", len)
    with pytest.raises(ValueError, match="'a' and 'b' have the same key"):
        FleetPlan.build([square("a", 0.0), square("b", 9000.0)], [])
