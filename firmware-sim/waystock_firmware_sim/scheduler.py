"""What happens when: timed calls and scripts that sleep or wait, on an injected clock. Upstream:
the simulation's parts; downstream: whoever turns the wheel (the process, or a test's own clock).
"""

import heapq
from collections.abc import Callable, Generator
from itertools import count

Step = float | Callable[[], bool]
"""What a script yields: seconds to sleep, or a condition to wait for."""
Script = Generator[Step, None, None]

CONDITION_POLL_S = 0.05


class Scheduler:
    """A queue of due calls; equal times run in the order in which they were asked for."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def now_s(self) -> float:
        """The clock's reading."""
        return self._monotonic_s()

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Run `call` once, `delay_s` from now."""
        heapq.heappush(self._queue, (self.now_s() + delay_s, next(self._order), call))

    def every(self, period_s: float, call: Callable[[], None]) -> None:
        """Run `call` again and again; after a stall it goes on from the present."""

        def again() -> None:
            call()
            self.after(period_s, again)

        self.after(period_s, again)

    def start(self, script: Script) -> None:
        """Run a script from now on, until it ends."""
        self.after(0, lambda: self._advance(script))

    def next_due_s(self) -> float | None:
        """When the next call is due, by the clock; None when nothing is left."""
        return self._queue[0][0] if self._queue else None

    def run_due(self) -> float | None:
        """Run what is due; seconds until the next call, None when nothing is left."""
        while self._queue and self._queue[0][0] <= self.now_s():
            heapq.heappop(self._queue)[2]()
        return max(0.0, self._queue[0][0] - self.now_s()) if self._queue else None

    def _advance(self, script: Script) -> None:
        try:
            step = next(script)
        except StopIteration:
            return
        if callable(step):
            self._wait(script, step)
        else:
            self.after(step, lambda: self._advance(script))

    def _wait(self, script: Script, condition: Callable[[], bool]) -> None:
        if condition():
            self._advance(script)
        else:
            self.after(CONDITION_POLL_S, lambda: self._wait(script, condition))
