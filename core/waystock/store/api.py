"""The REST resources as rows: a table of resources, each with its query, its row and the key
that pages go by. Upstream: what ingest and the import wrote. Downstream: the routes of the api.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, LiteralString, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from waystock.contract.acks import STATUS_LEASE_S
from waystock.contract.identifiers import iso_utc
from waystock.store.connection import Database
from waystock.store.sql import queries

Key = tuple[str, ...]
"""The sort key of a row as text: what a page's cursor carries."""
Row = TypeVar("Row")


class UnusableValueError(ValueError):
    """A filter, identifier or cursor holds something the database can't read, such as a NUL."""


@dataclass(frozen=True, slots=True)
class Site:
    site: str
    name: dict[str, str]
    lat: float
    lon: float
    time_zone: str


@dataclass(frozen=True, slots=True)
class Product:
    gtin: str
    name: dict[str, str]
    lot_tracked: bool
    unit: str
    reorder_points: dict[str, int]
    """Site → quantity below which the product runs low there."""


@dataclass(frozen=True, slots=True)
class Position:
    """Quantity of one (location, gtin, lot, lpn); site and zone are null on a vehicle."""

    location: str
    site: str | None
    zone: str | None
    gtin: str
    lot: str
    lpn: str
    on_hand: int
    reserved: int
    changed_at: datetime
    captured_at: datetime | None


