"""Tags between the antennas of a reader, whatever it speaks: who stands there, who is heard in a
round, who has been told of. Upstream: pallets that pass; downstream: the readers (devices.portal,
devices.chafon_reader, devices.tag_publisher) and the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

READ_RATE = 0.65
RSSI_MEAN_DBM, RSSI_SPREAD_DBM = -57.0, 4.0
CERTAIN_READS = 3
"""Reads on the wire after which any reader software must have seen the tag."""
ABSENCE_S = 3.0
"""After which the gateway says `departed`, by default."""


@dataclass(eq=False)
class TaggedPallet:
    """One tag in the field."""

    epc: bytes
    base_rssi_dbm: float
    reads_on_wire: int = 0
    is_leaving: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether it was read often enough to be reported."""
        return self.reads_on_wire >= CERTAIN_READS


class TagField:
    """What is common to readers: a reader is a field with a voice."""

    def __init__(
        self,
        device: str,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        random: Random,
    ) -> None:
        self.device = device
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._random = random
        self._field: list[TaggedPallet] = []
        self._departing = 0

    @property
    def is_clear(self) -> bool:
        """Whether no tag is in the field and every departure has been told."""
        return not self._field and not self._departing

    def enter(self, epc: bytes) -> TaggedPallet:
        """A pallet rolls between the antennas."""
        base_rssi_dbm = self._random.gauss(RSSI_MEAN_DBM, RSSI_SPREAD_DBM)
        tag = TaggedPallet(epc, base_rssi_dbm)
        self._field.append(tag)
        return tag

    def holds(self, tag: TaggedPallet) -> bool:
        """Whether it still stands there."""
        return tag in self._field

    def leave(self, tag: TaggedPallet) -> None:
        """The pallet is gone from the field for good."""
        self._field.remove(tag)
        if tag.is_certain:
            self._departing += 1
            self._scheduler.after(ABSENCE_S, lambda: self._departed(tag))

    def clear_field(self) -> None:
        """Whatever stands there rolls on: at once, or as soon as it has been read."""
        for tag in list(self._field):
            if tag.is_certain:
                self.leave(tag)
            elif not tag.reads_on_wire:
                self._field.remove(tag)
            else:
                tag.is_leaving = True

    def _heard(self) -> list[tuple[TaggedPallet, int]]:
        """Who is heard in one round, each with its signal strength in dBm."""
        heard = [tag for tag in self._field if self._random.random() < READ_RATE]
        return [(tag, self._rssi_dbm(tag)) for tag in heard]

    def _rssi_dbm(self, tag: TaggedPallet) -> int:
        return max(-90, min(-30, round(self._random.gauss(tag.base_rssi_dbm, 2.0))))

    def _on_wire(self, tag: TaggedPallet) -> None:
        """A read of `tag` went out undamaged."""
        tag.reads_on_wire += 1
        if tag.reads_on_wire == CERTAIN_READS:
            self._truth.rfid(self.device, self._utc(), tag.epc, "arrived")
        if tag.is_leaving and tag.is_certain and self.holds(tag):
            self.leave(tag)

    def _departed(self, tag: TaggedPallet) -> None:
        self._departing -= 1
        self._truth.rfid(self.device, self._utc(), tag.epc, "departed")
