"""RFID readers that publish JSON: messages with the fields their makers describe, and bad ones."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_gateway.devices.kinds import TAG_DECODERS
from waystock_gateway.readings import InputChange, Reject, TagRead

EPC = "3074257BF7194E4000001A85"
OTHER = "3174257BF4499602D2000000"
ZEBRA = {
    "type": "SIMPLE",
    "timestamp": "2026-11-23T06:01:02.500+0000",
    "data": {"idHex": EPC.lower(), "antenna": 2, "peakRssi": -54, "eventNum": 7, "format": "epc"},
}
IMPINJ = {
    "eventType": "tagInventory",
    "timestamp": "2026-11-23T06:01:02.5Z",
    "tagInventoryEvent": {"epcHex": EPC, "antennaPort": 2, "peakRssiCdbm": -5450},
}
BASE64 = {"eventType": "tagInventory", "tagInventoryEvent": {"epc": "MHQle_cZTkAAABqF"}}
SLED = {"data": {"tagData": [{"idHex": EPC, "peakRssi": -48}, {"idHex": OTHER}]}}


def decode(kind: str, *messages: object, joint: bytes = b"\n") -> list[object]:
    return list(TAG_DECODERS[kind](joint.join(map(msgspec.json.encode, messages))))


STAMPED_S = 1795413662.5
"""2026-11-23T06:01:02.5Z."""
ZEBRA_EYE = {
    "type": "gpi",
    "timestamp": "2026-11-23T06:01:02.500+0000",
    "data": {"pin": 2, "state": "HIGH"},
}
IMPINJ_EYE = {
    "eventType": "gpiTransition",
    "timestamp": "2026-11-23T06:01:02.5Z",
    "gpiTransitionEvent": {"gpi": 1, "transition": "high-to-low"},
}


def test_each_reader_s_message_is_read() -> None:
    zebra, impinj = decode("zebra-fx", ZEBRA), decode("impinj", IMPINJ)
    assert zebra == [TagRead(epc=EPC, rssi_dbm=-54.0, antenna=2, reader_s=STAMPED_S)]
    assert impinj == [TagRead(epc=EPC, rssi_dbm=-54.5, antenna=2, reader_s=STAMPED_S)]
    assert decode("impinj", BASE64) == [TagRead(epc=EPC)]
    assert decode("rfd40", SLED) == [TagRead(epc=EPC, rssi_dbm=-48.0), TagRead(epc=OTHER)]


def test_a_photo_eye_at_the_reader_s_input_is_read() -> None:
    (broken,) = decode("zebra-fx", ZEBRA_EYE)
    (clear,) = decode("impinj", IMPINJ_EYE)
    assert broken == InputChange(pin=2, is_high=True, reader_s=STAMPED_S)
    assert clear == InputChange(pin=1, is_high=False, reader_s=STAMPED_S)


@pytest.mark.parametrize("data", [{}, {"pin": 1}, {"pin": 0, "state": "HIGH"}, {"state": "LOW"}])
def test_an_input_that_does_not_say_which_or_how_is_refused(data: dict[str, object]) -> None:
    (refused,) = decode("zebra-fx", ZEBRA_EYE | {"data": data})
    assert isinstance(refused, Reject)
    assert refused.reason == "no_input"


def test_arrays_and_lines_hold_many_messages() -> None:
    assert len(decode("impinj", [IMPINJ, BASE64], IMPINJ)) == 3
    assert len(decode("zebra-fx", [ZEBRA, ZEBRA])) == 2


def test_fields_that_are_left_out_are_not_missed() -> None:
    assert decode("zebra-fx", {"data": {"idHex": EPC}}) == [TagRead(epc=EPC)]


def test_what_a_reader_says_of_itself_is_no_tag_and_no_error() -> None:
    assert decode("impinj", {"eventType": "inventoryStatus", "inventoryStatusEvent": {}}) == []
    assert decode("zebra-fx", {"type": "heartbeat", "data": {}}) == []


@pytest.mark.parametrize("kind", TAG_DECODERS)
@pytest.mark.parametrize("payload", [b"{", b"7", b"[1]", b"{}", b"\xff", b""])
def test_what_holds_no_tag_is_refused_and_counted(kind: str, payload: bytes) -> None:
    (refused,) = TAG_DECODERS[kind](payload)
    assert isinstance(refused, Reject)


@pytest.mark.parametrize("epc", ["", "30742", "307425", "xyz0", "00" * 64, 7, None])
def test_a_damaged_epc_is_never_a_tag(epc: object) -> None:
    (refused,) = decode("zebra-fx", {"data": {"idHex": epc}})
    assert isinstance(refused, Reject)
    assert refused.reason == "no_epc"


def test_a_broken_line_costs_only_itself() -> None:
    good = msgspec.json.encode(IMPINJ)
    readings = TAG_DECODERS["impinj"](good + b"\n{broken\n" + good)
    assert [type(reading) for reading in readings] == [TagRead, Reject, TagRead]


def test_a_damaged_tag_costs_no_other_of_its_batch() -> None:
    readings = decode(
        "rfd40", {"data": {"tagData": [{"idHex": EPC}, {"idHex": "3"}, SLED, {"epc": EPC}]}}
    )
    assert [type(reading) for reading in readings] == [TagRead, Reject, Reject, TagRead]


def test_thousands_of_bad_tags_are_counted_and_keep_their_message_once() -> None:
    message = {"data": {"tagData": [{"idHex": "3"}] * 10_000}, "more": 10**30}
    readings = TAG_DECODERS["rfd40"](json.dumps(message).encode())
    assert {type(reading) for reading in readings} == {Reject}
    assert len(readings) == 10_000
    assert len({id(reading.raw) for reading in readings if isinstance(reading, Reject)}) == 1


def test_a_bad_message_of_an_array_shows_itself_and_costs_no_other() -> None:
    first, second, third = decode("impinj", [IMPINJ, {"eventType": "tagInventory"}, IMPINJ])
    assert first == third == TagRead(epc=EPC, rssi_dbm=-54.5, antenna=2, reader_s=STAMPED_S)
    assert isinstance(second, Reject)
    assert second.raw == b'{"eventType":"tagInventory"}'


@pytest.mark.parametrize("kind", TAG_DECODERS)
@given(payload=st.binary(max_size=200))
def test_no_message_ever_stops_the_source(kind: str, payload: bytes) -> None:
    TAG_DECODERS[kind](payload)
