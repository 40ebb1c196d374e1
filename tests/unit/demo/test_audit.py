"""The comparison that says whether a reading was lost or doubled."""

import json
from collections import Counter
from pathlib import Path

from waystock_demo.audit import ExpectedAlert, Key, compare, read_truth


def truth_file(folder: Path, *lines: dict[str, str], tail: str = "") -> Path:
    file = folder / "truth.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
    return file


SCAN = {"kind": "barcode", "device": "scan-1", "time": "2026-11-23T06:00:00Z", "data": "0109"}
FIX = {"kind": "position", "device": "gps-1", "time": "2026-11-23T06:00:00.500000Z"}
TAG = {
    "kind": "rfid",
    "device": "portal-1",
    "time": "2026-11-23T06:00:00Z",
    "epc": "3034",
    "presence": "arrived",
}


def test_each_kind_is_named_as_the_store_names_it(tmp_path: Path) -> None:
    truth = read_truth(truth_file(tmp_path, SCAN, FIX, TAG))
    assert truth.sent == Counter(
        [
            Key("barcode", "scan-1", "0109"),
            Key("position", "gps-1", "2026-11-23T06:00:00.500000Z"),
            Key("rfid", "portal-1", "3034|arrived"),
        ]
    )


def test_the_same_code_scanned_twice_must_be_stored_twice(tmp_path: Path) -> None:
    truth = read_truth(truth_file(tmp_path, SCAN, SCAN))
    compared = compare(truth.sent, [("barcode", "scan-1", "0109")])
    assert compared.lost == Counter({Key("barcode", "scan-1", "0109"): 1})
    assert compared.sent == {"barcode": 2}
    assert compared.stored == {"barcode": 1}


def test_a_reading_stored_twice_counts_as_doubled_and_a_stranger_does_not(tmp_path: Path) -> None:
    truth = read_truth(truth_file(tmp_path, SCAN))
    stored = [("barcode", "scan-1", "0109")] * 3 + [("barcode", "scan-1", "spoilt")]
    compared = compare(truth.sent, stored)
    assert not compared.lost
    assert compared.doubled.total() == 2
    assert compared.unsent == Counter({Key("barcode", "scan-1", "spoilt"): 1})


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    assert read_truth(truth_file(tmp_path, SCAN, tail='{"kind":"barc')).sent.total() == 1


def test_expected_alerts_are_not_readings(tmp_path: Path) -> None:
    alert = {"kind": "alert", "type": "receipt.short", "subject": "PO-1"}
    truth = read_truth(truth_file(tmp_path, alert))
    assert truth.alerts == {ExpectedAlert("receipt.short", "PO-1")}
    assert not truth.sent


def test_no_truth_file_yet_means_nothing_was_sent(tmp_path: Path) -> None:
    assert not read_truth(tmp_path / "none.jsonl").sent
