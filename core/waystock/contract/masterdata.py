"""The master-data document: sites, products, devices, fences, orders, shipments, opening stock, in
one JSON file. `waystock db import FILE` loads it; the simulated world writes one; a new user fills
one in by hand. Importing the same document again changes nothing.

Location codes: `{site}/{place}` in a warehouse, `vehicle/{vehicle}`, `supplier/{party}`,
`customer/{party}`, `adjustment/{reason}`. Geometry is GeoJSON, WGS 84, [lon, lat].
"""

from typing import Annotated, Any, Literal

import msgspec

from waystock.contract.events import Latitude, Longitude
from waystock.contract.identifiers import Name, Utc
from waystock.contract.reading import read

Gtin = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{14}(?!\n)$")]
Sscc = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{18}(?!\n)$")]
Gln = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}(?!\n)$")]
LocationCode = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9-]+/[A-Za-z0-9._-]+(?!\n)$", max_length=96)
]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""In the product's smallest unit."""
Words = dict[Literal["en", "zh"], str]
"""A name in each language of the product."""

BizStep = Literal["receiving", "storing", "picking", "loading", "unloading", "tracking"]
"""What a scan at this device means (CBV names; `tracking` for GPS units)."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Site(_Record, frozen=True, kw_only=True):
    site: Name
    name: Words
    lat: Latitude
    lon: Longitude
    time_zone: str = "UTC"


class Location(_Record, frozen=True, kw_only=True):
    """A place in a warehouse. Its barcode is (414)gln(254)gln_extension."""

    location: LocationCode
    site: Name
    zone: str
    """dock | staging | reserve | pick | … — as the site calls it; screens group by it."""
    gln: Gln
    gln_extension: str


class Product(_Record, frozen=True, kw_only=True):
    gtin: Gtin
    name: Words
    lot_tracked: bool = False
    """False: the ledger keys this product by lot ''."""
    unit: str = "piece"


class ReorderPoint(_Record, frozen=True, kw_only=True):
    """Below `reorder_point` on hand at `site` (all but what is on vehicles): low stock."""

    site: Name
    gtin: Gtin
    reorder_point: Quantity


class Party(_Record, frozen=True, kw_only=True):
    """A supplier or customer."""

    party: Name
    role: Literal["supplier", "customer"]
    name: Words


class Vehicle(_Record, frozen=True, kw_only=True, omit_defaults=True):
    vehicle: Name
    plate: str
    carrier: str | None = None
    """Who runs it; accuracy of arrival times is told by carrier, too."""


class Gateway(_Record, frozen=True, kw_only=True):
    """`site` is the topic's first name; a gateway for trucks may use `fleet`."""

    site: Name
    gateway: Name


class Device(_Record, frozen=True, kw_only=True):
    """What stands at the end of a cable and what its readings mean."""

    device: Name
    kind: Literal["scanner", "rfid", "gps", "sensor"]
    biz_step: BizStep
    read_point: LocationCode | None = None
    """Where it is fixed: the dock door of a portal, the dock of a receiving scanner."""
    vehicle: Name | None = None


class Fence(_Record, frozen=True, kw_only=True, omit_defaults=True):
    fence: Name
    name: Words
    kind: Literal["site", "customer", "zone", "corridor", "no_go"]
    site: Name | None = None
    dwell_limit_s: Annotated[float, msgspec.Meta(ge=60)] | None = None
    """A vehicle that stays longer is detained; None: the fleet's free time at a customer's, and no
    limit elsewhere."""
    speed_limit_mps: Annotated[float, msgspec.Meta(ge=1)] | None = None
    geometry: dict[str, Any]
    """GeoJSON Polygon or MultiPolygon; a circle is a Point with the member `radius_m`, a corridor a
    LineString or MultiLineString with the member `width_m`, from edge to edge."""


class OrderLine(_Record, frozen=True, kw_only=True):
    gtin: Gtin
    quantity: Quantity


class AsnPallet(_Record, frozen=True, kw_only=True):
    """A pallet announced by the supplier."""

    sscc: Sscc
    gtin: Gtin
    lot: str
    quantity: Quantity


class PurchaseOrder(_Record, frozen=True, kw_only=True):
    purchase_order: str
    supplier: Name
    site: Name
    expected_at: Utc
    lines: tuple[OrderLine, ...]
    pallets: tuple[AsnPallet, ...] = ()


class SalesOrder(_Record, frozen=True, kw_only=True):
    sales_order: str
    customer: Name
    site: Name
    """Where it ships from."""
    promised_at: Utc
    priority: int = 5
    """1 is the most urgent."""
    lines: tuple[OrderLine, ...]
    shipment: str | None = None


class ShipmentStop(_Record, frozen=True, kw_only=True):
    seq: int
    name: Words
    fence: Name
    """Arrival is the first fix inside this fence."""
    customer: Name | None = None
    window_start: Utc
    window_end: Utc


class Shipment(_Record, frozen=True, kw_only=True):
    shipment: str
    vehicle: Name
    from_site: Name
    dock_door: LocationCode | None = None
    """The door where the vehicle stands from `door_from` to `door_to`: what a portal there loads
    goes onto this vehicle."""
    door_from: Utc | None = None
    door_to: Utc | None = None
    depart_at: Utc
    route: tuple[tuple[float, float], ...]
    """Planned way as [lon, lat] vertices, from the site to the last stop."""
    planned_speed_mps: float = 16.7
    stops: tuple[ShipmentStop, ...]
    lpns: tuple[Sscc, ...] = ()
    """Outbound pallets that belong on it."""
    closed_at: Utc | None = None
    """Called off, or over without its last stop: from then on the vehicle is free for the next."""


class OpeningStock(_Record, frozen=True, kw_only=True):
    """What lies where before the first reading; booked as a movement from `adjustment/opening`."""

    location: LocationCode
    gtin: Gtin
    lot: str = ""
    lpn: str = ""
    """SSCC of the pallet it is on, or '' for loose stock in a bin."""
    quantity: Quantity
    as_of: Utc


class MasterData(_Record, frozen=True, kw_only=True):
    """The whole document."""

    v: Literal[1] = 1
    sites: tuple[Site, ...] = ()
    locations: tuple[Location, ...] = ()
    products: tuple[Product, ...] = ()
    reorder_points: tuple[ReorderPoint, ...] = ()
    parties: tuple[Party, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    devices: tuple[Device, ...] = ()
    fences: tuple[Fence, ...] = ()
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    sales_orders: tuple[SalesOrder, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    opening_stock: tuple[OpeningStock, ...] = ()


_decoder = msgspec.json.Decoder(MasterData)


def decode_master_data(document: bytes) -> MasterData:
    """Raises msgspec.ValidationError naming the spot, such as `$.devices[3].vehicle`."""
    return read(_decoder, document)


def encode_master_data(master_data: MasterData) -> bytes:
    """Indented JSON, for people to read and edit."""
    return msgspec.json.format(msgspec.json.encode(master_data), indent=1)
