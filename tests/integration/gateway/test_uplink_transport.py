"""The ways to a broker that installers meet: TLS with the site's own authority, a client
certificate, WebSockets through a web port; each against the real broker.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.gateway.rig import GatewayRig, fake_ingest
from tests.support.brokers import Broker, mosquitto
from tests.support.certificates import Authority
from tests.support.processes import wait_until
from waystock_demo.ports import free_port


@dataclass(frozen=True)
class Doors:
    """A broker with further listeners."""

    broker: Broker
    authority: Authority
    tls: int
    client_tls: int
    web: int
    secure_web: int


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Plain for ingest; TLS, TLS that asks for a certificate, ws and wss for the gateway."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    certificate, key = authority.certificate("broker")
    tls, client_tls, web, secure_web = (free_port() for _ in range(4))
    shown = f"cafile {authority.file}\ncertfile {certificate}\nkeyfile {key}\n"
    listeners = (
        f"listener {tls} 127.0.0.1\n{shown}"
        f"listener {client_tls} 127.0.0.1\n{shown}require_certificate true\n"
        f"listener {web} 127.0.0.1\nprotocol websockets\n"
        f"listener {secure_web} 127.0.0.1\nprotocol websockets\n{shown}"
    )
    with mosquitto(further=listeners) as broker:
        yield Doors(broker, authority, tls, client_tls, web, secure_web)


def deliver(tmp_path: Path, doors: Doors, url: str, *settings: str) -> None:
    """A scan goes in at the gateway and comes out at the plain listener."""
    rig = GatewayRig(tmp_path, url)
    rig.config.write_text(rig.config.read_text() + "".join(f"{line}\n" for line in settings))
    scanner = rig.add_scanner()
    with fake_ingest(doors.broker.url) as ingest, rig.running():
        scanner.scan("A")
        wait_until(lambda: ingest.codes() == ["A"], f"the scan is in\n{rig.logged()}")
        wait_until(lambda: ingest.statuses, "so is the status")
    rig.close()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_tls_with_the_sites_own_authority(tmp_path: Path, doors: Doors, version: str) -> None:
    ca = f'ca_file = "{doors.authority.file}"'
    url = f"mqtts://127.0.0.1:{doors.tls}"
    deliver(tmp_path, doors, url, ca, f'mqtt_version = "{version}"', "deflate = true")


def test_a_client_certificate_opens_a_broker_that_asks_for_one(
    tmp_path: Path, doors: Doors
) -> None:
    certificate, key = doors.authority.certificate("gw-1")
    ca = f'ca_file = "{doors.authority.file}"'
    own = (f'certificate_file = "{certificate}"', f'key_file = "{key}"')
    deliver(tmp_path, doors, f"mqtts://127.0.0.1:{doors.client_tls}", ca, *own)


def test_websockets_where_only_web_ports_are_open(tmp_path: Path, doors: Doors) -> None:
    deliver(tmp_path, doors, f"ws://127.0.0.1:{doors.web}/mqtt")


def test_websockets_under_tls_with_mqtt_5(tmp_path: Path, doors: Doors) -> None:
    ca = f'ca_file = "{doors.authority.file}"'
    url = f"wss://127.0.0.1:{doors.secure_web}/mqtt"
    deliver(tmp_path, doors, url, ca, 'mqtt_version = "5"')


def test_a_broker_of_a_foreign_authority_is_not_trusted(tmp_path: Path, doors: Doors) -> None:
    foreign = Authority(tmp_path / "foreign")
    rig = GatewayRig(tmp_path, f"mqtts://127.0.0.1:{doors.tls}")
    rig.config.write_text(rig.config.read_text() + f'ca_file = "{foreign.file}"\n')
    with fake_ingest(doors.broker.url) as ingest, rig.running() as process:
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in rig.logged(), "it says why")
        assert process.poll() is None
        assert not any(status.state == "online" for status in ingest.statuses)
