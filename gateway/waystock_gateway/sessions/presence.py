"""An RFID reader's session: makes arrivals and departures of single reads, and at a portal the
direction of what went through. Two thirds of the rounds hear a tag that is there, so a tag departs
only after an absence, whose length follows from how well it was heard (`read_rate`). Which tags are
present or furniture is kept with the events: a restart reports no second arrival, and notices who
left meanwhile.
"""

from heapq import heappop, heappush
from typing import Literal

from waystock.contract.events import PortalEvidence, Rfid, Telemetry
from waystock_gateway.clock import Moment
from waystock_gateway.epc.decode import decode_epc
from waystock_gateway.readings import InputChange, Reading, TagRead
from waystock_gateway.sessions.allowance import Allowance
from waystock_gateway.sessions.direction import Verdict, decide
from waystock_gateway.sessions.furniture import Furniture
from waystock_gateway.sessions.photo_eyes import PhotoEyes
from waystock_gateway.sessions.presence_settings import PresenceSettings
from waystock_gateway.sessions.present_tag import KEY, PresentTag
from waystock_gateway.sessions.read_rate import Windows
from waystock_gateway.sessions.reader_clock import ReaderClock
from waystock_gateway.sessions.session import Outcome, gateway_clock

TAGS_MAX = 20_000
"""Tags one reader follows at a time; reads of more are dropped and counted."""

_Presence = Literal["read", "arrived", "departed"]


