"""`waystock decode`: the forms that other tools rely on, field by field."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

RMC = b"$GPRMC,143252.00,A,4002.10513,N,07531.20562,W,0.016,,241013,,,A*60\r\n"


def decode(arguments: list[str], data: bytes, status: int = 0) -> list[dict[str, Any]]:
    run = subprocess.run(
        [str(Path(sys.executable).with_name("waystock")), "decode", *arguments],
        input=data,
        capture_output=True,
        check=False,
    )
    assert run.returncode == status, run.stderr
    return [msgspec.json.decode(line) for line in run.stdout.splitlines()]


def test_nmea_from_standard_input() -> None:
    garbage = b"garbage\r\n"
    rows = decode(["nmea"], garbage + RMC + b"$GPRMC,V*00\r\n")
    assert rows[0] == {"kind": "reject", "reason": "garbage", "at": 0, "raw": garbage[:-2].hex()}
    assert rows[1] == {
        "kind": "reject",
        "reason": "checksum",
        "at": len(garbage) + len(RMC),
        "raw": b"$GPRMC,V*00".hex(),
    }
    assert rows[2] == {
        "kind": "position",
        "time": "2013-10-24T14:32:52.000000Z",
        "lat": 40.0350855,
        "lon": -75.520093667,
        "speed_mps": 0.008231,
        "course_deg_true": None,
        "altitude_m": None,
        "quality": [],
    }


def test_a_line_that_is_no_hex_is_told_of() -> None:
    rows = decode(["nmea", "--hex"], b"zz\n" + RMC.hex().encode())
    assert rows[0] == {"kind": "reject", "reason": "not_hex", "at": 1, "raw": b"zz".hex()}
    assert rows[1]["kind"] == "position"


def test_nmea_from_a_file(tmp_path: Path) -> None:
    log = tmp_path / "capture.log"
    log.write_bytes(RMC)
    assert [row["kind"] for row in decode(["nmea", str(log)], b"")] == ["position"]


def test_a_teleport_in_a_capture_is_marked() -> None:
    far = b"$GPRMC,143253.00,A,5002.10513,N,07531.20562,W,0.016,,241013,,,A*60\r\n"
    assert [row["quality"] for row in decode(["nmea"], RMC + far)] == [[], ["teleport"]]


def test_barcodes_in_hex() -> None:
    lines = [b"]C1010950110153000310LOT7".hex(), "zz", b"NOREAD".hex(), b"]E09501101530004".hex()]
    rows = decode(["barcode", "--hex", "-"], "\n".join(lines).encode())
    assert rows == [
        {
            "kind": "barcode",
            "aim": "]C1",
            "format": "gs1",
            "data": "010950110153000310LOT7",
            "elements": [["01", "09501101530003"], ["10", "LOT7"]],
            "quality": [],
        },
        {"kind": "reject", "reason": "not_hex", "at": 2, "raw": b"zz".hex()},
        {"kind": "reject", "reason": "no_read", "at": 3, "raw": b"NOREAD".hex()},
        {
            "kind": "barcode",
            "aim": "]E0",
            "format": "gtin",
            "data": "9501101530004",
            "elements": [["01", "09501101530004"]],
            "quality": ["check_digit"],
        },
    ]


def test_epcs_in_hex() -> None:
    rows = decode(["epc"], b"3074257bf7194e4000001a85\nE2801160600002054D5B1234\nxyz\nABC1D2\n")
    assert rows == [
        {
            "kind": "rfid",
            "scheme": "sgtin-96",
            "tag_uri": "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
            "epc_uri": "urn:epc:id:sgtin:0614141.812345.6789",
            "digital_link": "https://id.gs1.org/01/80614141123458/21/6789",
            "elements": [["01", "80614141123458"], ["21", "6789"]],
            "filter": 3,
        },
        {
            "kind": "rfid",
            "scheme": "raw",
            "tag_uri": "urn:epc:raw:96.xE2801160600002054D5B1234",
            "epc_uri": None,
            "digital_link": None,
            "elements": [],
            "filter": None,
        },
        {"kind": "reject", "reason": "not_hex", "at": 3, "raw": b"xyz".hex()},
        {"kind": "reject", "reason": "not_whole_words", "at": 4, "raw": "abc1d2"},
    ]


def test_an_rfid_capture() -> None:
    capture = b"\xff" + bytes.fromhex("BB02220011C9340030751FEB705C5904E3D50D703A76EF7E")
    rows = decode(["r200"], capture)
    assert rows[0] == {"kind": "reject", "reason": "garbage", "at": 0, "raw": "ff"}
    assert (rows[1]["epc"], rows[1]["rssi_dbm"]) == ("30751FEB705C5904E3D50D70", -55.0)


@pytest.mark.parametrize(
    "arguments", [["sonar"], ["nmea", "/no/such/file"], ["nmea", "--what"], []]
)
def test_unusable_arguments_end_with_status_2(arguments: list[str]) -> None:
    assert decode(arguments, b"", status=2) == []


def test_epcs_as_people_write_them_down_are_read() -> None:
    """With 0x, with spaces, or as the standard prints them, without the zeros that fill a word."""
    rows = decode(
        ["epc"], b"0x3074257BF7194E4000001A85\n30 74 257BF719 4E4000001A85\nF90095201234567891235\n"
    )
    assert [row["scheme"] for row in rows] == ["sgtin-96", "sgtin-96", "sscc+"]
    assert rows[2]["elements"] == [["00", "095201234567891235"]]
    assert rows[2]["epc_uri"] is None


def test_what_a_scanner_sends_for_fnc1_is_told_to_the_command() -> None:
    frame = b"]C1010950110153000310LOT7~21S1".hex().encode() + b"\n"
    (row,) = decode(["barcode", "--hex", "--gs", "~"], frame)
    assert row["elements"] == [["01", "09501101530003"], ["10", "LOT7"], ["21", "S1"]]
    assert row["quality"] == []


def test_captures_of_every_rfid_reader_are_read() -> None:
    tag = '"3074257BF7194E4000001A85"'
    captures = {
        "zebra-fx": f'{{"data":{{"idHex":{tag},"antenna":1}}}}\n',
        "rfd40": f'{{"data":{{"tagData":[{{"idHex":{tag}}}]}}}}\n',
        "impinj": f'[{{"tagInventoryEvent":{{"epcHex":{tag}}}}}]\n',
    }
    for kind, capture in captures.items():
        good, bad = decode([kind], capture.encode() + b"nonsense\n")
        assert good["tag_uri"] == "urn:epc:tag:sgtin-96:3.0614141.812345.6789", kind
        assert (bad["reason"], bad["at"]) == ("not_json", 2), kind
    (chafon,) = decode(["chafon", "--hex"], b"13000101010C3074257BF7194E4000001A859382\n")
    assert chafon["epc"] == "3074257BF7194E4000001A85"


def test_a_photo_eye_in_a_reader_s_capture_is_a_line_of_its_own() -> None:
    (eye,) = decode(["zebra-fx"], b'{"type":"gpi","data":{"pin":2,"state":"LOW"}}\n')
    assert eye == {"kind": "telemetry", "values": {"input_2": 0.0}}


def test_a_phone_s_location_and_charge_are_a_line_each_and_a_reject_names_its_line() -> None:
    location = b'{"_type":"location","lat":31.2,"lon":121.4,"tst":1795413662,"batt":74}\n'
    fix, charge, reject = decode(["owntracks"], location + b'{"_type":"lwt","tst":1}\n')
    assert (fix["kind"], fix["time"]) == ("position", "2026-11-23T06:01:02.000000Z")
    assert charge["values"] == {"battery_ratio": 0.74}
    assert (reject["reason"], reject["at"]) == ("not_a_location", 2)
