"""A day of the simulated world in virtual time: lines and uplinks of memory, a host that answers as
a gateway does, and a clock that jumps from one due call to the next.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from waystock_firmware_sim.devices.uplink import Message
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.simulation import Simulation
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.world.build import World, build

START = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)

SSI_ACK = bytes.fromhex("04d00400ff28")
START_MULTI_POLL = bytes.fromhex("bb00270003222710837e")


class FakeLine:
    """Everything sent is on the wire and read at once, unless `is_read` is False."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.from_host = b""
        self.waiting = b""
        self.is_read = True
        self.fresh: list[bytes] = []

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        self.frames.append(frame)
        if self.is_read:
            self.fresh.append(frame)
        else:
            self.waiting += frame
        if sent is not None:
            sent()

    def receive(self) -> bytes:
        data, self.from_host = self.from_host, b""
        return data

    def unread_bytes(self) -> int:
        return len(self.waiting)


class FakeUplink:
    """A broker that answers at the next poll."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._unanswered: list[Callable[[], None]] = []

    def publish(self, message: Message, delivered: Callable[[], None]) -> bool:
        self.messages.append(message)
        self._unanswered.append(delivered)
        return True

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def poll(self) -> None:
        answered, self._unanswered = self._unanswered, []
        for delivered in answered:
            delivered()

    def waiting(self) -> int:
        return len(self._unanswered)


class Rehearsal:
    """The simulation with everything around it faked."""

    def __init__(self, seed: int = 7, run_seed: int = 1, late_start_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.late_start_s = late_start_s
        self.world: World = build(seed, START)
        self.lines: dict[str, FakeLine] = {}
        self.uplinks: dict[str, FakeUplink] = {}
        self.truth: list[dict[str, Any]] = []
        self.scheduler = Scheduler(lambda: self.now_s)
        self.simulation = Simulation(
            self.world,
            run_seed,
            self.scheduler,
            self.utc,
            Truth(lambda line: self.truth.append(msgspec.json.decode(line))),
            self._line,
            self._uplink,
        )
        for device in self.lines:
            if device.startswith("rfid"):
                self.simulation.on_input(device, START_MULTI_POLL)

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.late_start_s + self.now_s)

    def play(self, seconds: float) -> "Rehearsal":
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            wait_s = self.scheduler.run_due()
            self._host_answers()
            self.now_s = min(end_s, self.now_s + (0.001 if wait_s is None else wait_s))
        return self

    def finish(self, within_s: float) -> bool:
        """Whether the simulation came to rest in that time."""
        self.simulation.finish()
        end_s = self.now_s + within_s
        while not self.simulation.is_at_rest and self.now_s < end_s:
            self.play(0.1)
        return self.simulation.is_at_rest

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.truth if line["kind"] == kind]

    def count(self) -> Counter[str]:
        return Counter(line["kind"] for line in self.truth)

    def _host_answers(self) -> None:
        for device, line in self.lines.items():
            frames, line.fresh = line.fresh, []
            if device.startswith("scan"):
                for _ in frames:
                    self.simulation.on_input(device, SSI_ACK)

    def _line(self, device: str) -> FakeLine:
        return self.lines.setdefault(device, FakeLine())

    def _uplink(self, device: str) -> FakeUplink:
        return self.uplinks.setdefault(device, FakeUplink())
