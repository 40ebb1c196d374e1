"""JSON sensors: one MQTT payload in, one measurement or reject out. Field names come from the
settings. Upstream: the MQTT source. Downstream: the device's session.
"""

from waystock_gateway.devices.json_fields import (
    UnusableError,
    field_of,
    instant_of,
    object_of,
    refusal,
)
from waystock_gateway.devices.sensor_fields import values_of
from waystock_gateway.devices.sensor_json.settings import SensorJsonSettings
from waystock_gateway.readings import Measurement, Reject


class SensorJsonDecoder:
    """Stateless: a payload is a whole message."""

    def __init__(self, settings: SensorJsonSettings) -> None:
        self._settings = settings

    def decode(self, payload: bytes) -> Measurement | Reject:
        try:
            message = object_of(payload)
            values = values_of(message, self._settings.values)
            if not values:
                raise UnusableError("no_values")
            stated = field_of(message, self._settings.time)
            return Measurement(time=None if stated is None else instant_of(stated), values=values)
        except UnusableError as error:
            return refusal(error, payload)
