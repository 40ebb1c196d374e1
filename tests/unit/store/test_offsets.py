"""Offset arithmetic: a mistake here loses readings or books them twice."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.acks import OffsetRange
from waystock.store.offsets import merged, missing

ranges = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))),
    max_size=8,
)


def offsets_of(pairs: list[OffsetRange]) -> set[int]:
    return {offset for first, end in pairs for offset in range(first, end)}


@given(ranges)
def test_merged_ranges_are_the_same_offsets_sorted_and_disjoint(pairs: list[OffsetRange]) -> None:
    out = merged(pairs)
    assert offsets_of(out) == offsets_of(pairs)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(out))


@given(ranges, st.integers(0, 60), st.integers(0, 20))
def test_missing_is_what_the_store_lacks_and_nothing_else(
    pairs: list[OffsetRange], first: int, length: int
) -> None:
    have = [pair for pair in merged(pairs) if pair[0] < pair[1]]
    gaps = missing(first, first + length, have)
    assert offsets_of(gaps) == set(range(first, first + length)) - offsets_of(have)
    assert all(low < high for low, high in gaps)
