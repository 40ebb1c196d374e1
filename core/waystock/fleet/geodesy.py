"""Distances on the WGS 84 ellipsoid, one at a time, for compiled rules. Upstream: degrees of fixes,
fences and routes; downstream: every rule of the fleet that compares metres.

Short legs use the radii of curvature at the mean latitude (error below 0.01 % up to 100 km outside
the polar caps); long ones Lambert's formula (below 0.01 % of the distance, not near the antipode).
A plain sphere would be up to 0.5 % off.
"""

import math

from waystock.compiled import compiled
from waystock.fleet.ellipsoid import ECCENTRICITY2, FLATTENING, SEMI_MAJOR_M, SHORT_DEG

_RAD = math.pi / 180


@compiled
def metres_per_degree(lat: float) -> tuple[float, float]:
    """Length of one degree of (longitude, latitude) at this latitude."""
    cosine = math.cos(lat * _RAD)
    q = 1.0 - ECCENTRICITY2 * (1.0 - cosine * cosine)
    prime_vertical = SEMI_MAJOR_M / math.sqrt(q)
    return prime_vertical * cosine * _RAD, prime_vertical * (1.0 - ECCENTRICITY2) / q * _RAD


@compiled
def wrap_deg(lon: float) -> float:
    """A difference of longitudes, brought to −180 … 180."""
    return lon if -180.0 <= lon <= 180.0 else (lon + 180.0) % 360.0 - 180.0


@compiled
def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Geodesic distance between two WGS 84 points."""
    dlon = wrap_deg(lon2 - lon1)
    dlat = lat2 - lat1
    if abs(dlat) < SHORT_DEG and abs(dlon) < SHORT_DEG and abs(lat1) < 85.0:
        per_lon, per_lat = metres_per_degree((lat1 + lat2) * 0.5)
        x = dlon * per_lon
        y = dlat * per_lat
        return math.sqrt(x * x + y * y)
    return _lambert_m(lat1, lat2, dlon)


@compiled
def _lambert_m(lat1: float, lat2: float, dlon: float) -> float:
    """Lambert's formula for long lines, on reduced latitudes."""
    beta1 = math.atan((1 - FLATTENING) * math.tan(lat1 * _RAD))
    beta2 = math.atan((1 - FLATTENING) * math.tan(lat2 * _RAD))
    half = (
        math.sin((beta2 - beta1) / 2) ** 2
        + math.cos(beta1) * math.cos(beta2) * math.sin(dlon * _RAD / 2) ** 2
    )
    sigma = 2 * math.asin(min(1.0, math.sqrt(half)))
    if sigma == 0.0:
        return 0.0
    p, q = (beta1 + beta2) / 2, (beta2 - beta1) / 2
    x = (sigma - math.sin(sigma)) * (math.sin(p) * math.cos(q) / math.cos(sigma / 2)) ** 2
    y = (sigma + math.sin(sigma)) * (math.cos(p) * math.sin(q) / math.sin(sigma / 2)) ** 2
    return SEMI_MAJOR_M * (sigma - FLATTENING / 2 * (x + y))
