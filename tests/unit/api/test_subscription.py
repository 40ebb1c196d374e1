"""What one client is sent: never more than two unacknowledged messages, nothing lost, in order."""

import json
from typing import Any

from tests.unit.api.entries import stock
from waystock.contract.frames import Since
from waystock_api.live.channel import Channel
from waystock_api.live.picture import Picture
from waystock_api.live.subscription import Subscription
from waystock_api.metrics import Metrics


class Line:
    """A channel with a picture, and one subscription to it."""

    def __init__(self, since: Since | None = None, ticks: int = 0, ring: int = 1000) -> None:
        self.picture = Picture("stock")
        self.channel = Channel("stock", "e1", self.picture.entries, ring_changes_max=ring)
        self.metrics = Metrics()
        self.version = 0
        for _ in range(ticks):
            self.tick()
        self.subscription = Subscription(7, self.channel, None, since, self.metrics)

    def tick(self) -> None:
        self.version += 1
        entry = stock("sha", str(self.version % 3), self.version, self.version)
        self.channel.add(self.picture.apply([entry]).changes)
        self.channel.tick(float(self.version))

    def sent(self, now_s: float = 0.0) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.subscription.frames(now_s)]


def test_a_new_client_gets_a_snapshot_and_then_deltas_that_follow_it() -> None:
    line = Line(ticks=2)
    [snap] = line.sent()
    assert (snap["type"], snap["id"], snap["epoch"], snap["seq"]) == ("snap", 7, "e1", 2)
    line.tick()
    [delta] = line.sent()
    assert (delta["type"], delta["prev"], delta["seq"]) == ("delta", 2, 3)


def test_a_slow_client_gets_two_messages_and_then_one_with_all_that_happened() -> None:
    line = Line(ticks=1)
    line.sent()
    line.tick()
    assert len(line.sent()) == 1, "the second on the way"
    for _ in range(9):
        line.tick()
        assert line.sent() == [], "the window is full"
    line.subscription.acknowledge(1)
    [delta] = line.sent()
    assert (delta["prev"], delta["seq"]) == (2, 11)
    assert sorted(entity["on_hand"] for entity in delta["up"]) == [9, 10, 11]
    assert line.metrics.conflated.labels("stock")._value.get() == 8


def test_a_client_that_fell_out_of_the_ring_gets_a_fresh_snapshot() -> None:
    line = Line(ticks=1, ring=3)
    line.sent()
    line.subscription.acknowledge(1)
    for _ in range(10):
        line.tick()
    [snap] = line.sent()
    assert (snap["type"], snap["seq"]) == ("snap", 11)


def test_a_reconnect_resumes_where_it_was() -> None:
    line = Line(Since("e1", 3), ticks=5)
    [delta] = line.sent()
    assert (delta["type"], delta["prev"], delta["seq"]) == ("delta", 3, 5)


def test_a_reconnect_with_nothing_missed_is_sent_nothing() -> None:
    line = Line(Since("e1", 5), ticks=5)
    assert line.sent() == []


def test_a_cursor_of_another_process_or_of_the_future_gets_a_snapshot() -> None:
    for since in (Since("other", 3), Since("e1", 99)):
        [snap] = Line(since, ticks=5).sent()
        assert snap["type"] == "snap"


def test_a_filter_that_a_tick_does_not_touch_sends_nothing_and_breaks_no_chain() -> None:
    line = Line(ticks=1)
    line.subscription = Subscription(7, line.channel, "ber", None, line.metrics)
    [snap] = line.sent()
    assert snap["d"] == []
    line.subscription.acknowledge(1)
    line.tick()
    assert line.sent() == []
    line.channel.add(line.picture.apply([stock("ber", "9", 1, 50)]).changes)
    line.channel.tick(50.0)
    [delta] = line.sent()
    assert (delta["prev"], delta["seq"]) == (1, 3)


def test_it_knows_for_how_long_a_client_has_owed_an_acknowledgement() -> None:
    line = Line(ticks=1)
    line.sent(now_s=10.0)
    assert line.subscription.unacknowledged_s(14.0) == 4.0
    line.subscription.acknowledge(1)
    assert line.subscription.unacknowledged_s(14.0) == 0.0
