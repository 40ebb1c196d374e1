"""Settings of JSON trackers, `[mqtt_sources.tracker_json]`: which field holds what."""

from typing import Annotated

import msgspec

from waystock_gateway.devices.sensor_fields import SensorFieldSettings


class TrackerJsonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lat: str = "lat"
    lon: str = "lon"
    time: str = "time"
    """ISO 8601 with offset or Z, or seconds (or milliseconds) since 1970."""
    speed_mps: str = "speed_mps"
    speed_kmh: str = "speed_kmh"
    """Taken where `speed_mps` is absent."""
    course_deg_true: str = "course_deg_true"
    altitude_m: str = "altitude_m"
    accuracy_m: str = "accuracy_m"
    hdop: str = "hdop"
    satellites: str = "satellites"
    values: tuple[SensorFieldSettings, ...] = ()
    """What its sensors say, told as telemetry of the same instant."""
    speed_mps_max: Annotated[float, msgspec.Meta(gt=0)] = 100.0
    """A fix that would need a higher speed since the one before is marked `teleport`."""
