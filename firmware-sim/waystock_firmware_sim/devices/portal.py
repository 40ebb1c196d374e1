"""An RFID reader at a loading door (R200 protocol): silent until the host starts the multi-poll,
then one round every tenth of a second, each tag heard in about two rounds of three. Upstream:
pallets that pass; downstream: a serial line and the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.protocol import r200
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

ROUND_S = 0.1
READ_RATE = 0.65
NO_TAG_EVERY_ROUNDS = 5
RSSI_MEAN_DBM, RSSI_SPREAD_DBM = -57.0, 4.0
CERTAIN_READS = 3
"""Reads on the wire after which any reader software must have seen the tag."""
ABSENCE_S = 3.0
"""After which the gateway says `departed`, by default."""
BACKLOG_BYTES_MAX = 1_500
"""Beyond it nobody reads, and the module drops notices, as its own buffer would."""
FIRMWARE = b"\x00M100 26dBm V1.0"


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


class Portal:
    """One reader with its field."""

    def __init__(
        self,
        device: str,
        line: Line,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        random: Random,
    ) -> None:
        self.device = device
        self._line = line
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._random = random
        self._host = r200.HostCommands()
        self._polls_left = 0
        self._empty_rounds = 0
        self._field: list[TaggedPallet] = []
        self._departing = 0
        self.dropped_notices = 0
        scheduler.every(ROUND_S, self._round)

    @property
    def is_attended(self) -> bool:
        """Whether the host has started it and takes what it sends."""
        return self._polls_left > 0 and self._line.unread_bytes() < BACKLOG_BYTES_MAX // 4

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

    def on_input(self, data: bytes) -> None:
        """Bytes from the host."""
        for command in self._host.feed(data):
            self._answer(command)

    def _answer(self, command: r200.HostCommand) -> None:
        match command.command:
            case r200.MULTI_POLL:
                polls = r200.multi_poll_count(command.payload)
                if polls is None:
                    self._line.send(r200.failure(r200.ERROR_COMMAND))
                else:
                    self._polls_left = polls
            case r200.STOP_POLL:
                self._polls_left = 0
                self._line.send(r200.response(r200.STOP_POLL))
            case r200.SINGLE_POLL:
                self._poll()
            case r200.SET_POWER:
                self._line.send(r200.response(r200.SET_POWER))
            case r200.MODULE_INFO:
                self._line.send(r200.response(r200.MODULE_INFO, FIRMWARE))
            case _:
                self._line.send(r200.failure(r200.ERROR_COMMAND))

    def _round(self) -> None:
        if self._polls_left > 0:
            self._polls_left -= 1
            self._poll()

    def _poll(self) -> None:
        heard = [tag for tag in self._field if self._random.random() < READ_RATE]
        if self._line.unread_bytes() > BACKLOG_BYTES_MAX:
            self.dropped_notices += len(heard)
            return
        for tag in heard:
            rssi_dbm = round(self._random.gauss(tag.base_rssi_dbm, 2.0))
            notice = r200.tag_notice(tag.epc, max(-90, min(-30, rssi_dbm)))
            self._line.send(notice, lambda tag=tag: self._on_wire(tag))
        self._empty_rounds = 0 if heard else self._empty_rounds + 1
        if self._empty_rounds % NO_TAG_EVERY_ROUNDS == 1:
            self._line.send(r200.failure(r200.ERROR_NO_TAG))

    def _on_wire(self, tag: TaggedPallet) -> None:
        tag.reads_on_wire += 1
        if tag.reads_on_wire == CERTAIN_READS:
            self._truth.rfid(self.device, self._utc(), tag.epc, "arrived")
        if tag.is_leaving and tag.is_certain:
            self.leave(tag)

    def _departed(self, tag: TaggedPallet) -> None:
        self._departing -= 1
        self._truth.rfid(self.device, self._utc(), tag.epc, "departed")
