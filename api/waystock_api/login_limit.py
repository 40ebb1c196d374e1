"""Slows down guessing: failures per (user, address) are counted in a bounded table. No I/O; the
clock comes in.
"""

from collections import OrderedDict
from collections.abc import Callable

FAILURES_MAX = 5
WINDOW_S = 300.0
ENTRIES_MAX = 10_000


class LoginLimit:
    """After FAILURES_MAX failures a pair waits until WINDOW_S after its first one."""

    def __init__(self, clock_s: Callable[[], float], on_evict: Callable[[], None]) -> None:
        self._clock_s = clock_s
        self._on_evict = on_evict
        self._failures: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def wait_s(self, username: str, address: str) -> float:
        """How long this pair must wait before it may try; 0: it may try now."""
        entry = self._failures.get((username, address))
        if entry is None:
            return 0.0
        since_s, failures = entry
        left_s = since_s + WINDOW_S - self._clock_s()
        if left_s <= 0:
            del self._failures[username, address]
            return 0.0
        return left_s if failures >= FAILURES_MAX else 0.0

    def failed(self, username: str, address: str) -> None:
        """Count a failure; the pair unused for longest makes room where the table is full."""
        pair = (username, address)
        since_s, failures = self._failures.pop(pair, (self._clock_s(), 0))
        self._failures[pair] = (since_s, failures + 1)
        if len(self._failures) > ENTRIES_MAX:
            self._failures.popitem(last=False)
            self._on_evict()

    def succeeded(self, username: str, address: str) -> None:
        """Forget the pair's failures."""
        self._failures.pop((username, address), None)
