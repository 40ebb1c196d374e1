"""Stock exceptions as episodes: a level below its reorder point, a delivery that was short. Pure
functions of the ledger, so that late readings change them to what they should have been.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class LevelChange(NamedTuple):
    """What happened to one product's stock at one site at one instant (all movements summed)."""

    at: datetime
    change: int
    captured_at: datetime | None


class LowStock(NamedTuple):
    """An episode of stock below the reorder point."""

    opened_at: datetime
    cleared_at: datetime | None
    level: int | None
    """What was left at the moment it opened; None where it opened before the changes given."""
    captured_at: datetime | None


def low_stock_episodes(
    level_before: int,
    reorder_point: int,
    changes: Iterable[LevelChange],
    open_since: datetime | None,
) -> list[LowStock]:
    """Episodes from `level_before` on; changes sorted by instant, one per instant.

    `open_since` is when the episode began that is running before the first change, if one is. The
    last episode is open where stock is still below. A level below the point from the very start is
    an episode from its first change on: nothing older is known.
    """
    episodes: list[LowStock] = []
    level, low = level_before, open_since is not None
    if open_since is not None:
        episodes.append(LowStock(open_since, None, None, None))
    for at, change, captured_at in changes:
        level += change
        if level < reorder_point:
            if not low:
                episodes.append(LowStock(at, None, level, captured_at))
        elif low:
            episodes[-1] = episodes[-1]._replace(cleared_at=at, captured_at=captured_at)
        low = level < reorder_point
    return episodes
