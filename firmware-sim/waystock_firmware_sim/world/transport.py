"""Shipments: ways, stops, windows, doors, and where each truck is when the world begins. Upstream:
trucks, roads and loads; downstream: master data and the motion of trucks. Windows leave room enough
that a truck which halts for some minutes is not late; one truck is bound to be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.world.geography import LonLat, Path, fence_around, smooth
from waystock_firmware_sim.world.numbering import document
from waystock_firmware_sim.world.outbound import Load
from waystock_firmware_sim.world.parties import CONSIGNEES, Consignee
from waystock_firmware_sim.world.roads import MOTORWAYS, WAYS
from waystock_firmware_sim.world.sites import Warehouse
from waystock_firmware_sim.world.trucks import Truck

PLANNED_SPEED_MPS = 16.7
_USUAL_SPEED_MPS = 19.0
_SLACK = 2.2
_SPARE = timedelta(minutes=30)
_LATE_REMAINING_M = 15_000.0
_LATE_BY_PLAN = timedelta(minutes=3, seconds=30)
"""Below the five minutes of grace: only its crawling makes the shipment late."""
DOOR_BEFORE, DOOR_AFTER = timedelta(minutes=30), timedelta(minutes=45)
_YARD_RADIUS_M = 220.0
_SITE_RADIUS_M = 250.0


@dataclass(frozen=True)
class Trip:
    """One truck's true journey: `started_m` behind it when the world begins at `depart_at` or on
    the road."""

    truck: Truck
    shipment: Shipment
    points: tuple[LonLat, ...]
    started_m: float


def way_points(way: str) -> tuple[LonLat, ...]:
    """The dense polyline of one of world.roads.WAYS."""
    points: list[LonLat] = []
    for leg in WAYS[way]:
        piece = _along(*leg) if len(leg) == 3 else (leg,)
        points.extend(point for point in piece if point not in points[-1:])
    return smooth(points)


def _along(motorway: str, first: str, last: str) -> tuple[LonLat, ...]:
    names = list(MOTORWAYS[motorway])
    i, j = names.index(first), names.index(last)
    run = names[i : j + 1] if i <= j else names[j : i + 1][::-1]
    return tuple(MOTORWAYS[motorway][name] for name in run)


def trip(load: Load, start: datetime) -> Trip:
    """The journey of one load."""
    truck = load.truck
    points = way_points(truck.way)
    path = Path(points)
    started_m = path.length_m * truck.progress
    if truck.role == "late":
        started_m = path.length_m - _LATE_REMAINING_M
    depart_at = start - timedelta(seconds=started_m / _USUAL_SPEED_MPS)
    at_door = truck.role == "dock"
    if at_door:
        depart_at = start + DOOR_AFTER
    shipment = Shipment(
        shipment=document("SH", start, truck.number),
        vehicle=truck.vehicle,
        from_site=truck.site,
        dock_door=f"{truck.site}/{truck.door}" if at_door else None,
        door_from=start - DOOR_BEFORE if at_door else None,
        door_to=depart_at if at_door else None,
        depart_at=depart_at,
        route=points,
        planned_speed_mps=PLANNED_SPEED_MPS,
        stops=(_stop(load.consignee, truck, path.length_m - started_m, max(start, depart_at)),),
        lpns=tuple(pallet.sscc for pallet in load.pallets),
    )
    return Trip(truck, shipment, points, started_m)


def _stop(
    consignee: Consignee, truck: Truck, remaining_m: float, from_then: datetime
) -> ShipmentStop:
    by_plan = timedelta(seconds=remaining_m / PLANNED_SPEED_MPS)
    if truck.role == "late":
        ends_at = from_then + by_plan - _LATE_BY_PLAN
        begins_at = ends_at - timedelta(minutes=30)
    else:
        ends_at = _on_the_five(from_then + by_plan * _SLACK + _SPARE)
        begins_at = _on_the_five(from_then + by_plan * 0.6)
    return ShipmentStop(
        seq=1,
        name=consignee.party.name,
        fence=consignee.fence,
        customer=consignee.party.party,
        window_start=begins_at,
        window_end=ends_at,
    )


def _on_the_five(instant: datetime) -> datetime:
    whole = instant.replace(second=0, microsecond=0)
    return whole + timedelta(minutes=5 - whole.minute % 5)


def fences(seed: int, houses: tuple[Warehouse, ...]) -> tuple[Fence, ...]:
    """The yards of both sites and of every customer."""
    random = stream(seed, "fences")
    sites = tuple(
        Fence(
            fence=f"site-{house.name}",
            name=house.site.name,
            kind="site",
            site=house.name,
            geometry=fence_around(house.center, _SITE_RADIUS_M, random),
        )
        for house in houses
    )
    yards = tuple(
        Fence(
            fence=one.fence,
            name=one.party.name,
            kind="customer",
            geometry=fence_around(way_points(one.way)[-1], _YARD_RADIUS_M, random),
        )
        for one in CONSIGNEES
    )
    return sites + yards
