"""One trial: bursts of bytes into one decoder whole and into another in pieces, the readings of
both compared, checked, and led through a session to events of the contract. Bursts are composed
from a seed. Upstream: `campaign`.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from types import FunctionType, ModuleType
from typing import Any

from tests.fuzz.checks import RETAINED_BYTES_MAX, Broken, check_decoded, check_event
from tests.fuzz.grammars import saying
from tests.fuzz.mutations import spoil, spoil_json
from tests.fuzz.subjects import DEVICE, HandClock, Setup, Subject
from waystock_gateway.readings import Decoded, Decoder, Reading, Reject
from waystock_gateway.sessions.session import Outcome, Session

PAUSE_S = 0.6
"""Between bursts: longer than any decoder's idle flush."""
FRAMES_MAX = 8
SECONDS_PER_BURST_MAX = 10.0
"""Of processor time; a burst of the largest size takes a thousandth of it."""
_MEASURED_EVERY = 16


@dataclass(frozen=True)
class Burst:
    """`spoilt`, then two good frames of which the last must be `heard`, then a pause."""

    spoilt: bytes
    good: bytes = b""
    heard: str = ""
    cuts: tuple[int, ...] = ()
    """Where reads cut it, besides at its ends."""
    frames: int = 1

    @property
    def data(self) -> bytes:
        return self.spoilt + self.good

    def pieces(self) -> list[bytes]:
        data = self.data
        edges = sorted({0, len(data), *(cut for cut in self.cuts if 0 < cut < len(data))})
        return [data[a:b] for a, b in itertools.pairwise(edges)]


@dataclass
class Tally:
    """What a subject was fed, and what came of it."""

    bytes: int = 0
    frames: int = 0
    readings: int = 0
    events: int = 0
    rejects: int = 0
    decode_s: float = 0.0
    reasons: set[str] = field(default_factory=set[str])


def compose(rng: Random, subject: Subject, setup: Setup) -> Burst:
    """A burst of good, spoilt and random bytes."""
    if setup.comes_whole:
        if rng.random() < 0.3:
            golden = subject.grammar.golden(rng)
            return Burst(b"", setup.wrap(golden.frame), golden.heard)
        return Burst(_frame(rng, subject, setup), cuts=_cuts(rng, 400))
    frames = [_frame(rng, subject, setup) for _ in range(rng.randint(1, FRAMES_MAX))]
    good = [subject.grammar.golden(rng) for _ in range(2 if rng.random() < 0.3 else 0)]
    burst = Burst(
        b"".join(frames),
        b"".join(setup.wrap(golden.frame) for golden in good),
        good[-1].heard if good else "",
        frames=len(frames) + len(good),
    )
    return Burst(burst.spoilt, burst.good, burst.heard, _cuts(rng, len(burst.data)), burst.frames)


def _frame(rng: Random, subject: Subject, setup: Setup) -> bytes:
    grammar = subject.grammar
    chance = rng.random()
    if chance < 0.12:
        return rng.randbytes(rng.randint(0, 400))
    good = setup.wrap(grammar.golden(rng).frame)
    if chance < 0.3:
        return good
    if grammar.is_json and chance < 0.8:
        return spoil_json(rng, good) + grammar.line_end
    others = [setup.wrap(grammar.golden(rng).frame)]
    spoilt = spoil(rng, good, others)
    if grammar.seal is not None and chance < 0.65:
        return grammar.seal(spoilt)
    return spoilt


def _cuts(rng: Random, length: int) -> tuple[int, ...]:
    """Nowhere, at every byte, at a few places, or in steps."""
    scheme = rng.randrange(6)
    if scheme == 0 or length < 2:
        return ()
    if scheme == 1:
        return tuple(range(1, length))
    if scheme == 2:
        return tuple(range(rng.randint(1, 9), length, rng.randint(2, 64)))
    return tuple(rng.randrange(1, length) for _ in range(rng.randint(1, 6)))


def run(setup: Setup, bursts: Sequence[Burst], tally: Tally) -> None:
    """Feed and check all; raises Broken, which names the burst."""
    bench = _Bench(setup)
    for number, burst in enumerate(bursts):
        try:
            bench.take(burst, tally)
            if number % _MEASURED_EVERY == 0:
                bench.measure()
        except Broken as broken:
            broken.burst = number
            raise
    bench.finish()


