"""A way to the broker on which messages meet mishaps. Upstream: a device's firmware; downstream:
the true uplink, and the truth, which gets a note of each mishap. A reboot ends the connection
without a goodbye; while the device is frozen or booting nothing that it says goes out.
"""

from collections.abc import Callable

from waystock_firmware_sim.devices.mishap_line import HALT_S, Note
from waystock_firmware_sim.devices.uplink import CutUplink, Message
from waystock_firmware_sim.mishaps import Mishap, Mishaps, Part
from waystock_firmware_sim.scheduler import Scheduler


class MishapUplink:
    """Implements devices.uplink.Uplink."""

    def __init__(
        self,
        uplink: CutUplink,
        mishaps: Mishaps,
        scheduler: Scheduler,
        note: Note,
        boot: Callable[[], None],
    ) -> None:
        self._uplink = uplink
        self._mishaps = mishaps
        self._scheduler = scheduler
        self._note = note
        self._boot = boot
        self._awaited: dict[int, tuple[str, Callable[[], None]]] = {}
        """Topic of each frame under way, and what to call when the broker has it whole."""
        self._is_halted = False

    def publish(self, message: Message, delivered: Callable[[], None]) -> bool:
        """See Uplink.publish; `delivered` is called once for an undamaged copy, or never."""
        if self._is_halted:
            return True
        fate = self._mishaps.take(message.payload)
        if not fate.is_lost:
            self._awaited[fate.frame] = (message.topic, delivered)
        for mishap in fate.mishaps:
            self._note(mishap, message.payload)
        has_room = self._put(fate.parts, message.topic) if fate.halt is None else True
        if fate.halt is not None:
            self._halt(fate.halt)
        return has_room

    def release(self) -> None:
        """Nothing more will be said: what was held back goes out."""
        self._put(self._mishaps.release(), "")

    def poll(self) -> None:
        """See Uplink.poll."""
        self._uplink.poll()

    def waiting(self) -> int:
        """See Uplink.waiting; a device that is out of action has something to come."""
        return self._uplink.waiting() + self._is_halted

    def _put(self, parts: tuple[Part, ...], topic: str) -> bool:
        has_room = True
        for part in parts:
            told = None if part.completes is None else self._awaited.pop(part.completes, None)
            own_topic, delivered = told or (topic, _nothing)
            has_room &= self._uplink.publish(Message(part.data, own_topic), delivered)
        return has_room

    def _halt(self, halt: Mishap) -> None:
        self._is_halted = True
        if halt == "reboot":
            self._uplink.cut()
        self._scheduler.after(HALT_S[halt], lambda: self._come_back(halt))

    def _come_back(self, halt: Mishap) -> None:
        self._is_halted = False
        if halt != "freeze":
            self._boot()


def _nothing() -> None:
    pass
