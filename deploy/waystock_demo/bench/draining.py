"""How one ingest process drains a backlog that waits at the broker: the backlog is made while
ingest is away, then the clock runs from the moment that it listens to its last commit.
"""

import time
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from waystock.contract.events import Batch
from waystock.store import audit
from waystock.store.migrate import migrate
from waystock_demo.bench import load, processes
from waystock_demo.bench.publishing import publish_all
from waystock_demo.bench.servers import Servers

DRAIN_WITHIN_S = 3600.0
FIRST_EVENTS = 500
POLL_S_MIN, POLLS = 0.05, 100
"""A look costs the database a connection, so the longer it takes, the less often."""


class Drain(NamedTuple):
    """What was seen of one drain."""

    events: int
    seconds: float
    committed: list[tuple[float, int]]
    """Seconds since ingest listens → events committed, at each look."""
    ingest_peak_rss_mb: float

    def rate(self, first: float = 0.0, last: float = 1.0) -> float:
        """Events per second between two shares of all events (0 … 1)."""
        spent_s = self.reached_s(last) - self.reached_s(first)
        return (last - first) * self.events / spent_s

    def reached_s(self, share: float) -> float:
        """When this share of all events was committed, by a straight line between two looks; none
        of them is from the beginning, when ingest listened.
        """
        if share <= 0:
            return 0.0
        wanted = share * self.events
        looks = [(0.0, 0), *self.committed]
        for (earlier_s, fewer), (later_s, more) in pairwise(looks):
            if fewer <= wanted <= more and fewer < more:
                return earlier_s + (wanted - fewer) / (more - fewer) * (later_s - earlier_s)
        return looks[-1][0]

    def steady_rate(self) -> float:
        """Events per second from the first commit seen to the last; where that is most of it (a
        small backlog is one transaction), from the beginning.
        """
        first_s, first = next(look for look in self.committed if look[1])
        if first > self.events / 2:
            return self.rate()
        return (self.events - first) / (self.seconds - first_s)

    @property
    def committed_first_s(self) -> float:
        """When the first commit was seen."""
        return next(seconds for seconds, events in self.committed if events)


def subscribe_once(servers: Servers) -> None:
    """Let ingest make its session with the broker, so that what comes while it is away waits for
    it, and take in a little on a database of no account: what is compiled at the very first start
    on a machine is compiled then.
    """
    database_url = servers.database("first")
    migrate(database_url)
    with processes.ingest(servers, database_url):
        publish_all(servers.broker_url, load.batches(load.events(FIRST_EVENTS), FIRST_EVENTS))
        deadline = time.monotonic() + DRAIN_WITHIN_S
        while _committed(database_url) < FIRST_EVENTS:
            if time.monotonic() > deadline:
                raise RuntimeError("ingest commits nothing")
            time.sleep(POLL_S_MIN)


def drain(servers: Servers, database_url: str, batches: Iterable[Batch], events: int) -> Drain:
    """Publish `events` readings in `batches` for an ingest that is away, then let it come. Needs
    `subscribe_once` before the first time.
    """
    already = _committed(database_url)
    publish_all(servers.broker_url, batches)
    with processes.ingest(servers, database_url) as process:
        started, looks = time.monotonic(), list[tuple[float, int]]()
        while not looks or looks[-1][1] < events:
            passed_s = time.monotonic() - started
            if passed_s > DRAIN_WITHIN_S or process.poll() is not None:
                raise RuntimeError(f"after {passed_s:.0f} s only {looks[-1:]} of {events}")
            time.sleep(max(POLL_S_MIN, passed_s / POLLS))
            looks.append((time.monotonic() - started, _committed(database_url) - already))
        return Drain(events, looks[-1][0], looks, processes.peak_rss_mb(process))


def _committed(database_url: str) -> int:
    return audit.committed_by_gateway(database_url).get(load.OWNER, 0)
