"""Live deltas: what ingest (and the api, after a command) publishes after commit, and what the hub
passes on to screens. The field names are those that reach the browser.

One message carries entities of one (site, stream). `seq` grows by one per message of a publisher's
`epoch` on that topic: a gap or a new epoch means "reload from the store". Each entity has a `key`
and a `version` that only grows for that key (the store's clock in µs at commit): older versions are
thrown away, so messages may arrive in any order and more than once.
"""

from typing import Literal

import msgspec

from waystock.contract.identifiers import Utc
from waystock.contract.reading import read


class _Entity(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    version: int
    captured_at: Utc | None = None
    """Capture time of the newest reading that led to this state; None where no reading did."""
    gone: bool = False


class StockEntity(_Entity, frozen=True, kw_only=True):
    """Stock of one product at one site; key `{site}/{gtin}`."""

    site: str
    gtin: str
    on_hand: int
    reserved: int = 0
    by_zone: dict[str, int] = {}
    """Zone code → quantity on hand there (dock, staging, reserve, pick …)."""
    reorder_point: int | None = None


class TransitEntity(_Entity, frozen=True, kw_only=True):
    """One vehicle, its fix, and what it carries; key = vehicle."""

    vehicle: str
    plate: str
    lat: float | None
    lon: float | None
    speed_mps: float | None
    course_deg_true: float | None
    fix_time: Utc | None
    motion: Literal["moving", "stopped", "unknown"]
    at_fence: str | None = None
    """Code of the geofence the vehicle is in (innermost), if any."""
    shipment: str | None = None
    destination: str | None = None
    """Name of the next stop, English."""
    destination_zh: str | None = None
    """The same in Chinese."""
    remaining_m: float | None = None
    eta: Utc | None = None
    eta_p10: Utc | None = None
    eta_p90: Utc | None = None
    eta_model: Literal["learned", "pace", "straight_line"] | None = None
    """What `eta` rests on: finished trips of the same way, planned and own pace, the straight line.
    """
    window_end: Utc | None = None
    late_s: float | None = None
    """Predicted arrival minus window end; negative is early, None is unknown (never "on time")."""
    off_route: bool = False
    load_units: int = 0
    load_lpns: int = 0
    orders: tuple[str, ...] = ()


class AlertEntity(_Entity, frozen=True, kw_only=True):
    """One alert episode; key = alert_id."""

    type: str
    """One of waystock.alerts.types: shipment.late_predicted, stock.low …"""
    severity: Literal["critical", "warning", "info"]
    state: Literal["open", "cleared"]
    site: str | None
    subject: str
    """What it is about: a shipment, vehicle, lpn, purchase order, or `{site}/{gtin}`."""
    opened_at: Utc
    cleared_at: Utc | None = None
    figures: dict[str, float | str] = {}
    """The numbers that made the alert; names carry their units."""
    orders: tuple[str, ...] = ()
    """Sales orders that it hits, most urgent first."""
    text: dict[str, str] = {}
    """A sentence an operator would say, by language: `en`, `zh`."""


class MovementEntity(_Entity, frozen=True, kw_only=True):
    """One ledger movement, for the ticker; key = its deterministic id."""

    occurred_at: Utc
    biz_step: str
    from_location: str
    to_location: str
    gtin: str
    lot: str
    lpn: str
    quantity: int


class HealthEntity(_Entity, frozen=True, kw_only=True):
    """One gateway or device; key `{site}/{gateway}` or `{site}/{gateway}/{device}`."""

    site: str
    gateway: str
    device: str | None
    state: Literal["online", "offline", "silent", "unknown"]
    last_seen: Utc | None
    values: dict[str, float] = {}


class KpiEntity(_Entity, frozen=True, kw_only=True):
    """One figure; key `{site}/{name}`."""

    site: str
    name: str
    value: float
    unit: str


Entity = StockEntity | TransitEntity | AlertEntity | MovementEntity | HealthEntity | KpiEntity


class LiveMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out on `waystock/v1/live/{site}/{stream}`; `entities` are of that stream's type."""

    v: Literal[1] = 1
    publisher: str
    epoch: str
    seq: int
    sent_at: Utc
    entities: tuple[msgspec.Raw, ...]


ENTITY_TYPES: dict[str, type[Entity]] = {
    "stock": StockEntity,
    "transit": TransitEntity,
    "alerts": AlertEntity,
    "movements": MovementEntity,
    "health": HealthEntity,
    "kpi": KpiEntity,
}

_encoder = msgspec.json.Encoder()
_message_decoder = msgspec.json.Decoder(LiveMessage)


def encode_entity(entity: Entity) -> msgspec.Raw:
    """JSON of one entity, encoded once and then copied wherever it goes."""
    return msgspec.Raw(_encoder.encode(entity))


def encode_gone(key: str, version: int) -> msgspec.Raw:
    """JSON that says an entity is no more: `{"key", "version", "gone": true}`."""
    return msgspec.Raw(_encoder.encode({"key": key, "version": version, "gone": True}))


def encode_live(message: LiveMessage) -> bytes:
    """JSON of a live message."""
    return _encoder.encode(message)


def decode_live(payload: bytes) -> LiveMessage:
    """Raises msgspec.DecodeError or ValidationError."""
    return read(_message_decoder, payload)
