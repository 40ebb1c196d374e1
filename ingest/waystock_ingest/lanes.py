"""Two lanes to the store, each a connection and a thread, that take turns: while one derives and
commits, the other gathers what comes meanwhile and writes its raw rows; a further piece is being
read. Commits keep the order of arrival. Upstream: the source; downstream: the pipeline, then acks.
"""

import random
import threading
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from typing import NamedTuple

import structlog

from waystock.stopping import StopRequest
from waystock.store.connection import Database, connect
from waystock.store.errors import StoreError
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest import metrics
from waystock_ingest.batches import Prepared, prepare
from waystock_ingest.control import handle_control, send_ack
from waystock_ingest.corrections import fold_corrected
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.publisher import Publisher
from waystock_ingest.settings import IngestSettings
from waystock_ingest.source import Message, Source

log = structlog.get_logger()

LANES = 2
AHEAD_MAX = 2
"""Pieces that are read before a lane wants them."""
TAKE_WAIT_S = 0.2
CORRECTIONS_POLL_S = 1.0
"""How often a turn looks for assignments that were corrected, whether readings come or not."""
_CONTROL = ("/hello", "/status")


class _Taken(NamedTuple):
    """Messages from the broker, and what the events among them hold."""

    messages: list[Message]
    control: list[Message]
    prepared: Prepared

    @property
    def bytes(self) -> int:
        return sum(len(message.payload) for message in self.messages)


