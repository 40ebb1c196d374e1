"""Where on its planned way a truck is, to the nearest segment and not to the nearest vertex."""

import math
import random
from typing import NamedTuple

import pytest

from waystock.fleet import route
from waystock.fleet.geodesy import distance_m
from waystock.fleet.placement import measure
from waystock.fleet.plan import FleetPlan
from waystock.fleet.planned import Vertex
from waystock.fleet.records import as_items

from .tracks import LAT, lat_of, lon_of, shipment

EVERYWHERE = (-1e9, 1e9)


class Projection(NamedTuple):
    progress_m: float
    distance_m: float


class Road:
    """A measured route, asked as the fold asks it."""

    def __init__(self, lonlat: list[tuple[float, float]]) -> None:
        (vertices,) = measure([lonlat])
        self.along_m = vertices["along_m"].tolist()
        self.vertices = as_items(vertices, Vertex)

    @property
    def length_m(self) -> float:
        return self.along_m[-1]

    def project(
        self, lat: float, lon: float, expected_m: float, span: tuple[float, float], weight: float
    ) -> Projection:
        return Projection(*route.project(self.vertices, lat, lon, expected_m, *span, weight))

    def project_anywhere(self, lat: float, lon: float) -> Projection:
        return Projection(*route.project_anywhere(self.vertices, lat, lon))


def road(*places: tuple[float, float]) -> Road:
    return Road([(lon_of(east), lat_of(north)) for east, north in places])


def test_between_two_far_vertices_the_distance_is_to_the_road_not_to_a_vertex() -> None:
    way = road((0, 0), (30_000, 0))
    found = way.project_anywhere(lat_of(40.0), lon_of(15_000))
    assert found.distance_m == pytest.approx(40.0, rel=1e-3)
    assert found.progress_m == pytest.approx(15_000, rel=1e-4)


def test_length_and_progress_are_geodesic_metres_far_from_the_start_too() -> None:
    """A route of five degrees northward, where one flat scale would be some per cent wrong."""
    way = Road([(121.0, 31.0 + i / 10) for i in range(51)])
    found = way.project_anywhere(35.05, 121.001)
    assert found.progress_m == pytest.approx(distance_m(31.0, 121.0, 35.05, 121.0), rel=1e-4)
    assert found.distance_m == pytest.approx(distance_m(35.05, 121.0, 35.05, 121.001), rel=1e-3)


def test_out_and_back_on_one_road_a_truck_outbound_is_not_taken_for_one_on_its_way_home() -> None:
    way = road((0, 0), (10_000, 0), (10_000, 8), (0, 8))
    out = way.project(lat_of(6.0), lon_of(9_900), 9_900, (9_600, 10_300), 0.1)
    home = way.project(lat_of(2.0), lon_of(9_900), 10_108, (9_800, 10_400), 0.1)
    assert out.progress_m == pytest.approx(9_900, abs=2)
    assert home.progress_m == pytest.approx(10_108, abs=2)
    assert way.project_anywhere(lat_of(6.0), lon_of(5_000)).progress_m == pytest.approx(5000, abs=1)


def test_looking_near_the_expected_place_first_finds_what_looking_everywhere_finds() -> None:
    chance = random.Random(3)
    way = road(*[(200.0 * i, 300 * math.sin(i)) for i in range(60)])
    for _ in range(200):
        lat, lon = lat_of(chance.gauss(0, 300)), lon_of(chance.uniform(0, 12_000))
        found = way.project(lat, lon, 5000.0, EVERYWHERE, 0.1)
        each = [way.project(lat, lon, at_m, (at_m, at_m), 0.0) for at_m in way.along_m[:-1]]
        best = min(each, key=lambda one: one.distance_m + 0.1 * abs(one.progress_m - 5000.0))
        cost = best.distance_m + 0.1 * abs(best.progress_m - 5000.0)
        assert found.distance_m + 0.1 * abs(found.progress_m - 5000.0) == pytest.approx(cost)


def test_a_route_over_the_antimeridian_is_not_as_long_as_the_world_is_round() -> None:
    way = Road([(179.9, -17.0), (-179.9, -17.0)])
    assert way.length_m == pytest.approx(21_290, rel=1e-3)
    assert way.project_anywhere(-17.0, -179.95).progress_m == pytest.approx(15_968, rel=1e-3)
    assert way.project_anywhere(-17.0, 179.95).progress_m == pytest.approx(5_322, rel=1e-3)


def test_repeated_vertices_do_no_harm_and_a_single_place_is_no_route() -> None:
    assert road((0, 0), (0, 0), (100, 0), (100, 0)).length_m == pytest.approx(100, rel=1e-4)
    plan = FleetPlan.build([], [shipment(route=[(121.0, LAT), (121.0, LAT)])])
    assert len(plan.arrays.vertices) == 0


def test_before_the_start_and_past_the_end_progress_stays_on_the_route() -> None:
    way = road((0, 0), (1000, 0))
    assert way.project_anywhere(LAT, lon_of(-500)).progress_m == 0.0
    assert way.project_anywhere(LAT, lon_of(1500)).progress_m == pytest.approx(way.length_m)
    assert way.project(LAT, lon_of(1500), 2000, (1200, 2300), 0.1).progress_m == pytest.approx(
        way.length_m
    )
