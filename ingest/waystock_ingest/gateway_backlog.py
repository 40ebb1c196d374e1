"""What gateways say waits with them: the part of the backlog that no queue on the way shows.
Upstream: their statuses, by `control`; downstream: Prometheus, which asks when it wants to know.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from waystock.contract.acks import STATUS_LEASE_S, Status

GATEWAYS_MAX = 100_000
"""Beyond this the one that was heard of longest ago is forgotten."""


class _Heard(NamedTuple):
    at_mono_s: float
    online: bool
    waiting_events: int
    oldest_unsent_s: float


class GatewayBacklog(Collector):
    """The last status of each gateway; a gateway silent for longer than the lease is not online,
    but what it last said waits is still counted: it waits there."""

    def __init__(self, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._mono_s = mono_s
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._lock = threading.Lock()

    def heard(self, site: str, gateway: str, status: Status) -> None:
        """A gateway's newest word."""
        heard = _Heard(
            self._mono_s(), status.state == "online", status.queue_depth, status.oldest_unsent_s
        )
        with self._lock:
            self._heard.pop((site, gateway), None)
            self._heard[site, gateway] = heard
            if len(self._heard) > GATEWAYS_MAX:
                del self._heard[next(iter(self._heard))]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Three figures over all gateways: one series each, however many gateways there are."""
        with self._lock:
            heard = list(self._heard.values())
        fresh_from_s = self._mono_s() - STATUS_LEASE_S
        online = sum(one.online and one.at_mono_s >= fresh_from_s for one in heard)
        yield GaugeMetricFamily(
            "waystock_ingest_gateways_online", "Gateways whose lease has not run out", online
        )
        yield GaugeMetricFamily(
            "waystock_ingest_gateways_waiting_events",
            "Events in the outboxes of all gateways, by their last word",
            sum(one.waiting_events for one in heard),
        )
        yield GaugeMetricFamily(
            "waystock_ingest_gateways_oldest_unsent_seconds",
            "Age of the oldest event in any outbox, by its last word",
            max((one.oldest_unsent_s for one in heard), default=0.0),
        )


GATEWAY_BACKLOG = GatewayBacklog()
REGISTRY.register(GATEWAY_BACKLOG)
