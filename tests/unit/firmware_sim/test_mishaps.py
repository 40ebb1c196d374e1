"""Mishaps: the same seed gives the same bytes, and each does what its name says."""

import json
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock_firmware_sim.mishaps import (
    ON_A_BROKER,
    ON_A_LINE,
    Fate,
    Mishaps,
    broken_text,
    noise_on_a_byte,
    parse_rates,
)

FRAMES = [f"frame {number:03d}".encode() for number in range(200)]
EVERYTHING = dict.fromkeys(ON_A_LINE, 0.1)


def _fates(rates: dict[str, float], seed: int = 1) -> list[Fate]:
    mishaps = Mishaps(rates, seed, noise_on_a_byte)
    return [mishaps.take(frame) for frame in FRAMES]


def _wire(fates: list[Fate]) -> list[bytes]:
    return [part.data for fate in fates for part in fate.parts]


@given(st.integers(0, 10_000))
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(seed: int) -> None:
    assert _fates(EVERYTHING, seed) == _fates(EVERYTHING, seed)
    assert _wire(_fates(EVERYTHING, seed)) != _wire(_fates(EVERYTHING, seed + 1))


def test_without_rates_every_frame_goes_out_as_it_is() -> None:
    assert _wire(_fates({})) == FRAMES


def test_one_mishap_more_leaves_the_others_where_they_were() -> None:
    alone = [fate.frame for fate in _fates({"drop": 0.1}) if "drop" in fate.mishaps]
    together = [
        fate.frame for fate in _fates({"drop": 0.1, "split": 0.5}) if "drop" in fate.mishaps
    ]
    assert alone == together != []


def test_dropped_frames_are_missing_and_doubled_ones_come_twice() -> None:
    dropped = _fates({"drop": 0.2})
    lost = {FRAMES[fate.frame] for fate in dropped if fate.is_lost}
    assert 20 < len(lost) < 60
    assert _wire(dropped) == [frame for frame in FRAMES if frame not in lost]
    doubled = _wire(_fates({"double": 0.2}))
    assert set(doubled) == set(FRAMES)
    assert 220 < len(doubled) < 260


def test_a_frame_that_is_overtaken_comes_right_behind_the_next() -> None:
    fates = _fates({"reorder": 0.2})
    wire = _wire(fates)
    held = [fate.frame for fate in fates if not fate.parts]
    assert len(held) > 15
    for number in held:
        if number + 1 < len(FRAMES):
            assert wire.index(FRAMES[number]) == wire.index(FRAMES[number + 1]) + 1


def test_split_frames_are_whole_when_put_together_and_break_at_any_byte() -> None:
    fates = _fates({"split": 1.0})
    assert b"".join(_wire(fates)) == b"".join(FRAMES)
    cuts = {len(fate.parts[0].data) for fate in fates}
    assert cuts == set(range(1, len(FRAMES[0])))
    assert all(fate.parts[-1].completes == fate.frame for fate in fates)


def test_a_corrupt_frame_differs_in_one_byte_and_completes_nothing() -> None:
    for fate in _fates({"corrupt": 1.0}):
        (part,) = fate.parts
        differing = [a != b for a, b in zip(part.data, FRAMES[fate.frame], strict=True)]
        assert sum(differing) == 1
        assert part.completes is None
        assert fate.is_lost


@pytest.mark.parametrize("halt", ["reboot", "unplug"])
def test_power_fails_in_the_middle_of_a_frame(halt: str) -> None:
    struck = [fate for fate in _fates({halt: 0.3, "reorder": 0.3}) if fate.halt == halt]
    assert len(struck) > 30
    for fate in struck:
        said = b"".join(part.data for part in fate.parts)
        assert FRAMES[fate.frame].startswith(said)
        assert len(said) < len(FRAMES[fate.frame])


def test_a_frozen_device_says_nothing() -> None:
    struck = [fate for fate in _fates({"freeze": 0.3}) if fate.halt == "freeze"]
    assert len(struck) > 30
    assert all(fate.parts == () for fate in struck)


@given(
    st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False) | st.text(max_size=8)),
    st.integers(0, 10_000),
)
def test_a_broken_message_is_no_json_whatever_it_was(
    document: dict[str, object], seed: int
) -> None:
    message = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    broken = broken_text(message, Random(seed))
    for decode in (json.loads, msgspec.json.decode):
        with pytest.raises(ValueError, match=r"\S"):
            decode(broken)


def test_rates_are_read_and_what_is_wrong_with_them_is_said() -> None:
    assert parse_rates("corrupt=0.01, split=0.2", ON_A_LINE) == {"corrupt": 0.01, "split": 0.2}
    assert parse_rates("", ON_A_LINE) == {}
    with pytest.raises(ValueError, match="'burn' is none of drop, double"):
        parse_rates("burn=0.1", ON_A_LINE)
    with pytest.raises(ValueError, match="'unplug' is none of"):
        parse_rates("unplug=0.1", ON_A_BROKER)
    for text in ("drop", "drop=", "drop=2", "drop=-1", "drop=nan", "drop=x"):
        with pytest.raises(ValueError, match="needs a rate from 0 to 1"):
            parse_rates(text, ON_A_LINE)
