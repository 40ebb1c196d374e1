"""OwnTracks: where a phone is and how full its battery. Message form: OwnTracks booklet, JSON."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.identifiers import iso_utc
from waystock_gateway.devices.owntracks.decoder import decode
from waystock_gateway.readings import Fix, Measurement, Reject

LOCATION = {
    "_type": "location", "acc": 8, "alt": 12, "batt": 74, "cog": 90, "lat": 31.2, "lon": 121.4,
    "tid": "aa", "tst": 1795413662, "vac": 3, "vel": 36, "conn": "m",
}  # fmt: skip


def test_a_location_says_where_how_fast_and_how_full() -> None:
    fix, charge = decode(msgspec.json.encode(LOCATION))
    assert isinstance(fix, Fix)
    assert isinstance(charge, Measurement)
    assert fix.time is not None
    assert iso_utc(fix.time) == "2026-11-23T06:01:02.000000Z"
    assert (fix.lat, fix.lon, fix.speed_mps, fix.accuracy_m) == (31.2, 121.4, 10.0, 8.0)
    assert (fix.course_deg_true, fix.altitude_m) == (90.0, 12.0)
    assert (charge.time, charge.values) == (fix.time, {"battery_ratio": 0.74})


def test_a_location_of_place_and_time_alone_is_a_fix_without_inventions() -> None:
    (fix,) = decode(b'{"_type":"location","lat":-1.5,"lon":2,"tst":1795413662}')
    assert isinstance(fix, Fix)
    assert (fix.speed_mps, fix.course_deg_true, fix.altitude_m) == (None, None, None)


@pytest.mark.parametrize("kind", ["lwt", "transition", "waypoint", "encrypted", None])
def test_other_messages_are_no_positions_but_are_counted(kind: str | None) -> None:
    (reject,) = decode(msgspec.json.encode({**LOCATION, "_type": kind}))
    assert isinstance(reject, Reject)
    assert reject.reason == "not_a_location"


@given(st.binary(max_size=200) | st.sampled_from([msgspec.json.encode(LOCATION)]), st.data())
def test_no_payload_ever_raises(payload: bytes, data: st.DataObject) -> None:
    decode(payload[: data.draw(st.integers(0, len(payload)))])
