"""`waystock ingest`: wiring, then one loop: take what waits, commit it, acknowledge it, publish it.
Upstream: the MQTT broker; downstream: the store and, after commit, gateways and screens.
"""

import os
import random
import signal
import sys
from collections.abc import Sequence

import structlog
from prometheus_client import start_http_server

from waystock.stopping import StopRequest
from waystock.store.connection import Database, connect
from waystock.store.errors import StoreError
from waystock_ingest import metrics
from waystock_ingest.batches import decode_messages
from waystock_ingest.control import handle_control, send_ack
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.publisher import Publisher
from waystock_ingest.settings import IngestSettings, parse_settings
from waystock_ingest.source import Message, Source

log = structlog.get_logger()


def run(arguments: Sequence[str]) -> int:
    """Run until SIGTERM or SIGINT; exit status 2 where the settings can't be used."""
    try:
        settings = parse_settings(arguments, os.environ)
    except ValueError as error:
        sys.stderr.write(f"waystock ingest: {error}\n")
        return 2
    stopping = StopRequest()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda number, frame: stopping.set())
    if settings.metrics_port is not None:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
    source = Source(settings.broker, settings.worker, settings.messages_waiting_max)
    publisher = Publisher(
        settings.database_url,
        lambda topic, payload: source.publish(topic, payload, qos=0),
        settings.worker,
        settings.publish_interval_s,
    )
    publisher.start()
    source.start()
    log.info("ingest_started", worker=settings.worker, broker=settings.broker.host)
    _ingest(settings, source, publisher, stopping)
    publisher.stop()
    source.stop()
    log.info("ingest_stopped")
    return 0


def _ingest(
    settings: IngestSettings, source: Source, publisher: Publisher, stopping: StopRequest
) -> None:
    """Commit batches; what the database could not take is held, unacknowledged, and tried again."""
    database: Database | None = None
    master: Master | None = None
    held: list[Message] = []
    failures = 0
    while not stopping.is_set():
        if not held:
            held = source.take(settings.linger_s, settings.bytes_per_commit_max, wait_s=0.2)
        if not held:
            continue
        try:
            if database is None or master is None:
                database = connect(settings.database_url, settings.worker, autocommit=True)
                master = Master(database)
            _process(held, database, master, source, publisher)
            held, failures = [], 0
        except StoreError as error:
            failures += 1
            metrics.COMMITS.labels("failed").inc()
            log.warning("store_unavailable", reason=str(error).strip()[:300], failures=failures,
                        messages_held=len(held))  # fmt: skip
            if database is not None:
                database.close()
            database = None
            pause = min(settings.database_retry_s_max, 0.1 * 2 ** min(failures, 10))
            stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret


def _process(
    messages: list[Message],
    database: Database,
    master: Master,
    source: Source,
    publisher: Publisher,
) -> None:
    def publish(topic: str, payload: bytes) -> bool:
        return source.publish(topic, payload)

    data = [one for one in messages if not one.topic.endswith(("/hello", "/status"))]
    for message in messages:
        if message.topic.endswith(("/hello", "/status")) and handle_control(
            database, message, publish
        ):
            site, gateway = message.topic.split("/")[2:4]
            publisher.mark({"health": {f"{site}/{gateway}"}})
    if data:
        incoming, spoilt = decode_messages(data)
        committed = commit_batches(database, incoming, spoilt, master)
        metrics.MESSAGES.labels("batch").inc(len(data))
        publisher.mark(committed.dirty)
        for stream, ranges in committed.ranges.items():
            send_ack(publish, committed.owners[stream], stream, ranges)
    source.acknowledge(messages)
