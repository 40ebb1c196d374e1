"""An RFID reader's session: makes arrivals and departures of single reads. Two thirds of the polls
hear a tag that is there, so a tag departs only after an absence. Which tags are present is kept
with the events: a restart reports no second arrival, and notices who left meanwhile.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from waystock.contract.events import Rfid
from waystock.contract.identifiers import Utc
from waystock_gateway.clock import Moment
from waystock_gateway.epc.decode import decode_epc
from waystock_gateway.readings import Reading, TagRead
from waystock_gateway.sessions.session import Outcome, gateway_clock

TAGS_MAX = 20_000
"""Tags one reader follows at a time; reads of more are dropped and counted."""
_TAG = "tag:"


class _Kept(msgspec.Struct, frozen=True):
    """A present tag as the outbox file keeps it."""

    arrived_at: Utc


@dataclass(slots=True)
class _Tag:
    seen: Moment
    reads: int = 0
    peak_rssi_dbm: float | None = None
    antenna: int | None = None
    has_arrived: bool = False

    def hear(self, read: TagRead, moment: Moment) -> None:
        self.seen = moment
        self.reads += 1
        peak_dbm = self.peak_rssi_dbm
        if peak_dbm is None or (read.rssi_dbm is not None and read.rssi_dbm > peak_dbm):
            self.peak_rssi_dbm = read.rssi_dbm
            self.antenna = read.antenna


class PresenceSession:
    """State kept: one entry per tag that has arrived and not departed."""

    def __init__(
        self,
        device: str,
        state: dict[str, bytes],
        now: Moment,
        *,
        absence_s: float,
        arrive_reads: int,
        rssi_dbm_min: float,
    ) -> None:
        self._device = device
        self._absence_s = absence_s
        self._arrive_reads = arrive_reads
        self._rssi_dbm_min = rssi_dbm_min
        self._tags = {
            key.removeprefix(_TAG): _Tag(seen=now, has_arrived=True)
            for key in state
            if key.startswith(_TAG)
        }
        """In the order last heard, so that the first is the next to depart."""

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        if not isinstance(reading, TagRead):
            return
        if reading.rssi_dbm is not None and reading.rssi_dbm < self._rssi_dbm_min:
            outcome.drops["weak"] += 1
            return
        tag = self._tags.pop(reading.epc, None)
        if tag is None and len(self._tags) >= TAGS_MAX:
            outcome.drops["too_many_tags"] += 1
            return
        tag = tag or _Tag(seen=moment)
        self._tags[reading.epc] = tag
        tag.hear(reading, moment)
        if not tag.has_arrived and tag.reads >= self._arrive_reads:
            tag.has_arrived = True
            kept = msgspec.json.encode(_Kept(arrived_at=moment.at))
            outcome.remember(_TAG + reading.epc, kept)
            outcome.events.append(self._event(reading.epc, tag, "arrived", moment))

    def due_mono_s(self) -> float | None:
        oldest = next(iter(self._tags.values()), None)
        return None if oldest is None else oldest.seen.mono_s + self._absence_s

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        while (due_s := self.due_mono_s()) is not None and due_s <= moment.mono_s:
            epc = next(iter(self._tags))
            tag = self._tags.pop(epc)
            if tag.has_arrived:
                outcome.forget(_TAG + epc)
                outcome.events.append(self._event(epc, tag, "departed", moment))

    def _event(
        self, epc: str, tag: _Tag, presence: Literal["arrived", "departed"], moment: Moment
    ) -> Rfid:
        """A departure happened when the tag was last heard, though it is known only now."""
        clock, quality = gateway_clock(moment)
        identity = decode_epc(epc)
        return Rfid(
            device=self._device,
            time=tag.seen.at,
            captured_at=moment.at,
            clock=clock,
            quality=quality,
            epc=epc,
            presence=presence,
            scheme=identity.scheme,
            tag_uri=identity.tag_uri,
            epc_uri=identity.epc_uri,
            digital_link=identity.digital_link,
            elements=identity.elements,
            filter=identity.filter,
            antenna=tag.antenna,
            rssi_dbm=tag.peak_rssi_dbm,
            reads=max(tag.reads, 1),
        )
