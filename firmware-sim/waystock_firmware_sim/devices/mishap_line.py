"""A line on which frames meet mishaps. Upstream: a device's firmware; downstream: the true line,
and the truth, which gets a note of each mishap. While the device is frozen, booting or unplugged
nothing that it says goes out, and nothing that the host says comes in.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from waystock_firmware_sim.devices.line import Plug
from waystock_firmware_sim.mishaps import Mishap, Mishaps, Part
from waystock_firmware_sim.scheduler import Scheduler

SPLIT_PAUSE_S = 0.03
"""Long enough that a host reads both parts by themselves, shorter than what ends a frame."""
PULL_AFTER_S = 0.1
"""When what is cut in two is out."""
HALT_S: dict[Mishap, float] = {"freeze": 2.0, "reboot": 1.0, "unplug": 1.5}

Sent = Callable[[], None]
Note = Callable[[Mishap, bytes], None]


class _Item(NamedTuple):
    data: bytes
    sent: Sent | None
    pause_s: float


class MishapLine:
    """Implements devices.line.Line."""

    def __init__(
        self,
        line: Plug,
        mishaps: Mishaps,
        scheduler: Scheduler,
        note: Note,
        boot: Callable[[], None],
    ) -> None:
        self._line = line
        self._mishaps = mishaps
        self._scheduler = scheduler
        self._note = note
        self._boot = boot
        self._awaited: dict[int, Sent] = {}
        """What to call when a frame is whole on the wire."""
        self._queue: deque[_Item] = deque()
        self._is_sending = False
        self.is_halted = False

    @property
    def is_drained(self) -> bool:
        """Whether everything that was said is on the wire, or lost."""
        return not self._queue and not self.is_halted

    def send(self, frame: bytes, sent: Sent | None = None) -> None:
        """See Line.send; `sent` is called once an undamaged copy is on the wire, or never."""
        if self.is_halted:
            return
        fate = self._mishaps.take(frame)
        if sent is not None and not fate.is_lost:
            self._awaited[fate.frame] = sent
        for mishap in fate.mishaps:
            self._note(mishap, frame)
        self._put(fate.parts)
        if fate.halt is not None:
            self._halt(fate.halt)

    def release(self) -> None:
        """Nothing more will be said: what was held back goes out."""
        self._put(self._mishaps.release())

    def receive(self) -> bytes:
        """See Line.receive; a device that is out of action hears nothing."""
        data = self._line.receive()
        return b"" if self.is_halted else data

    def unread_bytes(self) -> int:
        """See Line.unread_bytes."""
        return self._line.unread_bytes() + sum(len(item.data) for item in self._queue)

    def _put(self, parts: tuple[Part, ...]) -> None:
        for part in parts:
            is_cut = part.completes is None and part is not parts[-1]
            sent = None if part.completes is None else self._awaited.pop(part.completes, None)
            self._queue.append(_Item(part.data, sent, SPLIT_PAUSE_S if is_cut else 0.0))
        if not self._is_sending:
            self._pump()

    def _pump(self) -> None:
        self._is_sending = False
        while self._queue:
            item = self._queue.popleft()
            self._line.send(item.data, item.sent)
            if item.pause_s:
                self._is_sending = True
                self._scheduler.after(item.pause_s, self._pump)
                return

    def _halt(self, halt: Mishap) -> None:
        self.is_halted = True
        if halt == "unplug":
            self._scheduler.after(PULL_AFTER_S, self._line.unplug)
        self._scheduler.after(HALT_S[halt], lambda: self._come_back(halt))

    def _come_back(self, halt: Mishap) -> None:
        if halt == "unplug":
            self._line.plug()
        self.is_halted = False
        if halt != "freeze":
            self._boot()
