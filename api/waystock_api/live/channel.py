"""One channel of the WebSocket protocol: changes are gathered into ticks of at most one per 100
ms, a ring keeps the newest ticks, and any client's cursor into it becomes one delta. What several
clients need alike is put together once. No I/O, the clock comes in.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import msgspec

from waystock_api.live.picture import Change, Entry

TICK_S = 0.1
RING_CHANGES_MAX = 50_000
RING_TICKS_MAX = 5_000
PART_CHARS_MAX = 256 * 1024
SNAPSHOT_SHARED_S = 1.0
"""A snapshot this young serves the next client too; deltas bring it up to date."""


class Tick(NamedTuple):
    seq: int
    changes: tuple[Change, ...]


class Delta(NamedTuple):
    """What lies between a cursor and `seq`. `body` is `"up":[…],"rm":[…]`; empty: nothing."""

    seq: int
    body: str
    ticks: int


class Snapshot(NamedTuple):
    """The picture at `seq`, in parts; each is the inside of a JSON array."""

    seq: int
    parts: tuple[str, ...]


class Channel:
    """Ticks of one stream. Cursors are the seq of the last tick seen; `site` None is no filter."""

    def __init__(
        self,
        name: str,
        epoch: str,
        entries: Callable[[], Collection[Entry]],
        on_drop: Callable[[int], None] = lambda _ticks: None,
        ring_changes_max: int = RING_CHANGES_MAX,
    ) -> None:
        self.name = name
        self.epoch = epoch
        self.seq = 0
        self._entries = entries
        self._on_drop = on_drop
        self._ring_changes_max = ring_changes_max
        self._ring: deque[Tick] = deque()
        self._ring_changes = 0
        self._pending: dict[str, Change] = {}
        self._ticked_s = float("-inf")
        self._deltas: dict[tuple[str | None, int], Delta] = {}
        self._snapshots: dict[str | None, tuple[float, Snapshot]] = {}

    def add(self, changes: Iterable[Change]) -> None:
        """Changes that the next tick will carry; the latest per key wins."""
        for change in changes:
            earlier = self._pending.pop(change.key, None)
            before = change.before if earlier is None else earlier.before
            self._pending[change.key] = Change(change.key, before, change.after)

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the next tick may be made (0: now); None where there is nothing to send."""
        if not self._pending:
            return None
        return max(0.0, self._ticked_s + TICK_S - now_s)

    def tick(self, now_s: float) -> None:
        """Make what is pending a tick."""
        if not self._pending:
            return
        self.seq += 1
        tick = Tick(self.seq, tuple(self._pending.values()))
        self._pending.clear()
        self._ticked_s = now_s
        self._deltas.clear()
        self._ring.append(tick)
        self._ring_changes += len(tick.changes)
        dropped = 0
        while self._ring_changes > self._ring_changes_max or len(self._ring) > RING_TICKS_MAX:
            self._ring_changes -= len(self._ring.popleft().changes)
            dropped += 1
        if dropped:
            self._on_drop(dropped)

    def reset(self) -> None:
        """Something was missed for good: every client needs a fresh snapshot."""
        self.seq += 1
        self._pending.clear()
        self._ring.clear()
        self._ring_changes = 0
        self._deltas.clear()
        self._snapshots.clear()

    def reaches(self, seq: int) -> bool:
        """Whether the ring still holds everything after tick `seq`."""
        return self.seq - len(self._ring) <= seq <= self.seq

    def delta_after(self, seq: int, site: str | None) -> Delta:
        """All that happened after tick `seq`, latest per key; `seq` must be within reach."""
        known = self._deltas.get((site, seq))
        if known is None:
            behind = self.seq - seq
            ticks = [self._ring[index] for index in range(-behind, 0)]
            known = Delta(self.seq, _body(_merged(ticks), site), behind)
            self._deltas[site, seq] = known
        return known

    def snapshot(self, now_s: float, site: str | None) -> Snapshot:
        """The whole picture; its seq is within the ring's reach when it is given out."""
        known = self._snapshots.get(site)
        if known and now_s - known[0] < SNAPSHOT_SHARED_S and self.reaches(known[1].seq):
            return known[1]
        # The picture already holds what is pending: tick first, so that it is exactly `seq`.
        self.tick(now_s)
        texts = [entry.text for entry in self._entries() if _shown(entry, site)]
        fresh = Snapshot(self.seq, tuple(_parts(texts)))
        for old_site, (made_s, _) in list(self._snapshots.items()):
            if now_s - made_s >= SNAPSHOT_SHARED_S:
                del self._snapshots[old_site]
        self._snapshots[site] = (now_s, fresh)
        return fresh


def _merged(ticks: Iterable[Tick]) -> Iterable[Change]:
    merged: dict[str, Change] = {}
    for tick in ticks:
        for change in tick.changes:
            earlier = merged.pop(change.key, None)
            before = change.before if earlier is None else earlier.before
            merged[change.key] = Change(change.key, before, change.after)
    return merged.values()


def _body(changes: Iterable[Change], site: str | None) -> str:
    up: list[str] = []
    rm: list[str] = []
    for change in changes:
        if change.after is not None and _shown(change.after, site):
            up.append(change.after.text)
        elif _was_shown(change, site):
            rm.append(change.key)
    if not up and not rm:
        return ""
    return f'"up":[{",".join(up)}],"rm":{msgspec.json.encode(rm).decode()}'


def _shown(entry: Entry, site: str | None) -> bool:
    return site is None or not entry.sites or site in entry.sites


def _was_shown(change: Change, site: str | None) -> bool:
    if change.before is None:  # Unknown here, yet said to be gone: whoever has it must drop it.
        return change.after is None
    return _shown(change.before, site)


def _parts(texts: Iterable[str]) -> Iterable[str]:
    part: list[str] = []
    chars = 0
    for text in texts:
        if part and chars + len(text) > PART_CHARS_MAX:
            yield ",".join(part)
            part, chars = [], 0
        part.append(text)
        chars += len(text) + 1
    yield ",".join(part)
