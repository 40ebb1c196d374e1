"""What a warehouse is asked about its past: stock at an instant, the movements of an item, what a
vehicle carried, where a tag was read. Upstream: the ledger and the raw RFID readings, as ingest
wrote them. Downstream: the routes of the api.
"""

from dataclasses import dataclass
from datetime import datetime

from waystock.contract.identifiers import iso_utc
from waystock.store.questions import Question


@dataclass(frozen=True, slots=True)
class PastPosition:
    """Quantity of one (location, gtin, lot, lpn); site and zone are null on a vehicle."""

    location: str
    site: str | None
    zone: str | None
    gtin: str
    lot: str
    lpn: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class Content:
    """One product and lot on one licence plate (or loose, '') on a vehicle."""

    lpn: str
    gtin: str
    lot: str
    quantity: int
    name: dict[str, str] | None
    loaded_at: datetime | None
    """When the plate came onto the vehicle; null for loose goods."""
    shipment: str | None
    """The shipment that the plate belongs on …"""
    planned_vehicle: str | None
    """… and its vehicle: another one than asked for means a misload."""


@dataclass(frozen=True, slots=True)
class MovementLine:
    """One line of the ledger. Its key is the reading behind it and a line number."""

    occurred_at: datetime
    recorded_at: datetime
    biz_step: str
    from_location: str
    to_location: str
    gtin: str
    lot: str
    from_lpn: str
    to_lpn: str
    lpn: str
    quantity: int
    document: str
    device: str
    stream_id: int
    stream_offset: int
    line: int


@dataclass(frozen=True, slots=True)
class EpcRead:
    """One reading of a tag; the vehicle is the one its device was on then; read point and
    site are by today's master data of the device."""

    time: datetime
    device: str
    read_point: str | None
    site: str | None
    biz_step: str | None
    vehicle: str | None
    epc: str
    presence: str
    direction: str | None
    """Which way it went through a portal: in, out or unknown; null where none was told."""
    sighting: bool
    """It only says that the tag was heard, and moved nothing."""
    scheme: str
    epc_uri: str | None
    digital_link: str | None
    gtin: str | None
    lpn: str | None
    """The SSCC that the tag holds, if it is a pallet's."""
    lpn_location_now: str | None
    """Where the ledger has that plate now; null if it never met it."""
    antenna: int | None
    rssi_dbm: float | None
    reads: int
    quality: list[str]
    stream_id: int
    stream_offset: int


STOCK_AS_OF = Question(
    family="stock_questions", query="stock_as_of", row=PastPosition,
    must=("at", "outside"), may=("site", "location", "gtin", "lot", "lpn"),
    key=lambda row: (row.location, row.gtin, row.lot, row.lpn),
)  # fmt: skip
VEHICLE_CONTENTS = Question(
    family="stock_questions", query="vehicle_contents", row=Content, must=("vehicle", "at"),
    key=lambda row: (row.lpn, row.gtin, row.lot),
)  # fmt: skip
MOVEMENTS = Question(
    family="stock_questions", query="movements", row=MovementLine,
    must=("since", "until"), may=("gtin", "lot", "lpn", "document", "location"),
    key=lambda row: (
        iso_utc(row.occurred_at), str(row.stream_id), str(row.stream_offset), str(row.line),
    ),
)  # fmt: skip
EPC_READS = Question(
    family="stock_questions", query="epc_reads", row=EpcRead,
    must=("since", "until"), may=("epc", "digital_link"),
    key=lambda row: (iso_utc(row.time), str(row.stream_id), str(row.stream_offset)),
)  # fmt: skip