class PresenceSession:
    """State kept: an entry per tag that has arrived and not departed, and per learned furniture."""

    def __init__(
        self, device: str, state: dict[str, bytes], now: Moment, settings: PresenceSettings
    ) -> None:
        self._device = device
        self._settings = settings
        self._portal = settings.portal
        self._windows = _windows(settings)
        self._eyes = PhotoEyes(settings.portal)
        self._reader_clock = ReaderClock()
        self._raw_allowed = Allowance(settings.raw_reads_per_s_max)
        self._furniture = Furniture(settings, state, now)
        self._tags = {
            key.removeprefix(KEY): PresentTag.kept(value, now, self._windows)
            for key, value in state.items()
            if key.startswith(KEY)
        }
        self._dues: list[tuple[float, str]] = []
        """A heap of when to look at which tag next; entries that were overtaken stay in it."""
        for epc, tag in self._tags.items():
            self._expect(epc, tag)
        for due_s, epc in self._furniture.dues():
            heappush(self._dues, (due_s, epc))

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        if isinstance(reading, InputChange):
            self._take_input(reading, moment, outcome)
        elif isinstance(reading, TagRead):
            if self._settings.raw_reads_per_s_max:
                self._keep_raw(reading, moment, outcome)
            self._take_tag(reading, moment, outcome)

    def due_mono_s(self) -> float | None:
        return self._dues[0][0] if self._dues else None

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        while self._dues and self._dues[0][0] <= moment.mono_s:
            due_s, epc = heappop(self._dues)
            tag = self._tags.get(epc)
            if tag is None:
                self._look_at_furniture(epc, moment, outcome)
            elif due_s == tag.expected_s:
                if tag.due_s <= moment.mono_s:
                    self._depart(epc, tag, moment, outcome)
                else:
                    self._expect(epc, tag)

    def _take_tag(self, read: TagRead, moment: Moment, outcome: Outcome) -> None:
        if read.rssi_dbm is not None and read.rssi_dbm < self._settings.rssi_dbm_min:
            outcome.drops["weak"] += 1
            return
        if self._furniture.hears(read.epc, moment, outcome):
            return
        tag = self._tags.get(read.epc)
        if tag is None:
            if len(self._tags) >= TAGS_MAX:
                outcome.drops["too_many_tags"] += 1
                return
            tag = self._tags[read.epc] = PresentTag(moment)
        is_near = read.rssi_dbm is None or read.rssi_dbm >= self._portal.near_dbm_min
        tag.hear(read, moment, self._windows, is_near=is_near)
        if tag.due_s < tag.expected_s:
            self._expect(read.epc, tag)
        if self._portal.tells_direction:
            at_s = self._reader_clock.mono_s(read.reader_s, moment.mono_s)
            tag.passing.hear(at_s, read.antenna, read.rssi_dbm, self._portal)
        if not tag.has_arrived:
            if tag.near_reads >= self._settings.arrive_reads:
                self._arrive(read.epc, tag, moment, outcome)
        elif self._portal.tells_direction:
            self._watch_portal(read.epc, tag, moment, outcome)

    def _expect(self, epc: str, tag: PresentTag) -> None:
        """Look at the tag when it may have departed."""
        tag.expected_s = tag.due_s
        heappush(self._dues, (tag.expected_s, epc))

    def _arrive(self, epc: str, tag: PresentTag, moment: Moment, outcome: Outcome) -> None:
        tag.has_arrived, tag.arrived_mono_s = True, moment.mono_s
        outcome.remember(KEY + epc, tag.as_kept(moment.at))
        event = self._event(epc, tag, moment, "arrived", sighting=self._portal.tells_direction)
        outcome.events.append(event)

    def _watch_portal(self, epc: str, tag: PresentTag, moment: Moment, outcome: Outcome) -> None:
        """A tag that stays within hearing may be through all the same, or be furniture."""
        if not tag.is_check_due(moment.mono_s):
            return
        verdict = self._verdict(tag)
        present_s = moment.mono_s - tag.arrived_mono_s
        is_furniture = self._furniture.is_learned_after(epc, present_s)
        if tag.has_settled(verdict, moment.mono_s, self._portal.settle_s) or (
            verdict.is_crossing and is_furniture
        ):
            outcome.events.append(self._event(epc, tag, moment, "read", verdict=verdict))
            tag.tell()
            outcome.remember(KEY + epc, tag.as_kept(moment.at))
        if is_furniture:
            self._learn(epc, tag, moment, outcome)

    def _learn(self, epc: str, tag: PresentTag, moment: Moment, outcome: Outcome) -> None:
        """Told once; from now on its reads are counted and no more."""
        del self._tags[epc]
        outcome.forget(KEY + epc)
        heappush(self._dues, (self._furniture.learn(epc, moment, outcome), epc))
        event = self._event(epc, tag, moment, "read", sighting=True, stationary=True)
        outcome.events.append(event)

    def _depart(self, epc: str, tag: PresentTag, moment: Moment, outcome: Outcome) -> None:
        del self._tags[epc]
        if not tag.has_arrived:
            outcome.drops["stray" if tag.near_reads else "far"] += tag.reads
            return
        outcome.forget(KEY + epc)
        if not self._portal.tells_direction:
            outcome.events.append(self._event(epc, tag, moment, "departed"))
            return
        verdict = self._verdict(tag)
        is_told = tag.is_told and not verdict.is_clear
        sighting = is_told or verdict.direction is None
        shown = None if is_told else verdict
        outcome.events.append(
            self._event(epc, tag, moment, "departed", verdict=shown, sighting=sighting)
        )

    def _verdict(self, tag: PresentTag) -> Verdict:
        passing = tag.passing
        crossings = self._eyes.crossings(passing.first_s, passing.last_s)
        return decide(passing, self._portal, crossings)

    def _look_at_furniture(self, epc: str, moment: Moment, outcome: Outcome) -> None:
        """Furniture that is heard stays furniture. What has gone had stood there too long for
        anyone to tell which way it went."""
        due_s = self._furniture.due_s(epc)
        if due_s is None:
            return
        if due_s > moment.mono_s:
            heappush(self._dues, (due_s, epc))
            return
        tag = PresentTag(self._furniture.forget(epc, outcome))
        verdict = Verdict("unknown", PortalEvidence(reason="stood"))
        outcome.events.append(self._event(epc, tag, moment, "departed", verdict=verdict))

    def _take_input(self, change: InputChange, moment: Moment, outcome: Outcome) -> None:
        at_s = self._reader_clock.mono_s(change.reader_s, moment.mono_s)
        if not self._eyes.change(change.pin, change.is_high, at_s):
            outcome.drops["other_input"] += 1
        elif self._settings.raw_reads_per_s_max and self._raw_allowed.take(moment.mono_s):
            clock, quality = gateway_clock(moment)
            outcome.events.append(
                Telemetry(
                    device=self._device,
                    time=moment.at,
                    captured_at=moment.at,
                    clock=clock,
                    quality=quality,
                    values={f"input_{change.pin}": float(change.is_high)},
                )
            )

    def _keep_raw(self, read: TagRead, moment: Moment, outcome: Outcome) -> None:
        if not self._raw_allowed.take(moment.mono_s):
            outcome.drops["raw_thinned"] += 1
            return
        tag = PresentTag(moment)
        tag.note(read, moment)
        outcome.events.append(self._event(read.epc, tag, moment, "read", sighting=True))

    def _event(
        self,
        epc: str,
        tag: PresentTag,
        moment: Moment,
        presence: _Presence,
        *,
        verdict: Verdict | None = None,
        sighting: bool = False,
        stationary: bool = False,
    ) -> Rfid:
        """What is told of a tag happened when it was last heard, though it is known only now."""
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
            direction=None if verdict is None else verdict.direction,
            evidence=None if verdict is None else verdict.evidence,
            sighting=sighting,
            stationary=stationary,
        )


def _windows(settings: PresenceSettings) -> Windows:
    """The fixed window is an adaptive one between two limits that are the same."""
    longest_s = settings.longest_absence_s
    shortest_s = longest_s if settings.window == "fixed" else settings.absence_s_min
    return Windows.of(settings.round_s, settings.miss_probability, shortest_s, longest_s)
