"""A small day at one site and on one road, written out by hand: master data and the readings of
three gateways that touch every rule of the ledger and the fleet. Tests send it in any order.
"""

import math
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from waystock.contract.events import Barcode, Batch, Event, PortalEvidence, Position, Rfid
from waystock.contract.masterdata import (
    AsnPallet,
    Device,
    Fence,
    Gateway,
    Location,
    MasterData,
    OpeningStock,
    OrderLine,
    Party,
    Product,
    PurchaseOrder,
    ReorderPoint,
    SalesOrder,
    Shipment,
    ShipmentStop,
    Site,
    Vehicle,
    Words,
)

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
GLN = "6901234567892"
TEA, RICE = "06901234000016", "06901234000023"
INBOUND = ("106901234000000014", "106901234000000021", "106901234000000038")
OUTBOUND = ("206901234000000013", "206901234000000020")
STREAMS = {
    ("sha", "gw-dock"): uuid.UUID(int=1),
    ("fleet", "gw-a"): uuid.UUID(int=2),
    ("fleet", "gw-b"): uuid.UUID(int=3),
}
ROUTE = tuple((121.0 + 0.01 * step, 31.0) for step in range(40))
METRES_PER_DEGREE_LON = 95_500.0


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def _box(lon: float, lat: float, half_m: float) -> dict[str, object]:
    dx, dy = half_m / METRES_PER_DEGREE_LON, half_m / 111_000
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return {"type": "Polygon", "coordinates": [[[lon + dx * x, lat + dy * y] for x, y in corners]]}


def master_data() -> MasterData:
    """One site, two products, two trucks: t01 will be late and take the wrong pallet."""
    name: Words = {"en": "Name", "zh": "名"}
    places = [("dock-1", "dock"), ("a-01", "pick"), ("a-02", "reserve"), ("staging", "staging")]
    return MasterData(
        sites=(Site(site="sha", name=name, lat=31.0, lon=121.0),),
        locations=tuple(
            Location(location=f"sha/{code}", site="sha", zone=zone, gln=GLN, gln_extension=code)
            for code, zone in [*places, ("door-1", "dock")]
        ),
        products=(
            Product(gtin=TEA, name={"en": "Green tea", "zh": "绿茶"}, lot_tracked=True),
            Product(gtin=RICE, name={"en": "Rice", "zh": "大米"}),
        ),
        reorder_points=(
            ReorderPoint(site="sha", gtin=RICE, reorder_point=97),
            ReorderPoint(site="sha", gtin=TEA, reorder_point=1),
        ),
        parties=(
            Party(party="acme", role="supplier", name=name),
            Party(party="shop", role="customer", name=name),
        ),
        vehicles=(Vehicle(vehicle="t01", plate="沪A·10001"), Vehicle(vehicle="t02", plate="t2")),
        gateways=tuple(Gateway(site=site, gateway=gateway) for site, gateway in STREAMS),
        devices=(
            Device(device="recv", kind="scanner", biz_step="receiving", read_point="sha/dock-1"),
            Device(device="store", kind="scanner", biz_step="storing"),
            Device(device="pick", kind="scanner", biz_step="picking"),
            Device(device="portal", kind="rfid", biz_step="loading", read_point="sha/door-1"),
            Device(device="gps-1", kind="gps", biz_step="tracking", vehicle="t01"),
            Device(device="gps-2", kind="gps", biz_step="tracking", vehicle="t02"),
        ),
        fences=(
            Fence(fence="f-sha", name=name, kind="site", site="sha", geometry=_box(121, 31, 400)),
            Fence(fence="f-shop", name=name, kind="customer", geometry=_box(121.39, 31, 300)),
        ),
        purchase_orders=(_purchase_order(),),
        sales_orders=tuple(
            SalesOrder(
                sales_order=order,
                customer="shop",
                site="sha",
                promised_at=minutes(300),
                lines=(OrderLine(gtin=gtin, quantity=2),),
                shipment=shipment,
            )
            for order, gtin, shipment in (
                ("SO-1", RICE, "SH-1"),
                ("SO-2", RICE, "SH-2"),
                ("SO-3", TEA, None),
                ("SO-4", RICE, None),
            )
        ),
        shipments=tuple(_shipment(number) for number in (1, 2)),
        opening_stock=(
            OpeningStock(location="sha/a-01", gtin=RICE, quantity=100, as_of=minutes(-600)),
        ),
    )


def _purchase_order() -> PurchaseOrder:
    return PurchaseOrder(
        purchase_order="PO-1",
        supplier="acme",
        site="sha",
        expected_at=START,
        lines=(OrderLine(gtin=TEA, quantity=120),),
        pallets=tuple(
            AsnPallet(sscc=sscc, gtin=TEA, lot=f"L{index}", quantity=40)
            for index, sscc in enumerate(INBOUND)
        ),
    )


