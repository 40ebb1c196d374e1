"""What the api counts, in Prometheus form. One registry per app, so that two apps in one process
don't mix; made in app.py and passed to whom it concerns.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counters and gauges themselves, under their names."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http_requests = self._counter(
            "http_requests", "HTTP answers", "route", "method", "status"
        )
        self.http_seconds = self._histogram("http_request_seconds", "Time to answer", "route")
        self.logins = self._counter("logins", "Sign-ins by result", "result")
        self.login_table_evicted = self._counter(
            "login_table_evicted", "Entries pushed out of the login limiter's full table"
        )
        self.ws_clients = self._gauge("ws_clients", "WebSocket clients signed in")
        self.ws_closed = self._counter("ws_closed", "WebSockets closed by the server", "code")
        self.ws_refused = self._counter(
            "ws_messages_refused", "Client messages that could not be used"
        )
        self.deltas_sent = self._counter("ws_deltas_sent", "Deltas sent to clients", "channel")
        self.snapshots_sent = self._counter(
            "ws_snapshots_sent", "Snapshots sent to clients", "channel"
        )
        self.conflated = self._counter(
            "ws_ticks_conflated", "Ticks merged into a later delta for a slow client", "channel"
        )
        self.ticks_dropped = self._counter(
            "ws_ticks_dropped", "Ticks pushed out of a channel's full ring", "channel"
        )
        self.live_messages = self._counter(
            "live_messages", "Live messages taken from the broker", "stream"
        )
        self.live_refused = self._counter(
            "live_messages_refused", "Live messages ignored, by reason", "reason"
        )
        self.live_age_seconds = self._histogram(
            "live_message_age_seconds", "Publication to arrival of a live message", "stream"
        )
        self.live_stale = self._counter(
            "live_entities_stale", "Entities older than what was known", "stream"
        )
        self.picture_size = self._gauge("picture_entities", "Entities in the picture", "stream")
        self.picture_dropped = self._counter(
            "picture_entities_dropped", "New entities refused by a full picture", "stream"
        )
        self.reloads = self._counter(
            "picture_reloads", "Loads of a stream from the store, by result", "stream", "result"
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"waystock_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"waystock_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, *labels: str) -> Histogram:
        return Histogram(
            f"waystock_{name}", what, labels, buckets=LATENCY_BUCKETS_S, registry=self.registry
        )
