"""An RFID reader at a loading door (R200 protocol): silent until the host starts the multi-poll,
then one round every tenth of a second, each tag heard in about two rounds of three. Upstream:
pallets that pass; downstream: a serial line and the truth.
"""

from collections.abc import Callable
from datetime import datetime
from random import Random

from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.devices.tag_field import TagField
from waystock_firmware_sim.protocol import r200
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

ROUND_S = 0.1
NO_TAG_EVERY_ROUNDS = 5
BACKLOG_BYTES_MAX = 1_500
"""Beyond it nobody reads, and the module drops notices, as its own buffer would."""
VERSIONS = (b"M100 26dBm V1.0", b"V2.3.5", b"MagicRF")
"""Of the hardware, of the software, and the maker; asked for by number."""


class Portal(TagField):
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
        super().__init__(device, scheduler, utc, truth, random)
        self._line = line
        self._host = r200.HostCommands()
        self._polls_left = 0
        self._empty_rounds = 0
        self.dropped_notices = 0
        scheduler.every(ROUND_S, self._round)

    @property
    def is_attended(self) -> bool:
        """Whether the host has started it and takes what it sends."""
        return self._polls_left > 0 and self._line.unread_bytes() < BACKLOG_BYTES_MAX // 4

    def boot(self) -> None:
        """Power is back: it waits for a command, and half of one is forgotten."""
        self._host = r200.HostCommands()
        self._polls_left = 0

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
                self._line.send(self._version(command.payload))
            case _:
                self._line.send(r200.failure(r200.ERROR_COMMAND))

    def _round(self) -> None:
        if self._polls_left > 0:
            self._polls_left -= 1
            self._poll()

    def _version(self, which: bytes) -> bytes:
        if len(which) != 1 or which[0] >= len(VERSIONS):
            return r200.failure(r200.ERROR_COMMAND)
        return r200.response(r200.MODULE_INFO, which + VERSIONS[which[0]])

    def _poll(self) -> None:
        heard = self._heard()
        if self._line.unread_bytes() > BACKLOG_BYTES_MAX:
            self.dropped_notices += len(heard)
            return
        for tag, rssi_dbm in heard:
            self._line.send(r200.tag_notice(tag.epc, rssi_dbm), lambda tag=tag: self._on_wire(tag))
        self._empty_rounds = 0 if heard else self._empty_rounds + 1
        if self._empty_rounds % NO_TAG_EVERY_ROUNDS == 1:
            self._line.send(r200.failure(r200.ERROR_NO_TAG))
