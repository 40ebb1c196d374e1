"""The simulated PDA and gpsd against the real gateway: two independent readings of each protocol
meet on a socket, and what the simulators say they were told to be kept is what arrives.
"""

import select
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

import msgspec
import pytest

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.integration.gateway.tcp_devices import LOCALHOST, MakeDevice
from waystock_firmware_sim.devices.gps_unit import Receiver
from waystock_firmware_sim.devices.gpsd import GpsdServer, GpsdUnit
from waystock_firmware_sim.devices.handheld import Symbol
from waystock_firmware_sim.devices.pda import Pda
from waystock_firmware_sim.devices.tcp_line import TcpLine
from waystock_firmware_sim.motion import Drive
from waystock_firmware_sim.protocol import gs1
from waystock_firmware_sim.scheduler import Scheduler, Script
from waystock_firmware_sim.truth import Truth

TICK_S = 0.02
CODES = [f"400PO-{n}" for n in range(12)]


class Attended(Protocol):
    """A simulated device with a socket."""

    def fileno(self) -> int: ...
    def attend(self) -> None: ...


class Stage:
    """A scheduler on the real clock, and the devices that it moves."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(time.monotonic)
        self.told: list[dict[str, Any]] = []
        self.truth = Truth(lambda line: self.told.append(msgspec.json.decode(line)))
        self.devices: list[Attended] = []

    def play(self, until: Callable[[], object], what: str, within_s: float = 30.0) -> None:
        """Turn the wheel until `until()`."""
        deadline_s = time.monotonic() + within_s
        while not until():
            assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
            self.scheduler.run_due()
            present = [device for device in self.devices if device.fileno() >= 0]
            ready, _, _ = select.select(present, [], [], TICK_S)
            for device in ready:
                device.attend()


def utc() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    for device in stage.devices:
        getattr(device, "close")()  # noqa: B009 - both kinds have it


def make_pda(stage: Stage, port: int, **kwargs: Any) -> Pda:
    line = TcpLine((LOCALHOST, port), time.monotonic)
    pda = Pda("pda-1", line, stage.scheduler, utc, stage.truth, **kwargs)
    stage.devices.append(pda)
    return pda


def scan_all(pda: Pda, codes: Sequence[str]) -> Script:
    for code in codes:
        pda.scan(Symbol(gs1.AIM_GS1_128, code))
        yield lambda: pda.is_idle


def test_a_pda_that_walks_out_of_reach_and_meets_a_killed_gateway_loses_no_code(
    rig: GatewayRig, ingest: FakeIngest, stage: Stage, free_port: int
) -> None:
    path = f"tcp-listen://{LOCALHOST}:{free_port}"
    rig.add_tcp_port("pda-1", "barcode", path, '[ports.barcode]\nframing = "ssi"')
    pda = make_pda(stage, free_port)
    stage.scheduler.start(scan_all(pda, CODES))
    with rig.running() as process:
        stage.play(lambda: len(stage.told) >= 3, "three codes are taken")
        pda.leave_network()
        stage.play(lambda: len(stage.told) >= 7, "it came back by itself")
        process.kill()
        process.wait()
    with rig.running():
        stage.play(lambda: len(stage.told) == len(CODES), "all codes are taken")
        stage.play(lambda: len(ingest.codes()) >= len(CODES), "all codes are in")
    assert ingest.codes() == CODES == [line["data"] for line in stage.told]


def test_a_pda_that_writes_lines_is_read(
    rig: GatewayRig, ingest: FakeIngest, stage: Stage, free_port: int
) -> None:
    rig.add_tcp_port("pda-1", "barcode", f"tcp-listen://{LOCALHOST}:{free_port}")
    pda = make_pda(stage, free_port, framing="line")
    for code in CODES[:5]:
        pda.scan(Symbol(gs1.AIM_GS1_128, code))
    with rig.running():
        stage.play(lambda: len(ingest.codes()) == 5, "all codes are in")
    assert ingest.codes() == CODES[:5] == [line["data"] for line in stage.told]


def make_gpsd(stage: Stage, port: int = 0) -> GpsdServer:
    server = GpsdServer((LOCALHOST, port), utc())
    stage.devices.append(server)
    return server


def make_unit(stage: Stage, server: GpsdServer) -> GpsdUnit:
    way = ((121.4737, 31.2304), (121.6, 31.3), (121.9, 31.35))
    began = utc() - timedelta(seconds=1)
    receiver = Receiver(Drive(way, 3_000.0, 0.0, Random(1)), began, Random(2))
    return GpsdUnit("gps-1", server, stage.scheduler, utc, stage.truth, receiver)


def test_a_gpsd_with_several_clients_is_read_and_read_again_when_it_was_away(
    rig: GatewayRig, ingest: FakeIngest, stage: Stage, device_at: MakeDevice
) -> None:
    server = make_gpsd(stage)
    rig.add_tcp_port("gps-1", "gpsd", f"tcp://{LOCALHOST}:{server.port}")
    beside = device_at(server.port)
    with rig.running():
        beside.call()
        beside.send(b'?WATCH={"enable":true,"json":true};')
        stage.play(lambda: server.watchers == 2, "both watch")
        unit = make_unit(stage, server)
        stage.play(lambda: len(ingest.positions()) >= 2, "fixes are in")
        assert b'"class":"VERSION"' in beside.receive(1)
        stage.play(
            lambda: any(status.rejects.get("no_fix") for status in ingest.statuses),
            "that it was blind at first is told",
        )
        unit.switch_off()
        port = server.port
        stage.devices.remove(server)
        server.close()
        stage.play(lambda: "port_away" in rig.logged(), "it is missed")
        again = make_gpsd(stage, port)
        known = len(stage.told)
        stage.play(lambda: again.watchers == 1, "it is watched again")
        make_unit(stage, again)
        stage.play(lambda: len(stage.told) > known, "it reports again")
        stage.play(lambda: len(ingest.positions()) == len(stage.told), "all fixes are in")
    assert [line["time"] for line in stage.told] == [
        f"{position.time:%Y-%m-%dT%H:%M:%S}.000000Z" for position in ingest.positions()
    ]
    for position in ingest.positions():
        assert position.clock == "gps"
        assert position.quality == ()
        assert None not in (position.hdop, position.satellites, position.accuracy_m)
        assert None not in (position.altitude_m, position.speed_mps, position.course_deg_true)
