"""Recordings of real receivers through the decoder: the fixes are what the reference daemon (gpsd)
understood, however the bytes are cut.
"""

from pathlib import Path

import pytest

from tests.support.recordings import (
    FOLDER,
    disagreements,
    each_recording,
    instant_key,
    motion_disagreements,
    needs_recordings,
)
from waystock_gateway.devices.nmea.decoder import NmeaDecoder
from waystock_gateway.readings import Decoded, Fix


def decode(data: bytes, step: int | None = None) -> list[Decoded]:
    decoder = NmeaDecoder()
    size = step or max(len(data), 1)
    found = [x for i in range(0, len(data), size) for x in decoder.feed(data[i : i + size])]
    return found + decoder.finish()


def dated_fixes(log: Path, found: list[Decoded]) -> dict[str, Fix]:
    return {instant_key(log, x.time): x for x in found if isinstance(x, Fix) and x.time is not None}


@needs_recordings
@each_recording
def test_every_instant_that_the_daemon_understood_is_a_fix_at_the_same_place(log: Path) -> None:
    assert disagreements(log, dated_fixes(log, decode(log.read_bytes()))) == []


@needs_recordings
@each_recording
def test_speed_and_course_are_the_daemon_s(log: Path) -> None:
    assert motion_disagreements(log, dated_fixes(log, decode(log.read_bytes()))) == []


@needs_recordings
@each_recording
def test_no_instant_becomes_two_fixes(log: Path) -> None:
    times = [x.time for x in decode(log.read_bytes()) if isinstance(x, Fix) and x.time is not None]
    assert len(set(times)) == len(times)


@needs_recordings
@each_recording
@pytest.mark.parametrize("step", [1, 2, 7, 64, 1000])
def test_reads_may_cut_a_recording_anywhere(log: Path, step: int) -> None:
    data = log.read_bytes()
    assert decode(data, step) == decode(data)


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
