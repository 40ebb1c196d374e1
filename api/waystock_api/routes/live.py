"""The WebSocket: finds out who is there, then hands over to a Session."""

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from waystock.store.pool import StoreAwayError
from waystock_api.access import (
    COOKIE,
    Principal,
    bearer_token,
    principal_of_cookie,
    principal_of_hash,
    principal_of_token,
)
from waystock_api.live.protocol import CLOSE_AUTH, CLOSE_TRY_LATER
from waystock_api.live.session import Close, Session, SignIn
from waystock_api.origins import origin_allowed
from waystock_api.services import Services, services_of

CLOSE_WAIT_S = 1.0

router = APIRouter()


@router.websocket("/live")
async def live(websocket: WebSocket) -> None:
    """The live protocol; see the dashboard's client and live/protocol.py."""
    services = services_of(websocket)
    await websocket.accept()
    principal = await _principal(services, websocket)
    if isinstance(principal, Close):
        close: Close | None = principal
    else:
        session = Session(
            websocket, services.hub, _sign_in(services), services.settings, services.now
        )
        close = await session.run(principal)
    if close is not None:
        services.metrics.ws_closed.labels(close.code).inc()
        # A client that doesn't read can't be told; the connection is dropped all the same.
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSE_WAIT_S):
                await websocket.close(close.code, close.reason)


async def _principal(services: Services, websocket: WebSocket) -> Principal | Close | None:
    """Who the handshake's cookie or bearer token stands for; None: the first message must say."""
    token = bearer_token(websocket.headers.get("authorization"))
    cookie = websocket.cookies.get(COOKIE)
    try:
        if token is not None:
            found = await run_in_threadpool(principal_of_token, services.store, token)
            return found or Close(CLOSE_AUTH, "this token is not valid")
        if not cookie:
            return None
        origin, host = websocket.headers.get("origin"), websocket.headers.get("host")
        if not origin_allowed(origin, host, services.settings.allowed_origins):
            return Close(CLOSE_AUTH, "pages of this origin may not use the server's sign-in")
        return await run_in_threadpool(principal_of_cookie, services.store, cookie)
    except StoreAwayError:
        return Close(CLOSE_TRY_LATER, "the database can't be asked now")


def _sign_in(services: Services) -> SignIn:
    async def by_token(token: str) -> Principal | None:
        return await run_in_threadpool(principal_of_token, services.store, token)

    async def again(principal: Principal) -> Principal | None:
        return await run_in_threadpool(
            principal_of_hash, services.store, principal.by, principal.credential_hash
        )

    return SignIn(by_token, again)
