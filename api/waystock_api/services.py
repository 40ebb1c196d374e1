"""What routes work with: made once by create_app, found again through the request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from waystock.store.pool import StorePool
from waystock_api.live.feed import Feed
from waystock_api.live.hub import Hub
from waystock_api.live.loader import Loader
from waystock_api.login_limit import LoginLimit
from waystock_api.metrics import Metrics
from waystock_api.settings import ApiSettings

PASSWORD_CHECKS_AT_ONCE = 2
"""Each takes 32 MiB and a core for some 60 ms."""
PASSWORD_CHECKS_WAITING_MAX = 16
REPORTS_AT_ONCE = 2
"""Each holds one of the pool's connections for as long as it is made."""


@dataclass(frozen=True, slots=True)
class Services:
    settings: ApiSettings
    metrics: Metrics
    store: StorePool
    hub: Hub
    loader: Loader
    feed: Feed
    login_limit: LoginLimit
    password_checks: CapacityLimiter
    now: Callable[[], datetime]
    clock_s: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    report_slots: BoundedSemaphore


def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that this request or WebSocket reached."""
    return cast(Services, connection.app.state.services)


ServicesOfApp = Annotated[Services, Depends(services_of)]
