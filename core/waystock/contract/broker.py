"""The address of an MQTT broker, as every component takes it: one URL."""

from urllib.parse import unquote, urlsplit

import msgspec

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
WEBSOCKET_PATH = "/mqtt"


class BrokerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An MQTT broker and who we are there."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    websocket_path: str | None = None
    """MQTT inside a WebSocket, at this path of the server; None: MQTT by itself."""


def parse_broker_url(url: str, *, websockets: bool = False) -> BrokerAddress:
    """`mqtt://user:password@host:port`, or `mqtts://` for TLS; with `websockets` also
    `ws://host:port/path` and `wss://…` (without a path: WEBSOCKET_PATH).

    ValueError otherwise, saying what is wrong without repeating the password.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_websocket = websockets and parts.scheme in {"ws", "wss"}
    is_known = is_websocket or parts.scheme in {"mqtt", "mqtts"}
    if not is_known or not parts.hostname or port == -1:
        raise ValueError(
            f"broker address {_without_account(url)!r} is not like mqtt://user:password@host:1883"
        )
    return BrokerAddress(
        host=parts.hostname,
        port=port or DEFAULT_PORTS[parts.scheme],
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=parts.scheme in {"mqtts", "wss"},
        websocket_path=(parts.path or WEBSOCKET_PATH) if is_websocket else None,
    )


def _without_account(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…{at}{tail}" if at else url
