"""Which fields of a JSON message are sensors' values, and how they become values with a unit.
Settings and the pure reading of them. Used by the decoders of `tracker_json` and `sensor_json`.
"""

import math
from typing import Annotated, Any

import msgspec

from waystock_gateway.devices.json_fields import decimal_of, field_of

ValueName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

_WORDS = {
    "on": 1.0, "open": 1.0, "opened": 1.0, "true": 1.0, "yes": 1.0,
    "off": 0.0, "closed": 0.0, "close": 0.0, "false": 0.0, "no": 0.0,
}  # fmt: skip
"""What devices say of doors, keys and switches, in lower case."""


class SensorFieldSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of the message: `scale` times the field's number, plus `offset`."""

    name: ValueName
    """The value's name in Waystock, with its unit: `temperature_c`, `humidity_ratio`, `battery_v`,
    `fuel_ratio`, `odometer_m`, `ignition`, `door_open` (0 or 1) …"""
    field: str
    """The field that holds it; dots reach into nested objects. True, "on" and "open" count as 1,
    false, "off" and "closed" as 0."""
    scale: float = 1.0
    """0.01 makes a ratio of per cent, 0.001 volts of millivolts."""
    offset: float = 0.0
    """With scale -1, 1 turns a contact that is closed into a door that is open."""


def values_of(message: dict[str, Any], fields: tuple[SensorFieldSettings, ...]) -> dict[str, float]:
    """The values that the message has; what is no number is left out."""
    values: dict[str, float] = {}
    for wanted in fields:
        number = _number(field_of(message, wanted.field))
        if number is not None and math.isfinite(number * wanted.scale + wanted.offset):
            values[wanted.name] = round(number * wanted.scale + wanted.offset, 9)
    return values


def _number(value: Any) -> float | None:
    """Sensors write numbers as numbers or as texts."""
    if isinstance(value, str):
        word = value.strip().lower()
        return _WORDS[word] if word in _WORDS else decimal_of(word)
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
