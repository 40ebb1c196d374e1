"""Mileage and distances to fences and routes are right on the ellipsoid."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.fleet.ellipsoid import FLATTENING, SEMI_MAJOR_M
from waystock.fleet.geodesy import distance_m, wrap_deg

lats = st.floats(-80, 80)
lons = st.floats(-180, 180)


def vincenty_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Vincenty's inverse formula, an independent and sub-millimetre oracle."""
    b = SEMI_MAJOR_M * (1 - FLATTENING)
    u1 = math.atan((1 - FLATTENING) * math.tan(math.radians(lat1)))
    u2 = math.atan((1 - FLATTENING) * math.tan(math.radians(lat2)))
    span = math.radians(wrap_deg(lon2 - lon1))
    lam, sigma = span, 0.0
    sin_sigma = cos_sigma = cos2_alpha = mid = 0.0
    for _ in range(200):
        sin_sigma = math.hypot(
            math.cos(u2) * math.sin(lam),
            math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam),
        )
        if sin_sigma == 0:
            return 0.0
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        mid = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
        before = lam
        lam = span + (1 - c) * FLATTENING * sin_alpha * (
            sigma + c * sin_sigma * (mid + c * cos_sigma * (2 * mid**2 - 1))
        )
        if abs(lam - before) < 1e-13:
            break
    k = cos2_alpha * (SEMI_MAJOR_M**2 - b**2) / b**2
    big_a = 1 + k / 16384 * (4096 + k * (-768 + k * (320 - 175 * k)))
    big_b = k / 1024 * (256 + k * (-128 + k * (74 - 47 * k)))
    part = big_b / 6 * mid * (4 * sin_sigma**2 - 3) * (4 * mid**2 - 3)
    turn = big_b * sin_sigma * (mid + big_b / 4 * (cos_sigma * (2 * mid**2 - 1) - part))
    return b * big_a * (sigma - turn)


def test_the_textbook_line_has_its_published_length() -> None:
    """Flinders Peak to Buninyong, 54 972.271 m in the Australian geodetic manual."""
    flinders = (-37.95103341666667, 144.42486788888888)
    buninyong = (-37.65282113888889, 143.92649552777777)
    assert distance_m(*flinders, *buninyong) == pytest.approx(54972.271, rel=1e-4)


@given(lats, lons, st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_leg_up_to_a_hundred_kilometres_is_right_to_a_tenth_of_a_permille(
    lat: float, lon: float, dlat: float, dlon: float
) -> None:
    true_m = vincenty_m(lat, lon, lat + dlat, lon + dlon)
    assert distance_m(lat, lon, lat + dlat, lon + dlon) == pytest.approx(true_m, rel=1e-4, abs=1e-3)


@given(lats, lons, lats, st.floats(-150, 150))
def test_a_leg_across_a_continent_is_right_to_a_permille(
    lat1: float, lon1: float, lat2: float, dlon: float
) -> None:
    true_m = vincenty_m(lat1, lon1, lat2, lon1 + dlon)
    assert distance_m(lat1, lon1, lat2, lon1 + dlon) == pytest.approx(true_m, rel=1e-3, abs=1e-3)


def test_a_leg_over_the_antimeridian_does_not_go_round_the_world() -> None:
    assert distance_m(-17.0, 179.999, -17.0, -179.999) == pytest.approx(212.9, abs=0.2)


def test_the_way_to_itself_is_nothing() -> None:
    assert distance_m(89.0, 12.0, 89.0, 12.0) == 0.0
