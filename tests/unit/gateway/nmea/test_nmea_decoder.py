"""NMEA 0183: epochs, dates, and what must be dropped or marked. Sentences are built here, with
their own checksum; pynmea2 is the oracle for single RMC sentences. Recordings of real receivers
are read in tests/integration/gateway.
"""

import itertools
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pynmea2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_firmware_sim.protocol import nmea as firmware
from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix, Reject

LAT, LON = "3112.3456,N", "12124.5678,E"


def sentence(body: str) -> bytes:
    checksum = reduce(lambda a, b: a ^ b, body.encode("latin-1"), 0)
    return f"${body}*{checksum:02X}\r\n".encode("latin-1")


def rmc(
    time: str, *, place: str = f"{LAT},{LON}", date: str = "231126", talker: str = "GN"
) -> bytes:
    return sentence(f"{talker}RMC,{time},A,{place},10.0,90.5,{date},,,A")


def gga(time: str, *, place: str = f"{LAT},{LON}", quality: str = "1") -> bytes:
    return sentence(f"GPGGA,{time},{place},{quality},08,0.9,12.5,M,10.0,M,,")


def vtg(knots: str = "10.0", course: str = "90.5") -> bytes:
    return sentence(f"GPVTG,{course},T,,M,{knots},N,,K,A")


def decode(*sentences: bytes) -> list[Decoded]:
    decoder = NmeaDecoder()
    return decoder.feed(b"".join(sentences)) + decoder.finish()


def fixes(found: list[Decoded]) -> list[Fix]:
    return [item for item in found if isinstance(item, Fix)]


def reasons(found: list[Decoded]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Reject)]


def test_an_epoch_is_one_fix_with_all_its_figures() -> None:
    (fix,) = fixes(decode(rmc("060102.50"), vtg(), gga("060102.50")))
    assert fix.time == datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)
    assert (fix.lat, fix.lon) == (31.20576, 121.40946333299999) or (
        abs(fix.lat - 31.20576) < 1e-9 and abs(fix.lon - 121.40946333333) < 1e-9
    )
    assert fix.speed_mps == pytest.approx(5.144444, abs=1e-6)
    assert (fix.course_deg_true, fix.altitude_m, fix.hdop, fix.satellites) == (90.5, 12.5, 0.9, 8)
    assert fix.quality == ()


@pytest.mark.parametrize(
    "order",
    [
        [rmc("060102"), gga("060102"), vtg()],
        [gga("060102"), rmc("060102"), vtg()],
        [gga("060102"), vtg(), rmc("060102")],
    ],
)
def test_the_order_of_sentences_does_not_matter(order: list[bytes]) -> None:
    (fix,) = fixes(decode(*order))
    assert (fix.speed_mps, fix.course_deg_true, fix.altitude_m) == (5.144444, 90.5, 12.5)


def test_two_instants_are_two_fixes_whatever_comes_first() -> None:
    found = decode(gga("060102"), rmc("060102"), gga("060103"), rmc("060103"))
    assert [fix.time_of_day.total_seconds() for fix in fixes(found)] == [21662, 21663]


def test_a_known_set_of_sentences_ends_its_epoch_without_waiting() -> None:
    decoder = NmeaDecoder()
    for second in range(3):
        decoder.feed(rmc(f"06010{second}") + gga(f"06010{second}"))
    (fix,) = fixes(decoder.feed(rmc("060104") + gga("060104")))
    assert fix.time_of_day.total_seconds() == 21664


def test_a_straggler_of_a_finished_epoch_makes_no_second_fix() -> None:
    decoder = NmeaDecoder()
    assert len(fixes(decoder.feed(rmc("060102")) + decoder.idle())) == 1
    found = decoder.feed(gga("060102") + vtg()) + decoder.finish()
    assert fixes(found) == []
    assert reasons(found) == ["late_sentence"]


def test_a_receiver_that_never_names_a_time_does_not_fill_the_memory() -> None:
    decoder = NmeaDecoder()
    found = decoder.feed(rmc("060102") + vtg() * 1000)
    assert len(fixes(found)) == 1
    assert fixes(decoder.finish()) == []


def test_a_pause_ends_the_epoch() -> None:
    decoder = NmeaDecoder()
    assert decoder.feed(rmc("060102")) == []
    assert len(fixes(decoder.idle())) == 1
    assert decoder.idle() == []


def test_the_date_is_carried_over_midnight() -> None:
    found = decode(rmc("235959", date="311226"), gga("000000"), gga("000001"))
    assert [fix.time for fix in fixes(found)] == [
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC),
    ]


def test_zda_gives_the_date_where_there_is_no_rmc() -> None:
    found = decode(gga("060102"), sentence("GPZDA,060102,23,11,2026,00,00"))
    assert fixes(found)[0].time == datetime(2026, 11, 23, 6, 1, 2, tzinfo=UTC)


