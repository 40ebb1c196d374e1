"""Settings of the api and the worker, read from the environment once, in main.py and worker.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from waystock.contract.broker import BrokerAddress, parse_broker_url

DATABASE_URL_DEFAULT = "postgresql://localhost/waystock"
MQTT_URL_DEFAULT = "mqtt://localhost:1883"


class SettingsError(ValueError):
    """A setting can't be used; the text names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    database_url: str
    mqtt: BrokerAddress
    static_dir: Path
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may use a session cookie; empty: only those of the host asked."""
    beat_s: float = 5.0
    auth_wait_s: float = 5.0
    recheck_s: float = 30.0
    """How often a WebSocket's credential is looked up again."""
    slow_s: float = 30.0
    """How long a WebSocket client may leave a message unacknowledged."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    database_url: str
    mqtt: BrokerAddress


def api_settings(environment: Mapping[str, str]) -> ApiSettings:
    """Raises SettingsError."""
    origins = environment.get("WAYSTOCK_ALLOWED_ORIGINS", "")
    static_dir = environment.get("WAYSTOCK_STATIC_DIR") or str(files("waystock_api") / "static")
    return ApiSettings(
        database_url=environment.get("WAYSTOCK_DATABASE_URL") or DATABASE_URL_DEFAULT,
        mqtt=_broker(environment),
        static_dir=Path(static_dir),
        allowed_origins=tuple(text.strip().rstrip("/") for text in origins.split(",") if text),
    )


def worker_settings(environment: Mapping[str, str]) -> WorkerSettings:
    """Raises SettingsError."""
    if environment.get("WAYSTOCK_RETENTION_DAYS"):
        # Passed over in silence, it would let readings go that someone wanted to keep.
        raise SettingsError(
            "WAYSTOCK_RETENTION_DAYS is set, but it counts no more: the store itself knows how long"
            " each table is kept. `waystock db retention list|set`, then take it away"
        )
    return WorkerSettings(
        database_url=environment.get("WAYSTOCK_DATABASE_URL") or DATABASE_URL_DEFAULT,
        mqtt=_broker(environment),
    )


def _broker(environment: Mapping[str, str]) -> BrokerAddress:
    try:
        return parse_broker_url(environment.get("WAYSTOCK_MQTT_URL") or MQTT_URL_DEFAULT)
    except ValueError as error:
        raise SettingsError(f"WAYSTOCK_MQTT_URL: {error}") from error
