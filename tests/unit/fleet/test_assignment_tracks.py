"""Fixes are given to vehicles by columns; one that went to the wrong one would be in the wrong
truck's history."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from waystock.fleet.assignments import NOWHERE, Assignments, Span

DEVICES = [f"g{number}" for number in range(6)]
BOUNDS = st.lists(st.integers(0, 40), min_size=2, max_size=6, unique=True).map(sorted)


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    """For each device nothing, always the same vehicle, or one after the other."""
    found: list[Span] = []
    for device in DEVICES:
        kind = draw(st.sampled_from(["none", "always", "at times"]))
        vehicles = st.sampled_from(["v1", "v2", "v3", "v4"])
        if kind == "always":
            found.append(Span(device, draw(vehicles)))
        elif kind == "at times":
            bounds = draw(BOUNDS)
            found += [
                Span(device, draw(vehicles), first, until)
                for first, until in itertools.pairwise(bounds)
                if draw(st.booleans())
            ]
    return found


@given(spans(), st.lists(st.tuples(st.integers(0, 5), st.integers(-5, 45)), max_size=40))
def test_each_fix_belongs_to_the_vehicle_of_its_own_time(
    given_spans: list[Span], fixes: list[tuple[int, int]]
) -> None:
    assignments = Assignments(given_spans)
    device = np.array([number for number, _ in fixes], np.int32)
    time_us = np.array([at_us for _, at_us in fixes], np.int64)
    vehicles, tracks = assignments.tracks(DEVICES, device, time_us)
    assert vehicles == sorted(set(vehicles))
    found = [None if track == NOWHERE else vehicles[track] for track in tracks.tolist()]
    assert found == [assignments.vehicle_at(DEVICES[number], at_us) for number, at_us in fixes]
    assert set(vehicles) == {vehicle for vehicle in found if vehicle is not None}
