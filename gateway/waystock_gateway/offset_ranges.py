"""Sets of offsets as sorted, disjoint, half-open ranges: what the store has committed. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class OffsetRanges:
    """A set of integers that come in runs."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []

    def add(self, first: int, end: int) -> None:
        """Add first … end − 1, uniting what touches."""
        if first >= end:
            return
        low = bisect_left(self._ends, first)
        high = bisect_right(self._firsts, end)
        if low < high:
            first = min(first, self._firsts[low])
            end = max(end, self._ends[high - 1])
        self._firsts[low:high] = [first]
        self._ends[low:high] = [end]

    def next_missing(self, offset: int) -> int:
        """The lowest number ≥ `offset` that is not in the set."""
        i = bisect_right(self._firsts, offset) - 1
        return self._ends[i] if i >= 0 and offset < self._ends[i] else offset

    def next_present(self, offset: int) -> int | None:
        """The lowest number ≥ `offset` that is in the set."""
        i = bisect_right(self._ends, offset)
        return max(offset, self._firsts[i]) if i < len(self._firsts) else None

    def gaps(self, first: int, end: int) -> list[tuple[int, int]]:
        """What of first … end − 1 is not in the set."""
        missing: list[tuple[int, int]] = []
        while (start := self.next_missing(first)) < end:
            stop = self.next_present(start)
            first = end if stop is None else min(stop, end)
            missing.append((start, first))
        return missing

    def split(self, count: int) -> "tuple[OffsetRanges, OffsetRanges]":
        """The lowest `count` numbers, and the rest."""
        head, rest = OffsetRanges(), OffsetRanges()
        for first, end in self:
            middle = min(end, first + count)
            head.add(first, middle)
            rest.add(middle, end)
            count -= middle - first
        return head, rest

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._ends, strict=True))

    def __len__(self) -> int:
        return len(self._firsts)
