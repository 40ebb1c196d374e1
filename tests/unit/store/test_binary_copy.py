"""What COPY is given, byte by byte: a wrong length here would shift every value after it."""

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.store import binary_copy as cells

TEXTS = st.one_of(st.none(), st.text(max_size=12))


def fields(stream: bytes) -> Iterator[list[bytes | None]]:
    """The rows of a COPY stream, read by the letter of PostgreSQL's manual."""
    assert stream[:11] == b"PGCOPY\n\xff\r\n\0"
    at = 11 + 8
    while True:
        (count,) = struct.unpack_from(">h", stream, at)
        at += 2
        if count == -1:
            assert at == len(stream)
            return
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", stream, at)
            at += 4
            row.append(None if length < 0 else stream[at : at + length])
            at += max(length, 0)
        yield row


@given(st.lists(st.tuples(TEXTS, st.integers(-(2**63), 2**63 - 1), TEXTS), min_size=1))
def test_every_value_stands_in_its_own_field(
    rows: list[tuple[str | None, int, str | None]],
) -> None:
    stream = cells.encode(
        cells.side_by_side(
            [
                cells.texts([row[0] for row in rows]),
                cells.int8s([row[1] for row in rows]),
                cells.coded([row[2] for row in rows], cells.text_or_null),
            ]
        )
    )
    for found, (text, number, word) in zip(fields(stream), rows, strict=True):
        assert found == [
            None if text is None else text.encode(),
            struct.pack(">q", number),
            None if word is None else word.encode(),
        ]


@given(st.lists(st.integers(0, 99), min_size=1), st.data())
def test_rows_that_are_left_out_take_nothing_with_them(
    numbers: list[int], data: st.DataObject
) -> None:
    wanted = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers)))
    )
    rows = cells.side_by_side([cells.int4s(numbers), cells.texts([str(n) for n in numbers])])
    left = [
        struct.unpack(">i", row[0] or b"")[0] for row in fields(cells.encode(rows.take(wanted)))
    ]
    assert left == [number for number, is_wanted in zip(numbers, wanted, strict=True) if is_wanted]


def test_an_unknown_number_is_null_and_not_zero() -> None:
    rows = cells.side_by_side(
        [cells.float4s(np.array([1.5, np.nan]), "hdop"), cells.int2s([None, -7])]
    )
    assert list(fields(cells.encode(rows))) == [
        [struct.pack(">f", 1.5), None],
        [None, struct.pack(">h", -7)],
    ]


def test_a_number_beyond_its_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="speed_mps is beyond"):
        cells.float4s(np.array([1e39]), "speed_mps")


def test_words_of_a_list_stand_in_their_order() -> None:
    array = cells.text_array(("b", "aa"))
    assert struct.unpack_from(">5i", array) == (1, 0, 25, 2, 1)
    assert array[20:] == b"\0\0\0\x01b" + b"\0\0\0\x02aa"
    assert struct.unpack(">3i", cells.text_array(())) == (0, 0, 25)
