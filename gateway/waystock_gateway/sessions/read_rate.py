"""How well a tag is heard, and for how long it may therefore go unheard before it has left. Each
round of the reader is a draw that hears a present tag with some probability, as in "Adaptive
Cleaning for RFID Data Streams" (Jeffery, Garofalakis, Franklin: SMURF, VLDB 2006): the window is so
long that a present tag is missed throughout it with a small probability only, and it is halved
where significantly fewer draws hit than before, so that the tag must be leaving. Pure. Used by
`presence`.
"""

import math
from dataclasses import dataclass

ROUNDS_KEPT = 64
"""A tag's memory: one bit a round."""
_KEPT = (1 << ROUNDS_KEPT) - 1
_RECENT = 16
"""So many rounds tell how a tag is heard now."""
_RECENT_BITS = (1 << _RECENT) - 1
_PRIOR_HITS, _PRIOR_ROUNDS = 2, 6
"""What is believed of a tag before anything is known: heard in one round of three."""
_CAUTION_SIGMAS = 0.5
"""The rate is taken for so much lower than it looks, as few rounds tell it badly."""
_DROP_SIGMAS, _DROP_RATIO = 3.0, 8
"""A tag is leaving if it is heard an eighth as well as before, and that can't be chance."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The window for each number of hits in the rounds kept, made once per reader."""

    round_s: float
    shortest_s: float
    longest_s: float
    rounds: tuple[tuple[int, ...], ...]
    """[rounds known][hits in them] → rounds of silence that show absence."""

    @classmethod
    def of(
        cls, round_s: float, miss_probability: float, shortest_s: float, longest_s: float
    ) -> "Windows":
        """`shortest_s` never exceeds `longest_s`, which is the limit that was set."""
        rounds = tuple(
            tuple(_rounds(hits, known, miss_probability) for hits in range(known + 1))
            for known in range(ROUNDS_KEPT + 1)
        )
        return cls(round_s, min(shortest_s, longest_s), longest_s, rounds)


def _rounds(hits: int, known: int, miss_probability: float) -> int:
    """(1 − rate)^rounds ≤ miss_probability."""
    draws = known + _PRIOR_ROUNDS
    rate = (hits + _PRIOR_HITS) / draws
    rate -= _CAUTION_SIGMAS * math.sqrt(rate * (1.0 - rate) / draws)
    return math.ceil(math.log(miss_probability) / math.log1p(-rate))


class ReadRate:
    """One tag's reads: a register of bits, the newest lowest."""

    __slots__ = ("_bits", "_known", "_round")

    def __init__(self) -> None:
        self._bits = 0
        self._known = 0
        self._round = 0

    def hear(self, mono_s: float, windows: Windows) -> None:
        """A read at `mono_s`; a second one in the same round says nothing new."""
        number = int(mono_s / windows.round_s)
        if not self._known:
            self._bits, self._known = 1, 1
        elif number > self._round:
            passed = min(number - self._round, ROUNDS_KEPT)
            self._bits = ((self._bits << passed) | 1) & _KEPT
            self._known = min(self._known + passed, ROUNDS_KEPT)
        self._round = max(number, self._round)

    def window_s(self, windows: Windows) -> float:
        """For how long the tag may go unheard from its last read on."""
        rounds = self._window_rounds(windows.rounds)
        return max(windows.shortest_s, min(windows.longest_s, rounds * windows.round_s))

    def _window_rounds(self, table: tuple[tuple[int, ...], ...]) -> int:
        """By how it was heard of late or all the time, whichever was worse; but of a tag that is
        leaving half of what it had before, so that stray reads don't hold it."""
        known, hits = self._known, self._bits.bit_count()
        if known < 2 * _RECENT:
            return table[known][hits]
        recent = (self._bits & _RECENT_BITS).bit_count()
        before, rounds_before = hits - recent, known - _RECENT
        if _is_drop(recent, _RECENT * before / rounds_before):
            return (table[rounds_before][before] + 1) // 2
        return max(table[known][hits], table[_RECENT][recent])


def _is_drop(recent: int, expected: float) -> bool:
    spread = math.sqrt(expected * (1.0 - expected / _RECENT))
    return recent * _DROP_RATIO <= expected and recent < expected - _DROP_SIGMAS * spread
