"""Whatever a broken device sends, the fold goes on: nothing is raised, nothing read or written
where it should not be, and sound fixes after it count as before."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from waystock.fleet.fixes import TrackFixes
from waystock.fleet.fold import fold_tracks
from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import columns
from waystock.fleet.state import nothing_known
from waystock.fleet.state_bytes import pack, unpack

from .tracks import at, drive, shipment, square

FENCES = [square(f"f{i}", 3_000.0, half_m=100.0 + i) for i in range(20)]
PLAN = FleetPlan.build(FENCES, [shipment(stops=[("f1", 900.0), ("f2", 1800.0)])])
SHIPMENTS = PLAN.shipments_of(["v1", "v2"])

NUMBERS = st.one_of(
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 90.0, 180.0, -180.0, 121.0, 31.2]),
)
INSTANTS = st.one_of(
    st.integers(-(2**62), 2**62),
    st.integers(0, 3_600).map(lambda s: round(at(s).timestamp() * 1e6)),
)
FIXES = st.lists(
    st.tuples(st.integers(0, 1), INSTANTS, INSTANTS, *[NUMBERS] * 5), min_size=1, max_size=60
)


def garbage(rows: list[tuple[float, ...]]) -> TrackFixes:
    kinds = (np.int32, np.int64, np.int64, *[np.float64] * 5)
    return TrackFixes._make(
        np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)
    )


@settings(max_examples=200, deadline=None)
@given(FIXES)
def test_no_fix_at_all_breaks_the_fold(rows: list[tuple[float, ...]]) -> None:
    output = fold_tracks(nothing_known(2), garbage(rows), SHIPMENTS, PLAN)
    states, is_read = unpack(pack(output.states))
    assert is_read.all()
    assert pack(states) == pack(output.states)
    assert set(output.marks.tolist()) <= {0, 1, 2, 3}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([math.nan, math.inf, 91.0, 1e300]), min_size=1, max_size=20))
def test_fixes_without_a_place_change_no_row(lats: list[float]) -> None:
    sound = columns(drive(900, 15.0))
    broken = columns(drive(len(lats), 15.0, from_s=400.5))._replace(lat=np.array(lats))
    alone = fold_tracks(nothing_known(1), sound, SHIPMENTS[:1], PLAN)
    mixed = fold_tracks(nothing_known(1), sound.joined(broken), SHIPMENTS[:1], PLAN)
    assert pack(mixed.states) == pack(alone.states)
    assert mixed.marks.tolist() == [0] * 900 + [2] * len(lats)


def test_more_fences_than_a_state_has_room_for_are_met_as_room_comes() -> None:
    inside = drive(60, 0.0, from_m=3_000.0)
    output = fold_tracks(nothing_known(1), columns(inside), SHIPMENTS[:1], PLAN)
    assert output.states["fence_count"][0] == 12


def test_rows_beyond_what_was_expected_are_not_lost() -> None:
    """A vehicle that is in twelve fences and out of them again with every few fixes."""
    hops = columns(drive(3_000, 0.0))
    hops.lon[:] = np.where(np.arange(3_000) // 3 % 2, 121.0 + 3_000 / 95_000, 121.0)
    hops.time_us[:] = hops.time_us[0] + np.arange(3_000) * 200_000_000
    hops.captured_us[:] = hops.time_us
    output = fold_tracks(nothing_known(1), hops, SHIPMENTS[:1], PLAN)
    alone = [
        len(fold_tracks(nothing_known(1), part, SHIPMENTS[:1], PLAN).rows)
        for part in (hops.take(np.arange(300)),)
    ]
    assert len(output.rows) > 9 * alone[0] > 0
