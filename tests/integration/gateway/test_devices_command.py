"""`waystock gateway devices` at real pseudo-terminals with the simulators on them."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig, PtyDevice
from tests.support.processes import wait_until
from waystock_gateway.settings import load_settings

WAYSTOCK = Path(sys.executable).parent / "waystock"


@contextmanager
def _simulated(kind: str, link: Path, *options: str) -> Generator[None]:
    command = [str(WAYSTOCK), "sim", "device", kind, "--pty", str(link), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(link.exists, f"{kind} is there")
        yield
    finally:
        process.kill()
        process.wait()
        link.unlink(missing_ok=True)


def _devices(*options: str) -> subprocess.CompletedProcess[str]:
    command = [str(WAYSTOCK), "gateway", "devices", *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def _found(*options: str) -> list[dict[str, Any]]:
    done = _devices("--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


PLUGGED = {
    "gps": ("nmea", "--rate", "5"),
    "module": ("r200",),
    "reader": ("chafon",),
    "ssi": ("barcode", "--framing", "ssi", "--rate", "0.01"),
    "lines": ("barcode", "--framing", "stx-etx", "--rate", "4"),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What is said of five simulated devices, each at a port of its own."""
    folder = tmp_path_factory.mktemp("ports")
    with ExitStack() as stack:
        for name, (kind, *options) in PLUGGED.items():
            stack.enter_context(_simulated(kind, folder / name, *options))
        found = _found(*(word for name in PLUGGED for word in ("--port", str(folder / name))))
    return {Path(record["port"]).name: record for record in found}


@pytest.mark.parametrize(
    ("name", "decoder", "settings"),
    [
        ("gps", "nmea", 'device = "gps-1"'),
        ("module", "r200", 'device = "rfid-1"'),
        ("reader", "chafon", 'device = "rfid-2"'),
        ("ssi", "barcode", 'framing = "ssi"'),
        ("lines", "barcode", 'terminator = "etx"\nprefix = "\\u0002"'),
    ],
)
def test_each_kind_is_recognised_for_certain(
    records: dict[str, dict[str, Any]], name: str, decoder: str, settings: str
) -> None:
    record = records[name]
    assert (record["state"], record["speaks"], record["sure"]) == ("free", decoder, "certain")
    assert settings in record["settings"]
    assert record["why"]


def test_the_gateway_takes_all_settings_that_are_proposed(
    records: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(
        '[gateway]\nsite = "sha"\ngateway = "gw-1"\n[uplink]\nurl = "mqtt://127.0.0.1:1883"\n'
        + "\n".join(record["settings"] for record in records.values())
    )
    assert len(load_settings(config).ports) == len(PLUGGED)


def test_a_port_of_a_running_gateway_is_named_and_left_alone(
    rig: GatewayRig, ingest: FakeIngest
) -> None:
    scanner = rig.add_scanner()
    with rig.running() as gateway:
        rig.wait_until_up(ingest)
        scanner.scan("400PO-1")
        port = str(scanner.device.path)
        (record,) = _found("--port", port, "--config", str(rig.config))
        scanner.scan("400PO-2")
    assert record["state"] == "in_use"
    assert record["why"] == f"in use by a running gateway (process {gateway.pid})"
    assert record["configured_as"] == "scan-1"
    assert record["settings"] is None
    assert ingest.codes() == ["400PO-1", "400PO-2"]


@pytest.fixture
def unknown(tmp_path: Path) -> Generator[PtyDevice]:
    device = PtyDevice(tmp_path / "unknown")
    yield device
    device.unplug()


def test_bytes_that_nobody_understands_are_shown_and_no_settings_are_made_up(
    unknown: PtyDevice,
) -> None:
    unknown.send(bytes.fromhex("b56201075c00ff") * 5)
    (record,) = _found("--port", str(unknown.path), "--baud", "9600", "--listen", "0.3")
    assert (record["speaks"], record["sure"], record["settings"]) == ("unknown", None, None)
    assert record["sample_hex"].startswith("b5 62 01 07 5c 00 ff b5")
    assert record["heard_bytes"] == 35


def test_nothing_is_sent_where_only_listening_was_asked_for(unknown: PtyDevice) -> None:
    options = ("--port", str(unknown.path), "--baud", "9600", "--listen", "0.3")
    (record,) = _found(*options, "--listen-only")
    assert record["speaks"] == "silent"
    assert unknown.receive(0) == b""
    assert _found(*options)[0]["speaks"] == "silent"
    assert unknown.receive(0) != b""


def test_a_person_gets_plain_words_and_settings_to_paste(tmp_path: Path) -> None:
    link = tmp_path / "port"
    with _simulated("nmea", link, "--rate", "5"):
        done = _devices("--port", str(link), "--port", str(tmp_path / "nowhere"))
    assert "  nmea at 115200 baud, certain: " in done.stdout
    assert f'\n[[ports]]\ndevice = "gps-1"\ndecoder = "nmea"\npath = "{link}"\n' in done.stdout
    assert "nowhere\n  nothing is there\n" in done.stdout


def test_unusable_arguments_are_refused() -> None:
    for options in (("--listen", "0"), ("--baud", "12")):
        done = _devices(*options)
        assert done.returncode == 2
        assert done.stdout == ""
