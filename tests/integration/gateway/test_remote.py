"""Orders from afar: obeyed when they are signed with the gateway's secret, once; else refused."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.support.processes import wait_until
from waystock.contract.topics import command_topic
from waystock_gateway.remote import Order, sign

TOPIC = command_topic("sha", "gw-1")
SECRET = "k" * 40


@pytest.fixture
def allowed(rig: GatewayRig) -> GatewayRig:
    """A gateway whose configuration allows orders."""
    key = rig.folder / "key"
    key.write_text(SECRET)
    rig.config.write_text(rig.config.read_text() + f'[remote]\nkey_file = "{key}"\n')
    return rig


def order(rig: GatewayRig, *arguments: str) -> tuple[str, bytes]:
    """Topic and message, as the command prints them."""
    command = [sys.executable, "-m", "waystock_gateway.main", "order", *arguments]
    command += ["--site", "sha", "--gateway", "gw-1", "--key-file", str(rig.folder / "key")]
    told = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
    return told[0].decode(), told[1]


def test_a_signed_order_restarts_the_gateway_and_counts_once(
    allowed: GatewayRig, ingest: FakeIngest
) -> None:
    topic, message = order(allowed, "restart")
    assert topic == TOPIC
    with allowed.running() as process:
        allowed.wait_until_up(ingest)
        ingest.publish(topic, message)
        assert process.wait(10) == 0
    with allowed.running() as process:
        allowed.wait_until_up(ingest)
        ingest.publish(topic, message)
        wait_until(lambda: "has been used" in allowed.logged(), "it is refused the second time")
        assert process.poll() is None


def test_a_signed_configuration_takes_effect_and_a_bad_one_changes_nothing(
    allowed: GatewayRig, ingest: FakeIngest
) -> None:
    before = allowed.config.read_text()
    scanner = allowed.add_scanner()
    file = allowed.folder / "ordered.toml"
    file.write_text(allowed.config.read_text())
    allowed.config.write_text(before)
    with allowed.running():
        allowed.wait_until_up(ingest)
        ingest.publish(*order(allowed, "configure", "--settings", str(file)))
        scanner.scan("NEW PORT")
        wait_until(lambda: ingest.codes() == ["NEW PORT"], "the new port is read")
        good = allowed.config.read_text()
        file.write_text(good.replace("framing", "faming"))
        ingest.publish(*order(allowed, "configure", "--settings", str(file)))
        wait_until(lambda: "faming" in allowed.logged(), "the mistake is named")
        file.write_text(good.replace('"sha"', '"other"'))
        ingest.publish(*order(allowed, "configure", "--settings", str(file)))
        wait_until(lambda: "from afar" in allowed.logged(), "its name is its own")
        assert allowed.config.read_text() == good


@pytest.mark.parametrize(
    "message",
    [
        sign(Order(action="restart", serial=5), TOPIC, b"another secret, as long as the right one"),
        sign(Order(action="restart", serial=5), command_topic("sha", "gw-2"), SECRET.encode()),
        b"{}",
        b"\xff" * 100,
        b'{"body":"{}","hmac_sha256":"\xc3\xa9"}',
    ],
    ids=["forged", "of another gateway", "empty", "binary", "no hex"],
)
def test_an_order_that_is_not_signed_for_this_gateway_is_refused(
    allowed: GatewayRig, ingest: FakeIngest, message: bytes
) -> None:
    with allowed.running() as process:
        allowed.wait_until_up(ingest)
        ingest.publish(TOPIC, message)
        wait_until(lambda: "order_refused" in allowed.logged(), "it says so")
        assert process.poll() is None


def test_without_a_secret_no_order_is_listened_to(rig: GatewayRig, ingest: FakeIngest) -> None:
    scanner = rig.add_scanner()
    with rig.running() as process:
        rig.wait_until_up(ingest)
        ingest.publish(TOPIC, sign(Order(action="restart", serial=5), TOPIC, b""))
        scanner.scan("A")
        wait_until(lambda: ingest.codes() == ["A"], "it goes on")
        assert process.poll() is None


def test_a_short_secret_is_refused_before_anything_is_opened(
    allowed: GatewayRig, tmp_path: Path
) -> None:
    (allowed.folder / "key").write_text("short")
    command = [sys.executable, "-m", "waystock_gateway.main", "check"]
    done = subprocess.run(
        [*command, "--config", str(allowed.config)], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"key_file" in done.stderr
    assert not list(tmp_path.glob("data/*"))
