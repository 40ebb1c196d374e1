"""`waystock ingest`: wiring, then one loop: take what waits, commit it, acknowledge it, publish it.
Upstream: the MQTT broker; downstream: the store and, after commit, gateways and screens.
"""

import gc
import os
import signal
import sys
import time
from collections.abc import Sequence

import structlog
from prometheus_client import start_http_server

from waystock.stopping import StopRequest
from waystock_ingest.lanes import Lanes
from waystock_ingest.publisher import Publisher
from waystock_ingest.settings import parse_settings
from waystock_ingest.source import Source
from waystock_ingest.warm_up import warm_up

log = structlog.get_logger()

OBJECTS_BEFORE_COLLECTION = 50_000
OLDER_GENERATIONS = (20, 20)
"""Collections of one generation before the next older one's turn."""


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
    source = Source(
        settings.broker,
        settings.worker,
        settings.messages_waiting_max,
        settings.bytes_waiting_max,
        settings.group,
    )
    publisher = Publisher(
        settings.database_url,
        lambda topic, payload: source.publish(topic, payload, qos=0),
        settings.worker,
        settings.publish_interval_s,
    )
    lanes = Lanes(settings, source, publisher, stopping)
    lanes.prepare()
    _prepare_to_run()
    publisher.start()
    source.start()
    log.info("ingest_started", worker=settings.worker, broker=settings.broker.host)
    lanes.run()
    publisher.stop()
    source.stop()
    log.info("ingest_stopped")
    return 0


def _prepare_to_run() -> None:
    """Have the compiled code at hand, and the collector look only at what is made from now on, and
    that more rarely: a batch makes tens of thousands of objects, none of them in circles."""
    began = time.monotonic()
    warm_up()
    log.info("rules_compiled", took_s=round(time.monotonic() - began, 2))
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION, *OLDER_GENERATIONS)
