"""The features of a GeoJSON document, whoever wrote it. Upstream: bytes of a file; downstream:
recordings, routes and fences, which say what a feature means.
"""

from typing import Any, NamedTuple, cast

import msgspec

from waystock.contract.reading import read

_decoder = msgspec.json.Decoder()


class Feature(NamedTuple):
    """A geometry, [lon, lat] in WGS 84, and what is said of it."""

    geometry: dict[str, Any]
    properties: dict[str, Any]


def features_of(document: bytes) -> list[Feature]:
    """Of a FeatureCollection, or of one Feature alone. ValueError says what is wrong."""
    try:
        parsed: Any = read(_decoder, document.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    found: Any = parsed
    if isinstance(parsed, dict):
        collection = cast(dict[str, Any], parsed)
        found = [collection] if collection.get("type") == "Feature" else collection.get("features")
    if not isinstance(found, list):
        raise ValueError("not a GeoJSON FeatureCollection")
    return [_feature(one, number) for number, one in enumerate(cast(list[Any], found), 1)]


def _feature(value: Any, number: int) -> Feature:
    feature = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(geometry, dict):
        raise ValueError(f"feature {number} has no geometry")
    return Feature(
        cast(dict[str, Any], geometry),
        cast(dict[str, Any], properties) if isinstance(properties, dict) else {},
    )
