"""A vehicle's state comes back from the store as it went in, and fits beside its row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.fleet.plan import FleetPlan
from waystock.fleet.records import Records
from waystock.fleet.replay import NOTHING_KNOWN, fold
from waystock.fleet.settings import (
    FENCES_MAX,
    FINISHED_MAX,
    RECENT_MAX,
    RESTS_MAX,
    FleetSettings,
)
from waystock.fleet.state import FORM, STATE, nothing_known
from waystock.fleet.state_bytes import pack, unpack

from .tracks import drive, shipment, square

PLAN = FleetPlan.build([square("depot", 0.0), square("customer", 20_000.0)], [shipment()])


def test_a_state_survives_being_stored() -> None:
    blobs = [fold("v1", NOTHING_KNOWN, drive(n, 15.0), PLAN)[0] for n in (1, 60, 900)]
    states, is_read = unpack([*blobs, None, b""])
    assert is_read.tolist() == [True, True, True, False, False]
    assert pack(states) == [*blobs, *pack(nothing_known(2))]


def full_state(dice: np.random.Generator) -> Records:
    """Every list full, every other bit by chance."""
    state = np.frombuffer(dice.bytes(STATE.itemsize), STATE).copy()
    state["form"] = FORM
    for name, most in MOST.items():
        state[name] = most
    return state


MOST = {
    "finished_count": FINISHED_MAX,
    "fence_count": FENCES_MAX,
    "rest_count": RESTS_MAX,
    "recent_count": RECENT_MAX,
}


def test_a_state_stays_small_beside_its_row() -> None:
    (largest,) = pack(full_state(np.random.default_rng(7)))
    assert len(largest) < 2_200
    typical = fold("v1", NOTHING_KNOWN, drive(900, 15.0, every_s=10), PLAN)[0]
    assert len(typical) < 512


@given(st.integers(0, 2**32), st.dictionaries(st.sampled_from(sorted(MOST)), st.integers(0, 4)))
def test_a_state_comes_back_bit_by_bit_whatever_it_holds(seed: int, counts: dict[str, int]) -> None:
    dice = np.random.default_rng(seed)
    state = full_state(dice)
    for name, count in counts.items():
        state[name] = count
    raw = state.view(np.uint8)
    raw[16:][dice.random(STATE.itemsize - 16) < dice.random()] = 0
    (blob,) = pack(state)
    again, is_read = unpack([blob])
    assert is_read.all()
    assert pack(again) == [blob]
    for name in STATE.names or ():
        before, after = state[name][0], again[name][0]
        if name in COUNTED:
            count = int(state[COUNTED[name]][0])
            before, after = before[:count], after[:count]
        assert before.tobytes() == after.tobytes()


COUNTED = {
    "finished": "finished_count",
    "fences": "fence_count",
    "rests": "rest_count",
    "recent": "recent_count",
}


@given(st.integers(0, 2**32), st.integers(0, 2_000), st.integers(0, 255))
def test_a_state_with_a_wrong_byte_or_length_is_no_danger(seed: int, at: int, byte: int) -> None:
    (blob,) = pack(full_state(np.random.default_rng(seed)))
    changed = bytearray(blob)
    changed[at % len(blob)] = byte
    states, is_read = unpack([bytes(changed), blob[: at % len(blob)], blob + bytes([byte]), blob])
    assert not is_read[1]
    assert not is_read[2]
    assert is_read[3]
    assert pack(states[3:]) == [blob]


def packed_size(form: np.dtype[np.void]) -> int:
    if form.subdtype is not None:
        return packed_size(form.base) * int(np.prod(form.shape))
    if form.fields is None:
        return form.itemsize
    return sum(packed_size(field[0]) for field in form.fields.values())


def test_equal_states_are_equal_bytes_because_there_is_nothing_between_the_fields() -> None:
    assert packed_size(STATE) == STATE.itemsize


@pytest.mark.parametrize("change", ["form", "cut", "count", "junk"])
def test_what_is_no_state_of_this_form_is_not_read(change: str) -> None:
    (blob,) = pack(fold_state())
    states = fold_state()
    if change == "form":
        states["form"] = FORM + 1
        (blob,) = pack(states)
    elif change == "cut":
        blob = blob[:-1]
    elif change == "count":
        blob = blob[:4] + b"\xff\xff" + blob[6:]
    else:
        blob = b"{" + bytes(range(200)) * 3
    states, is_read = unpack([blob])
    assert not is_read[0]
    assert pack(states) == pack(nothing_known(1))


def fold_state() -> np.ndarray:
    blob, _ = fold("v1", NOTHING_KNOWN, drive(300, 15.0), PLAN)
    return unpack([blob])[0]


@pytest.mark.parametrize(
    "settings",
    [
        FleetSettings(recent_step_s=5.0),
        FleetSettings(still_s=30.0),
        FleetSettings(finished_max=33),
    ],
)
def test_settings_that_the_state_has_no_room_for_are_refused(settings: FleetSettings) -> None:
    with pytest.raises(ValueError, match=r"is (at most|1 to)"):
        FleetPlan.build([], [], settings)
