"""All channels and who listens to them. Changes of the picture come in; each channel ticks at once
when it has been idle, else 100 ms after its last tick, and wakes its listeners.
"""

from collections.abc import Callable, Collection, Iterable

from waystock.contract.topics import LIVE_STREAMS
from waystock_api.live.channel import Channel
from waystock_api.live.picture import Change, Entry, Picture
from waystock_api.metrics import Metrics

Schedule = Callable[[float, Callable[[], None]], object]
"""Run a function after so many seconds, as an event loop's call_later does."""
Wake = Callable[[], None]


class Hub:
    """Not thread-safe: everything here happens on the event loop."""

    def __init__(self, epoch: str, metrics: Metrics, clock_s: Callable[[], float]) -> None:
        self.clock_s = clock_s
        self.metrics = metrics
        self.pictures = {stream: Picture(stream) for stream in LIVE_STREAMS}
        self.channels = {
            stream: Channel(
                stream, epoch, _entries_of(self.pictures[stream]), _count_drops(metrics, stream)
            )
            for stream in LIVE_STREAMS
        }
        self._listeners: dict[str, set[Wake]] = {stream: set() for stream in LIVE_STREAMS}
        self._timers: set[str] = set()
        self._schedule: Schedule | None = None

    def start(self, schedule: Schedule) -> None:
        """From now on ticks are made; `schedule` is the event loop's call_later."""
        self._schedule = schedule

    def listen(self, stream: str, wake: Wake) -> None:
        """`wake` is called after each tick of `stream`."""
        self._listeners[stream].add(wake)

    def unlisten(self, stream: str, wake: Wake) -> None:
        """Undo `listen`."""
        self._listeners[stream].discard(wake)

    def publish(self, stream: str, changes: Iterable[Change]) -> None:
        """Pass on changes that the stream's picture has already taken in."""
        self.metrics.picture_size.labels(stream).set(len(self.pictures[stream]))
        self.channels[stream].add(changes)
        self._run(stream)

    def reset(self, stream: str) -> None:
        """Events were missed: every client of `stream` gets a fresh snapshot."""
        self.metrics.picture_size.labels(stream).set(len(self.pictures[stream]))
        self.channels[stream].reset()
        self._wake(stream)

    def _run(self, stream: str) -> None:
        channel = self.channels[stream]
        due_in_s = channel.due_in_s(self.clock_s())
        if due_in_s is None or stream in self._timers:
            return
        if due_in_s > 0 and self._schedule is not None:
            self._timers.add(stream)
            self._schedule(due_in_s, lambda: self._on_timer(stream))
            return
        channel.tick(self.clock_s())
        self._wake(stream)

    def _on_timer(self, stream: str) -> None:
        self._timers.discard(stream)
        self._run(stream)

    def _wake(self, stream: str) -> None:
        for wake in self._listeners[stream]:
            wake()


def _entries_of(picture: Picture) -> Callable[[], Collection[Entry]]:
    return picture.entries


def _count_drops(metrics: Metrics, stream: str) -> Callable[[int], None]:
    return metrics.ticks_dropped.labels(stream).inc
