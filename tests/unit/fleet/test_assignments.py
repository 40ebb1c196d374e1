"""Which vehicle a fix belongs to: by columns and one by one the same, whatever the times."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from waystock.fleet.assignments import FOREVER_US, NOWHERE, Assignments, Span
from waystock.fleet.records import UNKNOWN_US

DEVICES = ("a", "b", "c", "d")


@st.composite
def histories(draw: st.DrawFn) -> list[Span]:
    """Each device on one vehicle after the other, with gaps."""
    spans: list[Span] = []
    for device in DEVICES[:-1]:
        cuts = sorted(draw(st.sets(st.integers(0, 50), max_size=4)))
        edges = [UNKNOWN_US, *cuts, FOREVER_US]
        for begin, end in pairwise(edges):
            vehicle = draw(st.sampled_from(["", "v", "w", "x"]))
            if vehicle:
                spans.append(Span(device, vehicle, begin, end))
    return spans


@given(
    histories(),
    st.lists(st.sampled_from(DEVICES), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 54)), max_size=60),
)
def test_each_fix_goes_to_the_vehicle_that_its_tracker_was_on_then(
    spans: list[Span], devices: list[str], fixes: list[tuple[int, int]]
) -> None:
    assignments = Assignments(spans)
    device = np.array([number % len(devices) for number, _ in fixes], np.int32)
    time_us = np.array([time for _, time in fixes], np.int64)
    vehicles, tracks = assignments.tracks(devices, device, time_us)
    assert vehicles == sorted(set(vehicles))
    told = [None if track == NOWHERE else vehicles[track] for track in tracks.tolist()]
    assert told == [
        assignments.vehicle_at(devices[number], time)
        for number, time in zip(device.tolist(), time_us.tolist(), strict=True)
    ]


def test_the_instant_of_a_move_is_the_new_vehicle_s() -> None:
    moved = Assignments([Span("a", "v", UNKNOWN_US, 10), Span("a", "w", 10)])
    assert [moved.vehicle_at("a", time) for time in (9, 10)] == ["v", "w"]
    assert [span.device for span in moved.of_vehicle("w")] == ["a"]
    assert moved.vehicle_at("b", 9) is None
