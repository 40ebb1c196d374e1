"""What waits for the intake: bounded by the number of readings, not of reads, so that memory stays
small however fast the ports are; a port that finds it full is held back. Used by `intake`.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Items in order, each with its number of readings."""

    def __init__(self, readings_max: int) -> None:
        self._readings_max = readings_max
        self._items: deque[tuple[T, int]] = deque()
        self._readings = 0
        self._is_nudged = False
        self._changed = threading.Condition()

    def put(self, item: T, readings: int, timeout_s: float) -> bool:
        """False if there was no room for `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, timeout_s):
                return False
            self._items.append((item, readings))
            self._readings += readings
            self._changed.notify_all()
        return True

    def nudge(self) -> None:
        """Have a waiting `take` return."""
        with self._changed:
            self._is_nudged = True
            self._changed.notify_all()

    def take(self, readings_max: int, timeout_s: float | None) -> list[T]:
        """What waits, up to `readings_max` readings and at least one item; blocks until there is
        something, a nudge, or `timeout_s` are over."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_nudged, timeout_s)
            self._is_nudged = False
            taken: list[T] = []
            readings = 0
            while self._items and readings < readings_max:
                item, size = self._items.popleft()
                taken.append(item)
                readings += size
            self._readings -= readings
            self._changed.notify_all()
        return taken

    @property
    def is_empty(self) -> bool:
        with self._changed:
            return not self._items

    def _has_room(self) -> bool:
        return self._readings < self._readings_max
