"""What to send next: fresh events first, the backlog beside them, what the store did not
acknowledge again. Pure: told of time, connections and acknowledgements, it answers with offset
ranges. Used by `uplink`.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from waystock_gateway.offset_ranges import OffsetRanges

DEMOTE_AFTER_S = 2.0
"""Fresh events that could not be sent for this long become backlog, so that newer ones go first."""
TRIES_COUNTED_MAX = 10
FRESH_MAX = 500
"""So many of the newest events that are kept at a connection are fresh too: what was read in the
seconds before must not wait behind a week's backlog."""


@dataclass(frozen=True, slots=True)
class Todo:
    """Send some of first … end − 1."""

    first: int
    end: int
    is_live: bool
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Sent:
    todo: Todo
    due_mono_s: float


class SendPlan:
    """The windows of one stream on one connection."""

    def __init__(
        self,
        *,
        live_max: int,
        backlog_max: int,
        resend_s: float,
        resend_s_max: float,
        random: Callable[[], float],
        fresh_max: int = FRESH_MAX,
    ) -> None:
        self._live_max = live_max
        self._backlog_max = backlog_max
        self._resend_s = resend_s
        self._resend_s_max = resend_s_max
        self._random = random
        self._fresh_max = fresh_max
        self._acked = OffsetRanges()
        self._live_next = self.live_end = 0
        self._live_blocked_s: float | None = None
        self._backlog: deque[Todo] = deque()
        self._sent: list[_Sent] = []
        self.resent = 0

    def connected(self, first: int, next_offset: int) -> None:
        """A new connection: what is kept is backlog but for its newest part, which is live."""
        self._sent.clear()
        self._backlog.clear()
        self._live_next = max(first, next_offset - self._fresh_max)
        self.live_end = next_offset
        if first < self._live_next:
            self._backlog.append(Todo(first, self._live_next, is_live=False))
        self._live_blocked_s = None

    def appended(self, next_offset: int) -> None:
        """The outbox has grown."""
        self.live_end = max(self.live_end, next_offset)

    def acknowledge(self, ranges: Iterable[tuple[int, int]]) -> None:
        """The store has committed these."""
        for first, end in ranges:
            self._acked.add(first, end)
        self._sent = [sent for sent in self._sent if self._is_missing(sent.todo)]

    def next(self, mono_s: float) -> Todo | None:
        """What to send now; None if nothing waits or the windows are full."""
        self._take_back_overdue(mono_s)
        return self._next_live(mono_s) or self._next_backlog()

    def sent(self, todo: Todo, end: int, mono_s: float) -> None:
        """first … end − 1 of `todo` went out; the rest of it stays to be sent."""
        self.passed(todo, end)
        tries = min(todo.tries, TRIES_COUNTED_MAX)
        pause_s = min(self._resend_s * 2**tries, self._resend_s_max)
        pause_s *= 0.8 + 0.4 * self._random()
        part = Todo(todo.first, end, todo.is_live, todo.tries)
        self._sent.append(_Sent(part, mono_s + pause_s))

    def passed(self, todo: Todo, end: int) -> None:
        """first … end − 1 of `todo` need not be sent: acknowledged, or no longer kept."""
        if todo.is_live:
            self._live_next = max(self._live_next, end)
            return
        if self._backlog and self._backlog[0] == todo:
            self._backlog.popleft()
        if end < todo.end:
            self._backlog.appendleft(Todo(end, todo.end, is_live=False, tries=todo.tries))

    def due_in_s(self, mono_s: float) -> float | None:
        """Seconds until a batch is overdue."""
        if not self._sent:
            return None
        return max(0.0, min(sent.due_mono_s for sent in self._sent) - mono_s)

    @property
    def is_idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        return not self._sent and not self._backlog and self._live_next >= self.live_end

    def _is_missing(self, todo: Todo) -> bool:
        return self._acked.next_missing(todo.first) < todo.end

    def _take_back_overdue(self, mono_s: float) -> None:
        overdue = [sent.todo for sent in self._sent if sent.due_mono_s <= mono_s]
        if not overdue:
            return
        self._sent = [sent for sent in self._sent if sent.due_mono_s > mono_s]
        for todo in reversed(overdue):
            for first, end in reversed(self._acked.gaps(todo.first, todo.end)):
                self._backlog.appendleft(Todo(first, end, is_live=False, tries=todo.tries + 1))
        self.resent += len(overdue)

    def _next_live(self, mono_s: float) -> Todo | None:
        if self._live_next >= self.live_end:
            return None
        if sum(sent.todo.is_live for sent in self._sent) >= self._live_max:
            if self._live_blocked_s is None:
                self._live_blocked_s = mono_s
            return None
        blocked_s, self._live_blocked_s = self._live_blocked_s, None
        if blocked_s is not None and mono_s - blocked_s > DEMOTE_AFTER_S:
            self._backlog.append(Todo(self._live_next, self.live_end, is_live=False))
            self._live_next = self.live_end
            return None
        return Todo(self._live_next, self.live_end, is_live=True)

    def _next_backlog(self) -> Todo | None:
        if sum(not sent.todo.is_live for sent in self._sent) >= self._backlog_max:
            return None
        while self._backlog:
            todo = self._backlog[0]
            first = self._acked.next_missing(todo.first)
            if first == todo.first:
                stop = self._acked.next_present(first)
                return todo if stop is None or stop >= todo.end else self._split(todo, stop)
            self._backlog.popleft()
            if first < todo.end:
                self._backlog.appendleft(Todo(first, todo.end, is_live=False, tries=todo.tries))
        return None

    def _split(self, todo: Todo, stop: int) -> Todo:
        """Cut the head of the backlog before offsets that need no sending."""
        self._backlog.popleft()
        self._backlog.appendleft(Todo(stop, todo.end, is_live=False, tries=todo.tries))
        head = Todo(todo.first, stop, is_live=False, tries=todo.tries)
        self._backlog.appendleft(head)
        return head
