"""`waystock gateway status|tail|export`: a technician sees what waits, while the gateway runs."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.integration.gateway.test_outbox import AT, BIG, outcome
from tests.support.processes import wait_until
from waystock.contract.events import Barcode, decode_batch
from waystock_gateway.inspect_command import OUTBOX_FILE
from waystock_gateway.main import run
from waystock_gateway.outbox import Outbox


def status(rig: GatewayRig, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["status", "--config", str(rig.config), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_waits_is_told_by_kind_and_device_while_the_gateway_runs(
    rig: GatewayRig, ingest: FakeIngest, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner = rig.add_scanner()
    ingest.willing.clear()
    with rig.running():
        for code in ("A", "B", "C"):
            scanner.scan(code)
        wait_until(
            lambda: status(rig, capsys)["reported"]["status"]["queue_depth"] >= 3,
            "the gateway's own report is there",
        )
        told = status(rig, capsys)
    assert told["kinds"]["barcode"] == 3
    assert told["devices"]["scan-1"]["waiting"] >= 3
    assert told["owner"] == "sha/gw-1"
    assert told["oldest_unsent_s"] > 0
    assert told["reported"]["is_connected"] is True
    assert told["reported"]["status"]["devices"]["scan-1"] >= 0


def test_the_tail_follows_what_comes_in(rig: GatewayRig) -> None:
    scanner = rig.add_scanner()
    rig.set_broker("mqtt://127.0.0.1:9")
    with rig.running():
        scanner.scan("A")
        command = [sys.executable, "-m", "waystock_gateway.main", "tail", "-f", "--config"]
        with subprocess.Popen([*command, str(rig.config)], stdout=subprocess.PIPE) as tail:
            assert tail.stdout is not None
            assert json.loads(tail.stdout.readline())["data"] == "A"
            scanner.scan("B")
            followed = json.loads(tail.stdout.readline())
            while followed["kind"] == "health":
                followed = json.loads(tail.stdout.readline())
            assert followed["data"] == "B"
            tail.terminate()


def test_unsent_readings_are_exported_as_the_batches_that_would_have_been_sent(
    tmp_path: Path,
) -> None:
    path, out = tmp_path / OUTBOX_FILE, tmp_path / "unsent.jsonl"
    outbox = Outbox(path, BIG)
    outbox.commit([outcome(*(f"C{n}" for n in range(1200)))], AT)
    outbox.forget_later([(600, 610)])
    outbox.commit([], AT)
    assert run(["export", "--file", str(path), "--out", str(out)]) == 0
    batches = [decode_batch(line) for line in out.read_bytes().splitlines()]
    exported = {
        batch.first + n: event.data
        for batch in batches
        for n, event in enumerate(batch.events)
        if isinstance(event, Barcode)
    }
    kept = [*range(600), *range(610, 1200)]
    assert exported == {offset: f"C{offset}" for offset in kept}
    assert {batch.stream for batch in batches} == {outbox.stream}
    outbox.close()


def test_an_export_never_overwrites_and_a_missing_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / OUTBOX_FILE, tmp_path / "unsent.jsonl"
    assert run(["status", "--file", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    Outbox(path, BIG).close()
    out.write_text("mine")
    assert run(["export", "--file", str(path), "--out", str(out)]) == 1
    assert out.read_text() == "mine"


def test_looking_never_writes(tmp_path: Path) -> None:
    path = tmp_path / OUTBOX_FILE
    Outbox(path, BIG).close()
    sqlite3.connect(path).close()
    before = path.read_bytes()
    for action in ("status", "tail"):
        assert run([action, "--file", str(path)]) == 0
    assert path.read_bytes() == before
