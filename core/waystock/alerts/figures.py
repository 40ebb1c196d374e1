"""An alert's figures as words: what is there is told, what is missing leaves no hole. Upstream: the
figures of an alert row; downstream: the sentences of each language.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

Figures = Mapping[str, float | str]

ORDERS_NAMED_MAX = 5
"""More orders than these are counted, not named."""


class Case(NamedTuple):
    """One alert to put into words."""

    subject: str
    figures: Figures
    orders: Sequence[str]

    def text(self, *keys: str, otherwise: str = "") -> str:
        """The first figure there is, as text."""
        for key in keys:
            value = self.figures.get(key)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, float | int) and math.isfinite(value):
                return whole(value)
        return otherwise

    def number(self, key: str) -> float | None:
        """The figure as a number; None if it is missing or no number."""
        value = self.figures.get(key)
        if value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    def clock(self, key: str) -> str:
        """Hour and minute at the figure's `time_zone`; `11:42 UTC` if none is given."""
        value = self.figures.get(key)
        if not isinstance(value, str):
            return ""
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            return ""
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        zone = _zone(self.figures.get("time_zone"))
        if zone is None:
            return f"{instant.astimezone(UTC):%H:%M} UTC"
        return f"{instant.astimezone(zone):%H:%M}"

    def orders_named(self, joiner: str, more: Callable[[int], str]) -> str:
        """`SO-1, SO-2`, the rest counted by `more`."""
        named = joiner.join(self.orders[:ORDERS_NAMED_MAX])
        rest = len(self.orders) - ORDERS_NAMED_MAX
        return named + more(rest) if rest > 0 else named


def whole(number: float) -> str:
    """`1,234` — counts and metres are told without decimals."""
    return f"{number:,.0f}"


def _zone(name: float | str | None) -> ZoneInfo | None:
    """None where no zone is given, or this machine does not know it: then UTC is said plainly."""
    if not isinstance(name, str) or not name or name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
