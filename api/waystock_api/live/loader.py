"""Fills the pictures from the store: at the start, when a message was missed, and now and then in
any case. Each stream has its own loop with bounded, jittered retries. Also computes the kpi
stream and lets old alerts go.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from random import Random

import structlog
from anyio import CapacityLimiter, to_thread

from waystock.contract.live import TransitEntity
from waystock.store.api import fetch_shipment_sites
from waystock.store.live import load_entities
from waystock.store.pool import StoreAwayError, StorePool
from waystock_api.live.hub import Hub
from waystock_api.live.kpi import compute_kpis
from waystock_api.live.picture import Entry, make_entry

log = structlog.get_logger()

BETWEEN_LOADS_S = 1.0
LOADED_STREAMS = ("stock", "transit", "alerts", "movements", "health")
RECONCILE_S = dict.fromkeys(LOADED_STREAMS, 120.0) | {"health": 10.0}
"""Each stream is loaded again after this long: what nobody told us shows all the same. That a
gateway's status came, nobody tells us: there are few of them, so they are looked up often."""
RETRY_MIN_S, RETRY_MAX_S = 0.5, 15.0
KPI_EVERY_S = 2.0
LOADS_AT_ONCE = 2


class Loader:
    """Lives on the event loop; only the query and the encoding run in a thread."""

    def __init__(
        self, hub: Hub, store: StorePool, now: Callable[[], datetime], random: Random
    ) -> None:
        self.shipment_sites: dict[str, str | None] = {}
        """Shipment → site it leaves from; None: the store doesn't know it."""
        self.loaded: set[str] = set()
        self._hub = hub
        self._store = store
        self._now = now
        self._random = random
        self._wanted = {stream: asyncio.Event() for stream in LOADED_STREAMS}
        self._limiter = CapacityLimiter(LOADS_AT_ONCE)

    def request(self, *streams: str) -> None:
        """Load these streams again soon; requests that come close together become one."""
        for stream in streams:
            self._wanted[stream].set()

    async def run(self) -> None:
        """Keep the pictures true until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for stream in LOADED_STREAMS:
                tasks.create_task(self._keep_loaded(stream))
            tasks.create_task(self._keep_computed())

    async def _keep_loaded(self, stream: str) -> None:
        wanted = self._wanted[stream]
        retry_s = RETRY_MIN_S
        while True:
            wanted.clear()
            try:
                await self._load(stream)
            except StoreAwayError as error:
                self._hub.metrics.reloads.labels(stream, "failed").inc()
                log.warning("picture_load_failed", stream=stream, reason=str(error))
                await asyncio.sleep(self._random.uniform(RETRY_MIN_S, retry_s))
                retry_s = min(2 * retry_s, RETRY_MAX_S)
                continue
            retry_s = RETRY_MIN_S
            await asyncio.sleep(BETWEEN_LOADS_S)
            try:
                async with asyncio.timeout(RECONCILE_S[stream] * self._random.uniform(0.8, 1.2)):
                    await wanted.wait()
            except TimeoutError:
                continue

    async def _load(self, stream: str) -> None:
        picture = self._hub.pictures[stream]
        known = {entry.entity.key for entry in picture.entries()}
        picture.begin_load()
        entries, sites = await to_thread.run_sync(self._read, stream, limiter=self._limiter)
        if stream == "transit":
            self.shipment_sites = sites
        outcome = picture.finish_load(entries)
        self._hub.metrics.reloads.labels(stream, "done").inc()
        self._hub.metrics.picture_dropped.labels(stream).inc(outcome.refused)
        first = stream not in self.loaded
        self.loaded.add(stream)
        overlaps = any(entry.entity.key in known for entry in entries)
        if stream == "movements" and known and entries and not overlaps and not first:
            # More movements than the window holds were missed: a delta could not tell them all.
            self._hub.reset(stream)
        else:
            self._hub.publish(stream, outcome.changes)

    def _read(self, stream: str) -> tuple[list[Entry], dict[str, str | None]]:
        with self._store.connection() as database:
            entities = load_entities(database, stream, None)
            shipments = {
                entity.shipment
                for entity in entities
                if isinstance(entity, TransitEntity) and entity.shipment is not None
            }
            found = fetch_shipment_sites(database, shipments) if shipments else {}
        sites = {shipment: found.get(shipment) for shipment in shipments}
        return [make_entry(entity, sites) for entity in entities], sites

    async def _keep_computed(self) -> None:
        while True:
            await asyncio.sleep(KPI_EVERY_S)
            now = self._now()
            pruned = self._hub.pictures["alerts"].prune(now.timestamp())
            self._hub.publish("alerts", pruned)
            if self.loaded >= {"stock", "transit", "alerts"}:
                self._compute_kpis(now)

    def _compute_kpis(self, now: datetime) -> None:
        pictures = self._hub.pictures
        kpis = compute_kpis(
            {site for site in self.shipment_sites.values() if site is not None},
            pictures["stock"].entries(),
            pictures["transit"].entries(),
            pictures["alerts"].entries(),
            int(now.timestamp() * 1_000_000),
        )
        shown = {
            entry.entity.key: getattr(entry.entity, "value", None)
            for entry in pictures["kpi"].entries()
        }
        news = [make_entry(kpi, {}) for kpi in kpis if shown.get(kpi.key) != kpi.value]
        kept = {kpi.key for kpi in kpis}
        gone = pictures["kpi"].discard(set(shown) - kept)
        self._hub.publish("kpi", gone + pictures["kpi"].apply(news).changes)
