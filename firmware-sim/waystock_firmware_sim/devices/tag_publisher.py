"""An RFID reader that publishes what it hears over MQTT, round by round, in the JSON of its maker
(protocol.reader_json), and now and then how it is itself. Upstream: pallets that pass; downstream:
an uplink and the truth.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import NamedTuple

from waystock_firmware_sim.devices.tag_field import TagField, TaggedPallet
from waystock_firmware_sim.devices.uplink import Message, Uplink
from waystock_firmware_sim.protocol.reader_json import Read
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

ROUND_S = 0.5
STATUS_PERIOD_S = 10.0
ANSWERS_POLL_S = 0.05
ANTENNAS = (1, 2, 3, 4)
BACKLOG_MESSAGES_MAX = 50
"""Beyond it the broker is away, and the reader leaves out rounds."""


class Dialect(NamedTuple):
    """How a maker's readers write."""

    encode: Callable[[Sequence[Read], datetime, int], list[bytes]]
    """Messages of one round's reads, whose numbers go on from the last argument."""
    status: Callable[[datetime, int], Message]
    """How the reader is, after so many seconds."""


class TagPublisher(TagField):
    """One reader with its field; messages for each tag, or for all of them."""

    def __init__(
        self,
        device: str,
        uplink: Uplink,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        random: Random,
        dialect: Dialect,
    ) -> None:
        super().__init__(device, scheduler, utc, truth, random)
        self._uplink = uplink
        self._dialect = dialect
        self._booted_s = scheduler.now_s()
        self._reads = 0
        scheduler.every(ROUND_S, self._round)
        scheduler.every(STATUS_PERIOD_S, self._say_status)
        scheduler.every(ANSWERS_POLL_S, uplink.poll)

    def boot(self) -> None:
        """Power is back."""
        self._booted_s = self._scheduler.now_s()
        self._say_status()

    def _say_status(self) -> None:
        uptime_s = int(self._scheduler.now_s() - self._booted_s)
        self._uplink.publish(self._dialect.status(self._utc(), uptime_s), lambda: None)

    def _round(self) -> None:
        if self._uplink.waiting() > BACKLOG_MESSAGES_MAX:
            return
        heard = self._heard()
        antenna = self._random.choice(ANTENNAS)
        reads = [Read(tag.epc, rssi_dbm, antenna) for tag, rssi_dbm in heard]
        messages = self._dialect.encode(reads, self._utc(), self._reads)
        self._reads += len(reads)
        tags = [tag for tag, _ in heard]
        shares = [[tag] for tag in tags] if len(messages) == len(tags) else [tags]
        for payload, share in zip(messages, shares, strict=bool(tags)):
            self._uplink.publish(Message(payload), lambda share=share: self._all_on_wire(share))

    def _all_on_wire(self, tags: list[TaggedPallet]) -> None:
        for tag in tags:
            self._on_wire(tag)
