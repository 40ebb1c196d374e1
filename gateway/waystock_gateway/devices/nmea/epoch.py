"""Gathers the sentences of one UTC instant into one fix. Sentences come in any order and VTG and
GSA carry no time, so an epoch ends when the UTC field changes, when the same sentences have come
as in the epochs before, or when the line falls silent. Upstream: `sentence`. Downstream:
`decoder`.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from waystock_gateway.devices.nmea.sentence import Sentence
from waystock_gateway.readings import Fix

SENTENCES_MAX = 64
"""An epoch with more is closed: a receiver that talks without ever naming a time must not fill the
memory."""
RAW_CHARS_MAX = 2_000
_HALF_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Epoch:
    """One UTC instant while its sentences come in; the last word on each figure counts."""

    at: int
    """Byte offset of its first sentence."""
    time_of_day: timedelta | None = None
    sentences: list[Sentence] = field(default_factory=list[Sentence])
    raw: bytearray = field(default_factory=bytearray)

    def take(self, sentence: Sentence, raw: bytes) -> None:
        if sentence.time_of_day is not None:
            self.time_of_day = sentence.time_of_day
        self.sentences.append(sentence)
        self.raw += raw + b"\r\n"

    def admits(self, sentence: Sentence) -> bool:
        """Whether `sentence` belongs to this instant."""
        if sentence.time_of_day is not None:
            return self.time_of_day == sentence.time_of_day
        is_timeless = sentence.kind in {"VTG", "GSA"}
        return is_timeless or all(s.kind != sentence.kind for s in self.sentences)

    @property
    def is_full(self) -> bool:
        return len(self.sentences) >= SENTENCES_MAX

    @property
    def signature(self) -> tuple[str, ...]:
        """The kinds that came, in order; how the end of the next epoch is recognised."""
        return tuple(s.kind for s in self.sentences if s.kind != "GSA")

    @property
    def is_void(self) -> bool:
        """The receiver itself said that it has no fix."""
        return any(s.verdict == "void" for s in self.sentences)

    @property
    def claims_fix(self) -> bool:
        return any(s.verdict == "valid" for s in self.sentences)

    def own_date(self) -> date | None:
        return next((s.day for s in reversed(self.sentences) if s.day is not None), None)

    def fix(self, calendar: "Calendar") -> Fix | None:
        """The fix of this instant, or None if no valid sentence gave a position."""
        placed = [s for s in self.sentences if s.lat is not None and s.lon is not None]
        lat, lon = self._last_of("GLL", "lat"), self._last_of("GLL", "lon")
        if lat is None or lon is None or self.time_of_day is None or self._is_refused():
            return None
        moment = calendar.moment(self.time_of_day, self.own_date())
        speed = self._last_of(None, "speed_mps")
        course = self._last_of(None, "course_deg_true")
        satellites = self._last_of("GGA", "satellites")
        return Fix(
            time=moment,
            time_of_day=self.time_of_day,
            lat=lat,
            lon=lon,
            speed_mps=speed,
            course_deg_true=course,
            altitude_m=self._last_of("GGA", "altitude_m"),
            hdop=self._last_of("GGA", "hdop"),
            satellites=None if satellites is None else int(satellites),
            quality=("low_accuracy",) if all(s.is_estimated for s in placed) else (),
            raw=self.raw.decode("ascii", "replace")[:RAW_CHARS_MAX],
            at=self.at,
        )

    def _is_refused(self) -> bool:
        """RMC is the receiver's verdict on the whole fix; GLL and GGA on their own."""
        verdicts = [s.verdict for s in self.sentences if s.kind == "RMC"]
        return bool(verdicts) and "valid" not in verdicts

    def _last_of(self, preferred_kind: str | None, name: str) -> float | None:
        """The last figure of that name, from `preferred_kind` where that has one.

        Plotters that move the time on before the position contradict themselves within one instant:
        GLL, which speaks of position alone, is right there.
        """
        stated = [(s.kind, getattr(s, name)) for s in self.sentences]
        known = [(kind, value) for kind, value in stated if value is not None]
        preferred = [value for kind, value in known if kind == preferred_kind]
        if preferred:
            return preferred[-1]
        return known[-1][1] if known else None


class Calendar:
    """Carries the date from the sentences that have one to those that have only a time."""

    def __init__(self) -> None:
        self._anchor: datetime | None = None

    def moment(self, time_of_day: timedelta, own_date: date | None) -> datetime | None:
        """The instant in UTC, or None while no sentence has said the date."""
        if own_date is not None:
            moment: datetime | None = _at(own_date, time_of_day)
        else:
            moment = nearest_day(time_of_day, self._anchor) if self._anchor else None
        self._anchor = moment or self._anchor
        return moment


def nearest_day(time_of_day: timedelta, near: datetime) -> datetime:
    """The instant with that time of day that lies closest to `near`."""
    moment = _at(near.date(), time_of_day)
    if moment - near > _HALF_DAY:
        return moment - _DAY
    if near - moment > _HALF_DAY:
        return moment + _DAY
    return moment


def _at(day: date, time_of_day: timedelta) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + time_of_day
