"""Frames against examples of manuals and standards, and against judges that we did not write."""

from datetime import UTC, datetime

import fastcrc
import pynmea2
import pytest
from epcpy.utils.parsers import hex_to_tag_encodable
from hypothesis import given
from hypothesis import strategies as st

from waystock_firmware_sim.protocol import epc, gs1, nmea, r200, ssi


def test_check_digits_are_those_printed_on_real_goods() -> None:
    assert gs1.check_digit("400638133393") == "1"  # an EAN-13 of a pen
    assert gs1.check_digit("10614141234567890") == "8"  # SSCC of TDS 2.1, section E.3
    assert gs1.gtin_14("9527001", 53).startswith("09527001")


def test_longest_pallet_label_still_fits_a_gs1_128_symbol() -> None:
    sscc = gs1.sscc(3, "9527100", 999_999_999)
    assert len(gs1.pallet_label(sscc, gs1.gtin_14("9527001", 99_999), 999, "A123")) == 48
    with pytest.raises(ValueError, match="49 characters"):
        gs1.pallet_label(sscc, gs1.gtin_14("9527001", 99_999), 999, "A1234")


def test_fnc1_stands_after_every_open_element_and_nowhere_else() -> None:
    gtin = gs1.gtin_14("9527001", 1)
    assert gs1.item_label(gtin, 4, "K417") == f"01{gtin}10K417\x1d304"
    assert gs1.item_label(gtin, 4, "") == f"01{gtin}304"
    sscc = gs1.sscc(3, "9527100", 1)
    assert gs1.pallet_label(sscc, gtin, 60, "K417") == f"00{sscc}02{gtin}3760\x1d10K417"


def test_sscc_tag_is_the_one_of_the_standard() -> None:
    # TDS 2.1, section E.3: urn:epc:tag:sscc-96:3.0614141.1234567890
    assert epc.sscc_96("106141412345678908", 7, 3).hex() == "3174257bf4499602d2000000"


@given(st.integers(0, 9), st.integers(0, 999_999_999))
def test_any_pallet_tag_names_its_own_pallet(extension: int, serial: int) -> None:
    sscc = gs1.sscc(extension, "9527001", serial)
    tag = hex_to_tag_encodable(epc.sscc_96(sscc, 7).hex().upper())
    assert tag.epc_uri == f"urn:epc:id:sscc:9527001.{extension}{serial:09d}"


def test_r200_frames_are_those_of_the_manual() -> None:
    # M100/R200 serial protocol manual: multi-poll of 10 000, single poll, no tag, stop, one tag
    assert r200.frame(0, r200.MULTI_POLL, b"\x22\x27\x10").hex() == "bb00270003222710837e"
    assert r200.frame(0, r200.SINGLE_POLL, b"").hex() == "bb00220000227e"
    assert r200.failure(r200.ERROR_NO_TAG).hex() == "bb01ff000115167e"
    assert r200.response(r200.STOP_POLL).hex() == "bb01280001002a7e"


def test_a_tag_notice_differs_from_the_manuals_only_by_its_shorter_control_word() -> None:
    manual = bytes.fromhex("bb02220011c9340030751feb705c5904e3d50d703a76ef7e")
    ours = r200.tag_notice(manual[8:20], -55)
    assert ours[:6] + ours[8:20] == manual[:6] + manual[8:20]
    assert ours[6:8] == r200.PC_EPC_96
    assert sum(ours[1:-2]) & 0xFF == ours[-2]


def test_tag_memory_crc_is_the_one_in_the_manuals_notice() -> None:
    memory = bytes.fromhex("340030751FEB705C5904E3D50D70")
    assert r200.genibus_crc(memory).hex() == "3a76"


@given(st.binary(min_size=1, max_size=40))
def test_tag_crc_agrees_with_the_catalogue(memory: bytes) -> None:
    assert r200.genibus_crc(memory) == fastcrc.crc16.genibus(memory).to_bytes(2, "big")


