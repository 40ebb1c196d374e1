"""Who is asking: a session cookie or a bearer token becomes a Principal, or nobody. Used by every
route but health and login, and by the WebSocket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, HTTPException, Request

from waystock.store.accounts import Role, find_session, find_token
from waystock.store.pool import StorePool
from waystock_api.origins import origin_allowed
from waystock_api.passwords import token_hash
from waystock_api.services import services_of

COOKIE = "waystock_session"
RANK: dict[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a credential stands for, and which credential it was."""

    name: str
    role: Role
    by: Literal["cookie", "token"]
    credential_hash: bytes


def principal_of_cookie(store: StorePool, cookie: str) -> Principal | None:
    """The signed-in user behind a session cookie; raises StoreAwayError."""
    return principal_of_hash(store, "cookie", token_hash(cookie))


def principal_of_token(store: StorePool, token: str) -> Principal | None:
    """The holder of an API token (a session's token will not do); raises StoreAwayError."""
    return principal_of_hash(store, "token", token_hash(token))


def principal_of_hash(
    store: StorePool, by: Literal["cookie", "token"], credential_hash: bytes
) -> Principal | None:
    """Looks the credential up again: it may have ended since. Raises StoreAwayError."""
    find = find_session if by == "cookie" else find_token
    with store.connection() as database:
        holder = find(database, credential_hash)
    return None if holder is None else Principal(holder.name, holder.role, by, credential_hash)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def signed_in(request: Request) -> Principal:
    """Dependency of every guarded route: 401 without a credential that is valid now.

    403 where a page of a foreign origin tries to change something with somebody's cookie.
    """
    services = services_of(request)
    token = bearer_token(request.headers.get("authorization"))
    cookie = request.cookies.get(COOKIE)
    principal = None
    if token is not None:
        principal = principal_of_token(services.store, token)
    elif cookie:
        principal = principal_of_cookie(services.store, cookie)
    if principal is None:
        raise HTTPException(
            401,
            "Sign in first: POST /api/v1/login, or send an API token as Authorization: Bearer.",
            {"WWW-Authenticate": "Bearer"},
        )
    if principal.by == "cookie" and request.method not in SAFE_METHODS:
        refuse_foreign_origin(request)
    return principal


def refuse_foreign_origin(request: Request) -> None:
    """403 unless the request comes from a page of ours, or from no page at all."""
    origin, host = request.headers.get("origin"), request.headers.get("host")
    if not origin_allowed(origin, host, services_of(request).settings.allowed_origins):
        raise HTTPException(403, f"Pages of {origin} may not use this server's sign-in.")


SignedIn = Annotated[Principal, Depends(signed_in)]


def needs(role: Role) -> Callable[[Principal], Principal]:
    """Dependency: 403 for a role below `role`."""

    def check(principal: SignedIn) -> Principal:
        if RANK[principal.role] < RANK[role]:
            raise HTTPException(403, f"This needs the role {role}; you have {principal.role}.")
        return principal

    return check
