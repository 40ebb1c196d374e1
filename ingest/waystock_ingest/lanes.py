"""Two lanes to the store, each a connection and a thread, that take batches by turns: while one
derives and commits, the other's raw rows are already going in, and a third batch is being read.
Commits keep the order of arrival. Upstream: the source; downstream: the pipeline, then acks.
"""

import itertools
import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple, TypeVar

import structlog

from waystock.stopping import StopRequest
from waystock.store.connection import Database, connect
from waystock.store.errors import StoreError
from waystock_ingest import metrics
from waystock_ingest.batches import Prepared, prepare
from waystock_ingest.control import handle_control, send_ack
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.publisher import Publisher
from waystock_ingest.settings import IngestSettings
from waystock_ingest.source import Message, Source

log = structlog.get_logger()
T = TypeVar("T")

LANES = 2
TAKE_WAIT_S = 0.2
_CONTROL = ("/hello", "/status")


class _Taken(NamedTuple):
    """Messages from the broker, and what the events among them hold."""

    messages: list[Message]
    control: list[Message]
    prepared: Prepared


class _Turn(NamedTuple):
    """A batch's place in the order of commits."""

    before: threading.Event
    """Set when the batch before is done, or given up because ingest is to end."""
    done: threading.Event


class Lanes:
    """Runs until asked to stop; at most `LANES` batches in the store and one ahead of them."""

    def __init__(
        self,
        settings: IngestSettings,
        source: Source,
        publisher: Publisher,
        stopping: StopRequest,
    ) -> None:
        self._settings = settings
        self._source = source
        self._publisher = publisher
        self._stopping = stopping
        self._ending = threading.Event()
        self._master: Master | None = None
        self._master_lock = threading.Lock()

    def run(self) -> None:
        """Take, read and hand out batch after batch; raises what a lane could not deal with."""
        lanes = [_Lane(self) for _ in range(LANES)]
        running: list[Future[None]] = []
        before = threading.Event()
        before.set()
        with ThreadPoolExecutor(LANES + 1, "lane") as pool:
            try:
                following = pool.submit(self._take)
                for number in itertools.cycle(range(LANES)):
                    taken = self._result(following)
                    following = pool.submit(self._take)
                    if len(running) == LANES:
                        self._result(running.pop(0))
                    if self._stopping.is_set():
                        return
                    turn = _Turn(before, threading.Event())
                    running.append(pool.submit(lanes[number].process_until_done, taken, turn))
                    before = turn.done
            finally:
                self._ending.set()

    def _result(self, future: Future[T]) -> T:
        """Of a future; whoever works on it is told if ingest is to end meanwhile."""
        while not future.done():
            if self._stopping.is_set():
                self._ending.set()
            wait([future], timeout=TAKE_WAIT_S)
        return future.result()

    def _take(self) -> _Taken:
        settings = self._settings
        messages: list[Message] = []
        while not messages and not self._ending.is_set():
            messages = self._source.take(
                settings.linger_s, settings.bytes_per_commit_max, wait_s=TAKE_WAIT_S
            )
        control = [one for one in messages if one.topic.endswith(_CONTROL)]
        data = [one for one in messages if not one.topic.endswith(_CONTROL)]
        return _Taken(messages, control, prepare(data))

    def open(self) -> Database:
        """A connection; raises StoreError."""
        return connect(self._settings.database_url, self._settings.worker, autocommit=True)

    def master(self, database: Database) -> Master:
        """The one Master of all lanes: only the lane whose turn it is refreshes it."""
        with self._master_lock:
            if self._master is None:
                self._master = Master(database)
            return self._master

    def pause(self, failures: int) -> None:
        """Before the store is tried again."""
        pause_s = min(self._settings.database_retry_s_max, 0.1 * 2 ** min(failures, 10))
        self._ending.wait(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    def take_in(self, database: Database, taken: _Taken, turn: _Turn) -> None:
        """Commit a batch, then say so to the gateways, the screens and the broker."""
        if taken.prepared.incoming or taken.prepared.spoilt:
            committed = commit_batches(
                database, taken.prepared, self.master(database), turn.before.wait
            )
            metrics.MESSAGES.labels("batch").inc(len(taken.messages) - len(taken.control))
            self._publisher.mark(committed.dirty)
            for stream, ranges in committed.ranges.items():
                send_ack(self._source.publish, committed.owners[stream], stream, ranges)
        # After the batches: what a gateway asks of has perhaps just been committed.
        for message in taken.control:
            if handle_control(database, message, self._source.publish):
                site, gateway = message.topic.split("/")[2:4]
                self._publisher.mark({"health": {f"{site}/{gateway}"}})
        self._source.acknowledge(taken.messages)


class _Lane:
    """One connection, made anew after a failure."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._database: Database | None = None

    def process_until_done(self, taken: _Taken, turn: _Turn) -> None:
        """What the database could not take is held, unacknowledged, and tried again."""
        failures = 0
        try:
            while not self._lanes.is_ending:
                try:
                    if self._database is None:
                        self._database = self._lanes.open()
                    self._lanes.take_in(self._database, taken, turn)
                    return
                except StoreError as error:
                    failures += 1
                    metrics.COMMITS.labels("failed").inc()
                    log.warning(
                        "store_unavailable",
                        reason=str(error).strip()[:300],
                        failures=failures,
                        messages_held=len(taken.messages),
                    )
                    self._close()
                    self._lanes.pause(failures)
        finally:
            turn.done.set()

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
