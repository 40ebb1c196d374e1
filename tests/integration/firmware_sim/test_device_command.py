"""`waystock sim device` as a process: at a pseudo-terminal, at a port and at a broker."""

import json
import os
import signal
import subprocess
import sys
import threading
import tty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.brokers import Broker
from tests.support.processes import wait_until

WAYSTOCK = Path(sys.executable).parent / "waystock"
START = ("--start", "2026-11-27T08:00:00Z")
NOISE = "drop=0.05,double=0.05,reorder=0.05,corrupt=0.05"
HALTS = "split=0.2,reboot=0.004,unplug=0.008"


def _command(*arguments: str | Path) -> list[str]:
    return [str(WAYSTOCK), "sim", "device", *map(str, arguments)]


def _refused(*arguments: str) -> str:
    """What is said of unusable arguments."""
    done = subprocess.run(
        _command(*arguments), check=False, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


class _Listener(threading.Thread):
    """Reads a port to its end, again behind each unplugging, until `stop`."""

    def __init__(self, link: Path) -> None:
        super().__init__()
        self.heard = bytearray()
        self._link = link
        self._stop_asked = threading.Event()
        self.start()

    def stop(self) -> bytes:
        self._stop_asked.set()
        self.join()
        return bytes(self.heard)

    def run(self) -> None:
        while not self._stop_asked.wait(0.005):
            try:
                port = os.open(self._link, os.O_RDONLY | os.O_NOCTTY)
            except FileNotFoundError:
                continue
            try:
                while data := os.read(port, 4096):
                    self.heard += data
            except OSError:
                continue  # unplugged
            finally:
                os.close(port)


def _bytes_of_a_run(folder: Path) -> bytes:
    link = folder / "port"
    listener = _Listener(link)
    command = _command(
        "nmea", "--pty", link, "--seed", "20", "--rate", "10", "--count", "30", *START,
        "--mishap", f"{NOISE},{HALTS}",
    )  # fmt: skip
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    finally:
        heard = listener.stop()
    first, last = map(json.loads, done.stdout.splitlines())
    assert (first["kind"], first["port"]) == ("device", str(link))
    assert last["kind"] == "result"
    assert last["mishaps"].keys() >= {"drop", "double", "corrupt", "split", "reboot", "unplug"}
    assert last["unsaid"] == 0
    return heard


def test_two_runs_with_one_seed_put_the_same_bytes_on_the_wire(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(_bytes_of_a_run, (tmp_path / "one", tmp_path / "other"))
    assert one == other != b""


def test_two_runs_with_one_seed_publish_the_same_messages(nats_broker: Broker) -> None:
    address = urlsplit(nats_broker.url)
    heard: list[bytes] = []
    listener = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
    listener.username_pw_set(address.username or "", address.password)
    listener.on_message = lambda _client, _data, message: heard.append(bytes(message.payload))
    subscribed = threading.Event()
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.connect("127.0.0.1", nats_broker.port)
    listener.subscribe("trackers/+/fix", 1)
    listener.loop_start()
    try:
        assert subscribed.wait(10)
        runs: list[list[bytes]] = []
        for _ in range(2):
            command = _command(
                "tracker-json", "--mqtt", nats_broker.url, "--seed", "5", "--rate", "20",
                "--count", "40", "--mishap", NOISE, *START,
            )  # fmt: skip
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
            last = json.loads(done.stdout.splitlines()[-1])
            assert last["unsaid"] == 0
            mishaps = last["mishaps"]
            expected = 40 - mishaps.get("drop", 0) + mishaps.get("double", 0)
            wait_until(lambda e=expected: len(heard) >= e, "all of it was heard")
            runs.append(heard.copy())
            heard.clear()
    finally:
        listener.disconnect()
        listener.loop_stop()
    assert runs[0] == runs[1]
    assert len(runs[0]) > 30


def test_a_device_on_a_cable_speaks_until_it_is_stopped(tmp_path: Path) -> None:
    gateway_end, device_end = os.openpty()
    tty.setraw(device_end)
    truth = tmp_path / "truth.jsonl"
    command = _command("barcode", "--port", os.ttyname(device_end), "--rate", "20")
    process = subprocess.Popen([*command, "--truth", truth], stdout=subprocess.PIPE)
    try:
        heard = b""
        while heard.count(b"\r\n") < 5:
            heard += os.read(gateway_end, 4096)
        second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
        assert second.returncode == 1
        assert "is in use" in second.stderr
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
        os.close(gateway_end)
        os.close(device_end)
    assert process.returncode == 0
    assert [json.loads(line)["kind"] for line in output.splitlines()] == ["device", "result"]
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    codes = [line["data"].encode() for line in told if line["kind"] == "barcode"]
    assert heard.startswith(b"]")
    assert heard.split(b"\r\n")[4].endswith(codes[4])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nmea",), "one of the arguments --port --pty --mqtt is required"),
        (("tractor", "--pty"), "invalid choice: 'tractor'"),
        (("nmea", "--mqtt", "mqtt://127.0.0.1"), "nmea needs --port PATH or --pty"),
        (("owntracks", "--pty"), "owntracks needs --mqtt URL"),
        (("owntracks", "--mqtt", "http://x"), "is not like mqtt://"),
        (("nmea", "--pty", "--mishap", "burn=1"), "mishap 'burn' is none of"),
        (("nmea", "--pty", "--rate", "0"), "more than 0 and at most 10 a second"),
        (("nmea", "--pty", "--framing", "ssi"), "--framing goes with barcode only"),
        (("nmea", "--pty", "--start", "2026-11-27T08:00:00"), "no time zone"),
        (("nmea", "--pty", "--device", "Not A Name"), "lower-case letters"),
    ],
)
def test_unusable_arguments_are_refused_in_a_plain_sentence(
    arguments: tuple[str, ...], said: str
) -> None:
    assert said in _refused(*arguments)


def test_a_port_that_is_not_there_or_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        done = subprocess.run(
            _command("nmea", "--port", path), check=False, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert str(path) in done.stderr
        assert "Traceback" not in done.stderr