class Lanes:
    """Runs until asked to stop."""

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
        self._changed = threading.Condition()
        """Something was read, or a turn is over."""
        self._ahead: deque[_Taken] = deque()
        self._gathers = threading.Lock()
        """Held by the one lane that gathers: the next to have its turn."""
        self._turns_begun = 0
        self._turns_over = 0
        self._master: Master | None = None
        self._master_lock = threading.Lock()
        self._looked_s = time.monotonic()
        self._states = VehicleStates()
        """Used, like the master data, by the lane whose turn it is alone."""

    def prepare(self) -> None:
        """Read the master data before anything is asked of the broker; if the store is away, a lane
        does it with its first batch."""
        try:
            with closing(self.open()) as database:
                self.master(database)
        except StoreError as error:
            log.warning("store_unavailable", reason=str(error).strip()[:300])

    def run(self) -> None:
        """Raises what the reader or a lane could not deal with."""
        with ThreadPoolExecutor(LANES + 1, "lane") as pool:
            running = [pool.submit(self._read_ahead)]
            running += [pool.submit(_Lane(self).run) for _ in range(LANES)]
            done = set[object]()
            while not self._stopping.is_set() and not done:
                done, _ = wait(running, timeout=TAKE_WAIT_S, return_when=FIRST_COMPLETED)
            self._ending.set()
            with self._changed:
                self._changed.notify_all()
            for future in running:
                future.result()

    def _read_ahead(self) -> None:
        settings = self._settings
        while not self.is_ending:
            messages = self._source.take(
                settings.linger_s, settings.bytes_per_piece_max, wait_s=TAKE_WAIT_S
            )
            if not messages and not self._is_time_to_look:
                continue
            control = [one for one in messages if one.topic.endswith(_CONTROL)]
            data = [one for one in messages if not one.topic.endswith(_CONTROL)]
            taken = _Taken(messages, control, prepare(data))
            with self._changed:
                self._changed.wait_for(lambda: self.is_ending or len(self._ahead) < AHEAD_MAX)
                self._ahead.append(taken)
                self._changed.notify_all()

    def gather(self) -> "LaneGathering | None":
        """The next piece, when it is this lane's time to gather; None at the end."""
        self._gathers.acquire()  # given back when the turn has come
        with self._changed:
            self._changed.wait_for(lambda: self.is_ending or self._ahead)
            if not self._ahead or self.is_ending:
                self._gathers.release()
                return None
            first = self._ahead.popleft()
            self._changed.notify_all()
            turn = self._turns_begun
            self._turns_begun += 1
        return LaneGathering(self, first, turn, self._settings.bytes_per_commit_max)

    def next_piece(self, turn: int, patience_s: float, bytes_left: int) -> _Taken | None:
        """What was read meanwhile, if there is room for it; None as soon as the turn has come."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._turns_over == turn or (bytes_left > 0 and self._ahead), patience_s
            )
            if self._turns_over == turn or bytes_left <= 0 or not self._ahead:
                return None
            taken = self._ahead.popleft()
            self._changed.notify_all()
            return taken

    def await_turn(self, turn: int, patience_s: float | None) -> bool:
        """Whether all turns before are over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._turns_over == turn, patience_s)

    def begin_turn(self) -> None:
        """The other lane may gather now."""
        self._gathers.release()

    def end_turn(self) -> None:
        with self._changed:
            self._turns_over += 1
            self._changed.notify_all()

    def open(self) -> Database:
        """A connection; raises StoreError."""
        return connect(self._settings.database_url, self._settings.worker, autocommit=True)

    def master(self, database: Database) -> Master:
        """The one Master of all lanes: only the lane whose turn it is refreshes it."""
        with self._master_lock:
            if self._master is None:
                self._master = Master(database)
            return self._master

    def forget_states(self) -> None:
        """A server that comes back from a crash may give a transaction's number a second time."""
        self._states = VehicleStates()

    def pause(self, failures: int) -> None:
        """Before the store is tried again."""
        pause_s = min(self._settings.database_retry_s_max, 0.1 * 2 ** min(failures, 10))
        self._ending.wait(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    @property
    def _is_time_to_look(self) -> bool:
        return time.monotonic() - self._looked_s >= CORRECTIONS_POLL_S

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    def take_in(self, database: Database, gathering: "LaneGathering") -> None:
        """Commit what is gathered, then say so to the gateways, the screens and the broker."""
        if gathering.has_data:
            committed = commit_batches(database, gathering, self.master(database), self._states)
            self._publisher.mark(committed.dirty)
            for stream, ranges in committed.ranges.items():
                send_ack(self._source.publish, committed.owners[stream], stream, ranges)
        gathering.await_turn()
        if self._is_time_to_look:
            self._looked_s = time.monotonic()
            self._publisher.mark(fold_corrected(database, self.master(database), self._states))
        metrics.MESSAGES.labels("batch").inc(len(gathering.messages) - len(gathering.control))
        # After the batches: what a gateway asks of has perhaps just been committed.
        for message in gathering.control:
            if handle_control(database, message, self._source.publish):
                site, gateway = message.topic.split("/")[2:4]
                self._publisher.mark({"health": {f"{site}/{gateway}"}})
        self._source.acknowledge(gathering.messages)


class LaneGathering(Gathering):
    """Grows by what is read until the turns before are over."""

    def __init__(self, lanes: Lanes, first: _Taken, turn: int, bytes_max: int) -> None:
        super().__init__(first.prepared)
        self.messages = list(first.messages)
        """All that were read …"""
        self.control = list(first.control)
        """… and those among them that are no batches."""
        self.has_data = bool(first.prepared.incoming or first.prepared.spoilt)
        """Whether there is anything that a transaction is needed for."""
        self._lanes = lanes
        self._turn = turn
        self._bytes_left = bytes_max - first.bytes
        self._has_begun = False

    def more(self, patience_s: float) -> Prepared | None:
        if self._has_begun:
            return None
        taken = self._lanes.next_piece(self._turn, patience_s, self._bytes_left)
        if taken is None:
            return None
        self.messages += taken.messages
        self.control += taken.control
        self._bytes_left -= taken.bytes
        return self.add(taken.prepared)

    @property
    def is_turn(self) -> bool:
        return self._begin_turn(0)

    def await_turn(self) -> None:
        self._begin_turn(None)

    def _begin_turn(self, patience_s: float | None) -> bool:
        if not self._has_begun and self._lanes.await_turn(self._turn, patience_s):
            self._has_begun = True
            self._lanes.begin_turn()
        return self._has_begun

    def end(self) -> None:
        """Done with, or given up because ingest is to end."""
        self.await_turn()
        self._lanes.end_turn()


class _Lane:
    """One connection, made anew after a failure."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._database: Database | None = None

    def run(self) -> None:
        """Turn after turn."""
        while not self._lanes.is_ending:
            gathering = self._lanes.gather()
            if gathering is None:
                return
            try:
                self._take_in_until_done(gathering)
            finally:
                gathering.end()

    def _take_in_until_done(self, gathering: LaneGathering) -> None:
        """What the database could not take is held, unacknowledged, and tried again."""
        failures = 0
        while not self._lanes.is_ending:
            try:
                if self._database is None:
                    self._database = self._lanes.open()
                self._lanes.take_in(self._database, gathering)
                return
            except StoreError as error:
                failures += 1
                metrics.COMMITS.labels("failed").inc()
                log.warning(
                    "store_unavailable",
                    reason=str(error).strip()[:300],
                    failures=failures,
                    messages_held=len(gathering.messages),
                )
                self._close()
                self._lanes.forget_states()
                self._lanes.pause(failures)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
