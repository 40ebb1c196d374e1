"""Reads the fields of JSON messages that trackers publish: numbers within their bounds, instants,
degrees. Upstream: the decoders of the JSON kinds. Downstream: nothing.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from waystock.contract.reading import read
from waystock_gateway.readings import Reject

PAYLOAD_BYTES_MAX = 16_384
RAW_BYTES_MAX = 512
MPS_PER_KMH = 1 / 3.6
_MILLISECONDS_FROM = 1e11
"""Numbers this large are milliseconds: as seconds they would lie beyond the year 5000."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_any_json: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class UnusableError(ValueError):
    """The message is the reject's reason."""


def refusal(error: UnusableError, payload: bytes) -> Reject:
    """The reject of a whole message."""
    return Reject(reason=str(error), at=0, raw=payload[:RAW_BYTES_MAX])


def time_of_day(time: datetime) -> timedelta:
    """Since midnight UTC."""
    return time - time.replace(hour=0, minute=0, second=0, microsecond=0)


def document_of(payload: bytes) -> Any:
    """The message, whatever JSON it is; raises UnusableError."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise UnusableError("too_long")
    try:
        return read(_any_json, payload)
    except msgspec.DecodeError as error:
        raise UnusableError("not_json") from error


def object_of(payload: bytes) -> dict[str, Any]:
    """The message as an object; raises UnusableError."""
    message = document_of(payload)
    if not isinstance(message, dict):
        raise UnusableError("not_an_object")
    return cast("dict[str, Any]", message)


def field_of(message: dict[str, Any], name: str) -> Any:
    """The field of that name, or the nested one that its dots lead to; None if there is none."""
    if name in message:
        return message[name]
    value: Any = message
    for step in name.split("."):
        value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    return value


def number_of(value: Any, low: float, high: float) -> float | None:
    """A plain number within its bounds; anything else is left out."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if low <= value <= high else None


def decimal_of(text: str) -> float | None:
    """The number that `text` writes in plain digits; None for what only Python takes for one
    (`1_0`, `nan`, the digits of other scripts)."""
    return float(text) if _DECIMAL.fullmatch(text.strip()) else None


def coordinate_of(value: Any, limit: float) -> float:
    """Degrees WGS 84 within `limit`; raises UnusableError."""
    if value is None:
        raise UnusableError("no_position")
    degrees = number_of(value, -limit, limit)
    if degrees is None:
        raise UnusableError("bad_latitude" if limit == 90 else "bad_longitude")
    return degrees


def instant_of(value: Any) -> datetime:
    """ISO 8601 with offset, or seconds or milliseconds since 1970; raises UnusableError."""
    if value is None:
        raise UnusableError("no_time")
    try:
        if isinstance(value, str):
            return _aware(datetime.fromisoformat(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except UnusableError:
        raise
    except (ValueError, OverflowError) as error:
        raise UnusableError("bad_time") from error
    raise UnusableError("bad_time")


def _aware(moment: datetime) -> datetime:
    """Without an offset nobody knows which time is meant."""
    if moment.tzinfo is None:
        raise UnusableError("time_without_offset")
    return moment.astimezone(UTC)
