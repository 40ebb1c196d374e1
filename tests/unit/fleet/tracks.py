"""A straight road eastward at 31.2° N with places on it, and vehicles that drive it: what the fleet
tests share. Positions are metres east and north of the road's start."""

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.geodesy import metres_per_degree
from waystock.fleet.replay import Fix

START = datetime(2026, 11, 23, tzinfo=UTC)
LAT, LON = 31.2, 121.0
PER_LON, PER_LAT = metres_per_degree(LAT)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clock(text: str) -> datetime:
    """`00:02` or `13:00:05` on the day of START."""
    parts = [int(part) for part in text.split(":")] + [0]
    return at(parts[0] * 3600 + parts[1] * 60 + parts[2])


def lon_of(east_m: float) -> float:
    return LON + east_m / PER_LON


def lat_of(north_m: float) -> float:
    return LAT + north_m / PER_LAT


def fix(
    when: datetime,
    east_m: float,
    north_m: float = 0.0,
    accuracy_m: float | None = None,
    speed_mps: float | None = None,
) -> Fix:
    return Fix(when, lat_of(north_m), lon_of(east_m), speed_mps, None, accuracy_m, when)


def square(
    fence: str,
    east_m: float,
    half_m: float = 150.0,
    kind: Literal["site", "customer", "no_go"] = "site",
    north_m: float = 0.0,
) -> Fence:
    west, east = lon_of(east_m - half_m), lon_of(east_m + half_m)
    south, north = lat_of(north_m - half_m), lat_of(north_m + half_m)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return Fence(
        fence=fence,
        name={"en": fence},
        kind=kind,
        geometry={"type": "Polygon", "coordinates": [ring]},
    )


def shipment(
    name: str = "SH-1",
    stops: Sequence[tuple[str, float]] = (("customer", 3600.0),),
    depart_s: float = 0.0,
    length_m: float = 20_000.0,
    vehicle: str = "v1",
    route: Sequence[tuple[float, float]] | None = None,
) -> Shipment:
    """`stops`: (fence, seconds after START when its window ends); without `route`, the road."""
    if route is None:
        route = [(lon_of(i * 100.0), LAT) for i in range(int(length_m // 100) + 1)]
    return Shipment(
        shipment=name,
        vehicle=vehicle,
        from_site="depot",
        depart_at=at(depart_s),
        stops=tuple(
            ShipmentStop(
                seq=i,
                name={"en": fence.title(), "zh": fence},
                fence=fence,
                window_start=at(depart_s),
                window_end=at(end_s),
            )
            for i, (fence, end_s) in enumerate(stops, 1)
        ),
        route=tuple(route),
        planned_speed_mps=16.7,
    )


def drive(
    seconds: int,
    speed_mps: float | Callable[[float], float],
    from_s: float = 0.0,
    from_m: float = 0.0,
    every_s: float = 1.0,
    noise_m: float = 0.0,
    seed: int = 1,
    north_m: float = 0.0,
) -> list[Fix]:
    """Fixes of a vehicle on the road; `speed_mps` may depend on the seconds since `from_s`."""
    chance = random.Random(seed)
    fixes: list[Fix] = []
    east_m = from_m
    for i in range(math.ceil(seconds / every_s)):
        after_s = i * every_s
        speed = speed_mps(after_s) if callable(speed_mps) else speed_mps
        fixes.append(
            fix(
                at(from_s + after_s),
                east_m + chance.gauss(0, noise_m),
                north_m + chance.gauss(0, noise_m),
            )
        )
        east_m += speed * every_s
    return fixes