class _Bench:
    """Two decoders of one setup, the session behind them, and what they have been fed."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._clock = HandClock()
        self._whole, self._pieces = setup.make_decoder(), setup.make_decoder()
        self._session = setup.make_session(self._clock)
        self._stream = bytearray()

    def take(self, burst: Burst, tally: Tally) -> None:
        if self._setup.is_messages:
            self._stream.clear()
        self._stream += burst.data
        started_s = time.process_time()
        found = _feed(self._whole, [burst.data], self._setup)
        tally.decode_s += time.process_time() - started_s
        if not self._setup.is_messages:
            self._compare(burst, found)
        check_decoded(found, bytes(self._stream), len(burst.data))
        if burst.heard and burst.heard not in map(saying, _readings(found)):
            raise Broken("resync", f"{burst.heard!r} is not among {found}")
        tally.events += _lead_on(self._session, _readings(found), self._clock)
        _count(tally, burst, found)
        if time.process_time() - started_s > SECONDS_PER_BURST_MAX:
            raise Broken("time", f"{len(burst.data)} bytes took {SECONDS_PER_BURST_MAX} s")

    def finish(self) -> None:
        """The device is gone in the middle of whatever it was saying."""
        if self._setup.is_messages:
            return
        try:
            found, again = self._whole.finish(), self._pieces.finish()
        except Exception as error:
            raise Broken("raises", f"finish: {type(error).__name__}: {error}") from error
        if again != found:
            raise Broken("cuts", f"at the end in one piece {found}, in pieces {again}")

    def measure(self) -> None:
        held = retained_bytes(self._whole)
        if held > RETAINED_BYTES_MAX:
            raise Broken("memory", f"{held} bytes held after {len(self._stream)}")

    def _compare(self, burst: Burst, found: list[Decoded]) -> None:
        pieces = burst.pieces()
        again = _feed(self._pieces, pieces, self._setup)
        if again != found:
            raise Broken("cuts", f"in one piece {found}, in {len(pieces)} {again}")


def _readings(found: Sequence[Decoded]) -> list[Reading]:
    return [item for item in found if isinstance(item, Reading)]


def _feed(decoder: Decoder, reads: Sequence[bytes], setup: Setup) -> list[Decoded]:
    found: list[Decoded] = []
    try:
        for data in reads:
            found += decoder.feed(data)
        if setup.has_pauses:
            found += decoder.idle()
    except Exception as error:
        raise Broken("raises", f"{type(error).__name__}: {error}") from error
    return found


def _lead_on(session: Session, readings: Sequence[Reading], clock: HandClock) -> int:
    """The events that the readings lead to, each checked; their number."""
    outcome = Outcome(DEVICE)
    try:
        for reading in readings:
            session.take(reading, clock.now(), outcome)
        clock.move(PAUSE_S)
        session.tick(clock.now(), outcome)
    except Exception as error:
        raise Broken("raises", f"session: {type(error).__name__}: {error}") from error
    for event in outcome.events:
        check_event(event)
    return len(outcome.events)


def _count(tally: Tally, burst: Burst, found: Sequence[Decoded]) -> None:
    refused = [item.reason for item in found if isinstance(item, Reject)]
    tally.bytes += len(burst.data)
    tally.frames += burst.frames
    tally.rejects += len(refused)
    tally.readings += len(_readings(found)) - len(refused)
    tally.reasons |= set(refused)


def retained_bytes(thing: Any, seen: set[int] | None = None) -> int:
    """What `thing` and all it refers to hold of data, in bytes; each of their objects once."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type | ModuleType | FunctionType):
        return 0
    seen.add(id(thing))
    if isinstance(thing, str | bytes | bytearray):
        return len(thing)
    if isinstance(thing, dict):
        return sum(
            retained_bytes(part, seen) for pair in thing.items() for part in pair
        ) + 16 * len(thing)
    if isinstance(thing, list | tuple | set | frozenset):
        return sum(retained_bytes(part, seen) for part in thing) + 8 * len(thing)
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    parts = [getattr(thing, name) for name in slots if hasattr(thing, name)]
    return 8 + sum(retained_bytes(part, seen) for part in (*parts, getattr(thing, "__dict__", {})))
