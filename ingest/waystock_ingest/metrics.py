"""Figures for Prometheus: what came, what became of it, how long it took, how old it was."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("waystock_ingest_events_total", "Events by kind and outcome", ["kind", "outcome"])
MESSAGES = Counter("waystock_ingest_messages_total", "MQTT messages by outcome", ["outcome"])
COMMITS = Counter("waystock_ingest_commits_total", "Transactions by outcome", ["outcome"])
COMMIT_SECONDS = Histogram(
    "waystock_ingest_commit_seconds",
    "From the first statement of a batch to its commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15),
)
BATCH_EVENTS = Histogram(
    "waystock_ingest_batch_events",
    "New events per transaction",
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000),
)
NEWEST_EVENT_AGE = Gauge(
    "waystock_ingest_newest_event_age_seconds", "Commit time minus capture of the newest event"
)
WAITING = Gauge("waystock_ingest_messages_waiting", "Messages taken from the broker, not committed")
DEAD_LETTERS = Counter(
    "waystock_ingest_dead_letters_total", "Messages and events put aside", ["stage"]
)
LIVE_PUBLISHED = Counter("waystock_ingest_live_entities_total", "Entities published", ["stream"])
LIVE_CONFLATED = Counter(
    "waystock_ingest_live_conflated_total", "Changes folded into a later publication", ["stream"]
)
LIVE_FAILED = Counter("waystock_ingest_live_failed_total", "Publications that failed", ["stream"])
