"""Simulated devices that misbehave, all at once at one real gateway: what they truly told is
compared with what it delivered.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.gateway.rig import FakeIngest, GatewayRig
from tests.support.processes import wait_until
from waystock.contract.events import Barcode, Event, Position, Rfid, Telemetry
from waystock_gateway.outbox_reader import OutboxReader

WAYSTOCK = Path(sys.executable).parent / "waystock"
RUN_S_MAX = 120.0


@dataclass(frozen=True)
class Simulated:
    """One `waystock sim device` and how the gateway is told of it."""

    kind: str
    options: tuple[str, ...]
    settings: str
    """Lines of the port's table, or of the source."""
    topic: str = ""


class Story:
    """What a device had to tell, what of it went out undamaged, what the gateway made of it."""

    def __init__(
        self, device: str, truth: Path, ingest: FakeIngest, rejects: dict[str, int]
    ) -> None:
        lines = [json.loads(line) for line in truth.read_text().splitlines()]
        self.intended = [line for line in lines if line["kind"] == "intended"]
        self.told = [line for line in lines if line["kind"] not in {"intended", "mishap"}]
        self.mishaps = {line["mishap"] for line in lines if line["kind"] == "mishap"}
        self.rejects = rejects
        self._events = [event for event in ingest.events.values() if event.device == device]

    def of(self, kind: type[Event]) -> list[Any]:
        """The gateway's events of one kind."""
        return [event for event in self._events if isinstance(event, kind)]

    @property
    def scans(self) -> list[Barcode]:
        return self.of(Barcode)

    @property
    def arrivals(self) -> list[str]:
        return [tag.epc for tag in self.of(Rfid) if tag.presence == "arrived"]

    @property
    def positions(self) -> list[Position]:
        return self.of(Position)

    @property
    def telemetry(self) -> list[Telemetry]:
        return self.of(Telemetry)

    def told_of(self, kind: str, field: str) -> set[str]:
        """One field of everything of a kind that went out undamaged."""
        return {line[field] for line in self.told if line["kind"] == kind}

    def intended_of(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind that the device had to tell."""
        return [line for line in self.intended if line["of"] == kind]


def play(
    rig: GatewayRig, ingest: FakeIngest, broker_url: str, devices: Mapping[str, Simulated]
) -> dict[str, Story]:
    """Run all `devices` at one gateway until each has told everything; their stories."""
    running: list[subprocess.Popen[bytes]] = []
    truths = {device: rig.folder / f"{device}.truth" for device in devices}
    for device, simulated in devices.items():
        rig.add_simulated(device, simulated.kind, simulated.settings, simulated.topic)

    def start(device: str, *where: str) -> None:
        simulated = devices[device]
        command = [str(WAYSTOCK), "sim", "device", simulated.kind, "--device", device]
        command += [*where, *simulated.options, "--truth", str(truths[device])]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    on_lines = [device for device, simulated in devices.items() if not simulated.topic]
    try:
        for device in on_lines:
            start(device, "--pty", str(rig.folder / device))
        wait_until(
            lambda: all((rig.folder / device).exists() for device in on_lines),
            "ports are there",
            within_s=30,
        )
        with rig.running():
            rig.wait_until_up(ingest)
            for device in devices.keys() - on_lines:
                start(device, "--mqtt", broker_url)
            for process in running:
                assert process.wait(RUN_S_MAX) == 0
            wait_until(lambda: _is_delivered(rig), "everything is delivered", within_s=30)
            refused = rig.rejects()
    finally:
        for process in running:
            process.kill()
            process.wait()
    return {
        device: Story(device, truth, ingest, refused.get(device, {}))
        for device, truth in truths.items()
    }


def _is_delivered(rig: GatewayRig) -> bool:
    reader = OutboxReader(rig.data / "outbox.sqlite")
    try:
        return not set(reader.depths()) - {"health"}
    finally:
        reader.close()
