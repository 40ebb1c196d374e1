"""`waystock sim` as a process, on real pseudo-terminals and a real broker."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.firmware_sim.reader import Reader, ssi_packets
from tests.support.brokers import Broker
from tests.support.processes import wait_until

WAYSTOCK = Path(sys.executable).parent / "waystock"
SERIAL_DEVICES = 26


@pytest.fixture
def world(tmp_path: Path) -> Path:
    folder = tmp_path / "world"
    _sim("world", "--seed", "7", "--start", datetime.now(UTC).isoformat(), "--out", str(folder))
    return folder


class Run:
    """A running `waystock sim run`."""

    def __init__(self, world: Path, url: str, *options: str) -> None:
        self.world = world
        self._truth = world / "truth.jsonl"
        command = [WAYSTOCK, "sim", "run", "--world", world, "--seed", "1", "--mqtt", url]
        self.process = subprocess.Popen([*command, "--truth", self._truth, *options])
        wait_until(lambda: len(self._ports()) == SERIAL_DEVICES, "all ports are there")

    def _ports(self) -> list[Path]:
        folder = self.world / "ports"
        return list(folder.iterdir()) if folder.exists() else []

    def told(self, kind: str) -> list[dict[str, str]]:
        lines = self._truth.read_text(encoding="utf-8").splitlines()
        return [one for one in map(json.loads, lines) if one["kind"] == kind]

    def stop(self) -> int:
        """Its exit status. It promises to end within 5 s; a busy machine gets twice that."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def run(world: Path, nats_broker: Broker) -> Iterator[Run]:
    running = Run(world, nats_broker.url)
    yield running
    running.kill()
    running.process.wait()


@pytest.fixture
def reader(run: Run) -> Iterator[Reader]:
    reading = Reader(run.world / "ports")
    yield reading
    reading.close()


def _sim(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WAYSTOCK, "sim", *arguments], check=False, capture_output=True, text=True, timeout=20
    )


def test_every_kind_of_device_speaks_and_the_truth_is_what_it_said(
    run: Run, reader: Reader
) -> None:
    wait_until(lambda: len(run.told("barcode")) >= 25, "25 scans", within_s=20)
    wait_until(lambda: run.told("position"), "a fix", within_s=10)
    assert run.stop() == 0
    assert not list((run.world / "ports").iterdir())

    read = Counter(
        (name, packet[7:-2].decode("latin-1").removeprefix("C1").removeprefix("E0"))
        for name, data in reader.bytes.items()
        if name.startswith("scan")
        for packet in ssi_packets(bytes(data))
        if packet[3] == 0
    )
    told = Counter((one["device"], one["data"]) for one in run.told("barcode"))
    assert {key: count for key, count in told.items() if not _is_in(read, key, count)} == {}

    bursts = Counter(name for name, data in reader.bytes.items() for _ in range(data.count(b",A,")))
    fixes = Counter(one["device"] for one in run.told("position"))
    for device in (name for name in reader.bytes if name.startswith("gps")):
        assert bursts[device] == fixes[device] > 0
    for device in (name for name in reader.bytes if name.startswith("rfid")):
        assert reader.bytes[device].startswith(bytes.fromhex("bb01ff000115167e"))


def _is_in(read: Counter[tuple[str, str]], key: tuple[str, str], count: int) -> bool:
    device, data = key
    return sum(n for (name, text), n in read.items() if name == device and data in text) >= count


def test_a_scan_that_nobody_acknowledges_is_sent_again_and_never_told(run: Run) -> None:
    reader = Reader(run.world / "ports", acknowledges=False)
    try:
        device = "scan-sha-recv-1"
        wait_until(
            lambda: len(ssi_packets(bytes(reader.bytes[device]))) >= 3, "two copies", within_s=15
        )
        first, *copies = ssi_packets(bytes(reader.bytes[device]))
        assert first[3] == 0
        assert {copy[3] for copy in copies} == {1}
        assert {copy[4:-2] for copy in copies} == {first[4:-2]}
        assert not run.told("barcode")
    finally:
        reader.close()


