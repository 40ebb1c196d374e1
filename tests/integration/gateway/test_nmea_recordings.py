"""Recordings of real receivers through the decoder: the fixes are what the reference daemon (gpsd)
understood, however the bytes are cut. Through a real port and the whole chain:
tests/integration/chain/test_recordings.py.
"""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support.recordings import (
    FOLDER,
    disagreements,
    each_recording,
    height_disagreements,
    instant_key,
    last_word_disagreements,
    motion_disagreements,
    needs_recordings,
)
from waystock_gateway.decode_command import run
from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix

STEP_BYTES = 64
FIGURES = ("lat", "lon", "speed_mps", "course_deg_true", "altitude_m")


def decode(data: bytes, step: int | None = None) -> list[Decoded]:
    decoder = NmeaDecoder()
    size = step or max(len(data), 1)
    found = [x for i in range(0, len(data), size) for x in decoder.feed(data[i : i + size])]
    return found + decoder.finish()


def dated_fixes(log: Path, found: list[Decoded]) -> dict[str, Fix]:
    return {instant_key(log, x.time): x for x in found if isinstance(x, Fix) and x.time is not None}


Decode = Callable[[Path], dict[str, Fix]]


def as_from_a_port(log: Path) -> dict[str, Fix]:
    return dated_fixes(log, decode(log.read_bytes()))


def as_from_a_file(log: Path) -> dict[str, Fix]:
    """What `waystock decode nmea` does."""
    decoder = NmeaDecoder(hurry=False)
    return dated_fixes(log, decoder.feed(log.read_bytes()) + decoder.finish())


each_way = pytest.mark.parametrize("fixes", [as_from_a_port, as_from_a_file])


@needs_recordings
@each_recording
@each_way
def test_every_instant_that_the_daemon_understood_is_a_fix_at_the_same_place(
    log: Path, fixes: Decode
) -> None:
    assert disagreements(log, fixes(log)) == []
    assert last_word_disagreements(log, fixes(log)) == []


@needs_recordings
@each_recording
@each_way
def test_speed_course_and_height_are_the_daemon_s(log: Path, fixes: Decode) -> None:
    assert motion_disagreements(log, fixes(log)) == []
    assert height_disagreements(log, fixes(log)) == []


@needs_recordings
@each_recording
def test_the_command_prints_what_the_daemon_understood(
    log: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["nmea", str(log)]) == 0
    rows = [msgspec.json.decode(line) for line in capfdbinary.readouterr().out.splitlines()]
    fixes = [
        Fix(
            time=datetime.fromisoformat(row["time"]),
            time_of_day=timedelta(0),
            **{name: row.get(name) for name in FIGURES},
        )
        for row in rows
        if row["kind"] == "position"
    ]
    printed = dated_fixes(log, [*fixes])
    assert disagreements(log, printed) == []
    assert motion_disagreements(log, printed) == []
    assert height_disagreements(log, printed) == []


@needs_recordings
@each_recording
def test_no_instant_becomes_two_fixes(log: Path) -> None:
    times = [x.time for x in decode(log.read_bytes()) if isinstance(x, Fix) and x.time is not None]
    assert len(set(times)) == len(times)


@needs_recordings
@each_recording
def test_reads_may_cut_a_recording_anywhere(log: Path) -> None:
    """At every byte at once; and in steps of 64 bytes from each of the 64 bytes, so that each byte
    boundary of the recording is once the only cut within 64 bytes, which is a sentence or so."""
    data = log.read_bytes()
    whole = decode(data)
    assert decode(data, 1) == whole
    for first in range(STEP_BYTES):
        decoder = NmeaDecoder()
        edges = [0, *range(first or STEP_BYTES, len(data), STEP_BYTES), len(data)]
        found = [x for a, b in itertools.pairwise(edges) for x in decoder.feed(data[a:b])]
        assert found + decoder.finish() == whole, first


@needs_recordings
def test_each_single_cut_of_a_mixed_binary_recording_gives_the_same() -> None:
    data = (FOLDER / "ac12_binary.log").read_bytes()
    whole = decode(data)
    for cut in range(len(data)):
        decoder = NmeaDecoder()
        found = decoder.feed(data[:cut]) + decoder.feed(data[cut:]) + decoder.finish()
        assert found == whole, cut


@needs_recordings
@each_recording
def test_a_recording_behind_binary_noise_loses_nothing(log: Path) -> None:
    noise = bytes(range(256)) * 2
    data = log.read_bytes()
    noisy = dated_fixes(log, decode(noise + b"\r\n" + data))
    assert noisy.keys() == dated_fixes(log, decode(data)).keys()