def test_a_zda_that_runs_ahead_opens_no_fix_of_its_own() -> None:
    found = decode(sentence("GPZDA,060103,23,11,2026,00,00"), gga("060102"), rmc("060102"))
    assert [fix.time_of_day.total_seconds() for fix in fixes(found)] == [21662]


def test_a_fix_before_any_date_has_no_time_to_be_wrong() -> None:
    (fix,) = fixes(decode(gga("060102")))
    assert fix.time is None
    assert fix.time_of_day == timedelta(hours=6, minutes=1, seconds=2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (sentence(f"GPRMC,060102,V,{LAT},{LON},0.0,,231126,,,N"), "no_fix"),
        (sentence(f"GPRMC,060102,A,{LAT},{LON},0.0,,231126,,,N"), "no_fix"),
        (gga("060102", quality="0"), "no_fix"),
        (sentence(f"GPGLL,{LAT},{LON},060102,V,N"), "no_fix"),
        (sentence("GNGNS,060102,,,,,NNN,,,,,,"), "no_fix"),
        (rmc("060102", place=",,,"), "no_position"),
        (rmc("060102", place=f"9012.3456,N,{LON}"), "bad_latitude"),
        (rmc("060102", place=f"3160.0000,N,{LON}"), "bad_latitude"),
        (rmc("060102", place=f"{LAT},18100.0000,E"), "bad_longitude"),
        (rmc("060102", place=f"3112.3456,E,{LON}"), "hemisphere"),
        (rmc("060102", place=f"-3112.3456,N,{LON}"), "hemisphere"),
        (rmc("060102", place=f"3112.3456,,{LON}"), "hemisphere"),
        (rmc("240000"), "bad_time"),
        (rmc("066001"), "bad_time"),
        (rmc("060102", date="310226"), "bad_date"),
        (sentence("GPZDA,060102,31,02,2026,00,00"), "bad_date"),
        (sentence("GPZDA,235960,31,12,9999,00,00"), "bad_date"),
        (sentence("GPZDA,060102,01,01,0001,00,00"), "bad_date"),
        (sentence("GPZDA,060102,+1,1_,2026,00,00"), "bad_date"),
        (rmc("060102", date="+1+1+1"), "bad_date"),
        (rmc("060102")[:-4] + b"00\r\n", "checksum"),
        (b"$GPTXT,01,\x5c*+5\r\n", "no_checksum"),
        (rmc("060102").partition(b"*")[0] + b"\r\n", "no_checksum"),
        (rmc("060102")[:20] + rmc("060102")[:-9], "truncated"),
    ],
)
def test_what_can_t_be_right_is_dropped_and_counted(bad: bytes, reason: str) -> None:
    found = decode(bad)
    assert fixes(found) == []
    assert reason in reasons(found)


@pytest.mark.parametrize("figure", ["9" * 60, "99999", "-1", "1_0", "+3"])
def test_a_figure_that_can_t_be_true_is_left_out_and_costs_no_fix(figure: str) -> None:
    """The contract and the store's columns have no room for it."""
    place = f"{LAT},{LON}"
    (fix,) = fixes(
        decode(
            sentence(f"GPRMC,060102,A,{place},{figure},{figure},231126,,,A"),
            sentence(f"GPGGA,060102,{place},1,{figure},{figure},{figure}00,M,,M,,"),
        )
    )
    assert (fix.lat, fix.lon) == (31.20576, 121.409463333)
    assert (fix.speed_mps, fix.course_deg_true, fix.satellites, fix.hdop) == (None,) * 4
    assert fix.altitude_m in (None, -100.0)


def test_a_date_at_the_end_of_the_calendar_costs_only_itself() -> None:
    found = decode(sentence("GPZDA,000030,01,01,0001,00,00"), gga("235900"), rmc("060102"))
    assert len(fixes(found)) == 2
    assert reasons(found) == ["bad_date"]


def test_a_split_line_never_becomes_two_fixes() -> None:
    half = rmc("060102")
    found = decode(half[:30] + b"\r\n" + half[30:])
    assert fixes(found) == []


def test_dead_reckoning_is_marked() -> None:
    (fix,) = fixes(decode(gga("060102", quality="6"), sentence("GPZDA,060102,23,11,2026,00,00")))
    assert fix.quality == ("low_accuracy",)


def test_a_void_rmc_overrules_a_position_beside_it() -> None:
    found = decode(gga("060102"), sentence(f"GPRMC,060102,V,{LAT},{LON},0.0,,231126,,,"))
    assert fixes(found) == []


def test_manufacturers_own_sentences_are_passed_over() -> None:
    found = decode(sentence("PASHR,POS,0,03,060102.00"), rmc("060102"), sentence("GPTXT,hello"))
    assert len(found) == 1


