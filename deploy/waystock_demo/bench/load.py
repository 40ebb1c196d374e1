"""A seeded load of mixed readings with the master data that gives them a meaning: fixes of many
trucks on their routes, pallets received and put away, tags at portals.
"""

import math
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

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
FIXES_OF_20, SCANS_OF_20 = 17, 2
SCANS_PER_PALLET = 3
_NAME: Words = {"en": "Bench", "zh": "测试"}


class Shape(NamedTuple):
    """How large a company it is."""

    vehicles: int = VEHICLES
    scanners: int = 1
    """Pairs of them: one where goods are received, one that stores."""
    start: datetime = START
    events_per_s: float = 50.0
    """By the devices' own clocks: each vehicle has a fix every
    vehicles / (events_per_s * 17 / 20) seconds.
    """


def shape_of(vehicles: int, fix_every_s: float = 10.0) -> Shape:
    """`vehicles` trucks that say where they are every so many seconds, and scanners in proportion
    (one scan a second is much for a person).
    """
    events_per_s = vehicles / fix_every_s * 20 / FIXES_OF_20
    scanners = max(1, round(events_per_s * SCANS_OF_20 / 20))
    return Shape(vehicles=vehicles, scanners=scanners, events_per_s=events_per_s)


def pallets_of(events: int, shape: Shape = Shape()) -> int:  # noqa: B008 - immutable
    """How many pallets at most `events` readings handle."""
    return events * SCANS_OF_20 // 20 // SCANS_PER_PALLET + shape.scanners


def master_data(pallets: int, shape: Shape = Shape()) -> MasterData:  # noqa: B008 - immutable
    """One site, trucks each with route, fence and shipment, and `pallets` announced pallets."""
    vehicles = range(shape.vehicles)
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
        vehicles=tuple(Vehicle(vehicle=f"v{number}", plate=f"V {number}") for number in vehicles),
        gateways=(Gateway(site=OWNER[0], gateway=OWNER[1]),),
        devices=tuple(_devices(shape)),
        fences=tuple(
            Fence(fence=f"f{number}", name=_NAME, kind="customer", geometry=_circle(number))
            for number in vehicles
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
        shipments=tuple(_shipment(number, shape.start) for number in vehicles),
    )


def _devices(shape: Shape) -> Iterator[Device]:
    for pair in range(shape.scanners):
        yield Device(
            device=f"recv-{pair}", kind="scanner", biz_step="receiving", read_point="bench/dock-1"
        )
        yield Device(device=f"store-{pair}", kind="scanner", biz_step="storing")
    for number in range(shape.vehicles):
        yield Device(device=f"g{number}", kind="gps", biz_step="tracking", vehicle=f"v{number}")


def _road(number: int) -> tuple[float, float]:
    """Latitude and western end of a truck's road: 550 m from the next, 2000 of them in a column."""
    return 30.0 + number % 2000 * 0.005, 121.0 + number // 2000 * 1.5


def _circle(number: int) -> dict[str, object]:
    lat, west = _road(number)
    ring = [
        [west + 0.9 + 0.003 * math.cos(turn), lat + 0.003 * math.sin(turn)]
        for turn in (step / 8 * math.tau for step in range(8))
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _shipment(number: int, start: datetime) -> Shipment:
    lat, west = _road(number)
    stop = ShipmentStop(
        seq=1,
        name=_NAME,
        fence=f"f{number}",
        window_start=start,
        window_end=start + timedelta(hours=6),
    )
    return Shipment(
        shipment=f"S{number}",
        vehicle=f"v{number}",
        from_site="bench",
        depart_at=start,
        route=tuple((west + step * 0.03, lat) for step in range(31)),
        stops=(stop,),
    )


def events(
    count: int,
    seed: int = 7,
    shape: Shape = Shape(),  # noqa: B008 - immutable
) -> Iterator[Event]:
    """`count` readings in order of time: of 20, 17 are fixes, 2 scans, 1 a tag."""
    dice = random.Random(seed)  # noqa: S311 - a load, not a secret
    scans = _scans(shape.scanners)
    for index in range(count):
        at = shape.start + timedelta(seconds=index / shape.events_per_s)
        kind = index % 20
        if kind < FIXES_OF_20:
            yield _fix(dice, index, at, shape)
        elif kind < FIXES_OF_20 + SCANS_OF_20:
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


def _fix(dice: random.Random, index: int, at: datetime, shape: Shape) -> Position:
    vehicle = (index // 20 * FIXES_OF_20 + index % 20) % shape.vehicles
    lat, west = _road(vehicle)
    driven_m = (at - shape.start).total_seconds() * 18
    return Position(
        device=f"g{vehicle}",
        time=at,
        captured_at=at,
        clock="gps",
        lat=lat + dice.gauss(0, 3e-5),
        lon=west + (driven_m % 80_000) / 95_500,
        speed_mps=18.0,
        course_deg_true=90.0,
        altitude_m=12.0,
        accuracy_m=5.0,
        hdop=0.9,
        satellites=11,
    )


def _scans(scanners: int) -> Iterator[Callable[[datetime], Barcode]]:
    """Pallets, as many at a time as there are scanners of a kind: all received, then each scanned
    for put-away, then its bin.
    """
    number = 0
    while True:
        now = [(pair, number + pair) for pair in range(scanners)]
        for pair, pallet in now:
            yield partial(_scan, f"recv-{pair}", (("00", f"{pallet:018}"),))
        for pair, pallet in now:
            yield partial(_scan, f"store-{pair}", (("00", f"{pallet:018}"),))
        for pair, pallet in now:
            place = f"b-{pallet % BINS}"
            yield partial(_scan, f"store-{pair}", (("414", GLN), ("254", place)))
        number += scanners


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


def batches(readings: Iterable[Event], size: int) -> Iterator[Batch]:
    """Cut into batches as a gateway cuts its outbox; nothing is kept."""
    waiting = iter(readings)
    first = 0
    while chunk := tuple(islice(waiting, size)):
        yield Batch(stream=STREAM, first=first, sent_at=START, events=chunk)
        first += len(chunk)
