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
from waystock.contract.limits import VehicleClass, VehicleLimits, WeekHours
from waystock.contract.reading import read

Gtin = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{14}(?!\n)$")]
Sscc = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{18}(?!\n)$")]
Gln = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}(?!\n)$")]
LocationCode = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z0-9-]+/[A-Za-z0-9._-]+(?!\n)$", max_length=96)
]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""In the product's smallest unit."""
Metres = Annotated[float, msgspec.Meta(ge=0, le=1_000)]
FixCount = Annotated[int, msgspec.Meta(ge=1, le=100)]
HoldSeconds = Annotated[float, msgspec.Meta(ge=0, le=3_600)]
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
    """A supplier, customer or carrier."""

    party: Name
    role: Literal["supplier", "customer", "carrier"]
    name: Words


class Vehicle(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """Of its class, home and limits, what is left out of a document leaves what was set before."""

    vehicle: Name
    plate: str
    carrier: Name | None = None
    """The party that runs it; reports can then be made by carrier."""
    vehicle_class: Name | None = None
    home_site: Name | None = None
    """Where its clock hangs: working hours are told in this site's time zone."""
    limits: VehicleLimits | None = None


class DetentionRate(_Record, frozen=True, kw_only=True):
    """What a stay beyond its free time costs an hour: at the customer's, of the carrier's vehicles,
    in the yard of the site that is named; a name left out means whichever, and none at all makes it
    the rate for all. Of several that hold, one for the customer goes before one for the carrier,
    that before the site's."""

    customer: Name | None = None
    carrier: Name | None = None
    site: Name | None = None
    free_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Left out: the fence's `dwell_limit_s`, else two hours."""
    rate_per_h: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}(?!\n)$")]
    """ISO 4217, such as CNY."""


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
    """Where it is. The first vehicle that is named here ever has had it always; another one named
    later has it from the moment of that import. `assignments` tells other times."""


class Driver(_Record, frozen=True, kw_only=True, omit_defaults=True):
    driver: Name
    name: str
    licence: str | None = None
    phone: str | None = None


class Trailer(_Record, frozen=True, kw_only=True):
    trailer: Name
    plate: str
    kind: Literal["box", "curtain", "reefer", "tank", "flatbed", "container", "other"] = "other"


class Assignment(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A device, driver or trailer on a vehicle, or a device on a trailer: two of the four are
    named. `since` is included, `until` is not, and an open side has no end. Those of one thing
    don't overlap, nor two drivers or two trailers of one vehicle."""

    device: Name | None = None
    driver: Name | None = None
    trailer: Name | None = None
    vehicle: Name | None = None
    since: Utc | None = None
    until: Utc | None = None


class Fence(_Record, frozen=True, kw_only=True, omit_defaults=True):
    fence: Name
    name: Words
    kind: Literal["site", "yard", "dock", "customer", "zone", "corridor", "no_go"]
    """A dock is where a vehicle stands at a door, a yard where it waits for one."""
    site: Name | None = None
    location: LocationCode | None = None
    """The dock door it is drawn around."""
    dwell_limit_s: Annotated[float, msgspec.Meta(ge=60)] | None = None
    """A vehicle that stays longer is detained; None: the fleet's free time at a customer's and at a
    dock, and no limit elsewhere."""
    speed_limit_mps: Annotated[float, msgspec.Meta(ge=1)] | None = None
    active_hours: WeekHours = ()
    """When its limits count and a no-go area is one, in the site's time zone; none: at any time.
    Visits are kept at all times."""
    enter_margin_m: Metres | None = None
    """So deep inside a fix must lie to count towards a visit's beginning; None, here and below: as
    the fleet's settings have it."""
    enter_fixes: FixCount | None = None
    enter_s: HoldSeconds | None = None
    """So many fixes make a visit begin, or two that are so far apart."""
    exit_margin_m: Metres | None = None
    """Outside begins so far beyond the edge, plus the fix's accuracy."""
    exit_fixes: FixCount | None = None
    exit_s: HoldSeconds | None = None
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
    vehicle_classes: tuple[VehicleClass, ...] | msgspec.UnsetType = msgspec.UNSET
    """Left out where there are none: the release before knows no such thing."""
    vehicles: tuple[Vehicle, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    devices: tuple[Device, ...] = ()
    drivers: tuple[Driver, ...] = ()
    trailers: tuple[Trailer, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    """Those of drivers and trailers, and of devices that were moved."""
    fences: tuple[Fence, ...] = ()
    purchase_orders: tuple[PurchaseOrder, ...] = ()
    sales_orders: tuple[SalesOrder, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    opening_stock: tuple[OpeningStock, ...] = ()
    detention_rates: tuple[DetentionRate, ...] = ()


_decoder = msgspec.json.Decoder(MasterData)


def decode_master_data(document: bytes) -> MasterData:
    """Raises msgspec.ValidationError naming the spot, such as `$.devices[3].vehicle`."""
    return read(_decoder, document)


def encode_master_data(master_data: MasterData) -> bytes:
    """Indented JSON, for people to read and edit. Lists without entries are left out, so that a
    document that does not use what is new here is one for releases before, too."""
    said = {name: value for name, value in msgspec.to_builtins(master_data).items() if value}
    return msgspec.json.format(msgspec.json.encode(said), indent=1)
