"""JSON trackers: one MQTT payload in, a fix or a reject out, and what its sensors say. Field names
come from the settings; dots reach into nested objects (`location.lat`). Upstream: the MQTT source.
Downstream: the unit's session.
"""

from typing import Any

from waystock_gateway.devices.json_fields import (
    MPS_PER_KMH,
    UnusableError,
    coordinate_of,
    field_of,
    instant_of,
    number_of,
    object_of,
    refusal,
    time_of_day,
)
from waystock_gateway.devices.sensor_fields import values_of
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.readings import Fix, Measurement, Reading


class TrackerJsonDecoder:
    """Stateless: a payload is a whole message."""

    def __init__(self, settings: TrackerJsonSettings) -> None:
        self._settings = settings

    def decode(self, payload: bytes) -> list[Reading]:
        """The readings of one message; never raises. Sensors are heard even where the sky is not,
        as long as the message says when."""
        readings: list[Reading] = []
        try:
            message = object_of(payload)
            values = values_of(message, self._settings.values)
            if values:
                time = instant_of(field_of(message, self._settings.time))
                readings.append(Measurement(time=time, values=values))
            readings.append(self._fix(message))
        except UnusableError as error:
            readings.append(refusal(error, payload))
        return readings

    def _fix(self, message: dict[str, Any]) -> Fix:
        names = self._settings
        time = instant_of(field_of(message, names.time))
        speed_mps = number_of(field_of(message, names.speed_mps), 0, 1e4)
        if speed_mps is None:
            speed_kmh = number_of(field_of(message, names.speed_kmh), 0, 1e4)
            speed_mps = None if speed_kmh is None else round(speed_kmh * MPS_PER_KMH, 6)
        satellites = number_of(field_of(message, names.satellites), 0, 200)
        return Fix(
            time=time,
            time_of_day=time_of_day(time),
            lat=coordinate_of(field_of(message, names.lat), 90),
            lon=coordinate_of(field_of(message, names.lon), 180),
            speed_mps=speed_mps,
            course_deg_true=number_of(field_of(message, names.course_deg_true), 0, 360),
            altitude_m=number_of(field_of(message, names.altitude_m), -1e4, 1e5),
            accuracy_m=number_of(field_of(message, names.accuracy_m), 0, 1e6),
            hdop=number_of(field_of(message, names.hdop), 0, 1e3),
            satellites=None if satellites is None else int(satellites),
            clock="device",
        )
