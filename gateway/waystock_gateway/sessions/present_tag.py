"""One tag in the field of a reader: how often, how well and since when it was heard, and at a
portal what tells its direction. Upstream: `presence`, which keeps one for each tag; pure but for
the form in which the outbox keeps it.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from waystock.contract.identifiers import Utc
from waystock_gateway.clock import Moment
from waystock_gateway.readings import TagRead
from waystock_gateway.sessions.direction import Passing, Verdict
from waystock_gateway.sessions.read_rate import ReadRate, Windows

KEY = "tag:"
"""How the outbox names what it keeps of a present tag."""
CHECK_S = 0.5
"""A tag in a portal is looked at this often while it is heard."""


class _Kept(msgspec.Struct, frozen=True):
    """A present tag as the outbox file keeps it."""

    arrived_at: Utc
    is_told: bool = False


_read_kept = msgspec.json.Decoder(_Kept).decode


@dataclass(slots=True)
class PresentTag:
    """Times named `_s` are of the monotonic clock."""

    seen: Moment
    passing: Passing = field(default_factory=Passing)
    rate: ReadRate = field(default_factory=ReadRate)
    due_s: float = 0.0
    """When it has departed, unless it is heard before."""
    expected_s: float = math.inf
    """When the session looks at it next."""
    reads: int = 0
    near_reads: int = 0
    """Reads that were strong enough for it to be in the portal."""
    peak_rssi_dbm: float | None = None
    antenna: int | None = None
    has_arrived: bool = False
    arrived_mono_s: float = 0.0
    is_told: bool = False
    """Its direction has been told while it stays within hearing."""
    _checked_s: float = 0.0
    _leaning: str | None = None
    _leaning_since_s: float = 0.0

    @classmethod
    def kept(cls, value: bytes, now: Moment, windows: Windows) -> "PresentTag":
        """As it was before a restart; raises msgspec.DecodeError on what no gateway wrote."""
        return cls(
            seen=now,
            passing=Passing(is_partial=True),
            due_s=now.mono_s + ReadRate().window_s(windows),
            has_arrived=True,
            arrived_mono_s=now.mono_s,
            is_told=_read_kept(value).is_told,
        )

    def as_kept(self, at: datetime) -> bytes:
        """For the outbox, as of `at`."""
        return msgspec.json.encode(_Kept(arrived_at=at, is_told=self.is_told))

    def note(self, read: TagRead, moment: Moment) -> None:
        """One read more; the strongest one's antenna is the tag's."""
        self.seen = moment
        self.reads += 1
        peak_dbm = self.peak_rssi_dbm
        if peak_dbm is None or (read.rssi_dbm is not None and read.rssi_dbm > peak_dbm):
            self.peak_rssi_dbm = read.rssi_dbm
            self.antenna = read.antenna

    def hear(self, read: TagRead, moment: Moment, windows: Windows, *, is_near: bool) -> None:
        """One read, from which follows how long it may now be silent."""
        self.note(read, moment)
        self.near_reads += is_near
        self.rate.hear(moment.mono_s, windows)
        self.due_s = moment.mono_s + self.rate.window_s(windows)

    def is_check_due(self, mono_s: float) -> bool:
        """Once in CHECK_S."""
        if mono_s - self._checked_s < CHECK_S:
            return False
        self._checked_s = mono_s
        return True

    def has_settled(self, verdict: Verdict, mono_s: float, settle_s: float) -> bool:
        """Whether check after check found that it has crossed the same way for `settle_s`."""
        if not verdict.is_crossing or verdict.direction != self._leaning:
            self._leaning = verdict.direction if verdict.is_crossing else None
            self._leaning_since_s = mono_s
            return False
        return mono_s - self._leaning_since_s >= settle_s

    def tell(self) -> None:
        """Its direction is told; what is heard from now on may lead to another one."""
        self.is_told = True
        self.passing = Passing()
        self._leaning = None
