"""Names of devices as they stand in the text of batches. With many devices each piece of a backlog
names nearly all of them, so a string is made of a name only once all pieces are put together.
Upstream: `readings`; downstream: ingest's fleet stage.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from waystock.store.plain_fixes import distinct, names_at, one_a_line
from waystock.store.plain_json import LINE_FEED, Bytes, Int64s

Int32s = NDArray[np.int32]


class UnreadNames(Sequence[str]):
    """Names of which none holds a line feed, read when one of them is asked for."""

    def __init__(self, lines: Bytes) -> None:
        """`lines`: each with a line feed behind it."""
        self.lines = lines

    @classmethod
    def at(cls, data: Bytes, spans: Int64s) -> "UnreadNames":
        """Those that stand at `spans`: (2, names), from where to before where in `data`."""
        return cls(one_a_line(data, spans))

    @classmethod
    def of(cls, names: Sequence[str]) -> "UnreadNames":
        """The same names, unread."""
        if isinstance(names, UnreadNames):
            return names
        return cls(np.frombuffer("".join(f"{name}\n" for name in names).encode(), np.uint8))

    def spans(self) -> Int64s:
        """Where they stand in `lines`."""
        ends = np.flatnonzero(self.lines == LINE_FEED)
        return np.stack([np.concatenate([[0], ends[:-1] + 1]), ends]) if len(ends) else _NO_SPANS

    @cached_property
    def _read(self) -> list[str]:
        return names_at(self.lines, self.spans())

    def __len__(self) -> int:
        return len(self._read)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._read[index]


_NO_SPANS = np.zeros((2, 0), np.int64)


def put_together(parts: Sequence[tuple[Sequence[str], Int32s]]) -> tuple[list[str], Int32s]:
    """Distinct names of several parts, each names and numbers that count in them; and the numbers
    of all parts, one after the other, counting in those."""
    unread = [UnreadNames.of(names) for names, _ in parts]
    lines = np.concatenate([one.lines for one in unread])
    spans = UnreadNames(lines).spans()
    codes, firsts = distinct(lines, spans)
    numbers: list[Int32s] = []
    first = 0
    for one, (_, device) in zip(unread, parts, strict=True):
        numbers.append(codes[first + device])
        first += one.spans().shape[1]
    return names_at(lines, spans[:, firsts]), np.concatenate(numbers)
