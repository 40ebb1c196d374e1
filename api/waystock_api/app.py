"""The ASGI app: makes the services, wires them into routes, and runs what goes on beside requests
(the store's pool, the feed from the broker, the loader). Upstream: store and broker. Downstream:
pages.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from random import Random, SystemRandom
from threading import BoundedSemaphore

import structlog
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from waystock.store.pool import StorePool
from waystock_api import problems
from waystock_api.access import signed_in
from waystock_api.live.feed import Feed
from waystock_api.live.hub import Hub
from waystock_api.live.loader import Loader
from waystock_api.login_limit import LoginLimit
from waystock_api.metrics import Metrics
from waystock_api.middleware import Surroundings
from waystock_api.pages import Pages
from waystock_api.routes import (
    alerts,
    arrival_questions,
    assignments,
    day_questions,
    dead_letters,
    devices,
    drivers,
    fences,
    fleet_questions,
    health,
    limits,
    live,
    measurements,
    portal,
    products,
    reports,
    run_questions,
    shipments,
    sign_in,
    sites,
    stock,
    stock_questions,
    trailers,
    trips,
    vehicles,
    yard,
)
from waystock_api.services import PASSWORD_CHECKS_AT_ONCE, REPORTS_AT_ONCE, Services
from waystock_api.settings import ApiSettings

log = structlog.get_logger()

GUARDED = (
    sites, products, stock, vehicles, shipments, alerts, devices, dead_letters,
    fences, limits, fleet_questions, day_questions, run_questions, measurements, stock_questions,
    drivers, trailers, assignments, trips, yard, reports,
    arrival_questions, portal,
)  # fmt: skip


def create_app(
    settings: ApiSettings,
    *,
    on_failure: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock_s: Callable[[], float] = time.monotonic,
    random: Random | None = None,
) -> FastAPI:
    """The app; nothing is connected before its lifespan begins.

    `on_failure` is called when the live picture can't go on: the process should end then.
    """
    services = _services(settings, now, clock_s, random or SystemRandom())

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with _running(services, on_failure):
            yield

    app = FastAPI(
        title="Waystock",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    app.add_middleware(Surroundings, metrics=services.metrics, clock_s=clock_s)
    problems.register(app)
    app.include_router(health.router)
    app.include_router(sign_in.router, prefix="/api/v1")
    app.include_router(live.router, prefix="/api/v1")
    app.include_router(_guarded(app), prefix="/api/v1")
    app.mount("/", Pages(settings.static_dir))
    return app


def _services(
    settings: ApiSettings, now: Callable[[], datetime], clock_s: Callable[[], float], random: Random
) -> Services:
    metrics = Metrics()
    store = StorePool(settings.database_url, "api")
    hub = Hub(f"{random.getrandbits(64):016x}", metrics, clock_s)
    loader = Loader(hub, store, now, random)
    client_id = f"waystock-api-{random.getrandbits(48):012x}"
    return Services(
        settings=settings,
        metrics=metrics,
        store=store,
        hub=hub,
        loader=loader,
        feed=Feed(hub, loader, settings.mqtt, client_id, now),
        login_limit=LoginLimit(clock_s, metrics.login_table_evicted.inc),
        password_checks=CapacityLimiter(PASSWORD_CHECKS_AT_ONCE),
        now=now,
        clock_s=clock_s,
        random_bytes=random.randbytes,
        report_slots=BoundedSemaphore(REPORTS_AT_ONCE),
    )


def _guarded(app: FastAPI) -> APIRouter:
    """Everything that only those signed in may ask; the guard is on the router, not the routes."""
    router = APIRouter(dependencies=[Depends(signed_in)])
    for resource in GUARDED:
        router.include_router(resource.router)

    @router.get("/openapi.json", include_in_schema=False)
    def openapi() -> dict[str, object]:  # pyright: ignore[reportUnusedFunction]
        return app.openapi()

    return router


@contextlib.asynccontextmanager
async def _running(services: Services, on_failure: Callable[[], None]) -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()
    services.store.open()
    services.hub.start(loop.call_later)
    loading = asyncio.create_task(services.loader.run())
    loading.add_done_callback(lambda task: _report_end(task, on_failure))
    services.feed.start(loop)
    try:
        yield
    finally:
        await run_in_threadpool(services.feed.stop)
        loading.cancel()
        await asyncio.wait([loading])
        await run_in_threadpool(services.store.close)


def _report_end(task: asyncio.Task[None], on_failure: Callable[[], None]) -> None:
    if task.cancelled():
        return
    log.error("live_picture_stopped", exc_info=task.exception())
    on_failure()
