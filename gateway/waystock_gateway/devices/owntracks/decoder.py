"""OwnTracks: one MQTT payload in, a fix and the phone's charge out. Messages that are no location
(last will, transition, waypoint) are refused as such, which counts them. Upstream: the MQTT source.
Downstream: the phone's session. Fields as the OwnTracks booklet, chapter JSON, names them.
"""

from typing import Any

from waystock_gateway.devices.json_fields import (
    MPS_PER_KMH,
    UnusableError,
    coordinate_of,
    instant_of,
    number_of,
    object_of,
    refusal,
    time_of_day,
)
from waystock_gateway.readings import Fix, Measurement, Reading


def decode(payload: bytes) -> list[Reading]:
    """The readings of one message; never raises."""
    try:
        message = object_of(payload)
        if message.get("_type") != "location":
            raise UnusableError("not_a_location")
        fix = _fix(message)
    except UnusableError as error:
        return [refusal(error, payload)]
    assert fix.time is not None
    charge_percent = number_of(message.get("batt"), 0, 100)
    if charge_percent is None:
        return [fix]
    return [fix, Measurement(time=fix.time, values={"battery_ratio": charge_percent / 100})]


def _fix(message: dict[str, Any]) -> Fix:
    """`tst` is the time of the fix, `created_at` that of the message."""
    time = instant_of(message.get("tst"))
    speed_kmh = number_of(message.get("vel"), 0, 1e4)
    return Fix(
        time=time,
        time_of_day=time_of_day(time),
        lat=coordinate_of(message.get("lat"), 90),
        lon=coordinate_of(message.get("lon"), 180),
        speed_mps=None if speed_kmh is None else round(speed_kmh * MPS_PER_KMH, 6),
        course_deg_true=number_of(message.get("cog"), 0, 360),
        altitude_m=number_of(message.get("alt"), -1e4, 1e5),
        accuracy_m=number_of(message.get("acc"), 0, 1e6),
        clock="device",
    )
