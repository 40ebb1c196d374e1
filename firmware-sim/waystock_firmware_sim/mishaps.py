"""What goes wrong between a device and its host, frame by frame: a pure function of the seed, the
rates and the frames, so that a run that found a fault can be run again byte for byte. Each mishap
draws from a stream of its own: a change of one rate leaves the others where they were. Upstream:
the command line; downstream: devices.mishap_line (a cable) and devices.mishap_uplink (a broker).
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from waystock_firmware_sim.seeds import stream

Mishap = str
"""One of ON_A_LINE."""
ON_A_LINE: tuple[Mishap, ...] = (
    "drop", "double", "reorder", "corrupt", "split", "freeze", "reboot", "unplug",
)  # fmt: skip
ON_A_BROKER: tuple[Mishap, ...] = ("drop", "double", "reorder", "corrupt", "freeze", "reboot")
"""A broker takes whole messages, and there is no plug to pull."""
HALTS: tuple[Mishap, ...] = ("unplug", "reboot", "freeze")
"""After one of these the device is silent for a while; the gravest first."""

NO_TEXT = (0x00, 0x07, 0xC0, 0xFF)
"""Bytes that no JSON holds as they are, and no UTF-8 within a character."""

Rates = Mapping[Mishap, float]
Damage = Callable[[bytes, Random], bytes]


class Part(NamedTuple):
    """What goes out in one go; `completes` is the number of the frame that is whole with it."""

    data: bytes
    completes: int | None = None


class Fate(NamedTuple):
    """What comes of one frame."""

    frame: int
    """Counted from 0."""
    mishaps: tuple[Mishap, ...]
    parts: tuple[Part, ...]
    halt: Mishap | None = None
    """One of HALTS: it comes after `parts`."""

    @property
    def is_lost(self) -> bool:
        """Whether no undamaged copy goes out, now or later."""
        is_out = any(part.completes == self.frame for part in self.parts)
        return not is_out and ("reorder" not in self.mishaps or "corrupt" in self.mishaps)


class Mishaps:
    """One device's share of bad luck. `take` every frame, in order; `release` at the end."""

    def __init__(self, rates: Rates, seed: int, damage: Damage) -> None:
        self._rates = rates
        self._damage = damage
        self._luck = {mishap: stream(seed, f"mishap/{mishap}") for mishap in ON_A_LINE}
        self._detail = {mishap: stream(seed, f"mishap/{mishap}/detail") for mishap in ON_A_LINE}
        self._frames = 0
        self._held: tuple[Part, ...] = ()
        """Of the frame that the next one overtakes."""

    def take(self, frame: bytes) -> Fate:
        """What comes of `frame`, and of one that was held back behind it."""
        number = self._frames
        self._frames += 1
        struck = {m for m in ON_A_LINE if self._luck[m].random() < self._rates.get(m, 0.0)}
        halt = next((mishap for mishap in HALTS if mishap in struck), None)
        if halt is not None:
            return Fate(number, (halt,), self._last_words(frame, halt), halt)
        if "drop" in struck:
            return Fate(number, ("drop",), self.release())
        parts = self._parts(number, frame, struck)
        told = tuple(mishap for mishap in ON_A_LINE if mishap in struck)
        if "reorder" in struck and not self._held:
            self._held = parts
            return Fate(number, told, ())
        return Fate(number, told, (*parts, *self.release()))

    def release(self) -> tuple[Part, ...]:
        """What was held back, with nothing to overtake it any more."""
        held, self._held = self._held, ()
        return held

    def _last_words(self, frame: bytes, halt: Mishap) -> tuple[Part, ...]:
        """Power fails in the middle of a frame, and with it goes what was held back in memory."""
        if halt == "freeze":
            return ()
        self._held = ()
        cut = self._detail[halt].randrange(len(frame))
        return (Part(frame[:cut]),) if cut else ()

    def _parts(self, number: int, frame: bytes, struck: set[Mishap]) -> tuple[Part, ...]:
        whole = self._split(frame, number) if "split" in struck else (Part(frame, number),)
        if "corrupt" not in struck:
            return whole * 2 if "double" in struck else whole
        damaged = Part(self._damage(frame, self._detail["corrupt"]))
        return (damaged, *whole) if "double" in struck else (damaged,)

    def _split(self, frame: bytes, number: int) -> tuple[Part, ...]:
        """At any byte, as a read of the host may end anywhere."""
        if len(frame) < 2:
            return (Part(frame, number),)
        cut = self._detail["split"].randrange(1, len(frame))
        return Part(frame[:cut]), Part(frame[cut:], number)


def noise_on_a_byte(frame: bytes, random: Random) -> bytes:
    """Line noise: one byte is another one, as every checksum of a frame format notices."""
    at = random.randrange(len(frame))
    return frame[:at] + bytes((frame[at] ^ random.randrange(1, 256),)) + frame[at + 1 :]


def broken_text(message: bytes, random: Random) -> bytes:
    """A message cut short or with a byte that no text holds. A digit that became another one could
    not be told from a true reading by anybody: MQTT leaves that to TCP's checksums.
    """
    at = random.randrange(1, len(message))
    if random.random() < 0.5:
        return message[:at]
    return message[:at] + bytes((random.choice(NO_TEXT),)) + message[at + 1 :]


def parse_rates(text: str, possible: tuple[Mishap, ...]) -> dict[Mishap, float]:
    """Rates of `corrupt=0.01,split=0.2`; ValueError says what is wrong and what would be right."""
    rates: dict[Mishap, float] = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, number = item.partition("=")
        mishap = next((one for one in possible if one == name.strip()), None)
        if mishap is None:
            raise ValueError(f"mishap {name!r} is none of {', '.join(possible)}")
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise ValueError(f"mishap {item!r} needs a rate from 0 to 1, such as {mishap}=0.01")
        rates[mishap] = rate
    return rates
