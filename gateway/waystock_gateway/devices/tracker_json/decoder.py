"""JSON trackers: one MQTT payload in, one fix or reject out. Field names come from the settings;
dots reach into nested objects (`location.lat`). Upstream: the MQTT source. Downstream: the unit's
session.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from waystock.contract.reading import read
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.readings import Fix, Reject

PAYLOAD_BYTES_MAX = 16_384
RAW_BYTES_MAX = 512
_MILLISECONDS_FROM = 1e11
"""Numbers this large are milliseconds: as seconds they would lie beyond the year 5000."""
_MPS_PER_KMH = 1 / 3.6


class _UnusableError(ValueError):
    """The message is the reject's reason."""


class TrackerJsonDecoder:
    """Stateless: a payload is a whole message."""

    def __init__(self, settings: TrackerJsonSettings) -> None:
        self._settings = settings

    def decode(self, payload: bytes) -> Fix | Reject:
        try:
            return self._fix(_parse(payload))
        except _UnusableError as error:
            return Reject(reason=str(error), at=0, raw=payload[:RAW_BYTES_MAX])

    def _fix(self, message: dict[str, Any]) -> Fix:
        names = self._settings
        time = _time(_field(message, names.time))
        speed_mps = _number(_field(message, names.speed_mps), 0, 1e4)
        if speed_mps is None:
            speed_kmh = _number(_field(message, names.speed_kmh), 0, 1e4)
            speed_mps = None if speed_kmh is None else round(speed_kmh * _MPS_PER_KMH, 6)
        satellites = _number(_field(message, names.satellites), 0, 200)
        return Fix(
            time=time,
            time_of_day=time - time.replace(hour=0, minute=0, second=0, microsecond=0),
            lat=_coordinate(_field(message, names.lat), 90),
            lon=_coordinate(_field(message, names.lon), 180),
            speed_mps=speed_mps,
            course_deg_true=_number(_field(message, names.course_deg_true), 0, 360),
            altitude_m=_number(_field(message, names.altitude_m), -1e4, 1e5),
            accuracy_m=_number(_field(message, names.accuracy_m), 0, 1e6),
            hdop=_number(_field(message, names.hdop), 0, 1e3),
            satellites=None if satellites is None else int(satellites),
            clock="device",
        )


_any_json: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def _parse(payload: bytes) -> dict[str, Any]:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise _UnusableError("too_long")
    try:
        message = read(_any_json, payload)
    except msgspec.DecodeError as error:
        raise _UnusableError("not_json") from error
    if not isinstance(message, dict):
        raise _UnusableError("not_an_object")
    return cast("dict[str, Any]", message)


def _field(message: dict[str, Any], name: str) -> Any:
    if name in message:
        return message[name]
    value: Any = message
    for step in name.split("."):
        value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    return value


def _number(value: Any, low: float, high: float) -> float | None:
    """A plain number within its bounds; anything else is left out."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None


def _coordinate(value: Any, limit: float) -> float:
    if value is None:
        raise _UnusableError("no_position")
    number = _number(value, -limit, limit)
    if number is None:
        raise _UnusableError("bad_latitude" if limit == 90 else "bad_longitude")
    return number


def _time(value: Any) -> datetime:
    if value is None:
        raise _UnusableError("no_time")
    try:
        if isinstance(value, str):
            return _aware(datetime.fromisoformat(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except _UnusableError:
        raise
    except (ValueError, OverflowError) as error:
        raise _UnusableError("bad_time") from error
    raise _UnusableError("bad_time")


def _aware(moment: datetime) -> datetime:
    """Without an offset nobody knows which time is meant."""
    if moment.tzinfo is None:
        raise _UnusableError("time_without_offset")
    return moment.astimezone(UTC)
