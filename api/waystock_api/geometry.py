"""Geometry of fences as screens need it."""

from typing import Any

from shapely.geometry import shape


def centroid(geometry: dict[str, Any]) -> tuple[float, float]:
    """(lat, lon) of the middle of a GeoJSON polygon, WGS 84 degrees.

    Taken in degrees: over a fence of a few kilometres that is off by centimetres.
    """
    point = shape(geometry).centroid
    return float(point.y), float(point.x)
