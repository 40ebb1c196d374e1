"""Boxes on the globe by the squares they lie in: what boxes may hold a point is found in one look
per size of square. Each box is entered at the size that is just not smaller than it, so in four
squares at most, a city block or a country alike. Upstream: the fences' bounding boxes; downstream:
`fences`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.compiled import compiled
from waystock.fleet.ellipsoid import Floats

_LEVEL_MAX = 24
"""Squares of level n are 360° / 2ⁿ wide; those of this one some two metres."""
_FREE = -1


class Grid(NamedTuple):
    """A hash table of squares. The owners of its slot i are `starts[i] … starts[i + 1] − 1`."""

    levels: NDArray[np.int64]
    """The sizes that are in use."""
    squares: NDArray[np.int64]
    """By slot: the square there, or −1."""
    starts: NDArray[np.int64]
    owners: NDArray[np.int32]


def make_grid(boxes: Floats, owners: NDArray[np.int64]) -> Grid:
    """Of boxes as (west, south, east, north) in degrees; several may have one owner."""
    level = _levels(boxes, owners)
    corners = [
        (_square(level, boxes[:, south], boxes[:, west])) for west in (0, 2) for south in (1, 3)
    ]
    pairs = np.unique(np.stack([np.concatenate(corners), np.tile(owners, 4)], axis=1), axis=0)
    squares, begins, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    size = 1 << max(4, (2 * len(squares)).bit_length())
    slots = np.full(size, _FREE, np.int64)
    place = np.zeros(len(squares), np.int64)
    _enter(squares, slots, place)
    by_slot = np.argsort(place)
    filled = np.zeros(size, np.int64)
    filled[place] = counts
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(filled)])
    lists = [pairs[begins[i] : begins[i] + counts[i], 1] for i in by_slot.tolist()]
    found = np.concatenate(lists) if lists else np.zeros(0, np.int64)
    return Grid(np.unique(level), slots, starts, found.astype(np.int32))


def _levels(boxes: Floats, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """One for all boxes of an owner, so that none of its squares comes twice for one point."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    extent = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    largest = np.zeros(int(owners.max()) + 1)
    np.maximum.at(largest, owners, extent)
    level = np.floor(np.log2(360.0 / np.maximum(largest, 1e-9))).astype(np.int64)
    return np.clip(level, 0, _LEVEL_MAX)[owners]


def _square(level: NDArray[np.int64], lat: Floats, lon: Floats) -> NDArray[np.int64]:
    """As `_square_of`, for columns."""
    per_degree = np.exp2(level) / 360.0
    column = np.floor((lon + 180.0) * per_degree).astype(np.int64)
    line = np.floor((np.maximum(lat, -180.0) + 180.0) * per_degree).astype(np.int64)
    return (level << 52) | (line << 26) | column


@compiled
def first_of(grid: Grid, level: int, lat: float, lon: float) -> int:
    """The slot of the square of this size that holds the point; −1 where no box is near."""
    per_degree = float(1 << level) / 360.0
    column = int((lon + 180.0) * per_degree)
    line = int((lat + 180.0) * per_degree)
    square = (level << 52) | (line << 26) | column
    mask = len(grid.squares) - 1
    slot = _slot(square, mask)
    while grid.squares[slot] != _FREE:
        if grid.squares[slot] == square:
            return slot
        slot = (slot + 1) & mask
    return -1


@compiled
def _enter(squares: NDArray[np.int64], slots: NDArray[np.int64], place: NDArray[np.int64]) -> None:
    """Each square into the next free slot from where it belongs."""
    mask = len(slots) - 1
    for i in range(len(squares)):
        slot = _slot(squares[i], mask)
        while slots[slot] != _FREE:
            slot = (slot + 1) & mask
        slots[slot] = squares[i]
        place[i] = slot


@compiled
def _slot(square: int, mask: int) -> int:
    mixed = square * 0x9E3779B97F4A7C1
    return (mixed ^ (mixed >> 29)) & mask
