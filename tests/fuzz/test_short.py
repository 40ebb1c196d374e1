"""The short form of `make fuzz`: every decoder a little, and proof that each rule can fail."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from tests.fuzz.campaign import fuzz, undocumented
from tests.fuzz.checks import Broken
from tests.fuzz.grammars import GRAMMARS
from tests.fuzz.reproduction import read
from tests.fuzz.subjects import Subject, _grammar, subjects
from tests.fuzz.trial import Tally, compose, run
from waystock_gateway import decode_command
from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix, Reject

SUBJECTS = subjects()
SHORT_BYTES = 30_000
TRIAL_BYTES = 5_000


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_bytes_make_a_decoder_break_its_promises(name: str) -> None:
    tally, failure = fuzz(SUBJECTS[name], SHORT_BYTES, 0, TRIAL_BYTES)
    assert failure is None
    assert tally.events or name not in GRAMMARS, "nothing good came through: its grammar is wrong"
    assert undocumented(SUBJECTS[name], tally.reasons) == [], "an operator can't look these up"


def test_a_kind_that_nobody_wrote_a_grammar_for_is_fed_all_the_others_frames() -> None:
    new = Subject("new-kind", SUBJECTS["nmea"].setups, _grammar("new-kind"))
    tally, failure = fuzz(new, 5 * SHORT_BYTES, 0)
    assert failure is None
    assert tally.events


@pytest.mark.parametrize("kind", sorted(decode_command._ROWS.keys() & SUBJECTS.keys()))
def test_a_spoilt_capture_is_printed_to_its_end(
    kind: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    rng, subject = Random(kind), SUBJECTS[kind]
    frames = [compose(rng, subject, subject.setups[0]).data for _ in range(60)]
    capture = tmp_path / "capture"
    capture.write_bytes(b"\n".join(frames))
    assert decode_command.run([kind, str(capture)]) == 0
    capture.write_text("\n".join(frame.hex() for frame in frames))
    assert decode_command.run([kind, "--hex", str(capture)]) == 0
    rows = [msgspec.json.decode(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert {"kind"} <= set.intersection(*map(set, rows))
    assert {row["kind"] for row in rows} > {"reject"} or kind == "epc"


class Faulty(NmeaDecoder):
    """Right but for what each kind below does to single readings."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    def feed(self, data: bytes) -> list[Decoded]:
        return self._spoil_all(super().feed(data))

    def idle(self) -> list[Decoded]:
        return self._spoil_all(super().idle())

    def _spoil_all(self, found: list[Decoded]) -> list[Decoded]:
        spoilt: list[Decoded] = []
        for reading in found:
            self.given += 1
            spoilt += self.spoil(reading)
        return spoilt

    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [reading]


class Raises(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        if isinstance(reading, Reject):
            raise LookupError(reading.reason)
        return [reading]


class MindsCuts(Faulty):
    def feed(self, data: bytes) -> list[Decoded]:
        return super().feed(data) if len(data) > 1 else []


class Hoards(Faulty):
    kept = b""

    def feed(self, data: bytes) -> list[Decoded]:
        self.kept += data
        return super().feed(data)


class GoesDeaf(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [reading] if self.given < 30 else []


class TalksTooMuch(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [reading] * 5_000


class InventsPlaces(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [replace(reading, lat=91.0) if isinstance(reading, Fix) else reading]


class InventsFigures(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [replace(reading, speed_mps=1e39) if isinstance(reading, Fix) else reading]


class KeepsTooMuch(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [replace(reading, raw=bytes(600)) if isinstance(reading, Reject) else reading]


class LosesItsPlace(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        return [replace(reading, at=10**9) if isinstance(reading, Reject) else reading]


class WritesNul(Faulty):
    def spoil(self, reading: Decoded) -> list[Decoded]:
        marks: dict[str, Any] = {"raw": "\x00", "quality": ("low_accuracy",)}
        return [replace(reading, **marks) if isinstance(reading, Fix) else reading]


@pytest.mark.parametrize(
    ("faulty", "rule"),
    [
        (Raises, "raises"),
        (MindsCuts, "cuts"),
        (Hoards, "memory"),
        (GoesDeaf, "resync"),
        (TalksTooMuch, "amount"),
        (InventsPlaces, "resync|contract"),
        (InventsFigures, "range"),
        (KeepsTooMuch, "amount"),
        (LosesItsPlace, "place"),
        (WritesNul, "text"),
    ],
)
def test_a_fault_is_found_and_can_be_shown_again(faulty: type[Faulty], rule: str) -> None:
    right = SUBJECTS["nmea"].setups[0]
    subject = replace(SUBJECTS["nmea"], setups=(replace(right, make_decoder=faulty),))
    bytes_wanted = 150_000 if faulty is Hoards else SHORT_BYTES
    _, failure = fuzz(subject, bytes_wanted, 0, bytes_wanted, shrink_s=0.3)
    assert failure is not None
    assert failure.broken.rule in rule.split("|")
    setup, bursts = read(failure.reproduction, {"nmea": subject})
    with pytest.raises(Broken) as again:
        run(setup, bursts, Tally())
    assert again.value.rule == failure.broken.rule
