"""Signing in and out with a password. The session's token lives in a cookie that scripts can't
read; what the store keeps of it is a hash.
"""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from waystock.store.accounts import Account, Role, account_for_sign_in, end_session, put_session
from waystock_api.access import COOKIE, SignedIn, refuse_foreign_origin
from waystock_api.paging import NoQuery
from waystock_api.passwords import (
    PASSWORD_CHARS_MAX,
    hash_password,
    password_matches,
    token_hash,
    token_text,
)
from waystock_api.services import PASSWORD_CHECKS_WAITING_MAX, Services, ServicesOfApp

SESSION_LIFE_S = 7 * 24 * 3600
NOBODY_HASH = hash_password("nobody's password", b"no salt is needed")
"""Checked where there is no such account, so that the answer takes as long."""

router = APIRouter(tags=["sign-in"])


class Login(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_CHARS_MAX)]


class Me(BaseModel):
    user: str
    role: Role


@router.post("/login", responses={401: {}, 429: {"description": "Wait `Retry-After` seconds"}})
async def login(
    login: Login,
    request: Request,
    response: Response,
    services: ServicesOfApp,
    _query: Annotated[NoQuery, Query()],
) -> Me:
    """Sign in; the answer sets the session cookie."""
    refuse_foreign_origin(request)
    address = request.client.host if request.client else ""
    _refuse_too_many(services, login.username, address)
    # Counted before the check, so that many at once can't slip through.
    services.login_limit.failed(login.username, address)
    account = await run_in_threadpool(_account, services, login.username)
    stored = account.password_hash if account else NOBODY_HASH
    right = await to_thread.run_sync(
        password_matches, login.password, stored, limiter=services.password_checks
    )
    if account is None or not right:
        services.metrics.logins.labels("refused").inc()
        raise HTTPException(401, "The user name or the password is wrong.")
    services.login_limit.succeeded(login.username, address)
    services.metrics.logins.labels("accepted").inc()
    token = token_text(services.random_bytes(32))
    await run_in_threadpool(_begin_session, services, token, account.username)
    response.set_cookie(
        COOKIE, token, max_age=SESSION_LIFE_S, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return Me(user=account.username, role=account.role)


@router.post("/logout", status_code=204)
def logout(
    principal: SignedIn, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> Response:
    """End the session. A token is not ended by this: an administrator revokes it."""
    if principal.by == "cookie":
        with services.store.connection() as database:
            end_session(database, principal.credential_hash)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/me")
def me(principal: SignedIn, _query: Annotated[NoQuery, Query()]) -> Me:
    """Whom the credential stands for; for a token, `user` is its name."""
    return Me(user=principal.name, role=principal.role)


def _refuse_too_many(services: Services, username: str, address: str) -> None:
    wait_s = services.login_limit.wait_s(username, address)
    waiting = services.password_checks.statistics().tasks_waiting
    if wait_s == 0 and waiting >= PASSWORD_CHECKS_WAITING_MAX:
        wait_s = 1.0
    if wait_s > 0:
        services.metrics.logins.labels("limited").inc()
        seconds = int(wait_s) + 1
        raise HTTPException(
            429,
            f"Too many attempts to sign in. Try again in {seconds} s.",
            {"Retry-After": str(seconds)},
        )


def _account(services: Services, username: str) -> Account | None:
    with services.store.connection() as database:
        return account_for_sign_in(database, username)


def _begin_session(services: Services, token: str, username: str) -> None:
    with services.store.connection() as database:
        put_session(database, token_hash(token), username, SESSION_LIFE_S)