def _shipment(number: int) -> Shipment:
    stop = ShipmentStop(
        seq=1,
        name={"en": "Shop", "zh": "店"},
        fence="f-shop",
        customer="shop",
        window_start=minutes(30),
        window_end=minutes(60 if number == 1 else 200),
    )
    return Shipment(
        shipment=f"SH-{number}",
        vehicle=f"t0{number}",
        from_site="sha",
        dock_door="sha/door-1" if number == 1 else None,
        door_from=START,
        door_to=minutes(60),
        depart_at=minutes(20),
        route=ROUTE,
        stops=(stop,),
        lpns=(OUTBOUND[number - 1],),
    )


def readings(*, has_portal: bool = False) -> dict[tuple[str, str], list[Event]]:
    """What each gateway has to send, in the order of its outbox."""
    return {
        ("sha", "gw-dock"): [*_warehouse(), *(_passages() if has_portal else ())],
        ("fleet", "gw-a"): list(_drive("gps-1", speed_mps=6.0, leaves_at=14, every_s=20)),
        ("fleet", "gw-b"): list(_drive("gps-2", speed_mps=18.0, leaves_at=99, every_s=20)),
    }


def _scan(minute: float, device: str, *elements: tuple[str, str]) -> Barcode:
    at = minutes(minute)
    data = "".join(ai + value for ai, value in elements)
    return Barcode(
        device=device, time=at, captured_at=at, aim="]C1", format="gs1", data=data,
        elements=elements,
    )  # fmt: skip


def portal(
    minute: float,
    sscc: str,
    presence: str = "arrived",
    direction: str | None = None,
    reason: str = "",
    *,
    sighting: bool = False,
) -> Rfid:
    """A tag at door-1, as a portal tells it."""
    at = minutes(minute)
    return Rfid(
        device="portal", time=at, captured_at=at, epc=f"31{sscc}0000"[:24].ljust(24, "0"),
        presence=presence, scheme="sscc-96", elements=(("00", sscc),),  # type: ignore[arg-type]
        direction=direction, evidence=PortalEvidence(reason=reason) if direction else None,  # type: ignore[arg-type]
        sighting=sighting,
    )  # fmt: skip


def _warehouse() -> Iterator[Event]:
    for index, sscc in enumerate(INBOUND[:2]):
        yield _scan(1 + index, "recv", ("00", sscc), ("02", TEA), ("37", "40"), ("10", f"L{index}"))
    yield _scan(4, "recv", ("400", "PO-1"))
    for index, sscc in enumerate(INBOUND[:2]):
        yield _scan(5 + index, "store", ("00", sscc))
        yield _scan(5.5 + index, "store", ("414", GLN), ("254", "a-02"))
    yield _scan(8, "pick", ("414", GLN), ("254", "a-01"))
    for index, sscc in enumerate(OUTBOUND):
        yield _scan(8.2 + index, "pick", ("00", sscc))
        for item in range(2):
            yield _scan(8.4 + index + item / 10, "pick", ("01", RICE))
    yield _scan(10.5, "pick", ("01", "00000000000000"))
    for index, sscc in enumerate(OUTBOUND):
        yield portal(12 + index, sscc)
        yield portal(12.5 + index, sscc, "departed")


def _passages() -> Iterator[Event]:
    """A portal that tells directions: one pallet comes back and goes again, and of both it is once
    not sure. The release before knew nothing of these.
    """
    yield portal(15, OUTBOUND[1], sighting=True)
    yield portal(15.5, OUTBOUND[1], "departed", "in")
    yield portal(16, OUTBOUND[1], "read", sighting=True)
    yield portal(16.5, OUTBOUND[1], "departed", "unknown", "unclear")
    yield portal(17.5, OUTBOUND[1], "read", "out")
    yield portal(18, OUTBOUND[0], "departed", "unknown", "too_few_reads")


def _drive(device: str, speed_mps: float, leaves_at: float, every_s: int) -> Iterator[Position]:
    """East along the route; from `leaves_at` minutes after the start north of it for 8 minutes."""
    for step in range(0, 60 * 60, every_s):
        minute = step / 60
        at = START + timedelta(seconds=step)
        driven_m = max(0.0, step - 600) * speed_mps
        north_m = 0.0
        if leaves_at + 10 < minute < leaves_at + 18:
            north_m = 90.0 * (minute - leaves_at - 10)
        wobble_m = 3.0 * math.sin(step * 1.7)
        yield Position(
            device=device,
            time=at,
            captured_at=at,
            clock="gps",
            lat=31.0 + (north_m + wobble_m) / 111_000,
            lon=min(121.0 + driven_m / METRES_PER_DEGREE_LON, ROUTE[-1][0]),
            speed_mps=speed_mps if driven_m else 0.0,
            course_deg_true=90.0,
            accuracy_m=5.0,
        )


def batches(
    owner: tuple[str, str], sizes: Iterator[int], *, has_portal: bool = False
) -> Iterator[Batch]:
    """A gateway's readings cut into batches of these sizes."""
    events = readings(has_portal=has_portal)[owner]
    first = 0
    while first < len(events):
        size = next(sizes)
        chunk = tuple(events[first : first + size])
        yield Batch(stream=STREAMS[owner], first=first, sent_at=START, events=chunk)
        first += size
