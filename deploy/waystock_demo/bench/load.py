"""A seeded load of mixed readings with the master data that gives them a meaning: fixes of many
trucks on their routes, pallets received and put away, tags at portals.
"""

import math
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from waystock.contract.events import Barcode, Batch, Event, Position, Rfid
from waystock.contract.masterdata import (
    AsnPallet,
    Device,
    Fence,
    Gateway,
    Location,
    MasterData,
    Party,
    Product,
    PurchaseOrder,
    Shipment,
    ShipmentStop,
    Site,
    Vehicle,
    Words,
)

OWNER = ("bench", "gw-1")
STREAM = uuid.UUID("0197a000-0000-7000-8000-00000000be7c")
START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
GLN = "6901234567892"
VEHICLES, BINS = 500, 200
_NAME: Words = {"en": "Bench", "zh": "测试"}


def master_data(pallets: int) -> MasterData:
    """One site, 500 trucks each with a route and a shipment, and `pallets` announced pallets."""
    return MasterData(
        sites=(Site(site="bench", name=_NAME, lat=31.0, lon=121.0),),
        locations=tuple(
            Location(
                location=f"bench/{code}", site="bench", zone=code[:1], gln=GLN, gln_extension=code
            )
            for code in ("dock-1", "staging", *(f"b-{number}" for number in range(BINS)))
        ),
        products=tuple(
            Product(gtin=f"{number:014}", name=_NAME, lot_tracked=True) for number in range(100)
        ),
        parties=(Party(party="acme", role="supplier", name=_NAME),),
        vehicles=tuple(
            Vehicle(vehicle=f"v{number}", plate=f"V {number}") for number in range(VEHICLES)
        ),
        gateways=(Gateway(site=OWNER[0], gateway=OWNER[1]),),
        devices=(
            Device(device="recv", kind="scanner", biz_step="receiving", read_point="bench/dock-1"),
            Device(device="store", kind="scanner", biz_step="storing"),
            *(
                Device(device=f"g{number}", kind="gps", biz_step="tracking", vehicle=f"v{number}")
                for number in range(VEHICLES)
            ),
        ),
        fences=tuple(
            Fence(fence=f"f{number}", name=_NAME, kind="customer", geometry=_circle(number))
            for number in range(VEHICLES)
        ),
        purchase_orders=(
            PurchaseOrder(
                purchase_order="PO",
                supplier="acme",
                site="bench",
                expected_at=START,
                lines=(),
                pallets=tuple(
                    AsnPallet(
                        sscc=f"{number:018}", gtin=f"{number % 100:014}", lot="L", quantity=40
                    )
                    for number in range(pallets)
                ),
            ),
        ),
        shipments=tuple(_shipment(number) for number in range(VEHICLES)),
    )


def _latitude(number: int) -> float:
    return 30.0 + number * 0.005


def _circle(number: int) -> dict[str, object]:
    ring = [
        [121.9 + 0.003 * math.cos(turn), _latitude(number) + 0.003 * math.sin(turn)]
        for turn in (step / 8 * math.tau for step in range(8))
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _shipment(number: int) -> Shipment:
    stop = ShipmentStop(
        seq=1,
        name=_NAME,
        fence=f"f{number}",
        window_start=START,
        window_end=START + timedelta(hours=6),
    )
    return Shipment(
        shipment=f"S{number}",
        vehicle=f"v{number}",
        from_site="bench",
        depart_at=START,
        route=tuple((121.0 + step * 0.03, _latitude(number)) for step in range(31)),
        stops=(stop,),
    )


def events(count: int, seed: int = 7) -> Iterator[Event]:
    """`count` readings in order of time: of 20, 17 are fixes, 2 scans, 1 a tag."""
    dice = random.Random(seed)  # noqa: S311 - a load, not a secret
    scans = _scans()
    for index in range(count):
        at = START + timedelta(seconds=index / 50)
        kind = index % 20
        if kind < 17:
            yield _fix(dice, index, at)
        elif kind < 19:
            yield next(scans)(at)
        else:
            yield Rfid(
                device="portal",
                time=at,
                captured_at=at,
                epc=f"{dice.getrandbits(96):024X}",
                presence="arrived",
                antenna=1,
                rssi_dbm=-55.0,
                reads=9,
            )


def _fix(dice: random.Random, index: int, at: datetime) -> Position:
    vehicle = (index * 17 // 20) % VEHICLES
    driven_m = (at - START).total_seconds() * 18
    return Position(
        device=f"g{vehicle}",
        time=at,
        captured_at=at,
        clock="gps",
        lat=_latitude(vehicle) + dice.gauss(0, 3e-5),
        lon=121.0 + (driven_m % 80_000) / 95_500,
        speed_mps=18.0,
        course_deg_true=90.0,
        altitude_m=12.0,
        accuracy_m=5.0,
        hdop=0.9,
        satellites=11,
    )


def _scans() -> Iterator[Callable[[datetime], Barcode]]:
    """Pallet after pallet: received, scanned for put-away, bin."""
    number = 0
    while True:
        sscc, place = f"{number:018}", f"b-{number % BINS}"
        yield partial(_scan, "recv", (("00", sscc),))
        yield partial(_scan, "store", (("00", sscc),))
        yield partial(_scan, "store", (("414", GLN), ("254", place)))
        number += 1


def _scan(device: str, elements: tuple[tuple[str, str], ...], at: datetime) -> Barcode:
    data = "".join(ai + value for ai, value in elements)
    return Barcode(
        device=device,
        time=at,
        captured_at=at,
        aim="]C1",
        format="gs1",
        data=data,
        elements=elements,
    )


def batches(readings: list[Event], size: int) -> Iterator[Batch]:
    """Cut into batches as a gateway cuts its outbox."""
    for first in range(0, len(readings), size):
        chunk = tuple(readings[first : first + size])
        yield Batch(stream=STREAM, first=first, sent_at=START, events=chunk)
