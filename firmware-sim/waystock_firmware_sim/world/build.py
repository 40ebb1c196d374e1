"""The whole world from a seed and a start: master data, and beside it what only the simulation
knows (who really comes, where trucks truly are). Upstream: the other modules of this folder;
downstream: `waystock sim world` writes it, `waystock sim run` plays it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystock.contract.masterdata import (
    DetentionRate,
    Device,
    MasterData,
    OpeningStock,
    Product,
    ReorderPoint,
    SalesOrder,
    Vehicle,
)
from waystock_firmware_sim.world.catalogue import products
from waystock_firmware_sim.world.crews import ASSIGNMENTS, DRIVERS, SPARE_UNIT, TRAILERS
from waystock_firmware_sim.world.inbound import Inbound, InboundPlanner
from waystock_firmware_sim.world.outbound import Load, OutboundPlanner
from waystock_firmware_sim.world.parties import CARRIERS, CONSIGNEES, SUPPLIERS
from waystock_firmware_sim.world.shelves import Article, articles
from waystock_firmware_sim.world.sites import (
    MQTT_GATEWAY,
    SERIAL_GATEWAY,
    WAREHOUSES,
    dock_gateway,
    locations,
    portals,
    scanners,
)
from waystock_firmware_sim.world.transport import Trip, fences, trip
from waystock_firmware_sim.world.trucks import TRUCKS, Truck

OPENING_AGE = timedelta(hours=1)
SPARE_PALLETS = 1_500
DETENTION_CNY_PER_H = 150.0


@dataclass(frozen=True)
class World:
    """`master_data` is what Waystock is told; the rest is what happens."""

    seed: int
    start: datetime
    master_data: MasterData
    articles: dict[str, tuple[Article, ...]]
    """By site."""
    inbound: dict[str, Inbound]
    """By site."""
    loads: dict[str, Load]
    """By vehicle."""
    trips: tuple[Trip, ...]
    spare_pallets: tuple[str, ...]

    def product(self, english_name: str) -> Product:
        """The product of that English name; ValueError if there is none."""
        (product,) = (p for p in self.master_data.products if p.name["en"] == english_name)
        return product

    def trip_of(self, role: str) -> Trip:
        """The trip of the one truck that has this role."""
        (found,) = (trip for trip in self.trips if trip.truck.role == role)
        return found

    def load_at(self, door: str) -> Load:
        """The load whose truck stands at this location when the world begins."""
        (found,) = (trip for trip in self.trips if trip.shipment.dock_door == door)
        return self.loads[found.truck.vehicle]


def build(seed: int, start: datetime) -> World:
    """The same world for the same arguments."""
    goods = products()
    stocked = {house.name: tuple(articles(seed, house, goods)) for house in WAREHOUSES}
    receiving = InboundPlanner(seed, start)
    inbound = {site: receiving.plan(site, stocked[site], site == "sha") for site in stocked}
    shipping = OutboundPlanner(seed, start)
    loads = {truck.vehicle: _load(shipping, truck, stocked[truck.site]) for truck in TRUCKS}
    trips = tuple(trip(load, start) for load in loads.values())
    sales = _sales_orders(shipping, loads, trips, stocked)
    return World(
        seed=seed,
        start=start,
        master_data=MasterData(
            sites=tuple(house.site for house in WAREHOUSES),
            locations=tuple(place for house in WAREHOUSES for place in locations(house)),
            products=goods,
            reorder_points=_reorder_points(stocked.values()),
            parties=(*SUPPLIERS, *CARRIERS, *(one.party for one in CONSIGNEES)),
            vehicles=tuple(_vehicle(one) for one in TRUCKS),
            gateways=(*(dock_gateway(h) for h in WAREHOUSES), SERIAL_GATEWAY, MQTT_GATEWAY),
            devices=_devices(),
            drivers=DRIVERS,
            trailers=TRAILERS,
            assignments=ASSIGNMENTS,
            fences=fences(seed, WAREHOUSES),
            purchase_orders=tuple(order for one in inbound.values() for order in one.orders),
            sales_orders=sales,
            shipments=tuple(one.shipment for one in trips),
            opening_stock=_opening_stock(stocked.values(), loads.values(), start - OPENING_AGE),
            detention_rates=(DetentionRate(rate_per_h=DETENTION_CNY_PER_H, currency="CNY"),),
        ),
        articles=stocked,
        inbound=inbound,
        loads=loads,
        trips=trips,
        spare_pallets=shipping.spare_pallets(SPARE_PALLETS),
    )


def _vehicle(truck: Truck) -> Vehicle:
    carrier = CARRIERS[truck.number % len(CARRIERS)]
    return Vehicle(vehicle=truck.vehicle, plate=truck.plate, carrier=carrier.party)


def _load(shipping: OutboundPlanner, truck: Truck, stocked: tuple[Article, ...]) -> Load:
    load = shipping.load(truck, stocked)
    if truck.site == "sha" and truck.door == "dock-out-1":
        return shipping.with_low_product(load, stocked)
    return load


def _sales_orders(
    shipping: OutboundPlanner,
    loads: dict[str, Load],
    trips: tuple[Trip, ...],
    stocked: dict[str, tuple[Article, ...]],
) -> tuple[SalesOrder, ...]:
    loaded = [
        order
        for one in trips
        for order in shipping.orders(
            loads[one.truck.vehicle], one.shipment.shipment, one.shipment.stops[-1].window_end
        )
    ]
    waiting = [order for site, there in stocked.items() for order in shipping.waiting(site, there)]
    return (*loaded, *waiting)


def _reorder_points(stocked: Iterable[tuple[Article, ...]]) -> tuple[ReorderPoint, ...]:
    return tuple(
        ReorderPoint(
            site=article.site, gtin=article.product.gtin, reorder_point=article.reorder_point
        )
        for there in stocked
        for article in there
    )


def _devices() -> tuple[Device, ...]:
    units = tuple(
        Device(device=truck.device, kind="gps", biz_step="tracking", vehicle=truck.vehicle)
        for truck in TRUCKS
    )
    return (
        *(device for house in WAREHOUSES for device in (*scanners(house), *portals(house))),
        *units,
        SPARE_UNIT,
    )


def _opening_stock(
    stocked: Iterable[tuple[Article, ...]], loads: Iterable[Load], as_of: datetime
) -> tuple[OpeningStock, ...]:
    shelved = [
        OpeningStock(
            location=shelf.bin,
            gtin=shelf.gtin,
            lot=shelf.lot,
            quantity=shelf.quantity,
            as_of=as_of,
        )
        for there in stocked
        for article in there
        for shelf in (article.pick, *article.reserve)
    ]
    on_board = [
        OpeningStock(
            location=f"vehicle/{load.truck.vehicle}",
            gtin=line.gtin,
            lot=line.lot,
            lpn=pallet.sscc,
            quantity=line.quantity,
            as_of=as_of,
        )
        for load in loads
        if load.truck.role != "dock"
        for pallet in load.pallets
        for line in pallet.lines
    ]
    return (*shelved, *on_board)
