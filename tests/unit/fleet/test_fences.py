"""Fences of every shape hold what is in them, wherever on Earth."""

import random
from typing import NamedTuple

import numpy as np
import pytest

from waystock.contract.masterdata import Fence
from waystock.fleet.fences import FenceIndex

from .tracks import LAT, lat_of, lon_of, square


def fence(name: str, geometry: dict[str, object]) -> Fence:
    return Fence(fence=name, name={"en": name}, kind="site", geometry=geometry)


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


class Hit(NamedTuple):
    fence: str
    outside_m: float


def locate(index: FenceIndex, lats: list[float], lons: list[float]) -> list[list[Hit]]:
    hits: list[list[Hit]] = [[] for _ in lats]
    near = index.locate(np.array(lats), np.array(lons))
    for fix, found in enumerate(hits):
        for place in range(near.first[fix], near.first[fix + 1]):
            found.append(Hit(index.codes[near.fence[place]], float(near.outside_m[place])))
        found.sort()
    return hits


def hit(index: FenceIndex, lat: float, lon: float) -> list[Hit]:
    return locate(index, [lat], [lon])[0]


def test_distance_outside_is_in_metres_from_the_edge() -> None:
    index = FenceIndex([square("yard", 0.0)], near_m=230.0)
    assert hit(index, LAT, lon_of(100.0))[0].outside_m == pytest.approx(-50.0, rel=1e-3)
    assert hit(index, LAT, lon_of(200.0))[0].outside_m == pytest.approx(50.0, rel=1e-3)
    assert hit(index, lat_of(190.0), lon_of(180.0))[0].outside_m == pytest.approx(50.0, rel=1e-3)
    assert hit(index, LAT, lon_of(150.0 + 240.0)) == []


def test_a_hole_is_outside() -> None:
    outer = square("outer", 0.0, half_m=200.0).geometry["coordinates"][0]
    inner = square("inner", 0.0, half_m=50.0).geometry["coordinates"][0]
    ring = fence("ring", {"type": "Polygon", "coordinates": [outer, inner]})
    index = FenceIndex([ring], near_m=230.0)
    assert hit(index, LAT, lon_of(0.0))[0].outside_m == pytest.approx(50.0, rel=1e-3)
    assert hit(index, LAT, lon_of(120.0))[0].outside_m == pytest.approx(-70.0, rel=1e-3)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [box(179.99, -17.01, -179.99, -16.99)]},
        {"type": "Polygon", "coordinates": [box(179.99, -17.01, 180.01, -16.99)]},
        {
            "type": "MultiPolygon",
            "coordinates": [
                [box(179.99, -17.01, 180.0, -16.99)],
                [box(-180.0, -17.01, -179.99, -16.99)],
            ],
        },
    ],
)
def test_a_fence_across_the_antimeridian_holds_both_sides(geometry: dict[str, object]) -> None:
    index = FenceIndex([fence("taveuni", geometry)], near_m=230.0)
    for lon in (179.995, 180.0, -180.0, -179.995):
        (inside,) = hit(index, -17.0, lon)
        assert inside.outside_m < -500.0
    for lon in (179.989, -179.989):
        (near,) = hit(index, -17.0, lon)
        assert near.outside_m == pytest.approx(106.5, rel=0.01)
    assert hit(index, -17.0, 0.0) == []


def test_what_is_found_for_a_fix_does_not_depend_on_the_others_asked_with_it() -> None:
    chance = random.Random(7)
    fences = [
        square(
            f"f{i}",
            chance.uniform(0, 3000),
            chance.uniform(20, 300),
            north_m=chance.uniform(0, 3000),
        )
        for i in range(60)
    ]
    index = FenceIndex(fences, near_m=230.0)
    lats = [lat_of(chance.uniform(-200, 3200)) for _ in range(300)]
    lons = [lon_of(chance.uniform(-200, 3200)) for _ in range(300)]
    alone = [hit(index, lat, lon) for lat, lon in zip(lats, lons, strict=True)]
    assert any(alone)
    assert locate(index, lats, lons) == alone


def test_no_fences_at_all_find_nothing() -> None:
    assert hit(FenceIndex([], near_m=230.0), 31.2, 121.0) == []


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[1, 1], [2, 2], [1, 1]]]},
        {"type": "Polygon"},
        {},
    ],
)
def test_a_fence_that_is_no_area_is_refused_by_name(geometry: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="'odd'"):
        FenceIndex([fence("odd", geometry)], near_m=230.0)


def test_a_bow_tie_drawn_by_hand_still_holds_what_lies_in_its_halves() -> None:
    tie = [[0.0, 0.0], [0.01, 0.01], [0.01, 0.0], [0.0, 0.01], [0.0, 0.0]]
    index = FenceIndex([fence("tie", {"type": "Polygon", "coordinates": [tie]})], near_m=230.0)
    assert hit(index, 0.005, 0.001)[0].outside_m < 0.0
    assert hit(index, 0.005, 0.009)[0].outside_m < 0.0
