"""Teltonika Codec JSON: one MQTT payload in, per record a fix and the values of known IO elements
out. A damaged record costs only itself. Upstream: the MQTT source. Downstream: the unit's session.
IO elements as the maker's AVL ID lists number and scale them.
"""

from typing import Any, NamedTuple, cast

from waystock_gateway.devices.json_fields import (
    MPS_PER_KMH,
    RAW_BYTES_MAX,
    UnusableError,
    coordinate_of,
    decimal_of,
    document_of,
    field_of,
    instant_of,
    number_of,
    refusal,
    time_of_day,
)
from waystock_gateway.readings import Fix, Measurement, Reading


class _Element(NamedTuple):
    name: str
    divisor: int
    low: float
    high: float
    """Bounds of the raw number: beyond them the unit reports a sensor's fault."""


_ELEMENTS = {
    "16": _Element("odometer_m", 1, 0, 2**32 - 1),
    "66": _Element("external_v", 1000, 0, 65_535),
    "67": _Element("battery_v", 1000, 0, 65_535),
    "72": _Element("temperature_c", 10, -550, 1150),
    "73": _Element("temperature_2_c", 10, -550, 1150),
    "74": _Element("temperature_3_c", 10, -550, 1150),
    "86": _Element("humidity_ratio", 1000, 0, 1000),
    "89": _Element("fuel_ratio", 100, 0, 100),
    "113": _Element("battery_ratio", 100, 0, 100),
    "239": _Element("ignition", 1, 0, 1),
}
_RECORD_KEYS = {"ts", "timestamp", "latlng"}


def decode(payload: bytes) -> list[Reading]:
    """The readings of one message; never raises."""
    try:
        records = _records(document_of(payload))
    except UnusableError as error:
        return [refusal(error, payload)]
    excerpt = payload[:RAW_BYTES_MAX]  # one for all: thousands of bad records keep it only once
    return [reading for record in records for reading in _read(record, excerpt)]


def _records(document: Any) -> list[Any]:
    """`state.reported` is a record, or several; converters leave the two outer levels out."""
    reported = document
    if isinstance(document, dict):
        message = cast("dict[str, Any]", document)
        reported = field_of(message, "state.reported" if "state" in message else "reported")
        reported = message if reported is None and _RECORD_KEYS & message.keys() else reported
    records = cast("list[Any]", reported) if isinstance(reported, list) else [reported]
    if not records or not isinstance(reported, list | dict):
        raise UnusableError("no_record")
    return records


def _read(record: Any, excerpt: bytes) -> list[Reading]:
    """Sensors are heard even where the sky is not."""
    if not isinstance(record, dict):
        return [refusal(UnusableError("no_record"), excerpt)]
    fields = _flat(cast("dict[str, Any]", record))
    readings: list[Reading] = []
    try:
        time = instant_of(fields.get("ts"))
        values = _values(fields)
        if values:
            readings.append(Measurement(time=time, values=values))
        readings.append(_fix(fields))
    except UnusableError as error:
        readings.append(refusal(error, excerpt))
    return readings


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record in the short names of Codec JSON. Converters of the binary codecs name them as the
    maker's pages on those do: `timestamp`, `gps` with its figures, `io` with the elements."""
    if "timestamp" not in record:
        return record
    gps, elements = record.get("gps"), record.get("io")
    place = cast("dict[str, Any]", gps) if isinstance(gps, dict) else {}
    lat, lon = place.get("latitude"), place.get("longitude")
    return {
        "ts": record["timestamp"],
        "latlng": None if lat is None or lon is None else f"{lat},{lon}",
        "sp": place.get("speed"),
        "ang": place.get("angle"),
        "alt": place.get("altitude"),
        "sat": place.get("satellites"),
        **_elements(elements),
    }


def _elements(elements: Any) -> dict[str, Any]:
    """`{"239": 1}`, or a list of `{"id": 239, "value": 1}`."""
    if isinstance(elements, dict):
        return {key: v for key, v in cast("dict[str, Any]", elements).items() if key in _ELEMENTS}
    if not isinstance(elements, list):
        return {}
    pairs = [cast("dict[str, Any]", e) for e in cast("list[Any]", elements) if isinstance(e, dict)]
    return {key: pair.get("value") for pair in pairs if (key := str(pair.get("id"))) in _ELEMENTS}


def _values(fields: dict[str, Any]) -> dict[str, float]:
    raw = {key: number_of(fields.get(key), e.low, e.high) for key, e in _ELEMENTS.items()}
    return {
        _ELEMENTS[key].name: value / _ELEMENTS[key].divisor
        for key, value in raw.items()
        if value is not None
    }


def _fix(fields: dict[str, Any]) -> Fix:
    """A unit without satellites repeats its last position, or says 0,0."""
    satellites = number_of(fields.get("sat"), 0, 200)
    if satellites == 0:
        raise UnusableError("no_fix")
    lat, lon = _place(fields.get("latlng"))
    time = instant_of(fields.get("ts"))
    speed_kmh = number_of(fields.get("sp"), 0, 1e4)
    return Fix(
        time=time,
        time_of_day=time_of_day(time),
        lat=lat,
        lon=lon,
        speed_mps=None if speed_kmh is None else round(speed_kmh * MPS_PER_KMH, 6),
        course_deg_true=number_of(fields.get("ang"), 0, 360),
        altitude_m=number_of(fields.get("alt"), -1e4, 1e5),
        satellites=None if satellites is None else int(satellites),
        clock="device",
    )


def _place(latlng: Any) -> tuple[float, float]:
    if not isinstance(latlng, str):
        raise UnusableError("no_position")
    lat, _, lon = latlng.partition(",")
    return coordinate_of(decimal_of(lat), 90), coordinate_of(decimal_of(lon), 180)
