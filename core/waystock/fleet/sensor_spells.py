"""Spells in which a sensor was out of its band, and the parts in which its vehicle drove: told from
readings in order of time alone, so that any order of arrival ends in the same spells.
Upstream: a window of stored readings; downstream: alerts of temperature and doors.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple


class Band(NamedTuple):
    """What is allowed; None is an open side. A silence longer than `gap_s` ends a spell."""

    low: float | None
    high: float | None
    gap_s: float

    def beyond(self, value: float) -> float:
        """How far outside; 0 inside."""
        below = self.low - value if self.low is not None else 0.0
        above = value - self.high if self.high is not None else 0.0
        return max(below, above, 0.0)


class SensorReading(NamedTuple):
    """One value."""

    time: datetime
    captured_at: datetime
    value: float


class Spell(NamedTuple):
    """From the first reading outside the band; `ended_at` is the first one inside again, or the
    last one before a silence, and None while it lasts."""

    opened_at: datetime
    last_at: datetime
    """Its last reading."""
    ended_at: datetime | None
    worst: float
    captured_at: datetime

    @property
    def known_until(self) -> datetime:
        """How far it is known to have lasted."""
        return self.ended_at or self.last_at


def spells_of(
    readings: Iterable[SensorReading], band: Band, running: Spell | None = None
) -> list[Spell]:
    """Spells in order; `running` is one that had begun before the first of the readings."""
    spells: list[Spell] = []
    now = running
    for reading in readings:
        if now is not None and (reading.time - now.last_at).total_seconds() > band.gap_s:
            spells.append(now._replace(ended_at=now.last_at))
            now = None
        if band.beyond(reading.value) <= 0.0:
            if now is not None:
                spells.append(now._replace(ended_at=reading.time))
            now = None
        elif now is None:
            at = reading.time
            now = Spell(at, at, None, reading.value, reading.captured_at)
        else:
            now = _prolonged(now, reading, band)
    return [*spells, now] if now is not None else spells


def _prolonged(spell: Spell, reading: SensorReading, band: Band) -> Spell:
    spell = spell._replace(last_at=reading.time)
    if band.beyond(reading.value) > band.beyond(spell.worst):
        return spell._replace(worst=reading.value, captured_at=reading.captured_at)
    return spell


class Trip(NamedTuple):
    """A time on the road; None: it lasts."""

    started_at: datetime
    ended_at: datetime | None


def lasting(spells: Iterable[Spell], hold_s: float) -> list[Spell]:
    """Those whose readings span so long."""
    hold = timedelta(seconds=hold_s)
    return [spell for spell in spells if spell.last_at - spell.opened_at >= hold]


def on_the_road(spells: Iterable[Spell], trips: Sequence[Trip], hold_s: float) -> list[Spell]:
    """The parts of spells that fall into trips, if they are known to have lasted so long."""
    parts: list[Spell] = []
    for spell in spells:
        for trip in trips:
            opened_at = max(spell.opened_at, trip.started_at)
            until = min(spell.known_until, trip.ended_at or spell.known_until)
            if until < opened_at or (until - opened_at).total_seconds() < hold_s:
                continue
            ends = [end for end in (spell.ended_at, trip.ended_at) if end is not None]
            ended_at = min(ends) if ends else None
            parts.append(spell._replace(opened_at=opened_at, last_at=until, ended_at=ended_at))
    return parts
