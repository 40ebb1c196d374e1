"""gpsd: the last report of an instant is its fix, in our units; everything else is counted. The
golden lines are what gpsd 3.22 sent to a watcher that asked it nonsense at the end, of a receiver
that was blind at first and once more in between.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.gpsd.decoder import SKY_KEPT_FIXES, GpsdDecoder, make_line
from waystock_gateway.devices.gpsd.settings import GpsdSettings
from waystock_gateway.readings import Decoded, Fix, Notice, Reject

GOLDEN = (Path(__file__).parent / "gpsd-3.22.jsonl").read_bytes()
TPV: dict[str, Any] = {
    "class": "TPV", "device": "/dev/ttyACM0", "mode": 3, "time": "2026-11-23T06:01:02.500Z",
    "lat": 31.2, "lon": 121.4, "altHAE": 21.7, "altMSL": 12.0, "epx": 3.0, "epy": 4.0,
    "track": 90.1, "speed": 3.2, "eph": 7.5,
}  # fmt: skip
SKY: dict[str, Any] = {"class": "SKY", "device": "/dev/ttyACM0", "hdop": 0.9, "uSat": 11}


def decoder(receiver: str = "") -> GpsdDecoder:
    return GpsdDecoder(GpsdSettings(receiver=receiver))


def lines(*reports: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(report).encode() + b"\r\n" for report in reports)


def decode(*reports: dict[str, Any], receiver: str = "") -> list[Decoded]:
    reader = decoder(receiver)
    return reader.feed(lines(*reports)) + reader.finish()


def fixes(found: list[Decoded]) -> list[Fix]:
    return [item for item in found if isinstance(item, Fix)]


def fix_of(**changes: Any) -> Fix:
    told = {name: value for name, value in (TPV | changes).items() if value is not None}
    [fix] = fixes(decode(told))
    return fix


def reasons(found: list[Decoded]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Reject)]


def notices(found: list[Decoded]) -> list[str]:
    return [item.what for item in found if isinstance(item, Notice)]


def test_a_real_gpsd_is_understood() -> None:
    reader = decoder()
    found = reader.feed(GOLDEN) + reader.finish()
    told = fixes(found)
    assert [fix.time.second for fix in told if fix.time] == [52, 53, 54, 55, 56, 57, 59]
    assert [fix.lat for fix in told[:3]] == [31.2306, 31.2307, 31.2308]
    second = told[1]
    assert (second.speed_mps, second.course_deg_true, second.altitude_m) == (11.1, 3.5, 14.2)
    assert (second.accuracy_m, second.hdop, second.satellites) == (17.1, 0.9, 7)
    assert reasons(found) == ["no_fix", "no_fix", "no_fix", "gpsd_error"]
    assert notices(found)[:4] == ["version", "devices", "watch", "device"]


@pytest.mark.parametrize("size", [1, 2, 7, 100, 1000])
def test_a_report_may_come_in_any_pieces(size: int) -> None:
    whole, cut = decoder(), decoder()
    pieces = [GOLDEN[at : at + size] for at in range(0, len(GOLDEN), size)]
    in_pieces = [item for piece in pieces for item in cut.feed(piece)] + cut.finish()
    assert in_pieces == whole.feed(GOLDEN) + whole.finish()


def test_figures_come_in_our_units() -> None:
    fix = fix_of()
    assert fix.time == datetime(2026, 11, 23, 6, 1, 2, 500_000, tzinfo=UTC)
    assert (fix.lat, fix.lon, fix.altitude_m) == (31.2, 121.4, 12.0)
    assert (fix.speed_mps, fix.course_deg_true) == (3.2, 90.1)
    assert (fix.accuracy_m, fix.clock, fix.quality) == (7.5, "gps", ())


@pytest.mark.parametrize(
    ("changes", "altitude_m"),
    [
        ({"altMSL": None}, None),
        ({"altMSL": None, "geoidSep": 9.7}, 12.0),
        ({"altMSL": None, "altHAE": None, "alt": 13.0}, 13.0),
        ({"mode": 2}, None),
    ],
    ids=["ellipsoid alone", "ellipsoid and geoid", "gpsd before 3.20", "without altitude"],
)
def test_an_altitude_is_above_the_sea_or_none(
    changes: dict[str, Any], altitude_m: float | None
) -> None:
    assert fix_of(**changes).altitude_m == altitude_m


def test_accuracy_without_a_whole_error_is_that_of_both_axes() -> None:
    assert fix_of(eph=None).accuracy_m == 5.0
    assert fix_of(eph=None, epy=None).accuracy_m is None


def test_due_north_is_0_degrees() -> None:
    assert fix_of(track=360.0).course_deg_true == 0.0


@pytest.mark.parametrize("status", [5, 8])
def test_what_the_receiver_did_not_measure_is_marked(status: int) -> None:
    assert fix_of(status=status).quality == ("low_accuracy",)


def test_the_last_report_of_an_instant_counts() -> None:
    found = decode(TPV | {"lat": 31.1, "speed": None}, TPV, TPV | {"time": "2026-11-23T06:01:03Z"})
    assert [(fix.lat, fix.speed_mps) for fix in fixes(found)] == [(31.2, 3.2), (31.2, 3.2)]
    assert notices(found) == ["earlier_report"]


def test_the_last_word_on_an_instant_may_be_that_there_was_no_fix() -> None:
    found = decode(TPV, {"class": "TPV", "mode": 1, "time": TPV["time"]})
    assert not fixes(found)
    assert reasons(found) == ["no_fix"]


def test_a_fix_does_not_wait_for_the_next_one_when_the_line_falls_quiet() -> None:
    reader = decoder()
    assert not reader.feed(lines(TPV))
    assert len(fixes(reader.idle())) == 1
    assert not reader.idle()


def test_the_sky_is_told_with_the_fixes_after_it_until_it_is_old() -> None:
    reader = decoder()
    reader.feed(lines(SKY))
    told: list[Fix] = []
    for second in range(SKY_KEPT_FIXES + 1):
        reader.feed(lines(TPV | {"time": f"2026-11-23T06:01:{second:02d}Z"}))
        told += fixes(reader.idle())
    assert {(fix.hdop, fix.satellites) for fix in told[:SKY_KEPT_FIXES]} == {(0.9, 11)}
    assert (told[-1].hdop, told[-1].satellites) == (None, None)


def test_an_older_gpsd_lists_the_satellites_instead_of_counting_them() -> None:
    listed = [{"PRN": n, "used": n < 5} for n in range(9)] + [None, 7]
    [fix] = fixes(decode({"class": "SKY", "satellites": listed}, TPV))
    assert fix.satellites == 5


def test_of_several_receivers_the_one_that_was_named_counts() -> None:
    other = TPV | {"device": "/dev/ttyS1", "lat": 0.0}
    found = decode(other, TPV, SKY | {"device": "/dev/ttyS1", "hdop": 9.0}, receiver="/dev/ttyACM0")
    assert [(fix.lat, fix.hdop) for fix in fixes(found)] == [(31.2, None)]
    assert notices(found).count("other_receiver") == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"class":"TPV","mode":0}', "no_fix"),
        (b'{"class":"TPV","mode":"3"}', "bad_mode"),
        (b'{"class":"TPV","mode":true}', "bad_mode"),
        (b'{"class":"TPV","mode":4}', "bad_mode"),
        (b'{"class":"TPV"}', "bad_mode"),
        (b'{"class":"TPV","mode":3,"time":"2026-11-23T06:01:02Z"}', "no_position"),
        (b'{"class":"TPV","mode":3,"lat":1,"lon":2}', "no_time"),
        (b'{"class":"TPV","mode":3,"lat":1,"lon":2,"time":"2026-11-23T06:01"}', "time_without_of"),
        (b'{"class":"TPV","mode":3,"lat":1,"lon":2,"time":"2026-02-31T06:01:00Z"}', "bad_time"),
        (b'{"class":"TPV","mode":3,"lat":91,"lon":2,"time":"2026-11-23T06:01:02Z"}', "bad_latitu"),
        (b'{"class":"TPV","mode":3,"lat":1,"lon":"E","time":"2026-11-23T06:01:02Z"}', "bad_longit"),
        (b'{"class":"ERROR","message":"Unrecognized request"}', "gpsd_error"),
        (b'{"class":"WEATHER"}', "unknown_class"),
        (b'{"class":["TPV"]}', "unknown_class"),
        (b'{"mode":3}', "no_class"),
        (b"[1]", "not_an_object"),
        (b'{"class":"TPV","mo', "not_json"),
        (b'{"class":"TPV","mode":3,"lat":nan}', "not_json"),
        (b"$GPRMC,143252.00,A,4002.10513,N,07531.20562,W,0.016,,241013,,,A*60", "not_json"),
    ],
)
def test_what_is_no_fix_is_refused_by_name_and_costs_no_other(line: bytes, reason: str) -> None:
    reader = decoder()
    found = reader.feed(b"\n" + line + b"\n" + lines(TPV)) + reader.finish()
    [refused] = [item for item in found if isinstance(item, Reject)]
    assert refused.reason.startswith(reason)
    assert (refused.at, refused.raw) == (1, line)
    assert len(fixes(found)) == 1


def test_a_status_of_another_shape_says_nothing() -> None:
    assert fix_of(status=[5], speed="fast", track=-1, eph=True).quality == ()


def test_a_line_without_end_is_refused_once_and_fills_no_memory() -> None:
    reader = decoder()
    found = [item for _ in range(100) for item in reader.feed(b"x" * 4096)]
    found += reader.feed(b"\n" + lines(TPV)) + reader.finish()
    assert reasons(found) == ["too_long"]
    assert len(fixes(found)) == 1


def test_half_a_line_at_the_end_is_told_as_unterminated() -> None:
    reader = decoder()
    found = reader.feed(lines(TPV) + b'{"class":"TPV"') + reader.finish()
    assert len(fixes(found)) == 1
    assert reasons(found) == ["unterminated"]


def test_gpsd_is_asked_to_report() -> None:
    line = make_line(GpsdSettings(wake_after_s=12))
    request = line.on_open.decode()
    assert request.startswith("?WATCH=")
    assert request.endswith(";\n")
    assert msgspec.json.decode(request[7:-2]) == {"enable": True, "json": True}
    assert line.wake_after_s == 12


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    st.lists(
        st.binary(max_size=60)
        | st.fixed_dictionaries(
            {"class": st.sampled_from(["TPV", "SKY", "ERROR", "AIS"])},
            optional=dict.fromkeys((TPV | SKY).keys() - {"class"} | {"status"}, json_values),
        ).map(lambda report: json.dumps(report).encode()),
        max_size=6,
    )
)
def test_garbage_never_raises_and_never_goes_uncounted(garbage: list[bytes]) -> None:
    reader = decoder()
    for piece in garbage:
        found = reader.feed(piece + b"\n")
        assert found or not piece.strip(b"\r\n") or reader.idle()
    reader.finish()
