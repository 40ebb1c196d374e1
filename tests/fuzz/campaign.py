"""So many bytes into one subject: trials of a bounded size one after the other, each with decoders
of its own and a seed of its own. Upstream: `run` and the short form in the suite.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.checks import Broken
from tests.fuzz.reproduction import SHRINK_S, shrink, write
from tests.fuzz.subjects import Setup, Subject
from tests.fuzz.trial import Burst, Tally, compose, run

TRIAL_BYTES = 150_000
"""More than a decoder may hold, so that one that keeps everything is found out."""
_LINK = re.compile(r"\]\((\.\./[a-z0-9_]+/README\.md)\)")
_DEVICES = Path(__file__).parents[2] / "gateway" / "waystock_gateway" / "devices"


@dataclass(frozen=True)
class Failure:
    """What a subject did wrong, with the smallest input that shows it."""

    broken: Broken
    reproduction: str


def fuzz(
    subject: Subject,
    bytes_wanted: int,
    seed: int,
    trial_bytes: int = TRIAL_BYTES,
    shrink_s: float = SHRINK_S,
) -> tuple[Tally, Failure | None]:
    """Until `bytes_wanted` have been fed, or the first failure."""
    tally = Tally()
    trial = 0
    while tally.bytes < bytes_wanted:
        setup = subject.setups[trial % len(subject.setups)]
        rng = Random(f"{seed}/{subject.name}/{trial}")
        bursts = _bursts(rng, subject, setup, min(trial_bytes, bytes_wanted - tally.bytes))
        try:
            run(setup, bursts, tally)
        except Broken as broken:
            fewer, shrunk = shrink(setup, bursts, broken, shrink_s)
            return tally, Failure(shrunk, write(subject, setup, fewer))
        trial += 1
    return tally, None


def _bursts(rng: Random, subject: Subject, setup: Setup, bytes_wanted: int) -> list[Burst]:
    bursts: list[Burst] = []
    fed = 0
    while fed < bytes_wanted:
        bursts.append(compose(rng, subject, setup))
        fed += len(bursts[-1].data)
    return bursts


def undocumented(subject: Subject, reasons: Iterable[str]) -> list[str]:
    """Reasons that neither the page of the device kind nor those it points to tell an operator."""
    page = _DEVICES / subject.name.removesuffix("-ssi").replace("-", "_") / "README.md"
    if not page.exists():
        return []
    text = page.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        text += (page.parent / link).read_text(encoding="utf-8")
    return sorted(reason for reason in reasons if f"`{reason}`" not in text)
