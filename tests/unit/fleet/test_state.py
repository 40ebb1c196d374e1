"""A vehicle's state comes back from the store as it went in, and fits beside its row."""

import numpy as np
import pytest

from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, fold
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import FORM, STATE, STATE_BYTES_MAX, nothing_known, pack, unpack

from .tracks import drive, shipment, square

PLAN = FleetPlan.build([square("depot", 0.0), square("customer", 20_000.0)], [shipment()])


def test_a_state_survives_being_stored() -> None:
    blobs = [fold("v1", NOTHING_KNOWN, drive(n, 15.0), PLAN)[0] for n in (1, 60, 900)]
    states, is_read = unpack([*blobs, None, b""])
    assert is_read.tolist() == [True, True, True, False, False]
    assert pack(states) == [*blobs, *pack(nothing_known(2))]


def test_the_largest_state_stays_below_what_postgresql_moves_out_of_the_row() -> None:
    assert STATE_BYTES_MAX <= 2_000
    typical = fold("v1", NOTHING_KNOWN, drive(900, 15.0, every_s=10), PLAN)[0]
    assert len(typical) < 1_024


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
