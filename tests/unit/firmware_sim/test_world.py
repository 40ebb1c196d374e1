"""The world's documents: the same for the same seed, whole, and true to the standards."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.unit.firmware_sim.rehearsal import START
from waystock.contract.masterdata import decode_master_data, encode_master_data
from waystock_firmware_sim.protocol.gs1 import check_digit
from waystock_firmware_sim.world.build import World, build
from waystock_firmware_sim.world.geography import LonLat, Path, distance_m
from waystock_firmware_sim.world.shelves import LOW_PRODUCT, SHORT_PRODUCT
from waystock_firmware_sim.world.transport import PLANNED_SPEED_MPS


@pytest.fixture(scope="module")
def world() -> World:
    return build(7, START)


def test_same_seed_makes_the_same_document(world: World) -> None:
    again = encode_master_data(build(7, START).master_data)
    assert encode_master_data(world.master_data) == again
    assert encode_master_data(build(8, START).master_data) != again


def test_document_is_what_the_import_reads(world: World) -> None:
    document = encode_master_data(world.master_data)
    assert decode_master_data(document) == world.master_data


def test_the_world_is_as_large_as_it_is_said_to_be(world: World) -> None:
    data = world.master_data
    assert {site.site for site in data.sites} == {"sha", "hgh"}
    assert 190 <= len(data.products) <= 220
    assert len(data.vehicles) == len(data.shipments) == 20
    links = Counter(trip.truck.link for trip in world.trips)
    assert links == {"serial": 12, "mqtt": 8}
    assert all(set(product.name) == {"en", "zh"} for product in data.products)


def test_names_are_given_once(world: World) -> None:
    data = world.master_data
    for names in (
        [one.gtin for one in data.products],
        [one.location for one in data.locations],
        [(one.gln, one.gln_extension) for one in data.locations],
        [one.device for one in data.devices],
        [one.fence for one in data.fences],
        [one.purchase_order for one in data.purchase_orders],
        [one.sales_order for one in data.sales_orders],
        [one.shipment for one in data.shipments],
        [one.plate for one in data.vehicles],
        [one.sscc for order in data.purchase_orders for one in order.pallets],
        [lpn for one in data.shipments for lpn in one.lpns],
        [(one.location, one.gtin, one.lot, one.lpn) for one in data.opening_stock],
    ):
        assert len(names) == len(set(names)), [n for n, c in Counter(names).items() if c > 1][:3]


def test_every_number_has_a_right_check_digit(world: World) -> None:
    data = world.master_data
    numbers = [one.gtin for one in data.products] + [one.gln for one in data.locations]
    numbers += [lpn for one in data.shipments for lpn in one.lpns]
    numbers += [one.sscc for order in data.purchase_orders for one in order.pallets]
    numbers += list(world.spare_pallets)
    assert all(check_digit(number[:-1]) == number[-1] for number in numbers)


def test_every_reference_leads_somewhere(world: World) -> None:
    data = world.master_data
    sites = {one.site for one in data.sites}
    gtins = {one.gtin for one in data.products}
    places = {one.location for one in data.locations}
    vehicles = {one.vehicle for one in data.vehicles}
    parties = {one.party for one in data.parties}
    fences = {one.fence for one in data.fences}
    shipments = {one.shipment for one in data.shipments}
    places |= {f"vehicle/{vehicle}" for vehicle in vehicles}
    assert {one.site for one in data.locations} == sites
    assert {one.gtin for one in data.opening_stock} <= gtins
    assert {one.location for one in data.opening_stock} <= places
    assert {one.read_point for one in data.devices} - {None} <= places
    assert {one.vehicle for one in data.devices} - {None} == vehicles
    assert {one.supplier for one in data.purchase_orders} <= parties
    assert {one.customer for one in data.sales_orders} <= parties
    assert {one.shipment for one in data.sales_orders} - {None} == shipments
    assert {stop.fence for one in data.shipments for stop in one.stops} <= fences
    assert {one.dock_door for one in data.shipments} - {None} <= places
    for order in (*data.purchase_orders, *data.sales_orders):
        assert {line.gtin for line in order.lines} <= gtins


def test_a_later_world_shares_no_document_or_pallet_with_an_earlier_one(world: World) -> None:
    later = build(7, START + timedelta(minutes=1))
    for one, other in ((world, later), (later, world)):
        ours = {lpn for s in one.master_data.shipments for lpn in s.lpns} | set(one.spare_pallets)
        theirs = {lpn for s in other.master_data.shipments for lpn in s.lpns}
        assert not ours & theirs
    assert not {o.purchase_order for o in world.master_data.purchase_orders} & {
        o.purchase_order for o in later.master_data.purchase_orders
    }


def test_orders_of_a_shipment_are_its_pallets(world: World) -> None:
    for trip in world.trips:
        ordered: Counter[str] = Counter()
        for order in world.master_data.sales_orders:
            if order.shipment == trip.shipment.shipment:
                ordered.update({line.gtin: line.quantity for line in order.lines})
        packed: Counter[str] = Counter()
        for pallet in world.loads[trip.truck.vehicle].pallets:
            for line in pallet.lines:
                packed[line.gtin] += line.quantity
        assert ordered == packed, trip.truck.vehicle


def test_a_truck_on_the_road_has_its_load_on_board(world: World) -> None:
    for trip in world.trips:
        on_board = {
            one.lpn
            for one in world.master_data.opening_stock
            if one.location == f"vehicle/{trip.truck.vehicle}"
        }
        expected = set() if trip.truck.role == "dock" else set(trip.shipment.lpns)
        assert on_board == expected


def _inside(point: LonLat, ring: list[list[float]]) -> bool:
    crossings = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 > point[1]) != (y2 > point[1]):
            crossings ^= point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1
    return crossings


def test_routes_lead_from_the_yard_to_the_customer_in_plausible_legs(world: World) -> None:
    rings = {one.fence: one.geometry["coordinates"][0] for one in world.master_data.fences}
    for trip in world.trips:
        route = trip.shipment.route
        assert _inside(route[0], rings[f"site-{trip.truck.site}"])
        assert _inside(route[-1], rings[trip.shipment.stops[-1].fence])
        legs_m = [distance_m(a, b) for a, b in pairwise(route)]
        assert min(legs_m) > 30, trip.truck.way
        assert max(legs_m) <= 3_000
        assert len(route) >= 20
        # A motorway winds, but not like a ball of wool.
        assert sum(legs_m) < 1.9 * distance_m(route[0], route[-1])
        assert all(118 < lon < 122.5 and 29.5 < lat < 32.5 for lon, lat in route)


def test_no_route_turns_back_on_itself(world: World) -> None:
    for trip in world.trips:
        path = Path(trip.points)
        for metres in range(0, int(path.length_m) - 400, 200):
            before, after = path.at(metres).course_deg_true, path.at(metres + 400).course_deg_true
            turn = abs((after - before + 180) % 360 - 180)
            assert turn < 120, (trip.truck.way, path.at(metres).point, turn)


def test_only_the_late_truck_has_a_window_it_may_miss(world: World) -> None:
    for trip in world.trips:
        remaining_m = Path(trip.points).length_m - trip.started_m
        begins = max(START, trip.shipment.depart_at)
        by_plan = begins + timedelta(seconds=remaining_m / PLANNED_SPEED_MPS)
        at_half_pace = begins + timedelta(seconds=2 * remaining_m / PLANNED_SPEED_MPS)
        ends = trip.shipment.stops[-1].window_end
        if trip.truck.role == "late":
            assert timedelta(0) < by_plan - ends < timedelta(minutes=5)
        else:
            assert ends - at_half_pace > timedelta(minutes=20), trip.truck.vehicle


def test_open_orders_wait_for_the_goods_that_run_short(world: World) -> None:
    for name in (LOW_PRODUCT, SHORT_PRODUCT):
        gtin = world.product(name).gtin
        waiting = [
            order
            for order in world.master_data.sales_orders
            if order.site == "sha"
            and order.shipment is None
            and gtin in {line.gtin for line in order.lines}
        ]
        assert len(waiting) >= 2


def test_stock_starts_above_every_reorder_point(world: World) -> None:
    on_hand: Counter[tuple[str, str]] = Counter()
    for one in world.master_data.opening_stock:
        on_hand[one.location.split("/")[0], one.gtin] += one.quantity
    for point in world.master_data.reorder_points:
        assert on_hand[point.site, point.gtin] > point.reorder_point
