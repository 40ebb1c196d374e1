"""The quick way to the fences near a fix finds what asking each fence would find."""

import random

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from waystock.contract.masterdata import Fence
from waystock.fleet.ellipsoid import metres_per_degree
from waystock.fleet.fences import FenceIndex

NEAR_M = 230.0


def blob(name: str, chance: random.Random) -> Fence:
    """A star-shaped polygon of any size anywhere, some over the antimeridian, some with a hole."""
    lon, lat = chance.choice([121.0, 179.9, -179.95, 0.0]), chance.choice([31.0, -17.0, 70.0])
    radius = chance.choice([0.0005, 0.003, 0.05, 2.0])
    lon, lat = lon + chance.gauss(0, radius), lat + chance.gauss(0, radius)
    turns = sorted(chance.uniform(0, 2 * np.pi) for _ in range(chance.randint(5, 30)))
    reach = [radius * chance.uniform(0.4, 1.0) for _ in turns]
    ring = [[lon + r * np.cos(t), lat + r * np.sin(t)] for t, r in zip(turns, reach, strict=True)]
    hole = [[lon + 0.2 * (x - lon), lat + 0.2 * (y - lat)] for x, y in ring]
    rings = [[*ring, ring[0]], [*hole, hole[0]]][: chance.randint(1, 2)]
    west = [[(x + 180) % 360 - 180, y] for x, y in rings[0]]
    if any(abs(a[0] - b[0]) > 1 for a, b in zip(west, rings[0], strict=True)):
        rings = [west]
    return Fence(
        fence=name,
        name={"en": name},
        kind="site",
        geometry={"type": "Polygon", "coordinates": rings},
    )


def test_each_fix_finds_the_fences_that_it_is_in_or_near() -> None:
    chance = random.Random(5)
    index = FenceIndex([blob(f"f{i}", chance) for i in range(120)], NEAR_M)
    spots: list[tuple[float, float]] = []
    for polygon in index.shapes:
        corners = shapely.get_coordinates(polygon)
        for _ in range(20):
            x, y = corners[chance.randrange(len(corners))] + [chance.gauss(0, 2e-3)] * 2
            spots.append((y, (x + 180) % 360 - 180))
    lat, lon = np.array(spots).T.copy()
    near = index.locate(lat, lon)
    compared = 0
    for i in range(len(lat)):
        found = {
            int(near.fence[k]): float(near.outside_m[k])
            for k in range(near.first[i], near.first[i + 1])
        }
        for fence in range(len(index.codes)):
            true_m = outside_m(index.shapes[fence], lat[i], lon[i])
            if abs(true_m - NEAR_M) > 0.01:
                assert (fence in found) == (true_m <= NEAR_M), (index.codes[fence], lat[i], lon[i])
            if fence in found:
                assert abs(found[fence] - true_m) < 1e-5 * (1 + abs(true_m))
                compared += 1
    assert compared > 2_000


def outside_m(polygon: BaseGeometry, lat: float, lon: float) -> float:
    """By GEOS, negative inside, in the plane at the fence's middle."""
    west, south, east, north = polygon.bounds
    lon += 360 * round(((west + east) / 2 - lon) / 360)
    per_lon, per_lat = metres_per_degree(np.array([(south + north) / 2]))
    scale = np.array([per_lon[0], per_lat[0]])
    plane = shapely.transform(polygon, lambda lonlat: lonlat * scale)
    spot = shapely.Point(lon * scale[0], lat * scale[1])
    edge_m = float(shapely.distance(shapely.boundary(plane), spot))
    return -edge_m if shapely.contains(plane, spot) else edge_m
