"""An RFID reader of the Chafon / UHFReader18 family in answer mode: one inventory for each time it
is asked, which takes its scan time; what it is asked meanwhile it does not hear. Upstream: pallets
that pass; downstream: a serial line and the truth.
"""

from collections.abc import Callable
from datetime import datetime
from random import Random

from waystock_firmware_sim.devices.line import Line
from waystock_firmware_sim.devices.tag_field import TagField, TaggedPallet
from waystock_firmware_sim.protocol import chafon
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

ADDRESS = 0x00
SCAN_TIME_UNITS, SCAN_TIME_UNIT_S = 1, 0.1
SCAN_TIME_UNITS_MIN, SCAN_TIME_UNITS_MAX = 1, 255
VERSION, TYPE, PROTOCOLS = bytes.fromhex("0216"), 0x09, 0x03
FREQUENCY_MAX, FREQUENCY_MIN, POWER_DBM = 0x31, 0x80, 30


class ChafonReader(TagField):
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
        self._power_dbm = POWER_DBM
        self.boot()

    def boot(self) -> None:
        """Power is back: it waits to be asked; an inventory that ran is forgotten."""
        self._host = chafon.HostCommands(ADDRESS)
        self._scan_time_units = SCAN_TIME_UNITS
        self._inventory = object()
        self._is_busy = False

    def on_input(self, data: bytes) -> None:
        """Bytes from the host."""
        for command in self._host.feed(data):
            if not self._is_busy:
                self._obey(command)

    def _obey(self, command: chafon.HostCommand) -> None:
        match command.command, len(command.parameters):
            case chafon.INVENTORY, _:
                self._begin_inventory()
            case chafon.READER_INFORMATION, 0:
                self._answer(command, chafon.OK, self._information())
            case chafon.SET_SCAN_TIME, 1:
                asked = command.parameters[0]
                self._scan_time_units = max(SCAN_TIME_UNITS_MIN, min(asked, SCAN_TIME_UNITS_MAX))
                self._answer(command, chafon.OK)
            case chafon.SET_POWER, 1:
                self._power_dbm = command.parameters[0]
                self._answer(command, chafon.OK)
            case ((chafon.READER_INFORMATION | chafon.SET_SCAN_TIME | chafon.SET_POWER), _):
                self._answer(command, chafon.WRONG_LENGTH)
            case _:
                self._line.send(
                    chafon.answer(ADDRESS, chafon.UNKNOWN_COMMAND, chafon.ILLEGAL_COMMAND)
                )

    def _answer(self, command: chafon.HostCommand, status: int, data: bytes = b"") -> None:
        self._line.send(chafon.answer(ADDRESS, command.command, status, data))

    def _information(self) -> bytes:
        return VERSION + bytes(
            (TYPE, PROTOCOLS, FREQUENCY_MAX, FREQUENCY_MIN, self._power_dbm, self._scan_time_units)
        )

    def _begin_inventory(self) -> None:
        self._is_busy = True
        this = self._inventory = object()

        def end() -> None:
            if self._inventory is this:
                self._end_inventory()

        self._scheduler.after(self._scan_time_units * SCAN_TIME_UNIT_S, end)

    def _end_inventory(self) -> None:
        self._is_busy = False
        heard = [tag for tag, _ in self._heard()]
        frames = chafon.inventory(ADDRESS, [tag.epc for tag in heard])
        for i, frame in enumerate(frames):
            page = heard[i * chafon.EPCS_PER_FRAME_MAX : (i + 1) * chafon.EPCS_PER_FRAME_MAX]
            self._line.send(frame, lambda page=page: self._all_on_wire(page))

    def _all_on_wire(self, tags: list[TaggedPallet]) -> None:
        for tag in tags:
            self._on_wire(tag)
