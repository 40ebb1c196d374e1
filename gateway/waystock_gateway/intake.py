"""The intake: one thread that turns what all ports and sources bring into events and puts them
into the outbox, group by group: whatever waits is one transaction, and an idle gateway commits at
once. Only after the commit does a device get its acknowledgement. Upstream: `ports` and
`trackers`, through one bounded queue. Downstream: the outbox, then `on_stored`, which wakes the
uplink.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from waystock.contract.events import Event
from waystock_gateway.clock import Clock, Moment
from waystock_gateway.clock_watch import ClockWatch
from waystock_gateway.errors import OutboxError
from waystock_gateway.outbox import Outbox
from waystock_gateway.readings import Reading, Reject
from waystock_gateway.sessions.session import Outcome, Session
from waystock_gateway.tally import Tally
from waystock_gateway.waiting import Waiting

WAITING_MAX = 2_000
"""Readings that wait for the intake; when there are more, their ports are held back."""
GROUP_MAX = 1_000
"""Readings in one transaction, but for those of one last read."""
HELD_MAX = 20_000
"""Readings of devices that can't be asked again, held while the disk refuses."""
DEVICES_MAX = 5_000
"""Devices that may appear by themselves on MQTT; more are refused and counted."""
RETRY_S = 1.0
FORGET_S = 0.2
"""What the store has is deleted at least this often, beside other commits."""
SHED_EVERY_COMMITS = 50
EVEN_CLOCK_S = 600.0
"""A clock that has stepped since may be wrong by years: nothing expires by it."""

_log = structlog.get_logger(__name__)

