"""Fixtures: a gateway's surroundings, on the broker that a test asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig, fake_ingest
from tests.integration.gateway.tcp_devices import LOCALHOST, MakeDevice, TcpDevice
from tests.support.brokers import Broker


@pytest.fixture
def ingest(nats_broker: Broker) -> Iterator[FakeIngest]:
    """A stand-in for ingest on the embedded broker."""
    with fake_ingest(nats_broker.url) as ingest:
        yield ingest


@pytest.fixture
def rig(tmp_path: Path, nats_broker: Broker) -> Iterator[GatewayRig]:
    """A gateway to be, on the embedded broker."""
    rig = GatewayRig(tmp_path, nats_broker.url)
    yield rig
    rig.close()


@pytest.fixture
def device_at() -> Iterator[MakeDevice]:
    """Makes devices that call the gateway at a port, from an address of their own."""
    devices: list[TcpDevice] = []

    def make(port: int, address: str = LOCALHOST) -> TcpDevice:
        devices.append(TcpDevice(port, address))
        return devices[-1]

    yield make
    for device in devices:
        device.hang_up()