def test_binary_between_sentences_does_no_harm() -> None:
    ubx = bytes.fromhex("B5620107240D0A24FF0A0D21")
    found = decode(ubx, rmc("060102"), ubx, gga("060102"))
    assert len(fixes(found)) == 1


sentences = st.lists(
    st.sampled_from(
        [rmc("060102"), gga("060102"), vtg(), rmc("060103"), gga("060103"), rmc("060104", date="")]
    ),
    max_size=12,
).map(b"".join)


@given(sentences, st.binary(max_size=40), st.lists(st.integers(min_value=0)))
def test_however_the_stream_is_cut_the_fixes_are_the_same(
    stream: bytes, noise: bytes, cuts: list[int]
) -> None:
    data = stream + noise + stream
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    decoder = NmeaDecoder()
    found = [x for a, b in itertools.pairwise(edges) for x in decoder.feed(data[a:b])]
    assert found + decoder.finish() == decode(data)


@given(st.binary(max_size=300))
def test_a_sentence_after_garbage_is_found(garbage: bytes) -> None:
    found = decode(garbage, b"\r\n", rmc("060102"))
    assert len(fixes(found)) == 1


@given(st.text(alphabet="GPRMCAVLS$*!,.0123456789NEW\r\n", max_size=200))
def test_sentences_made_of_nonsense_never_raise(text: str) -> None:
    decode(*(sentence(line) for line in text.splitlines()), text.encode())


@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2079, 12, 31)),
    st.floats(0, 500),
    st.floats(0, 359.9),
)
def test_pynmea2_reads_the_same_position(
    lat: float, lon: float, moment: datetime, knots: float, course: float
) -> None:
    body = (
        f"GPRMC,{moment:%H%M%S},A,{_ddmm(abs(lat), 2)},{'S' if lat < 0 else 'N'},"
        f"{_ddmm(abs(lon), 3)},{'W' if lon < 0 else 'E'},{knots:.3f},{course:.2f},"
        f"{moment:%d%m%y},,,A"
    )
    (fix,) = fixes(decode(sentence(body)))
    oracle: Any = pynmea2.parse(sentence(body).decode().strip())
    assert fix.lat == pytest.approx(oracle.latitude, abs=1e-8)
    assert fix.lon == pytest.approx(oracle.longitude, abs=1e-8)
    assert fix.speed_mps == pytest.approx(oracle.spd_over_grnd * 1852 / 3600, abs=1e-5)
    assert fix.time == moment.replace(microsecond=0, tzinfo=UTC)


@given(
    st.lists(
        st.builds(
            firmware.Fix,
            time=st.datetimes(datetime(2000, 1, 1), datetime(2079, 12, 31)).map(
                lambda time: time.replace(microsecond=time.microsecond // 10_000 * 10_000)
            ),
            lat=st.floats(-90, 90),
            lon=st.floats(-180, 180),
            speed_mps=st.floats(0, 500),
            course_deg_true=st.floats(0, 359.9),
            altitude_m=st.floats(-400, 9000),
            hdop=st.floats(0.5, 90),
            satellites=st.integers(0, 99),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda fix: fix.time.time(),
    ),
    st.permutations(["RMC", "GGA", "VTG"]).filter(lambda order: order[0] != "VTG"),
)
def test_what_a_unit_sent_is_what_is_read(
    sent: list[firmware.Fix], order: list[firmware.Sentence]
) -> None:
    """Encoded by firmware-sim, which knows nothing of the decoder."""
    bursts = [b"".join(firmware.sentences(fix, "GN", tuple(order))) for fix in sent]
    found = fixes(decode(*bursts))
    assert len(found) == len(sent)
    for fix, was in zip(found, sent, strict=True):
        assert fix.time == was.time.replace(tzinfo=UTC)
        assert fix.lat == pytest.approx(was.lat, abs=1e-7)
        assert fix.lon == pytest.approx(was.lon, abs=1e-7)
        assert fix.speed_mps == pytest.approx(was.speed_mps, abs=1e-3)
        assert fix.altitude_m == pytest.approx(was.altitude_m, abs=0.051)
        assert fix.hdop == pytest.approx(was.hdop, abs=0.0051)
        assert fix.satellites == was.satellites


def _ddmm(value: float, digits: int) -> str:
    ten_thousandths = min(round(value * 600_000), (90 if digits == 2 else 180) * 600_000)
    degrees, minutes = divmod(ten_thousandths, 600_000)
    return f"{degrees:0{digits}d}{minutes / 10_000:07.4f}"


def test_the_fix_of_a_leap_second_is_not_lost() -> None:
    found = fixes(decode(rmc("235959", date="311216"), rmc("235960", date="311216")))
    assert [fix.time for fix in found] == [
        datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2017, 1, 1, tzinfo=UTC),
    ]
    assert reasons(decode(rmc("120060"))) == ["bad_time"]
