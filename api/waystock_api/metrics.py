"""What the api counts, in Prometheus form. One registry per app, so that two apps in one process
don't mix; made in app.py and passed to whom it concerns.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCY_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counters and gauges themselves, under their names."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry
        self.http_requests = Counter(
            "waystock_http_requests", "HTTP answers", ["route", "method", "status"],
            registry=registry,
        )  # fmt: skip
        self.http_seconds = Histogram(
            "waystock_http_request_seconds", "Time to answer", ["route"],
            buckets=LATENCY_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self.logins = Counter(
            "waystock_logins", "Sign-ins by result", ["result"], registry=registry
        )
        self.login_table_evicted = Counter(
            "waystock_login_table_evicted", "Entries pushed out of the login limiter's full table",
            registry=registry,
        )  # fmt: skip
        self.ws_clients = Gauge(
            "waystock_ws_clients", "WebSocket clients signed in", registry=registry
        )
        self.ws_closed = Counter(
            "waystock_ws_closed", "WebSockets closed by the server", ["code"], registry=registry
        )
        self.ws_refused = Counter(
            "waystock_ws_messages_refused", "Client messages that could not be used",
            registry=registry,
        )  # fmt: skip
        self.deltas_sent = Counter(
            "waystock_ws_deltas_sent", "Deltas sent to clients", ["channel"], registry=registry
        )
        self.snapshots_sent = Counter(
            "waystock_ws_snapshots_sent", "Snapshots sent to clients", ["channel"],
            registry=registry,
        )  # fmt: skip
        self.conflated = Counter(
            "waystock_ws_ticks_conflated", "Ticks merged into a later delta for a slow client",
            ["channel"], registry=registry,
        )  # fmt: skip
        self.ticks_dropped = Counter(
            "waystock_ws_ticks_dropped", "Ticks pushed out of a channel's full ring",
            ["channel"], registry=registry,
        )  # fmt: skip
        self.live_messages = Counter(
            "waystock_live_messages", "Live messages taken from the broker", ["stream"],
            registry=registry,
        )  # fmt: skip
        self.live_refused = Counter(
            "waystock_live_messages_refused", "Live messages ignored, by reason", ["reason"],
            registry=registry,
        )  # fmt: skip
        self.live_age_seconds = Histogram(
            "waystock_live_message_age_seconds", "Publication to arrival of a live message",
            ["stream"], buckets=LATENCY_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self.live_stale = Counter(
            "waystock_live_entities_stale", "Entities older than what was known", ["stream"],
            registry=registry,
        )  # fmt: skip
        self.picture_size = Gauge(
            "waystock_picture_entities", "Entities in the picture", ["stream"], registry=registry
        )
        self.picture_dropped = Counter(
            "waystock_picture_entities_dropped", "New entities refused by a full picture",
            ["stream"], registry=registry,
        )  # fmt: skip
        self.reloads = Counter(
            "waystock_picture_reloads", "Loads of a stream from the store, by result",
            ["stream", "result"], registry=registry,
        )  # fmt: skip
