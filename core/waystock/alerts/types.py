"""The kinds of alert, how grave each is, and how an episode is named. Upstream: the rules of fleet,
stock and ingest; downstream: alert rows, their sentences, and the screens that order them.
"""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from waystock.contract.identifiers import iso_utc

Severity = Literal["critical", "warning", "info"]

_NAMESPACE = UUID("6f1f2d0e-5b0b-5c8e-9d57-3a4f9c1b7e52")


class AlertType(NamedTuple):
    """One kind of alert. `figures` are the numbers and names that its sentence can use; each may be
    missing. Instants are ISO 8601 text; any type may add `time_zone` (IANA) and `plate`.
    """

    type: str
    severity: Severity
    subject: str
    figures: tuple[str, ...]


_OF_FENCE = ("fence", "fence_en", "fence_zh")
_OF_ROAD = ("vehicle", "plate", "time_zone", "ended")
_OF_STOP = ("destination_en", "destination_zh")
_OF_LOAD = ("units", "pallets", *_OF_ROAD)

ALERT_TYPES: tuple[AlertType, ...] = (
    AlertType(
        "shipment.late_predicted",
        "critical",
        "shipment",
        (
            "vehicle",
            "seq",
            "destination_en",
            "destination_zh",
            "late_s",
            "late_min",
            "eta",
            "window_end",
            "remaining_m",
            "pace_mps",
            "model",
            "cause",  # late_departure | halt | detour | service | slow
            "units",
            "pallets",
            "plate",
            "time_zone",
            "ended",  # recovered | arrived | shipment_over, once it is cleared
        ),
    ),
    AlertType(
        "vehicle.off_route",
        "critical",
        "vehicle",
        (
            "vehicle",
            "shipment",
            "distance_m",
            "limit_m",
            "lat",
            "lon",
            "plate",
            "time_zone",
            "ended",
        ),
    ),
    AlertType(
        "vehicle.no_go", "critical", "vehicle", (*_OF_FENCE, "inside_s", "lat", "lon", *_OF_ROAD)
    ),
    AlertType(
        "vehicle.temperature",
        "critical",
        "vehicle",
        (
            "device",
            "value_c",  # the farthest from the band
            "low_c",
            "high_c",
            "lasted_s",
            "limit_s",
            *_OF_ROAD,
        ),
    ),
    AlertType(
        "shipment.no_show",
        "critical",
        "shipment/stop",
        ("shipment", "seq", *_OF_STOP, "window_end", "last_seen", *_OF_LOAD),
    ),
    AlertType(
        "shipment.stop_missed",
        "critical",
        "shipment/stop",
        ("shipment", "seq", *_OF_STOP, "window_end", *_OF_LOAD),
    ),
    AlertType(
        "shipment.late_departure",
        "warning",
        "shipment",
        ("site_en", "site_zh", "depart_at", "busy_with", "last_seen", *_OF_LOAD),
    ),
    AlertType(
        "load.wrong_vehicle",
        "critical",
        "lpn",
        ("lpn", "vehicle", "loaded_on", "belongs_on", "shipment", "door"),
    ),
    AlertType("portal.undecided", "warning", "lpn", ("lpn", "door", "reason")),
    AlertType(
        "dock.wrong_vehicle",
        "warning",
        "vehicle",
        ("vehicle", "plate", "door", "expected_vehicle", "expected_plate", "shipment"),
    ),
    AlertType(
        "receipt.short",
        "warning",
        "purchase_order",
        (
            "expected",
            "received",
            "missing",
            "gtin",
            "product_en",
            "product_zh",
            "supplier_en",
            "supplier_zh",
        ),
    ),
    AlertType(
        "stock.low",
        "warning",
        "site/gtin",
        (
            "gtin",
            "product_en",
            "product_zh",
            "on_hand",
            "reorder_point",
            "site_en",
            "site_zh",
            "expected",
        ),
    ),
    AlertType(
        "vehicle.unplanned_stop",
        "warning",
        "vehicle",
        ("shipment", "stopped_s", "limit_s", "lat", "lon", *_OF_ROAD),
    ),
    AlertType(
        "vehicle.dwell",
        "warning",
        "vehicle",
        (*_OF_FENCE, "dwell_s", "limit_s", "detention_s", "lat", "lon", *_OF_ROAD),
    ),
    AlertType(
        "vehicle.speeding",
        "warning",
        "vehicle",
        (*_OF_FENCE, "speed_mps", "limit_mps", "lat", "lon", *_OF_ROAD),
    ),
    AlertType("vehicle.off_hours", "warning", "vehicle", ("distance_m", "lat", "lon", *_OF_ROAD)),
    AlertType("vehicle.no_shipment", "warning", "vehicle", ("distance_m", "lat", "lon", *_OF_ROAD)),
    AlertType(
        "vehicle.door_open",
        "warning",
        "vehicle",
        ("device", "open_s", "limit_s", *_OF_ROAD),
    ),
    AlertType(
        "gps.silent",
        "warning",
        "vehicle",
        # While it lasts there is no length of it yet.
        ("silent_s", "limit_s", "last_seen", "lat", "lon", *_OF_ROAD),
    ),
    AlertType("gps.jump", "info", "vehicle", ("distance_m", "jumps", "lat", "lon", *_OF_ROAD)),
    AlertType("gps.frozen", "warning", "vehicle", ("frozen_s", "lat", "lon", *_OF_ROAD)),
    AlertType("gateway.silent", "warning", "site/gateway", ("silent_s", "last_seen")),
    AlertType("ingest.dead_letter", "warning", "site/gateway", ("count", "reason")),
    # One for all that wait for a person, wherever they came from; `more` where count is a limit.
    AlertType(
        "system.dead_letters", "warning", "dead-letters", ("count", "more", "reason", "gateway")
    ),
)
"""In the order in which they matter."""

_RANKS = {alert.type: rank for rank, alert in enumerate(ALERT_TYPES)}


def severity_of(alert_type: str) -> Severity:
    """How grave; KeyError if there is no such type."""
    return ALERT_TYPES[_RANKS[alert_type]].severity


def rank_of(alert_type: str) -> int:
    """Place in the order of importance, 0 first; unknown types come last."""
    return _RANKS.get(alert_type, len(ALERT_TYPES))


def alert_id(alert_type: str, subject: str, opened_at: datetime) -> str:
    """The name of one episode: the same facts always give the same 32 hex digits."""
    return uuid5(_NAMESPACE, f"{alert_type}\n{subject}\n{iso_utc(opened_at)}").hex
