"""Whether a page's origin may use the session cookie: the guard against requests forged by other
sites, beside the cookie's SameSite=Strict.
"""

from urllib.parse import urlsplit


def origin_allowed(origin: str | None, host: str | None, allowed: tuple[str, ...]) -> bool:
    """True for an allowed origin, the host's own where none is configured, and no origin at all.

    Browsers send Origin with every WebSocket and every state-changing request; a caller without
    one is no browser, so nobody's cookie can be abused through it.
    """
    if origin is None:
        return True
    if allowed:
        return origin.rstrip("/") in allowed
    return bool(host) and urlsplit(origin).netloc.lower() == (host or "").lower()
