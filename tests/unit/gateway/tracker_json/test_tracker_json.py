"""JSON trackers: a message becomes a fix or a counted reject, never an exception."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.tracker_json.decoder import TrackerJsonDecoder
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.readings import Fix, Reading, Reject

PLAIN = {"lat": 31.2, "lon": 121.4, "time": "2026-11-23T06:01:02.5Z", "speed_mps": 3.2}
decoder = TrackerJsonDecoder(TrackerJsonSettings())


def decode(message: object) -> Fix | Reject:
    return only(decoder.decode(msgspec.json.encode(message)))


def only(readings: list[Reading]) -> Fix | Reject:
    (reading,) = readings
    assert isinstance(reading, Fix | Reject)
    return reading


def test_a_plain_message_is_a_fix() -> None:
    fix = decode(PLAIN)
    assert isinstance(fix, Fix)
    assert (fix.lat, fix.lon, fix.speed_mps, fix.clock) == (31.2, 121.4, 3.2, "device")
    assert fix.time == datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)


@pytest.mark.parametrize("time", [1795413662.5, 1795413662500, "2026-11-23T14:01:02.5+08:00"])
def test_every_usual_way_to_write_the_time_is_understood(time: object) -> None:
    fix = decode({**PLAIN, "time": time})
    assert isinstance(fix, Fix)
    assert fix.time == datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)


def test_kilometres_per_hour_become_metres_per_second() -> None:
    fix = decode({"lat": 1, "lon": 2, "time": 0, "speed_kmh": 36})
    assert isinstance(fix, Fix)
    assert fix.speed_mps == 10.0


def test_names_of_fields_are_the_fleet_s_own() -> None:
    mapped = TrackerJsonDecoder(
        TrackerJsonSettings(lat="location.latitude", lon="location.longitude", time="tst")
    )
    fix = only(mapped.decode(b'{"location":{"latitude":31.2,"longitude":121.4},"tst":1795413662}'))
    assert isinstance(fix, Fix)
    assert (fix.lat, fix.lon) == (31.2, 121.4)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat": None}, "no_position"),
        ({"lat": 91}, "bad_latitude"),
        ({"lon": "121.4"}, "bad_longitude"),
        ({"lat": True}, "bad_latitude"),
        ({"time": None}, "no_time"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": "2026-11-23T06:01:02"}, "time_without_offset"),
        ({"time": 1e300}, "bad_time"),
        ({"time": []}, "bad_time"),
    ],
)
def test_a_message_without_place_or_time_is_refused(change: dict[str, object], reason: str) -> None:
    reject = decode({**PLAIN, **change})
    assert isinstance(reject, Reject)
    assert reject.reason == reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[]", "not_an_object"),
        (b"x" * 20_000, "too_long"),
    ],
)
def test_what_is_no_message_is_refused(payload: bytes, reason: str) -> None:
    reject = only(decoder.decode(payload))
    assert isinstance(reject, Reject)
    assert reject.reason == reason


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PLAIN, json_values)))
def test_no_message_ever_raises(message: dict[str, object]) -> None:
    decode(message)


@given(st.binary(max_size=200))
def test_no_payload_ever_raises(payload: bytes) -> None:
    decoder.decode(payload)