@dataclass(frozen=True, slots=True)
class Vehicle:
    vehicle: str
    plate: str
    lat: float | None
    lon: float | None
    speed_mps: float | None
    course_deg_true: float | None
    fix_time: datetime | None
    captured_at: datetime | None
    motion: Literal["moving", "stopped", "unknown"]
    at_fence: str | None
    shipment: str | None
    from_site: str | None
    next_stop: int | None
    destination: dict[str, str] | None
    remaining_m: float | None
    eta: datetime | None
    eta_p10: datetime | None
    eta_p90: datetime | None
    eta_model: Literal["learned", "pace", "straight_line"] | None
    """What `eta` rests on."""
    window_end: datetime | None
    late_s: float | None
    """Predicted arrival minus window end; negative is early, null is unknown (never "on time")."""
    off_route: bool
    load_units: int
    load_lpns: int
    driver: str | None
    trailer: str | None
    """Who drives it and what is behind it now."""
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix of a vehicle. WGS 84; doubtful ones are marked in `quality`, not left out."""

    time: datetime
    device: str
    lat: float
    lon: float
    speed_mps: float | None
    course_deg_true: float | None
    altitude_m: float | None
    accuracy_m: float | None
    quality: list[str]
    stream_id: int
    stream_offset: int


@dataclass(frozen=True, slots=True)
class Shipment:
    shipment: str
    vehicle: str
    plate: str
    from_site: str
    dock_door: str | None
    door_from: datetime | None
    door_to: datetime | None
    depart_at: datetime
    route: list[list[float]]
    """Planned way, [lon, lat] vertices, WGS 84."""
    planned_speed_mps: float
    next_stop: int | None
    remaining_m: float | None
    eta: datetime | None
    eta_p10: datetime | None
    eta_p90: datetime | None
    eta_model: Literal["learned", "pace", "straight_line"] | None
    late_s: float | None
    off_route: bool
    status: Literal["planned", "loading", "in_transit", "arrived", "closed"]
    lpns: list[str]
    orders: list[str]


@dataclass(frozen=True, slots=True)
class Stop:
    shipment: str
    seq: int
    name: dict[str, str]
    fence: str
    customer: str | None
    window_start: datetime
    window_end: datetime
    arrived_at: datetime | None
    eta: datetime | None
    """As it was told last, at the fix of `predicted_at`; null once it has arrived, and where
    nothing is known."""
    eta_p10: datetime | None
    eta_p90: datetime | None
    eta_model: Literal["learned", "pace", "straight_line"] | None
    predicted_at: datetime | None
    geometry: dict[str, Any]
    """GeoJSON of the fence."""


@dataclass(frozen=True, slots=True)
class AlertKey:
    alert_id: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    device: str
    kind: str
    biz_step: str
    read_point: str | None
    vehicle: str | None
    trailer: str | None
    """Where it is now, by its assignments."""
    gateway_site: str | None
    gateway: str | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Gateway:
    site: str
    gateway: str
    state: Literal["online", "offline", "silent", "unknown"]
    reported_at: datetime | None
    received_at: datetime | None
    queue_depth: int
    oldest_unsent_s: float
    rejects: dict[str, int]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    dead_letter_id: int
    received_at: datetime
    topic: str
    stream: UUID | None
    stream_offset: int | None
    stage: str
    reason: str
    payload_bytes: int
    payload_head: bytes


@dataclass(frozen=True, slots=True)
class Resource(Generic[Row]):
    """A list of the API: its query's name, its row, its filters, the key it is sorted by, and the
    file that the query is in."""

    query: LiteralString
    row: type[Row]
    filters: tuple[str, ...]
    key: Callable[[Row], Key]
    family: str = "api"


SITES = Resource("sites", Site, (), lambda row: (row.site,))
PRODUCTS = Resource("products", Product, ("gtin",), lambda row: (row.gtin,))
POSITIONS = Resource(
    "positions", Position, ("site", "location", "gtin", "lot", "lpn", "outside"),
    lambda row: (row.location, row.gtin, row.lot, row.lpn),
)  # fmt: skip
VEHICLES = Resource(
    "vehicles", Vehicle, ("vehicle", "site", "shipment", "motion", "off_route"),
    lambda row: (row.vehicle,),
)  # fmt: skip
TRACK = Resource(
    "track", Fix, ("vehicle", "since", "until"),
    lambda row: (iso_utc(row.time), str(row.stream_id), str(row.stream_offset)),
)  # fmt: skip
SHIPMENTS = Resource(
    "shipments", Shipment, ("shipment", "vehicle", "site", "lpn", "status", "since", "until"),
    lambda row: (row.shipment,),
)  # fmt: skip
ALERTS = Resource(
    "alerts", AlertKey,
    ("alert_id", "open", "type", "severity", "site", "subject", "since", "until"),
    lambda row: (iso_utc(row.opened_at), row.alert_id),
)  # fmt: skip
DEVICES = Resource(
    "devices", Device, ("device", "kind", "vehicle", "site"), lambda row: (row.device,)
)
GATEWAYS = Resource("gateways", Gateway, ("site",), lambda row: (row.site, row.gateway))
DEAD_LETTERS = Resource(
    "dead_letters", DeadLetter, ("stage", "since", "until"),
    lambda row: (iso_utc(row.received_at), str(row.dead_letter_id)),
)  # fmt: skip


def fetch_page(
    database: Database,
    resource: Resource[Row],
    filters: Mapping[str, object],
    after: Key | None,
    limit: int,
) -> tuple[list[Row], Key | None]:
    """At most `limit` rows behind the key `after`, and the key to go on from (None: that was all).

    Filters left out don't narrow. Raises UnusableValueError; KeyError for a filter it doesn't have.
    """
    unknown = set(filters) - set(resource.filters)
    if unknown:
        raise KeyError(f"{resource.query} has no filter {sorted(unknown)}")
    parameters: dict[str, object] = dict.fromkeys(resource.filters, cast(object, None))
    parameters |= filters
    parameters |= {"after": None if after is None else list(after), "limit": limit + 1}
    if resource is GATEWAYS:
        parameters["lease_s"] = STATUS_LEASE_S
    rows = _fetch(database, resource.family, resource.query, resource.row, parameters)
    more = len(rows) > limit
    return rows[:limit], resource.key(rows[limit - 1]) if more else None


def fetch_stops(database: Database, shipments: Collection[str]) -> dict[str, list[Stop]]:
    """The stops of each of these shipments, in order."""
    stops: dict[str, list[Stop]] = {shipment: [] for shipment in shipments}
    for stop in _fetch(database, "api", "stops", Stop, {"shipments": list(stops)}):
        stops[stop.shipment].append(stop)
    return stops


def fetch_shipment_sites(database: Database, shipments: Collection[str]) -> dict[str, str]:
    """Shipment → the site it leaves from, of those that are known."""
    parameters = {"shipments": sorted(shipments)}
    return dict(database.execute(queries("api")["shipment_sites"], parameters).fetchall())


def _fetch(
    database: Database,
    family: str,
    query: LiteralString,
    row: type[Row],
    parameters: Mapping[str, object],
) -> list[Row]:
    with database.cursor(row_factory=class_row(row)) as cursor:
        try:
            return cursor.execute(queries(family)[query], parameters).fetchall()
        except psycopg.DataError as error:
            raise UnusableValueError(f"a value in the request can't be used: {error}") from error