@given(st.binary(max_size=30), st.integers(1, 9))
def test_reader_obeys_a_command_that_comes_in_pieces_after_noise(noise: bytes, cut: int) -> None:
    command = bytes.fromhex("bb00270003222710837e")
    host = r200.HostCommands()
    host.feed(noise.replace(b"\xbb", b""))
    found = host.feed(command[:cut]) + host.feed(command[cut:])
    assert [(one.command, r200.multi_poll_count(one.payload)) for one in found] == [(0x27, 10_000)]


def test_ssi_packets_are_those_of_the_manual() -> None:
    # Simple Serial Interface Programmer's Guide: CMD_ACK from the host
    assert ssi.packet(ssi.CMD_ACK, ssi.SOURCE_HOST, 0).hex() == "04d00400ff28"
    packet = ssi.decode_data(ssi.TYPE_EAN_13, "]E09501101530003", retransmission=False)
    assert packet[:5] == bytes((21, 0xF3, 0, 0, 0x0B))
    assert (sum(packet[:-2]) + int.from_bytes(packet[-2:], "big")) & 0xFFFF == 0
    again = ssi.decode_data(ssi.TYPE_EAN_13, "]E09501101530003", retransmission=True)
    assert again[3] == 1


@given(st.binary(max_size=20), st.integers(1, 5))
def test_scanner_hears_an_answer_that_comes_in_pieces_after_noise(noise: bytes, cut: int) -> None:
    answer = bytes.fromhex("04d00400ff28")
    host = ssi.HostPackets()
    host.feed(bytes(byte for byte in noise if byte < 4))
    assert host.feed(answer[:cut]) + host.feed(answer[cut:]) == [ssi.CMD_ACK]


def _fix(lat: float, lon: float, speed_mps: float = 20.5) -> nmea.Fix:
    return nmea.Fix(
        time=datetime(2026, 11, 23, 6, 1, 2, 500_000, tzinfo=UTC),
        lat=lat,
        lon=lon,
        speed_mps=speed_mps,
        course_deg_true=277.25,
        altitude_m=8.4,
        hdop=0.92,
        satellites=11,
    )


@given(st.floats(-89.9, 89.9), st.floats(-179.9, 179.9))
def test_a_foreign_parser_reads_back_the_same_place(lat: float, lon: float) -> None:
    burst = b"".join(nmea.sentences(_fix(lat, lon), "GN", ("GGA", "VTG", "RMC")))
    gga, vtg, rmc = (
        pynmea2.parse(line, check=True) for line in burst.decode("ascii").strip().split("\r\n")
    )
    for sentence in (gga, rmc):
        assert sentence.latitude == pytest.approx(lat, abs=2e-7)
        assert sentence.longitude == pytest.approx(lon, abs=2e-7)
    assert rmc.datetime == datetime(2026, 11, 23, 6, 1, 2, 500_000, tzinfo=UTC)
    assert float(rmc.spd_over_grnd or 0) / nmea.KNOTS_PER_MPS == pytest.approx(20.5, abs=0.001)
    assert vtg.true_track == pytest.approx(277.25)


def test_minutes_never_reach_sixty() -> None:
    (rmc,) = nmea.sentences(_fix(30.9999999999, 121.9999999999), "GP", ("RMC",))
    assert b"3100.00000,N,12200.00000,E" in rmc


def test_a_parked_truck_has_no_course() -> None:
    rmc = b"".join(nmea.sentences(_fix(31.0, 121.0, speed_mps=0.1), "GP", ("RMC",))).decode()
    assert rmc.split(",")[8] == ""


def test_a_blind_receiver_claims_no_position() -> None:
    sentences = nmea.no_fix_sentences(datetime(2026, 11, 23, 6, 1, 2, tzinfo=UTC), "GN")
    rmc, gga = (pynmea2.parse(line.decode().strip(), check=True) for line in sentences)
    assert (rmc.status, rmc.lat, gga.gps_qual, gga.lat) == ("V", "", 0, "")
