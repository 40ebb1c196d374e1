"""Around every answer: it is counted by route template and status, and carries the security
headers.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waystock_api.metrics import Metrics

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        # MapLibre starts its worker from a blob where the page doesn't name a file for it.
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(self)",
}


class Surroundings:
    """ASGI middleware: counts HTTP answers and adds headers. WebSockets pass through."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock_s: Callable[[], float]) -> None:
        self._app = app
        self._metrics = metrics
        self._clock_s = clock_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock_s()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            route = _template(scope)
            self._metrics.http_requests.labels(route, scope["method"], status).inc()
            self._metrics.http_seconds.labels(route).observe(self._clock_s() - began_s)


def _template(scope: Scope) -> str:
    """The route's template, so that the label's values stay few; all pages are one."""
    template = getattr(scope.get("route"), "path", None)
    if not template:
        return "pages"
    # The path of a route in a nested router lacks the prefixes: they are the segments before it.
    segments = scope["path"].split("/")
    prefix = segments[: max(0, len(segments) - template.count("/"))]
    return "/".join(prefix) + template
