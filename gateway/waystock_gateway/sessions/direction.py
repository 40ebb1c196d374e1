"""Which way a tag went through a portal. The side that heard its first reads better is where it
came from, the side that heard its last reads better is where it went; photo-eyes decide where there
are both. What is not clear stays unknown, with the numbers. Pure. Upstream: `presence`, read by
read; downstream: the evidence on the tag's event.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from waystock.contract.events import PortalEvidence
from waystock_gateway.sessions.photo_eyes import Crossing
from waystock_gateway.sessions.presence_settings import PortalSettings

Direction = Literal["in", "out", "unknown"]
Lean = Literal["in", "out", "stayed", "unclear"]

EDGE_READS = 12
"""So many reads at the beginning and at the end are weighed."""
_NEXT_COUNTS = 0.8
"""Each read counts so much of the one further out: a fork-lift leaves the first side in no time."""
_COUNTS = tuple(_NEXT_COUNTS**place for place in range(EDGE_READS))


class Verdict(NamedTuple):
    """None: it did not go through."""

    direction: Direction | None
    evidence: PortalEvidence
    lean: Lean = "unclear"
    """What the antennas tell by themselves."""

    @property
    def is_clear(self) -> bool:
        """Whether a movement follows."""
        return self.direction in {"in", "out"}

    @property
    def is_crossing(self) -> bool:
        """Whether it is this tag that crossed: the eyes don't see which tag goes through."""
        return self.is_clear and self.direction == self.lean


class _Heard(NamedTuple):
    is_inner: bool
    weight: float


@dataclass(slots=True)
class _Side:
    """What the antennas of one side heard of a tag."""

    reads: int = 0
    first_s: float = 0.0
    peak_dbm: float | None = None
    peak_s: float = 0.0

    def hear(self, at_s: float, rssi_dbm: float | None) -> None:
        if not self.reads:
            self.first_s = self.peak_s = at_s
        self.reads += 1
        if rssi_dbm is not None and (self.peak_dbm is None or rssi_dbm > self.peak_dbm):
            self.peak_dbm, self.peak_s = rssi_dbm, at_s


def _late() -> deque[_Heard]:
    return deque(maxlen=EDGE_READS)


@dataclass(slots=True)
class Passing:
    """One tag in the field of a portal; of its reads only the first and the last few are kept."""

    is_partial: bool = False
    """Its beginning was not heard: the gateway started in between."""
    reads: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    inner: _Side = field(default_factory=_Side)
    outer: _Side = field(default_factory=_Side)
    _early: list[_Heard] = field(default_factory=list[_Heard])
    _late: deque[_Heard] = field(default_factory=_late)

    def hear(
        self, at_s: float, antenna: int | None, rssi_dbm: float | None, portal: PortalSettings
    ) -> None:
        """One read; of an antenna that belongs to neither side only the time counts."""
        self.first_s = min(self.first_s, at_s) if self.reads else at_s
        self.last_s = max(self.last_s, at_s) if self.reads else at_s
        self.reads += 1
        is_inner = antenna in portal.inner
        if antenna is None or not (is_inner or antenna in portal.outer):
            return
        (self.inner if is_inner else self.outer).hear(at_s, rssi_dbm)
        # Amplitude, so that one lucky reflection doesn't outweigh many reads.
        heard = _Heard(is_inner, 1.0 if rssi_dbm is None else 10.0 ** (rssi_dbm / 20.0))
        if len(self._early) < EDGE_READS:
            self._early.append(heard)
        self._late.append(heard)

    def leans(self, portal: PortalSettings) -> tuple[float, float] | None:
        """(beginning, end), each from 1 (inner alone) to −1 (outer alone); None without reads."""
        edge = min(EDGE_READS, (self.inner.reads + self.outer.reads) // 2)
        if not edge:
            return None
        from_the_end = list(reversed(self._late))
        return _lean(self._early[:edge], portal), _lean(from_the_end[:edge], portal)


def _lean(heard: list[_Heard], portal: PortalSettings) -> float:
    """`heard` from the outermost read on."""
    sides = [0.0, 0.0]
    for one, counts in zip(heard, _COUNTS, strict=False):
        sides[one.is_inner] += one.weight * counts
    outer, inner = sides[0] / len(portal.outer), sides[1] / len(portal.inner)
    return (inner - outer) / (inner + outer)


def decide(passing: Passing, portal: PortalSettings, crossings: list[Crossing]) -> Verdict:
    """Where the tag went; `crossings` are what the photo-eyes saw while it was heard."""
    leans = passing.leans(portal)
    seen = _seen(crossings)
    lean = _by_antennas(leans, portal)
    direction, method, reason = _judge(passing, portal, lean, seen)
    inner, outer = passing.inner, passing.outer
    has_both = bool(inner.reads and outer.reads)
    has_peaks = inner.peak_dbm is not None and outer.peak_dbm is not None
    evidence = PortalEvidence(
        method=method,
        reason=reason,
        duration_s=round(passing.last_s - passing.first_s, 3),
        reads_inner=inner.reads,
        reads_outer=outer.reads,
        peak_inner_dbm=inner.peak_dbm,
        peak_outer_dbm=outer.peak_dbm,
        first_lag_s=round(outer.first_s - inner.first_s, 3) if has_both else None,
        peak_lag_s=round(outer.peak_s - inner.peak_s, 3) if has_peaks else None,
        lean_begin=None if leans is None else round(leans[0], 3),
        lean_end=None if leans is None else round(leans[1], 3),
        eyes=seen,
    )
    return Verdict(direction, evidence, lean)


_Judgement = tuple[Direction | None, Literal["eyes", "antennas", "none"], str]


def _by_antennas(leans: tuple[float, float] | None, portal: PortalSettings) -> Lean:
    """From one side to the other, on one side all the time, or nobody knows."""
    if leans is None or min(abs(lean) for lean in leans) < portal.lean_min:
        return "unclear"
    begin, end = leans
    if begin * end > 0:
        return "stayed"
    return "out" if begin > 0 else "in"


def _judge(passing: Passing, portal: PortalSettings, lean: Lean, seen: str) -> _Judgement:
    if passing.is_partial:
        return "unknown", "none", "restarted"
    if passing.reads < portal.reads_min:
        return "unknown", "none", "too_few_reads"
    if portal.has_eyes:
        return _judge_with_eyes(lean, seen)
    return _judge_by_antennas(lean)


def _judge_by_antennas(lean: Lean) -> _Judgement:
    if lean == "unclear":
        return "unknown", "antennas", "unclear"
    return (None, "antennas", "stayed") if lean == "stayed" else (lean, "antennas", "")


def _judge_with_eyes(lean: Lean, seen: str) -> _Judgement:
    """The eyes see that something went through, not which tag: one that was heard on one side alone
    stood beside it. What antennas and eyes tell differently is for a person."""
    if seen == "both":
        return _judge_by_antennas(lean)
    if not seen:
        clear = lean in {"in", "out"}
        return ("unknown", "eyes", "eyes_saw_nothing") if clear else (None, "eyes", "stayed")
    direction: Direction = "in" if seen == "in" else "out"
    if lean in {direction, "unclear"}:
        return direction, "eyes", ""
    if lean == "stayed":
        return None, "antennas", "stayed"
    return "unknown", "eyes", "eyes_disagree"


def _seen(crossings: list[Crossing]) -> str:
    directions = {crossing.direction for crossing in crossings}
    return "both" if len(directions) > 1 else next(iter(directions), "")
