"""One lone device in virtual time: a plug or an uplink of memory, and a host that polls or
acknowledges as a gateway does.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.unit.firmware_sim.rehearsal import FakeUplink
from waystock_firmware_sim.devices.mishap_line import MishapLine
from waystock_firmware_sim.devices.mishap_uplink import MishapUplink
from waystock_firmware_sim.kinds import BROKER_KINDS, LINE_KINDS
from waystock_firmware_sim.lone import Assignment, LoneDevice
from waystock_firmware_sim.mishaps import Mishaps, broken_text, noise_on_a_byte
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

START = datetime(2026, 11, 27, 8, tzinfo=UTC)
HOST_PERIOD_S = 0.05


class FakePlug:
    """Everything sent is on the wire and taken at once; what was said while unplugged is not."""

    def __init__(self) -> None:
        self.wire: list[bytes] = []
        self.fresh: list[bytes] = []
        self.pulled = 0
        self.is_in = True
        self.from_host = b""

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        if self.is_in:
            self.wire.append(frame)
            self.fresh.append(frame)
            if sent is not None:
                sent()

    def receive(self) -> bytes:
        data, self.from_host = self.from_host, b""
        return data

    def unread_bytes(self) -> int:
        return 0

    def unplug(self) -> None:
        self.is_in = False
        self.pulled += 1

    def plug(self) -> None:
        self.is_in = True


class FakeBroker(FakeUplink):
    """Counts how often the connection was cut."""

    cuts = 0

    def cut(self) -> None:
        self.cuts += 1


class Lonely:
    """A device of `kind`; `host` gives what a host says to each piece that it hears, and what it
    says to a quiet line."""

    def __init__(
        self,
        kind: str,
        *,
        seed: int = 1,
        count: int | None = None,
        rate: float = 1.0,
        framing: str = "crlf",
        mishaps: dict[str, float] | None = None,
        host: Callable[[bytes], bytes] = lambda heard: b"",
    ) -> None:
        self.now_s = 0.0
        self.scheduler = Scheduler(lambda: self.now_s)
        self.told: list[dict[str, Any]] = []
        self.plug = FakePlug()
        self.broker = FakeBroker()
        self._host = host
        truth = Truth(lambda line: self.told.append(msgspec.json.decode(line)), tells_intent=True)
        assignment = Assignment(
            device="lone-1", seed=seed, rate=rate, count=count, framing=framing, start=START,
            scheduler=self.scheduler, utc=lambda: START + timedelta(seconds=self.now_s),
            truth=truth,
        )  # fmt: skip

        def note(mishap: str, frame: bytes) -> None:
            truth.mishap("lone-1", mishap, frame)

        self.device: LoneDevice
        rates = mishaps or {}
        if kind in LINE_KINDS:
            self._line = MishapLine(
                self.plug, Mishaps(rates, seed, noise_on_a_byte), self.scheduler, note, self._boot
            )
            self.device = LINE_KINDS[kind].make(assignment, self._line)
            self.scheduler.every(HOST_PERIOD_S, self._converse)
        else:
            uplink = MishapUplink(
                self.broker, Mishaps(rates, seed, broken_text), self.scheduler, note, self._boot
            )
            self.device = BROKER_KINDS[kind].make(assignment, uplink)
        self.device.boot()

    def play(self, seconds: float) -> "Lonely":
        end_s = self.now_s + seconds
        while (due_s := self.scheduler.next_due_s()) is not None and due_s <= end_s:
            self.now_s = max(self.now_s, due_s)
            self.scheduler.run_due()
        self.now_s = end_s
        return self

    def say(self, data: bytes) -> "Lonely":
        """The host speaks."""
        self.device.on_input(data)
        return self

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Lines of the truth of one kind."""
        return [line for line in self.told if line["kind"] == kind]

    def _boot(self) -> None:
        self.device.boot()

    def _converse(self) -> None:
        heard, self.plug.fresh = b"".join(self.plug.fresh), []
        if self.plug.is_in:
            self.plug.from_host += self._host(heard)
        data = self._line.receive()
        if data:
            self.device.on_input(data)


def kinds_of(told: Iterable[dict[str, Any]], field: str) -> set[str]:
    """The different values of one field."""
    return {line[field] for line in told if field in line}