def test_what_waits_on_a_port_outlives_its_reader(run: Run) -> None:
    first = Reader(run.world / "ports")
    device = "gps-truck-01"
    wait_until(lambda: first.bytes[device].count(b",A,") >= 1, "a fix", within_s=10)
    first.close()
    seen = len([one for one in run.told("position") if one["device"] == device])
    wait_until(
        lambda: len([one for one in run.told("position") if one["device"] == device]) >= seen + 2,
        "two more fixes on the wire",
    )
    second = Reader(run.world / "ports")
    try:
        wait_until(lambda: second.bytes[device].count(b",A,") >= 2, "both", within_s=3)
    finally:
        second.close()
    bursts = first.bytes[device].count(b",A,") + second.bytes[device].count(b",A,")
    assert bursts >= len([one for one in run.told("position") if one["device"] == device]) - 1


def test_trackers_deliver_every_fix_though_the_broker_is_killed(
    run: Run, reader: Reader, nats_broker: Broker
) -> None:
    got: list[tuple[str, str]] = []
    address = urlsplit(nats_broker.url)
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
    listener.username_pw_set(address.username or "", address.password)
    listener.on_message = lambda _client, _data, message: got.append(
        (message.topic.split("/")[1], json.loads(message.payload)["time"])
    )
    listener.reconnect_delay_set(1, 1)
    listener.connect("127.0.0.1", nats_broker.port)
    listener.subscribe("trackers/+/fix", 1)
    listener.loop_start()
    try:
        wait_until(lambda: len(got) >= 8, "first fixes", within_s=15)
        before = len(got)
        nats_broker.kill()
        nats_broker.start()
        wait_until(lambda: len(got) >= before + 24, "fixes after the kill", within_s=30)
        assert run.stop() == 0
        told = [
            (one["device"], one["time"])
            for one in run.told("position")
            if one["device"] in {device for device, _ in got}
        ]
        wait_until(lambda: set(told) <= set(got), "all that was told", within_s=10)
        assert len(told) == len(set(told))
    finally:
        listener.disconnect()
        listener.loop_stop()


def test_run_ends_by_itself_and_clean_after_the_time_given(
    world: Path, nats_broker: Broker
) -> None:
    running = Run(world, nats_broker.url, "--for", "9")
    reader = Reader(world / "ports")
    try:
        assert running.process.wait(timeout=12) == 0
    finally:
        reader.close()
    assert running.told("position")


def test_run_stops_in_time_though_neither_broker_nor_gateway_answers(world: Path) -> None:
    running = Run(world, "mqtt://127.0.0.1:1")
    try:
        wait_until(lambda: running.told("position"), "a fix on the wire")
        assert running.stop() == 0
    finally:
        running.kill()


def test_a_world_that_is_not_there_is_said_and_fails(tmp_path: Path) -> None:
    done = _sim(
        "run", "--world", str(tmp_path), "--seed", "1", "--mqtt", "mqtt://x", "--truth", os.devnull
    )
    assert done.returncode == 1
    assert "world.json" in done.stderr
    assert done.stdout == ""


def test_unusable_arguments_are_refused(tmp_path: Path) -> None:
    assert _sim("world", "--seed", "x").returncode == 2
    no_zone = _sim("world", "--seed", "1", "--start", "2026-11-23T08:00:00", "--out", str(tmp_path))
    assert no_zone.returncode == 2
    assert "zone" in no_zone.stderr


def test_settings_written_for_each_gateway_are_ones_it_takes(world: Path) -> None:
    files = sorted((world / "gateways").iterdir())
    assert [path.name for path in files] == [
        "fleet--gw-mqtt.toml",
        "fleet--gw-serial.toml",
        "hgh--gw-dock.toml",
        "sha--gw-dock.toml",
    ]
    for path in files:
        checked = subprocess.run(
            [WAYSTOCK, "gateway", "check", "--config", path],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert checked.returncode == 0, checked.stderr
