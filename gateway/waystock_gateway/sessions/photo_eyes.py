"""What a portal's two photo-eyes saw go through: from the first beam that was broken to the last
one that became clear. A fork, a mast and a pallet break a beam several times; only a pause with
both beams clear ends what one vehicle did. Pure. Upstream: `presence`; downstream: `direction`.
"""

from collections import deque
from typing import Literal, NamedTuple

from waystock_gateway.sessions.presence_settings import PortalSettings

CROSSINGS_KEPT = 32
AROUND_S = 2.0
"""A tag may be heard so long before and after it is in the beams."""

_Side = Literal["inner", "outer"]


class Crossing(NamedTuple):
    """One vehicle went through, between two instants of the reader's clock."""

    begin_s: float
    end_s: float
    direction: Literal["in", "out"]


class _Vehicle(NamedTuple):
    """Who is, or was last, in the beams."""

    begin_s: float
    came_from: _Side
    last_s: float
    last_cleared: _Side | None
    is_both: bool


class PhotoEyes:
    """The beams of one portal."""

    def __init__(self, portal: PortalSettings) -> None:
        self._sides: dict[int, _Side] = {}
        if portal.has_eyes:
            self._sides = {portal.eye_inner: "inner", portal.eye_outer: "outer"}
        self._is_blocked_high = portal.eye_blocked == "high"
        self._pause_s = portal.eye_pause_s
        self._blocked: set[_Side] = set()
        self._vehicle: _Vehicle | None = None
        self._crossings: deque[Crossing] = deque(maxlen=CROSSINGS_KEPT)

    def change(self, pin: int, is_high: bool, at_s: float) -> bool:
        """An input has changed; False if it is no eye of this portal."""
        side = self._sides.get(pin)
        if side is None:
            return False
        if is_high == self._is_blocked_high:
            self._block(side, at_s)
        else:
            self._clear(side, at_s)
        return True

    def crossings(self, first_s: float, last_s: float) -> list[Crossing]:
        """Those while a tag was heard from `first_s` to `last_s`."""
        found = [*self._crossings, *self._finished()]
        return [
            one
            for one in found
            if one.begin_s <= last_s + AROUND_S and one.end_s >= first_s - AROUND_S
        ]

    def _block(self, side: _Side, at_s: float) -> None:
        vehicle = self._vehicle
        is_new = vehicle is None or (not self._blocked and at_s - vehicle.last_s > self._pause_s)
        if vehicle is None or is_new:
            self._crossings.extend(self._finished())
            self._vehicle = _Vehicle(at_s, side, at_s, None, is_both=False)
        else:
            is_both = vehicle.is_both or side != vehicle.came_from
            self._vehicle = vehicle._replace(last_s=at_s, is_both=is_both)
        self._blocked.add(side)

    def _clear(self, side: _Side, at_s: float) -> None:
        self._blocked.discard(side)
        if self._vehicle is not None:
            self._vehicle = self._vehicle._replace(last_s=at_s, last_cleared=side)

    def _finished(self) -> list[Crossing]:
        """The last vehicle's crossing, if it went from one beam through the other."""
        vehicle = self._vehicle
        if vehicle is None or not vehicle.is_both or self._blocked:
            return []
        if vehicle.last_cleared in {None, vehicle.came_from}:
            return []
        direction: Literal["in", "out"] = "out" if vehicle.came_from == "inner" else "in"
        return [Crossing(vehicle.begin_s, vehicle.last_s, direction)]
