"""JSON sensors: whatever a thermometer or a door calls its values, they come in with their unit."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.sensor_fields import SensorFieldSettings
from waystock_gateway.devices.sensor_json.decoder import SensorJsonDecoder
from waystock_gateway.devices.sensor_json.settings import SensorJsonSettings
from waystock_gateway.devices.tracker_json.decoder import TrackerJsonDecoder
from waystock_gateway.devices.tracker_json.settings import TrackerJsonSettings
from waystock_gateway.readings import Fix, Measurement, Reject

plain = SensorJsonDecoder(SensorJsonSettings())
BRIDGE = SensorJsonDecoder(
    SensorJsonSettings(
        time="last_seen",
        values=(
            SensorFieldSettings(name="temperature_c", field="temperature"),
            SensorFieldSettings(name="humidity_ratio", field="humidity", scale=0.01),
            SensorFieldSettings(name="battery_v", field="power.mv", scale=0.001),
            SensorFieldSettings(name="door_open", field="contact", scale=-1, offset=1),
        ),
    )
)


def bridge(message: object) -> Measurement | Reject:
    return BRIDGE.decode(msgspec.json.encode(message))


def test_values_come_in_with_their_unit_at_the_sensor_s_own_time() -> None:
    found = bridge(
        {
            "temperature": -18.5, "humidity": "61", "power": {"mv": 2950}, "contact": True,
            "last_seen": 1795413662500, "linkquality": 90,
        }
    )  # fmt: skip
    assert isinstance(found, Measurement)
    assert found.time == datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)
    assert found.values == {
        "temperature_c": -18.5, "humidity_ratio": 0.61, "battery_v": 2.95, "door_open": 0.0,
    }  # fmt: skip


def test_a_sensor_without_a_clock_is_heard_all_the_same() -> None:
    assert plain.decode(b'{"temperature_c": 4.5}') == Measurement(
        time=None, values={"temperature_c": 4.5}
    )


@pytest.mark.parametrize(
    ("said", "open_"),
    [(True, 1), ("open", 1), ("ON", 1), (1, 1), (False, 0), ("closed", 0), ("0", 0)],
)
def test_a_door_says_it_in_many_ways(said: object, open_: float) -> None:
    found = plain.decode(msgspec.json.encode({"door_open": said}))
    assert isinstance(found, Measurement)
    assert found.values == {"door_open": open_}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"temperature_c": null}', "no_values"),
        (b'{"temperature_c": "error"}', "no_values"),
        (b'{"temperature_c": "nan"}', "no_values"),
        (b'{"temperature_c": "1_0"}', "no_values"),
        ('{"temperature_c": "\u0661\u0662"}'.encode(), "no_values"),
        (b'{"temperature_c": 1' + b"0" * 400 + b"}", "no_values"),
        (b'{"temperature_c": 4, "time": "noon"}', "bad_time"),
        (b"[4.5]", "not_an_object"),
        (b"4.5 C", "not_json"),
    ],
)
def test_what_says_nothing_is_refused_and_counted(payload: bytes, reason: str) -> None:
    found = plain.decode(payload)
    assert isinstance(found, Reject)
    assert found.reason == reason


def test_a_tracker_s_own_sensors_come_with_its_position_and_without_it() -> None:
    decoder = TrackerJsonDecoder(
        TrackerJsonSettings(values=(SensorFieldSettings(name="temperature_c", field="probe.t"),))
    )
    message = {"lat": 31.2, "lon": 121.4, "time": 1795413662, "probe": {"t": 4.5}}
    sensed, fix = decoder.decode(msgspec.json.encode(message))
    assert isinstance(sensed, Measurement)
    assert isinstance(fix, Fix)
    assert (sensed.values, sensed.time) == ({"temperature_c": 4.5}, fix.time)
    sensed, reject = decoder.decode(msgspec.json.encode({**message, "lat": None}))
    assert isinstance(sensed, Measurement)
    assert isinstance(reject, Reject)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
def test_a_value_of_any_kind_never_raises(value: object) -> None:
    for name in ("temperature_c", "time"):
        plain.decode(msgspec.json.encode({"battery_v": 3, name: value}))
