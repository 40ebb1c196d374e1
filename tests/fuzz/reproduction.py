"""A failed trial made as small as it gets, and written so that `make fuzz` can run it again:
`NAME#SETUP#burst/burst…`, a burst being `spoilt[~good=heard][@cut,cut…]`, all in hex but the cuts.
Upstream: `campaign`.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

from tests.fuzz.checks import Broken
from tests.fuzz.subjects import Setup, Subject
from tests.fuzz.trial import Burst, Tally, run

SHRINK_S = 20.0
"""How long a failure is made smaller."""


def write(subject: Subject, setup: Setup, bursts: list[Burst]) -> str:
    number = subject.setups.index(setup)
    return f"{subject.name}#{number}#" + "/".join(map(_write_burst, bursts))


def read(text: str, subjects: dict[str, Subject]) -> tuple[Setup, list[Burst]]:
    """ValueError where `text` is none, or of an unknown subject."""
    name, number, bursts = text.split("#")
    if name not in subjects:
        raise ValueError(f"no decoder {name!r}; there are {', '.join(subjects)}")
    return subjects[name].setups[int(number)], [_read_burst(part) for part in bursts.split("/")]


def _write_burst(burst: Burst) -> str:
    good = f"~{burst.good.hex()}={burst.heard.encode().hex()}" if burst.good else ""
    cuts = f"@{','.join(map(str, burst.cuts))}" if burst.cuts else ""
    return burst.spoilt.hex() + good + cuts


def _read_burst(text: str) -> Burst:
    data, _, cuts = text.partition("@")
    spoilt, _, rest = data.partition("~")
    good, _, heard = rest.partition("=")
    return Burst(
        bytes.fromhex(spoilt),
        bytes.fromhex(good),
        bytes.fromhex(heard).decode(),
        tuple(map(int, filter(None, cuts.split(",")))),
    )


def shrink(
    setup: Setup, bursts: list[Burst], broken: Broken, within_s: float
) -> tuple[list[Burst], Broken]:
    """The fewest bursts and bytes found in that time that break the same rule, and how."""
    bursts = bursts[: broken.burst + 1]
    deadline_s = time.monotonic() + within_s
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for fewer in _smaller(bursts):
            if time.monotonic() > deadline_s:
                return bursts, broken
            again = _breaks(setup, fewer)
            if again is not None and again.rule == broken.rule:
                bursts, broken, is_smaller = fewer[: again.burst + 1], again, True
                break
    return bursts, broken


def _breaks(setup: Setup, bursts: list[Burst]) -> Broken | None:
    try:
        run(setup, bursts, Tally())
    except Broken as broken:
        return broken
    return None


def _smaller(bursts: list[Burst]) -> Iterator[list[Burst]]:
    """Ways to leave something out, the boldest first."""
    size = len(bursts) // 2 if len(bursts) > 1 else 0
    while size:
        for start in range(0, len(bursts), size):
            yield bursts[:start] + bursts[start + size :]
        size //= 2
    for i, burst in enumerate(bursts):
        for smaller in _smaller_burst(burst):
            yield [*bursts[:i], smaller, *bursts[i + 1 :]]


def _smaller_burst(burst: Burst) -> Iterator[Burst]:
    if burst.cuts:
        yield replace(burst, cuts=())
        if len(burst.cuts) > 1:
            yield from (replace(burst, cuts=(cut,)) for cut in burst.cuts[:200])
    size = len(burst.spoilt)
    while size:
        for start in range(0, len(burst.spoilt), size):
            yield replace(burst, spoilt=burst.spoilt[:start] + burst.spoilt[start + size :])
        size //= 2
