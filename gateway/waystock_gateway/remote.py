"""Orders from afar: restart, or a new configuration, by a message that is signed with a secret that
the local configuration names; without one no order is listened to. HMAC-SHA256 over topic and
body, so that an order for one gateway is none for another; its serial only grows, so that an order
counts once. Upstream: `uplink`; downstream: the settings file and `gateway`.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog

from waystock.contract.reading import read
from waystock_gateway.errors import SettingsError
from waystock_gateway.settings import Settings, load_settings

SECRET_BYTES_MIN = 32
ORDER_BYTES_MAX = 200_000
SERIAL_FILE = "remote-serial"
Action = Literal["restart", "configure"]

_log = structlog.get_logger(__name__)


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed."""

    action: Action
    serial: Annotated[int, msgspec.Meta(ge=1, le=2**62)]
    """Higher than that of every order before; the sender takes milliseconds since 1970."""
    settings: str = ""
    """The whole TOML file, for `configure`."""


class SignedOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What travels."""

    body: str
    """JSON of an Order."""
    hmac_sha256: str
    """Hex."""


class OrderRefusedError(Exception):
    """An order that is not obeyed, and why."""


_order_decoder = msgspec.json.Decoder(Order)
_signed_decoder = msgspec.json.Decoder(SignedOrder)


def read_secret(path: Path) -> bytes:
    """The secret's file as it is; SettingsError where it can't be read or is too short."""
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"remote.key_file: {path} can't be read: {error.strerror}") from error
    if len(secret) < SECRET_BYTES_MIN:
        raise SettingsError(f"remote.key_file: {path} needs {SECRET_BYTES_MIN} characters or more")
    return secret


def sign(order: Order, topic: str, secret: bytes) -> bytes:
    """The message for `topic`."""
    body = msgspec.json.encode(order).decode()
    return msgspec.json.encode(SignedOrder(body=body, hmac_sha256=_mac(topic, body, secret)))


class Remote:
    """Obeys the orders of one topic. Called in the uplink's thread."""

    def __init__(
        self,
        topic: str,
        secret: bytes,
        settings_file: Path,
        serial_file: Path,
        ask: Callable[[Literal["stop", "reload"]], None],
    ) -> None:
        self.topic = topic
        self._secret = secret
        self._settings_file = settings_file
        self._serial_file = serial_file
        self._ask = ask

    def receive(self, payload: bytes) -> None:
        """Obey, or say why not."""
        try:
            order = self._verified(payload)
            if order.action == "configure":
                self._configure(order.settings)
            self._ask("stop" if order.action == "restart" else "reload")
        except (OrderRefusedError, SettingsError, OSError) as error:
            _log.error("order_refused", reason=str(error))
        else:
            _log.warning("order_obeyed", action=order.action, serial=order.serial)

    def _verified(self, payload: bytes) -> Order:
        """The order; its serial is on disk before it is obeyed, so that a restart forgets none."""
        try:
            if len(payload) > ORDER_BYTES_MAX:
                raise OrderRefusedError("too long")
            signed = read(_signed_decoder, payload)
            if not hmac.compare_digest(
                _mac(self.topic, signed.body, self._secret), signed.hmac_sha256
            ):
                raise OrderRefusedError("wrong signature")
            order = read(_order_decoder, signed.body)
        except (msgspec.DecodeError, TypeError) as error:
            raise OrderRefusedError(f"no order: {error}") from error
        if order.serial <= self._last_serial():
            raise OrderRefusedError(f"serial {order.serial} has been used")
        _replace(self._serial_file, str(order.serial))
        return order

    def _last_serial(self) -> int:
        if not self._serial_file.exists():
            return 0
        try:
            return int(self._serial_file.read_text())
        except ValueError as error:
            raise OrderRefusedError(f"{self._serial_file} is spoilt: remove it by hand") from error

    def _configure(self, text: str) -> None:
        """Put the new file in place of the old one once it is checked. Who may give orders, and
        whose gateway this is, is changed on the spot alone."""
        fresh = self._settings_file.with_name(self._settings_file.name + ".ordered")
        try:
            _replace(fresh, text)
            old, new = load_settings(self._settings_file), load_settings(fresh)
            if _identity(old) != _identity(new):
                raise OrderRefusedError("site, gateway and [remote] can't be changed from afar")
            fresh.replace(self._settings_file)
        finally:
            fresh.unlink(missing_ok=True)


def _identity(settings: Settings) -> tuple[object, ...]:
    return settings.gateway.site, settings.gateway.gateway, settings.remote


def _mac(topic: str, body: str, secret: bytes) -> str:
    return hmac.new(secret, f"{topic}\n{body}".encode(), hashlib.sha256).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write whole and fsynced, or not at all."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
