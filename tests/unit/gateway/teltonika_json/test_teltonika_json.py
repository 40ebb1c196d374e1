"""Teltonika Codec JSON: fix and sensors of one record. Message form: the maker's MQTT pages."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.identifiers import iso_utc
from waystock_gateway.devices.teltonika_json.decoder import decode
from waystock_gateway.readings import Fix, Measurement, Reading, Reject

RECORD: dict[str, object] = {
    "ts": 1795413662500, "pr": 0, "latlng": "54.687000,25.279000", "alt": 110, "ang": 90,
    "sat": 9, "sp": 36, "evt": 239, "239": 1, "66": 12650, "16": 184220, "72": -185,
}  # fmt: skip


def reported(record: object) -> list[Reading]:
    return decode(msgspec.json.encode({"state": {"reported": record}}))


def test_a_record_says_where_the_truck_is_and_what_its_sensors_feel() -> None:
    sensed, fix = reported(RECORD)
    assert isinstance(sensed, Measurement)
    assert isinstance(fix, Fix)
    assert fix.time == sensed.time
    assert fix.time is not None
    assert iso_utc(fix.time) == "2026-11-23T06:01:02.500000Z"
    assert (fix.lat, fix.lon, fix.speed_mps, fix.satellites) == (54.687, 25.279, 10.0, 9)
    assert sensed.values == {
        "odometer_m": 184220.0, "external_v": 12.65, "temperature_c": -18.5, "ignition": 1.0,
    }  # fmt: skip


def test_without_satellites_the_cold_chain_is_still_watched() -> None:
    sensed, reject = reported({**RECORD, "sat": 0, "latlng": "0.000000,0.000000"})
    assert isinstance(sensed, Measurement)
    assert isinstance(reject, Reject)
    assert reject.reason == "no_fix"


def test_a_faulty_thermometer_is_no_temperature() -> None:
    sensed, _ = reported({**RECORD, "72": 8500})
    assert isinstance(sensed, Measurement)
    assert "temperature_c" not in sensed.values


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: [r, r], lambda r: {"reported": r}])
def test_converters_may_leave_the_outer_levels_out(wrap: Callable[[object], object]) -> None:
    assert decode(msgspec.json.encode(wrap(RECORD)))[:2] == reported(RECORD)


@pytest.mark.parametrize("io", [{"239": 1, "66": 12650, "x": 5}, [
    {"id": 239, "value": 1}, {"id": "66", "value": 12650}, 7, {"id": [], "value": 1},
]])  # fmt: skip
def test_records_of_the_binary_codecs_are_read_too(io: object) -> None:
    gps = {
        "longitude": 25.279, "latitude": 54.687, "speed": 36, "angle": 90, "altitude": 110,
        "satellites": 9,
    }  # fmt: skip
    record = {"timestamp": 1795413662500, "priority": 1, "gps": gps, "io": io}
    sensed, fix = reported(record)
    assert isinstance(sensed, Measurement)
    assert sensed.values == {"external_v": 12.65, "ignition": 1.0}
    assert fix == reported(RECORD)[1]
    (reject,) = reported({"timestamp": 1795413662500, "gps": 7, "io": 7})
    assert isinstance(reject, Reject)
    assert reject.reason == "no_position"


def test_a_damaged_record_costs_only_itself() -> None:
    readings = reported([RECORD, 7, {**RECORD, "ts": 1795413663500}])
    assert [type(r) for r in readings] == [Measurement, Fix, Reject, Measurement, Fix]


def test_thousands_of_bad_records_are_counted_and_keep_their_message_once() -> None:
    rejects = [one for one in reported([7] * 4_000) if isinstance(one, Reject)]
    assert len(rejects) == 4_000
    assert len({id(reject.raw) for reject in rejects}) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ts": None}, "no_time"),
        ({"latlng": None}, "no_position"),
        ({"latlng": "54.6"}, "no_position"),
        ({"latlng": "5_4.6,25.2"}, "no_position"),
        ({"latlng": "\u0665\u0664,25.2"}, "no_position"),
        ({"latlng": "91,0"}, "bad_latitude"),
        ({"latlng": "nan,0"}, "no_position"),
    ],
)
def test_a_record_without_place_or_time_is_refused(change: dict[str, object], reason: str) -> None:
    reject = reported({**RECORD, **change})[-1]
    assert isinstance(reject, Reject)
    assert reject.reason == reason


@pytest.mark.parametrize("record", [None, [], "x", 1])
def test_a_message_without_record_is_refused(record: object) -> None:
    (reject,) = reported(record)
    assert isinstance(reject, Reject)
    assert reject.reason == "no_record"


texts = st.text("0123456789,.-naif", max_size=12)
json_values = st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | texts


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), json_values))
def test_no_record_ever_raises(record: dict[str, object]) -> None:
    reported(record)


@given(st.binary(max_size=200))
def test_no_payload_ever_raises(payload: bytes) -> None:
    decode(payload)
