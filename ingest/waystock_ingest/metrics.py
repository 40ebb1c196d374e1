"""Figures for Prometheus: what came, what became of it, how long it took, how old it was, what
waits. What each means stands in ingest's README; names end in their unit.
"""

from prometheus_client import Counter, Gauge, Histogram

from waystock.contract.events import KINDS

EVENTS = Counter("waystock_ingest_events_total", "Events by kind and outcome", ["kind", "outcome"])
# A rate over a series that isn't there yet misses its start.
for _kind in KINDS:
    EVENTS.labels(_kind, "committed")
    EVENTS.labels(_kind, "dead_letter")
for _outcome in ("already_committed", "dead_letter"):
    EVENTS.labels("any", _outcome)
MESSAGES = Counter("waystock_ingest_messages_total", "MQTT messages by outcome", ["outcome"])
COMMITS = Counter("waystock_ingest_commits_total", "Transactions by outcome", ["outcome"])
for _outcome in ("committed", "failed"):
    COMMITS.labels(_outcome)
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
NEWEST_EVENT_CAPTURED = Gauge(
    "waystock_ingest_newest_event_captured_timestamp_seconds",
    "When the newest event of the last commit was captured; time() minus this grows in an outage",
)
WAITING_MESSAGES = Gauge(
    "waystock_ingest_waiting_messages", "Messages read from the broker, not taken for a commit yet"
)
WAITING_BYTES = Gauge("waystock_ingest_waiting_bytes", "Their payloads")
UNACKNOWLEDGED_MESSAGES = Gauge(
    "waystock_ingest_unacknowledged_messages", "Messages the broker waits for: held or in a commit"
)
BROKER_CONNECTED = Gauge("waystock_ingest_broker_connected", "1 while the broker is there, else 0")
DEAD_LETTERS = Counter(
    "waystock_ingest_dead_letters_total", "Messages and events put aside", ["stage"]
)
TOO_LATE_FIXES = Counter(
    "waystock_ingest_too_late_fixes_total",
    "Fixes stored but not folded: older than what is still stored whole of their vehicle",
)
REFOLDS = Counter(
    "waystock_ingest_refolds_total",
    "Vehicles folded again after an assignment was corrected: all of it, partly, or not at all",
    ["outcome"],
)
for _outcome in ("whole", "partly", "refused"):
    REFOLDS.labels(_outcome)
STATES_OVERTAKEN = Counter(
    "waystock_ingest_states_overtaken_total",
    "Batches folded a second time, because another process had written one of their vehicles",
)
LIVE_PUBLISHED = Counter("waystock_ingest_live_entities_total", "Entities published", ["stream"])
LIVE_CONFLATED = Counter(
    "waystock_ingest_live_conflated_total", "Changes folded into a later publication", ["stream"]
)
LIVE_FAILED = Counter("waystock_ingest_live_failed_total", "Publications that failed", ["stream"])
