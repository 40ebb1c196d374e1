"""Records that compiled rules work on: a class with annotated fields says the form once, for the
reader, for the type checker and for numpy. Upstream: the classes in `state`, `rows` and `plan`;
downstream: structured arrays, whose elements have these fields.
"""

from collections.abc import Sequence
from functools import cache
from typing import (
    Annotated,
    Any,
    Generic,
    SupportsIndex,
    TypeVar,
    cast,
    get_args,
    get_type_hints,
    overload,
)

import numpy as np
from numpy.typing import NDArray

I8 = Annotated[int, "<i8"]
I4 = Annotated[int, "<i4"]
F8 = Annotated[float, "<f8"]
F4 = Annotated[float, "<f4"]
U1 = Annotated[int, "u1"]
U2 = Annotated[int, "<u2"]
Flag = Annotated[bool, "u1"]
WideFlag = Annotated[bool, "<i4"]

T = TypeVar("T")

Records = NDArray[np.void]
"""A structured array; which record its elements are is said where it is declared."""

UNKNOWN_US = -(2**63)
"""An instant that is not known, or not there: what PostgreSQL's binary form calls -infinity."""


class Items(Generic[T]):
    """What compiled code sees of an array of records or numbers."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Items[T]": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "T | Items[T]": ...  # pyright: ignore[reportReturnType]
    def __setitem__(self, index: int, value: T) -> None: ...
    def __len__(self) -> int: ...  # pyright: ignore[reportReturnType]


def whole(records: Records) -> NDArray[np.void]:
    """The same memory, each record one opaque value: numpy then copies records as they lie, three
    times as quick as field by field."""
    return records.view(np.dtype((np.void, records.dtype.itemsize)))


def taken(records: Records, which: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Records:
    """A copy of some of them."""
    return whole(records)[which].view(records.dtype)


@cache
def dtype_of(record: type) -> np.dtype[np.void]:
    """The aligned form of a class whose fields are annotated with the names above, with another
    such class, or with `Annotated[Items[…], length]`.
    """
    fields = [
        (name, *_form(hint)) for name, hint in get_type_hints(record, include_extras=True).items()
    ]
    return np.dtype(cast(Any, fields), align=True)


def _form(hint: Any) -> tuple[Any, ...]:
    arguments = get_args(hint)
    if not arguments:
        return (dtype_of(hint),)
    if isinstance(arguments[1], str):
        return (arguments[1],)
    item: Any = get_args(arguments[0])[0]
    return (*_form(item), (arguments[1],))


def as_items(array: NDArray[Any], record: type[T]) -> Items[T]:
    """The same array, as compiled code is told of it."""
    assert array.dtype == dtype_of(record), record
    return cast(Items[T], array)


def row(record: type, values: Sequence[Any]) -> Records:
    """An array of one record."""
    return np.array([tuple(values)], dtype=dtype_of(record))
