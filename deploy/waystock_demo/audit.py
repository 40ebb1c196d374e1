"""What was sent against what is stored, reading by reading. Upstream: the simulators' truth file
and `waystock.store.audit`; downstream: the report. Pure but for reading the file.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from waystock.contract.identifiers import iso_utc

SAMPLE_MAX = 20
"""How many lost or doubled readings a report names."""


class Key(NamedTuple):
    """What names one reading; equal readings are told apart by their number alone."""

    kind: str
    device: str
    key: str


class ExpectedAlert(NamedTuple):
    """An alert that the plot must cause."""

    type: str
    subject: str


class _TruthLine(msgspec.Struct):
    kind: str
    device: str = ""
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    data: str = ""
    epc: str = ""
    presence: str = ""
    type: str = ""
    subject: str = ""


class Truth(NamedTuple):
    """What the simulators say must end in the store."""

    sent: Counter[Key]
    alerts: frozenset[ExpectedAlert]


def read_truth(file: Path) -> Truth:
    """Read a truth file; a last line that is not complete yet is left out. Raises
    msgspec.DecodeError where another line is spoilt.
    """
    decoder = msgspec.json.Decoder(_TruthLine)
    sent: Counter[Key] = Counter()
    alerts: set[ExpectedAlert] = set()
    content = file.read_bytes() if file.exists() else b""
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        truth = decoder.decode(line)
        if truth.kind == "alert":
            alerts.add(ExpectedAlert(truth.type, truth.subject))
        else:
            sent[_key_of(truth)] += 1
    return Truth(sent, frozenset(alerts))


def _key_of(truth: _TruthLine) -> Key:
    if truth.kind == "position":
        key = iso_utc(truth.time) if truth.time is not None else ""
    elif truth.kind == "rfid":
        key = f"{truth.epc}|{truth.presence}"
    else:
        key = truth.data
    return Key(truth.kind, truth.device, key)


class Comparison(NamedTuple):
    """Readings by how they fared."""

    sent: dict[str, int]
    stored: dict[str, int]
    lost: Counter[Key]
    doubled: Counter[Key]
    """Sent, and stored more often than sent."""
    unsent: Counter[Key]
    """Stored, but never sent: a reading that was spoilt on its way."""


def compare(sent: Counter[Key], stored: Iterable[tuple[str, str, str]]) -> Comparison:
    """Multiset difference in both directions."""
    there = Counter(Key(*one) for one in stored)
    extra = there - sent
    return Comparison(
        sent=_by_kind(sent),
        stored=_by_kind(there),
        lost=sent - there,
        doubled=Counter({key: n for key, n in extra.items() if key in sent}),
        unsent=Counter({key: n for key, n in extra.items() if key not in sent}),
    )


def _by_kind(keys: Counter[Key]) -> dict[str, int]:
    kinds: Counter[str] = Counter()
    for key, count in keys.items():
        kinds[key.kind] += count
    return dict(sorted(kinds.items()))