SessionMaker = Callable[[str, dict[str, bytes]], Session]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Readings of one device from one read. `stored` is called after the commit. If the disk
    refuses, readings of a device that `sends_again` without its answer are left to it; others are
    held.
    """

    device: str
    session: SessionMaker
    readings: Sequence[Reading]
    moment: Moment
    stored: Callable[[], None] | None = None
    sends_again: bool = False


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """Events that the gateway reports of itself (health)."""

    device: str
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Adoption:
    """A device's session begins, or begins anew with other settings, with what the outbox kept of
    it; before its first reading, so that a tag that left meanwhile is missed."""

    device: str
    session: SessionMaker


Item = Arrival | OwnEvents | Adoption


@dataclass(slots=True)
class IntakeState:
    """What `status` and health tell of the intake."""

    disk_refuses: bool = False
    reason: str = ""
    """Why, as the disk said it."""
    held: list[Arrival] = field(default_factory=list[Arrival])


class Intake:
    """`submit` from any thread; everything else happens in the thread that `run`s."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        tally: Tally,
        on_stored: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._tally = tally
        self._on_stored = on_stored
        self._waiting: Waiting[Item] = Waiting(WAITING_MAX)
        self._sessions: dict[str, Session] = {}
        self._makers: dict[str, SessionMaker] = {}
        self._stopping = threading.Event()
        self._stored_mono_s = 0.0
        self._watch = ClockWatch()
        self._watch.step(clock.now())
        self.state = IntakeState()

    def submit(self, item: Item, timeout_s: float) -> bool:
        """Hand over; False if there was no room for `timeout_s`."""
        return self._waiting.put(item, _size(item), timeout_s)

    def wake(self) -> None:
        """Have the intake look for something to forget."""
        self._waiting.nudge()

    def stop(self) -> None:
        """Store what waits, then end `run`."""
        self._stopping.set()
        self._waiting.nudge()

    def adopt(self, device: str, maker: SessionMaker) -> None:
        """Begin a device's session with what the outbox kept of it, before its first reading."""
        self._makers[device] = maker
        self._sessions[device] = maker(device, self._outbox.device_state(device))

    def run(self) -> None:
        """Until `stop`: wait, gather, store."""
        while True:
            group: list[Arrival | OwnEvents] = []
            for item in self._waiting.take(GROUP_MAX, self._wait_s()):
                if isinstance(item, Adoption):
                    self._process(group)
                    self.adopt(item.device, item.session)
                    group = []
                else:
                    group.append(item)
            self._process(group)
            if self._stopping.is_set() and self._waiting.is_empty:
                return

    def _wait_s(self) -> float | None:
        waits: list[float] = []
        dues = [due for s in self._sessions.values() if (due := s.due_mono_s()) is not None]
        if dues:
            waits.append(min(dues) - self._clock.now().mono_s)
        if self.state.held:
            waits.append(RETRY_S)
        if self._outbox.has_done:
            waits.append(FORGET_S)
        return max(0.0, min(waits)) if waits else None

    def _process(self, group: list[Arrival | OwnEvents]) -> None:
        arrivals = self.state.held + [a for a in group if isinstance(a, Arrival)]
        now = self._clock.now()
        self._look_at_clock(now)
        outcomes: dict[str, Outcome] = {}
        own = [Outcome(o.device, events=list(o.events)) for o in group if isinstance(o, OwnEvents)]
        for arrival in arrivals:
            self._take(arrival, outcomes)
        self._tick(now, outcomes)
        if outcomes or own or self._outbox.has_done:
            self._store(list(outcomes.values()), own, arrivals, now)

    def _look_at_clock(self, now: Moment) -> None:
        """When the clock is set for the first time, what was timed by it before is corrected."""
        was_plausible = self._watch.is_plausible
        shift = self._watch.step(now)
        if shift is None:
            return
        _log.warning("clock_stepped", seconds=round(shift.total_seconds(), 3))
        if was_plausible or not now.is_plausible:
            return
        try:
            corrected = self._outbox.correct_times(shift)
        except OutboxError as error:
            _log.error("times_not_corrected", reason=str(error))
        else:
            _log.warning("times_corrected", readings=corrected)

    def _take(self, arrival: Arrival, outcomes: dict[str, Outcome]) -> None:
        device = arrival.device
        if device not in self._sessions:
            if len(self._sessions) >= DEVICES_MAX:
                self._tally.drop(device, "too_many_devices")
                return
            self.adopt(device, arrival.session)
        outcome = outcomes.setdefault(device, Outcome(device))
        for reading in arrival.readings:
            if isinstance(reading, Reject):
                outcome.rejects.append(reading)
            else:
                self._sessions[device].take(reading, arrival.moment, outcome)

    def _tick(self, now: Moment, outcomes: dict[str, Outcome]) -> None:
        for device, session in self._sessions.items():
            due_s = session.due_mono_s()
            if due_s is not None and due_s <= now.mono_s:
                session.tick(now, outcomes.setdefault(device, Outcome(device)))

    def _store(
        self, outcomes: list[Outcome], own: list[Outcome], arrivals: list[Arrival], now: Moment
    ) -> None:
        try:
            offsets = self._commit(outcomes + own, now)
        except OutboxError as error:
            self._refuse(arrivals, outcomes, error)
            return
        self.state.held.clear()
        self._tally.count(outcomes)
        for arrival in arrivals:
            if arrival.stored is not None:
                arrival.stored()
        if offsets:
            self._on_stored()
        self._shed(now)

    def _commit(self, outcomes: list[Outcome], now: Moment) -> range:
        """The offsets that were given; nothing is written where nothing is to be kept."""
        kept = [outcome for outcome in outcomes if outcome.needs_keeping]
        is_forgetting_due = now.mono_s - self._stored_mono_s >= FORGET_S
        if not kept and not (self._outbox.has_done and is_forgetting_due):
            return range(0)
        self._stored_mono_s = now.mono_s
        offsets = self._outbox.commit(kept, now.at)
        if self.state.disk_refuses:
            _log.warning("outbox_writable_again", held_readings=len(self.state.held))
            self.state.disk_refuses = False
        return offsets

    def _refuse(self, arrivals: list[Arrival], outcomes: list[Outcome], error: OutboxError) -> None:
        """Nothing was written: devices that can send again are left without their answer, readings
        of the others are held; all sessions go back to what the file remembers.
        """
        if not self.state.disk_refuses:
            _log.error("outbox_refuses", reason=str(error), readings=len(arrivals))
            self.state.disk_refuses = True
        for outcome in outcomes:
            maker = self._makers.get(outcome.device)
            if maker is not None:
                self.adopt(outcome.device, maker)
        self.state.reason = str(error)
        held = [arrival for arrival in arrivals if not arrival.sends_again]
        for arrival in arrivals:
            if arrival.sends_again:
                self._tally.drop(arrival.device, "refused_disk", len(arrival.readings))
        for arrival in held[:-HELD_MAX]:
            self._tally.drop(arrival.device, "lost_disk", len(arrival.readings))
        self.state.held = held[-HELD_MAX:]

    def _shed(self, now: Moment) -> None:
        """Keep the file to its size and its readings to their age, now and then."""
        if self._outbox.counters.commits % SHED_EVERY_COMMITS:
            return
        lost: Counter[str] = Counter()
        try:
            while shed := self._outbox.shed_overload():
                lost += shed
            if self._watch.even_s(now) >= EVEN_CLOCK_S:
                lost += self._outbox.shed_expired(now.at)
        except OutboxError as error:
            _log.warning("outbox_not_shed", reason=str(error))
        if lost:
            _log.error("outbox_gave_up_readings", events=lost.total(), **lost)


def _size(item: Item) -> int:
    """How many readings it brings."""
    if isinstance(item, Adoption):
        return 0
    return len(item.readings if isinstance(item, Arrival) else item.events)
