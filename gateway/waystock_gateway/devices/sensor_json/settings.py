"""Settings of JSON sensors, `[mqtt_sources.sensor_json]`: which field holds what."""

import msgspec

from waystock_gateway.devices.sensor_fields import SensorFieldSettings

_PLAIN = (
    "temperature_c", "humidity_ratio", "battery_v", "battery_ratio", "fuel_ratio", "odometer_m",
    "ignition", "door_open", "external_v", "pressure_pa",
)  # fmt: skip


class SensorJsonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    time: str = "time"
    """ISO 8601 with offset or Z, or seconds (or milliseconds) since 1970. A message without it is
    of the moment at which the gateway takes it in."""
    values: tuple[SensorFieldSettings, ...] = tuple(
        SensorFieldSettings(name=name, field=name) for name in _PLAIN
    )
    """By default the fields that are already called as Waystock calls them."""
