"""The current picture of one live stream: the newest state of each entity by key. Fed by deltas
and by whole loads from the store, in any order and more than once; says what each of them
changed. No I/O.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from waystock.contract.live import (
    AlertEntity,
    Entity,
    MovementEntity,
    TransitEntity,
    encode_entity,
)

ENTITIES_MAX = 200_000
"""Per stream; a new key beyond it is refused and counted."""
TOMBSTONES_MAX = 20_000
"""Keys remembered as gone, so that an older message can't bring them back."""
MOVEMENTS_KEPT = 50
CLEARED_ALERTS_KEPT_S = 3600.0
OUTSIDE = frozenset({"vehicle", "supplier", "customer", "adjustment"})
"""First parts of location codes that are no site."""


class Entry(NamedTuple):
    """One entity, and its JSON as every client gets it."""

    entity: Entity
    text: str
    sites: frozenset[str]
    """Sites whose screens show it; empty: all of them."""


class Gone(NamedTuple):
    """An entity that is no more, as of `version`."""

    key: str
    version: int


News = Entry | Gone


class Change(NamedTuple):
    """What became of a key: `before` None is new, `after` None is gone."""

    key: str
    before: Entry | None
    after: Entry | None


class Outcome(NamedTuple):
    changes: list[Change]
    stale: int
    """Entities older than what was known."""
    refused: int
    """New entities that a full picture had no room for."""


def make_entry(entity: Entity, shipment_sites: Mapping[str, str | None]) -> Entry:
    """An entry of the picture; `shipment_sites` says from where each shipment leaves."""
    text = bytes(encode_entity(entity)).decode()
    return Entry(entity, text, sites_of(entity, shipment_sites))


def sites_of(entity: Entity, shipment_sites: Mapping[str, str | None]) -> frozenset[str]:
    """The sites that an entity belongs to; empty where it belongs to all or none is known."""
    if isinstance(entity, TransitEntity):
        site = shipment_sites.get(entity.shipment) if entity.shipment else None
        return frozenset({site}) if site else frozenset()
    if isinstance(entity, MovementEntity):
        places = (entity.from_location, entity.to_location)
        return frozenset(place.partition("/")[0] for place in places) - OUTSIDE
    return frozenset({entity.site}) if entity.site else frozenset()


class Picture:
    """Entries of one stream by key. Not thread-safe: it lives on the event loop."""

    def __init__(self, stream: str, entities_max: int = ENTITIES_MAX) -> None:
        self.stream = stream
        self._entities_max = entities_max
        self._entries: dict[str, Entry] = {}
        self._gone: OrderedDict[str, int] = OrderedDict()
        self._contested: set[str] = set()
        self._touched: set[str] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> Collection[Entry]:
        """All entries; movements by their time, oldest first."""
        if self.stream != "movements":
            return self._entries.values()
        return sorted(self._entries.values(), key=_occurred)

    def apply(self, news: Iterable[News]) -> Outcome:
        """Take in a delta: newer versions win."""
        changes: list[Change] = []
        stale = refused = 0
        for each in news:
            if self._touched is not None:
                self._touched.add(_key_of(each))
            if not self._is_newer(each):
                stale += 1
            elif isinstance(each, Gone):
                changes.append(self._remove(each))
            elif self._has_room_for(each):
                changes.append(self._put(each))
            else:
                refused += 1
        self._trim()
        return Outcome(changes, stale, refused)

    def begin_load(self) -> None:
        """A load from the store begins: what deltas touch meanwhile, its absences can't undo."""
        self._touched = set()

    def finish_load(self, entries: Collection[Entry]) -> Outcome:
        """Take in the whole stream as loaded; keys that it lacks are gone, unless just touched."""
        touched = self._touched or set()
        self._touched = None
        present = {entry.entity.key for entry in entries}
        self._forgive(present - touched)
        missing = [key for key in self._entries if key not in present and key not in touched]
        gone = self.discard(missing)
        outcome = self.apply(entries)
        # What the store still says of a known key is no stale message, but the usual case.
        return Outcome(gone + outcome.changes, 0, outcome.refused)

    def _forgive(self, present: set[str]) -> None:
        """What was told to be gone, but is found in two loads running, is there again: its version
        may lie before the one it went with where two clocks disagree.
        """
        contested = present & self._gone.keys()
        for key in contested & self._contested:
            del self._gone[key]
        self._contested = contested

    def prune(self, now_s: float) -> list[Change]:
        """Drop alerts that were cleared more than an hour before `now_s` (POSIX seconds)."""
        old = [
            key
            for key, entry in self._entries.items()
            if isinstance(entry.entity, AlertEntity)
            and entry.entity.cleared_at is not None
            and entry.entity.cleared_at.timestamp() < now_s - CLEARED_ALERTS_KEPT_S
        ]
        return self.discard(old)

    def discard(self, keys: Iterable[str]) -> list[Change]:
        """Drop these keys; they may come back with any version."""
        return [Change(key, self._entries.pop(key), None) for key in keys if key in self._entries]

    def _is_newer(self, news: News) -> bool:
        known = self._entries.get(_key_of(news))
        if isinstance(news, Gone):
            return news.version >= (known.entity.version if known else -1)
        version = news.entity.version
        if known is not None:
            newer = version > known.entity.version
            # The same version may still tell more: a joined name, a lease that has run out.
            return newer or (version == known.entity.version and news.text != known.text)
        return version > self._gone.get(news.entity.key, -1)

    def _has_room_for(self, entry: Entry) -> bool:
        return entry.entity.key in self._entries or len(self._entries) < self._entities_max

    def _put(self, entry: Entry) -> Change:
        key = entry.entity.key
        known = self._entries.get(key)
        self._entries[key] = entry
        self._gone.pop(key, None)
        return Change(key, known, entry)

    def _remove(self, gone: Gone) -> Change:
        """Told even where the key is unknown here: a client may keep what the picture let go."""
        self._gone[gone.key] = max(gone.version, self._gone.pop(gone.key, 0))
        if len(self._gone) > TOMBSTONES_MAX:
            self._gone.popitem(last=False)
        return Change(gone.key, self._entries.pop(gone.key, None), None)

    def _trim(self) -> None:
        """A window of the newest movements; those that leave it are history, not gone."""
        if self.stream != "movements" or len(self._entries) <= MOVEMENTS_KEPT:
            return
        for entry in sorted(self._entries.values(), key=_occurred)[:-MOVEMENTS_KEPT]:
            del self._entries[entry.entity.key]


def _key_of(news: News) -> str:
    return news.key if isinstance(news, Gone) else news.entity.key


def _occurred(entry: Entry) -> tuple[float, str]:
    occurred_at = getattr(entry.entity, "occurred_at", None)
    return (occurred_at.timestamp() if occurred_at else 0.0, entry.entity.key)
