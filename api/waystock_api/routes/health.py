"""Whether this process lives, whether it can serve, and what it has counted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from waystock.store.pool import StoreAwayError
from waystock_api.access import signed_in
from waystock_api.live.loader import LOADED_STREAMS
from waystock_api.paging import NoQuery
from waystock_api.services import Services, ServicesOfApp

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives. Says nothing of what it depends on."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "`missing` says what is not there yet"}})
async def readyz(services: ServicesOfApp) -> Response:
    """Whether the database is there and migrated, the broker connected, the picture loaded."""
    missing = await run_in_threadpool(_missing_of_store, services)
    if not services.feed.connected:
        missing["broker"] = "not connected"
    unloaded = sorted(set(LOADED_STREAMS) - services.loader.loaded)
    if unloaded:
        missing["picture"] = f"not loaded yet: {', '.join(unloaded)}"
    if missing:
        return JSONResponse({"status": "not ready", "missing": missing}, 503)
    return JSONResponse({"status": "ready", "missing": {}})


def _missing_of_store(services: Services) -> dict[str, str]:
    try:
        unseen = services.store.pending_migrations()
    except StoreAwayError:
        return {"database": "can't be asked"}
    if unseen:
        return {"database": f"not migrated ({len(unseen)} pending): run `waystock db migrate`"}
    return {}


@router.get("/metrics", dependencies=[Depends(signed_in)], response_class=Response)
def metrics(services: ServicesOfApp, _query: Annotated[NoQuery, Query()]) -> Response:
    """Prometheus text form. Scrape it with an API token."""
    text = generate_latest(services.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
