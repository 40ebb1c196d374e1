"""The hub ticks at once after idleness, at most each 100 ms otherwise, and wakes who listens."""

from collections.abc import Callable

from tests.unit.api.entries import stock
from waystock_api.live.hub import Hub
from waystock_api.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def schedule(self, delay_s: float, run: Callable[[], None]) -> None:
        self.timers.append((self.now_s + delay_s, run))

    def advance(self, delay_s: float) -> None:
        self.now_s += delay_s
        due = [run for at_s, run in self.timers if at_s <= self.now_s]
        self.timers = [timer for timer in self.timers if timer[0] > self.now_s]
        for run in due:
            run()


def hub_with_clock() -> tuple[Hub, Clock, list[int]]:
    clock = Clock()
    hub = Hub("e1", Metrics(), lambda: clock.now_s)
    hub.start(clock.schedule)
    woken: list[int] = []
    hub.listen("stock", lambda: woken.append(hub.channels["stock"].seq))
    return hub, clock, woken


def put(hub: Hub, version: int) -> None:
    hub.publish("stock", hub.pictures["stock"].apply([stock("sha", "1", 1, version)]).changes)


def test_the_first_change_is_on_its_way_before_publish_returns() -> None:
    hub, clock, woken = hub_with_clock()
    put(hub, 1)
    assert (woken, clock.timers) == ([1], [])


def test_a_flood_of_changes_becomes_ten_ticks_a_second() -> None:
    hub, clock, woken = hub_with_clock()
    for version in range(1, 1001):
        put(hub, version)
        clock.advance(0.001)
    clock.advance(0.2)
    assert 10 <= len(woken) <= 12
    assert not clock.timers, "an idle channel keeps no timer"


def test_one_channel_does_not_wake_the_listeners_of_another() -> None:
    hub, _, woken = hub_with_clock()
    hub.publish("alerts", [])
    hub.reset("movements")
    assert woken == []


def test_who_has_left_is_not_woken() -> None:
    hub, _, woken = hub_with_clock()
    calls: list[str] = []
    wake = lambda: calls.append("x")  # noqa: E731
    hub.listen("stock", wake)
    hub.unlisten("stock", wake)
    put(hub, 1)
    assert (calls, len(woken)) == ([], 1)
