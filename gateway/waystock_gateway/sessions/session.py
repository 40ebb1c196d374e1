"""The shape of a session: one device's readings go in with the moment they were taken, events come
out. Upstream: `intake`, in its one thread. Downstream: the outbox, which keeps events and the
session's state in the same transaction, so that a restart remembers exactly what was kept.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Protocol

from waystock.contract.events import Clock, Event, Quality
from waystock_gateway.clock import Moment
from waystock_gateway.readings import Reading, Reject


@dataclass(slots=True)
class Outcome:
    """What one device's readings led to; nothing of it holds before it is committed."""

    device: str
    events: list[Event] = field(default_factory=list[Event])
    rejects: list[Reject] = field(default_factory=list[Reject])
    put: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """State of the device to keep, by key."""
    delete: set[str] = field(default_factory=set[str])
    """Keys of state to forget."""
    drops: Counter[str] = field(default_factory=Counter[str])
    """Readings that were rightly thrown away (repeats, duplicates), by reason."""

    @property
    def needs_keeping(self) -> bool:
        """Whether there is anything to write: hundreds of reads of a tag that stays lead to
        nothing, and must not wear out the disk."""
        return bool(self.events or self.rejects or self.put or self.delete)

    def remember(self, key: str, value: bytes) -> None:
        self.put[key] = value
        self.delete.discard(key)

    def forget(self, key: str) -> None:
        self.put.pop(key, None)
        self.delete.add(key)


SessionKind = Literal["scan", "tag", "fix"]


class Session(Protocol):
    """One device's memory."""

    def take(self, reading: Reading, moment: Moment, outcome: Outcome) -> None:
        """Add to `outcome` what `reading`, taken in at `moment`, leads to."""
        ...

    def due_mono_s(self) -> float | None:
        """When `tick` has something to do (monotonic clock); None: not before more readings."""
        ...

    def tick(self, moment: Moment, outcome: Outcome) -> None:
        """Add what the mere passing of time leads to."""
        ...


def gateway_clock(moment: Moment) -> tuple[Clock, tuple[Quality, ...]]:
    """What an event timed by the gateway's own clock says of that clock."""
    return ("ntp", ()) if moment.is_plausible else ("unsynced", ("clock_unsynced",))
