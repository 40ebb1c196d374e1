"""Master data changes while ingest runs: what comes a second later is understood by the new one,
whether the system was busy or quiet meanwhile.
"""

import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.support.brokers import Broker
from tests.support.fake_gateway import FakeGateway
from tests.support.processes import wait_until
from tests.support.small_day import OUTBOUND, RICE, START, master_data
from tests.support.workers import Worker
from waystock.contract.events import Barcode, Batch, Event, Position
from waystock.contract.masterdata import Device, Fence, MasterData
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data

OWNER = ("sha", "gw-dock")
EFFECTIVE_AFTER_S = 1.0
QUIET_S = 2.0


class Site:
    """A running ingest, and a gateway to send readings through."""

    def __init__(self, database_url: str, gateway: FakeGateway) -> None:
        self.database_url = database_url
        self._gateway = gateway
        self._stream = uuid.uuid4()
        self._offsets = itertools.count()

    def send(self, event: Event) -> None:
        """One reading, and wait until it is stored."""
        first = next(self._offsets)
        batch = Batch(stream=self._stream, first=first, sent_at=START, events=(event,))
        self._gateway.send(OWNER, batch)
        self._gateway.wait_for(self._stream, range(first, first + 1))

    def change(self, data: MasterData) -> None:
        with connect(self.database_url, "test") as database:
            import_master_data(database, data)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def site(database_url: str, nats_broker: Broker, tmp_path: Path) -> Iterator[Site]:
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())
    worker = Worker("w1", database_url, nats_broker.url, tmp_path)
    worker.start()
    worker.wait_listening()
    gateway = FakeGateway(nats_broker.url)
    yield Site(database_url, gateway)
    gateway.close()
    assert worker.stop()


def scan(second: float, device: str, *elements: tuple[str, str]) -> Barcode:
    at = START + timedelta(seconds=second)
    data = "".join(ai + value for ai, value in elements)
    return Barcode(
        device=device, time=at, captured_at=at, aim="]C1", format="gs1", data=data,
        elements=elements,
    )  # fmt: skip


def fix(second: float, lon: float) -> Position:
    at = START + timedelta(seconds=second)
    return Position(
        device="gps-2", time=at, captured_at=at, clock="gps", lat=31.0, lon=lon, speed_mps=0.0,
        accuracy_m=5.0,
    )  # fmt: skip


def _hold(seconds: float) -> None:
    """Time passes, in which nothing happens."""
    ticks = itertools.count()
    wait_until(lambda: next(ticks) >= 1, "it has passed", within_s=seconds + 5, every_s=seconds)


@pytest.mark.parametrize("quiet_s", [EFFECTIVE_AFTER_S, QUIET_S])
def test_a_scanner_put_to_another_task_is_understood_at_its_next_scan(
    site: Site, quiet_s: float
) -> None:
    site.send(scan(0, "new", ("00", OUTBOUND[0])))
    assert site.ask("SELECT kind FROM operation WHERE device = 'new' AND kind = 'load'") == []
    truck = Device(device="new", kind="scanner", biz_step="loading", read_point="sha/door-1")
    everything = master_data()
    site.change(msgspec.structs.replace(everything, devices=(*everything.devices, truck)))
    _hold(quiet_s)
    site.send(scan(900, "new", ("00", OUTBOUND[0])))
    loads = site.ask("SELECT lpn FROM operation WHERE device = 'new' AND kind = 'load'")
    assert loads == [(OUTBOUND[0],)]


def test_a_fence_drawn_while_readings_pour_in_is_entered_by_the_next_fix(site: Site) -> None:
    second = itertools.count(0, 20)
    for _ in range(5):
        site.send(fix(next(second), 121.2))
    assert site.ask("SELECT fence FROM visit WHERE vehicle = 't02'") == []
    box = [[121.19, 30.99], [121.21, 30.99], [121.21, 31.01], [121.19, 31.01], [121.19, 30.99]]
    yard = Fence(
        fence="f-yard",
        name={"en": "Yard", "zh": "场"},
        kind="customer",
        geometry={"type": "Polygon", "coordinates": [box]},
    )
    everything = master_data()
    site.change(msgspec.structs.replace(everything, fences=(*everything.fences, yard)))
    for _ in range(10):
        site.send(fix(next(second), 121.2))
    assert site.ask("SELECT fence FROM visit WHERE vehicle = 't02'") == [("f-yard",)]


def test_a_change_is_read_once_and_not_with_every_batch(site: Site, tmp_path: Path) -> None:
    site.send(scan(0, "pick", ("01", RICE)))
    site.change(msgspec.structs.replace(master_data(), fences=()))
    for second in range(1, 6):
        site.send(scan(second, "pick", ("01", RICE)))
    assert (tmp_path / "w1.log").read_text().count("master_data_read") <= 1
