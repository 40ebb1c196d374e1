"""The WGS 84 ellipsoid for whole columns of degrees, in numpy: the same formulas as `geodesy` has
for one pair. Upstream: routes and fences of the master data; downstream: the plan, which is built
once and not fix by fix.
"""

import numpy as np
from numpy.typing import NDArray

SEMI_MAJOR_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY2 = FLATTENING * (2 - FLATTENING)
SHORT_DEG = 1.0
"""Legs shorter than this in both coordinates are reckoned by the radii of curvature."""

Floats = NDArray[np.float64]


def metres_per_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Length of one degree of (longitude, latitude) at these latitudes."""
    cosine = np.cos(np.radians(lat))
    q = 1.0 - ECCENTRICITY2 * (1.0 - cosine * cosine)
    prime_vertical = SEMI_MAJOR_M / np.sqrt(q)
    per_lon = np.radians(prime_vertical * cosine)
    return per_lon, np.radians(prime_vertical * (1.0 - ECCENTRICITY2) / q)


def leg_lengths_m(lat: Floats, lon: Floats) -> Floats:
    """Geodesic lengths between neighbours; one fewer than there are points."""
    dlat, dlon = np.diff(lat), (np.diff(lon) + 180.0) % 360.0 - 180.0
    per_lon, per_lat = metres_per_degree((lat[:-1] + lat[1:]) * 0.5)
    short_m = np.hypot(dlon * per_lon, dlat * per_lat)
    is_short = (np.abs(dlat) < SHORT_DEG) & (np.abs(dlon) < SHORT_DEG) & (np.abs(lat[:-1]) < 85.0)
    long = np.flatnonzero(~is_short)
    short_m[long] = _lambert_m(lat[:-1][long], lat[1:][long], dlon[long])
    return short_m


def _lambert_m(lat1: Floats, lat2: Floats, dlon: Floats) -> Floats:
    beta1 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat1)))
    beta2 = np.arctan((1 - FLATTENING) * np.tan(np.radians(lat2)))
    half = (
        np.sin((beta2 - beta1) / 2) ** 2
        + np.cos(beta1) * np.cos(beta2) * np.sin(np.radians(dlon) / 2) ** 2
    )
    sigma = 2 * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    p, q = (beta1 + beta2) / 2, (beta2 - beta1) / 2
    x = (sigma - np.sin(sigma)) * (np.sin(p) * np.cos(q) / np.cos(sigma / 2)) ** 2
    sine = np.where(sigma > 0, np.sin(sigma / 2), 1.0)
    y = (sigma + np.sin(sigma)) * (np.cos(p) * np.sin(q) / sine) ** 2
    return SEMI_MAJOR_M * (sigma - FLATTENING / 2 * (x + y))
