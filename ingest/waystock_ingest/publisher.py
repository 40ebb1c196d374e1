"""Live deltas after commit. Each changed entity is read back from the store and published, at most
once per interval: first changes leave at once, later ones are folded together. Upstream: the
pipeline's dirty keys; downstream: the api's hub, over MQTT.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec
import structlog

from waystock.contract.live import Entity, LiveMessage, encode_entity, encode_gone, encode_live
from waystock.contract.topics import LiveStream, live_topic
from waystock.store.connection import Database, connect
from waystock.store.errors import StoreError
from waystock.store.live import load_entities
from waystock_ingest import metrics

log = structlog.get_logger()

ENTITIES_PER_MESSAGE_MAX = 500
KEYS_PENDING_MAX = 200_000
"""Beyond this the epoch is changed instead: the hubs reload, and nothing is kept for them here."""
STORE_RETRY_S = 1.0
"""While the store is away; ingest itself waits for it too, so little gathers here."""
BEAT_S = 5.0
"""A topic that was silent for so long gets a message without entities: its number tells a hub that
missed the last one, which no other would follow.
"""
FLEET_SITE = "fleet"
"""The site part of the topic for what belongs to no one site: vehicles, alerts, movements."""

Publish = Callable[[str, bytes], bool]


class Publisher:
    """A thread of its own with its own connection, so that screens never slow the ledger down."""

    def __init__(self, database_url: str, publish: Publish, worker: str, interval_s: float) -> None:
        self._database_url = database_url
        self._publish = publish
        self._worker = worker
        self._interval_s = interval_s
        self._pending: dict[LiveStream, set[str]] = defaultdict(set)
        self._wake = threading.Condition()
        self._stopping = False
        self._sequences: dict[str, int] = defaultdict(int)
        self._sent_s: dict[str, float] = {}
        self._epoch = _new_epoch()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Publish what is pending and end; waits two seconds at most."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(2)

    def mark(self, dirty: dict[LiveStream, set[str]]) -> None:
        """These entities have changed in the store."""
        with self._wake:
            for stream, keys in dirty.items():
                pending = self._pending[stream]
                metrics.LIVE_CONFLATED.labels(stream).inc(len(pending & keys))
                pending |= keys
                if len(pending) > KEYS_PENDING_MAX:
                    log.warning("live_backlog_dropped", stream=stream, keys=len(pending))
                    pending.clear()
                    self._epoch = _new_epoch()
            self._wake.notify()

    def _take(self) -> dict[LiveStream, set[str]]:
        """What is pending, as soon as there is any; nothing when it is time for a beat."""
        with self._wake:
            self._wake.wait_for(
                lambda: self._stopping or any(self._pending.values()), timeout=BEAT_S
            )
            taken, self._pending = self._pending, defaultdict(set)
            return taken

    def _run(self) -> None:
        database: Database | None = None
        while True:
            taken = self._take()
            if self._stopping and not any(taken.values()):
                return
            started = time.monotonic()
            self._beat(started)
            if not any(taken.values()):
                continue
            try:
                if database is None:
                    database = connect(self._database_url, f"{self._worker}-live", autocommit=True)
                for stream, keys in taken.items():
                    if keys:
                        self._send(stream, keys, load_entities(database, stream, keys))
            except StoreError as error:
                log.warning("live_publication_delayed", reason=str(error).strip())
                if database is not None:
                    database.close()
                database = None
                self.mark(taken)
                if self._stopping:
                    return
                self._pause(STORE_RETRY_S)
            spent_s = time.monotonic() - started
            # A tenth of the time at most: in a flood screens wait a little, not the store.
            self._pause(max(self._interval_s - spent_s, 9 * spent_s))

    def _pause(self, seconds: float) -> None:
        """Let changes gather, so that each entity goes out at most once an interval."""
        if seconds > 0 and not self._stopping:
            time.sleep(seconds)

    def _beat(self, now_s: float) -> None:
        for topic, sent_s in list(self._sent_s.items()):
            if now_s - sent_s >= BEAT_S:
                self._send_to(topic, [])

    def _send(self, stream: LiveStream, keys: set[str], entities: list[Entity]) -> None:
        by_site: dict[str, list[Entity]] = defaultdict(list)
        for entity in entities:
            by_site[_site(stream, entity.key)].append(entity)
        for site, group in by_site.items():
            for start in range(0, len(group), ENTITIES_PER_MESSAGE_MAX):
                self._send_message(stream, site, group[start : start + ENTITIES_PER_MESSAGE_MAX])
        gone = keys - {entity.key for entity in entities}
        if gone:
            self._send_gone(stream, gone)

    def _send_gone(self, stream: LiveStream, keys: Iterable[str]) -> None:
        """Only alerts and movements can vanish: a late reading showed that they never were."""
        if stream in {"alerts", "movements"}:
            now_us = int(datetime.now(UTC).timestamp() * 1_000_000)
            self._send_raw(stream, FLEET_SITE, [encode_gone(key, now_us) for key in sorted(keys)])

    def _send_message(self, stream: LiveStream, site: str, entities: list[Entity]) -> None:
        self._send_raw(stream, site, [encode_entity(entity) for entity in entities])

    def _send_raw(self, stream: LiveStream, site: str, entities: list[msgspec.Raw]) -> None:
        if self._send_to(live_topic(site, stream), entities):
            metrics.LIVE_PUBLISHED.labels(stream).inc(len(entities))
        else:
            metrics.LIVE_FAILED.labels(stream).inc(len(entities))

    def _send_to(self, topic: str, entities: list[msgspec.Raw]) -> bool:
        self._sequences[topic] += 1
        self._sent_s[topic] = time.monotonic()
        message = LiveMessage(
            publisher=self._worker,
            epoch=self._epoch,
            seq=self._sequences[topic],
            sent_at=datetime.now(UTC),
            entities=tuple(entities),
        )
        return self._publish(topic, encode_live(message))


def _site(stream: LiveStream, key: str) -> str:
    return key.partition("/")[0] if stream in {"stock", "health"} else FLEET_SITE


def _new_epoch() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
