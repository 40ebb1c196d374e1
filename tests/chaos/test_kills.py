"""Pulled plugs in the middle of the day: SIGKILL to each part of a running demo."""

from pathlib import Path

from tests.chaos.faults import run_with_kills


def test_no_reading_is_lost_or_doubled_when_each_part_is_killed(tmp_path: Path) -> None:
    outcome = run_with_kills(
        tmp_path / "state", ("gateway", "ingest", "nats", "postgres"), seconds=55, gap_s=11
    )
    report = outcome.report
    print({"recover_s": outcome.recover_s, "restarts": report["restarts"]})
    assert report["sent"].keys() >= {"barcode", "rfid", "position"}
    assert report["lost"] == 0, report["lost_sample"]
    assert report["doubled"] == 0, report["doubled_sample"]
    assert report["restarts"].keys() >= {"ingest", "nats", "postgres"}
