"""One message of each kind, as it looks on the wire: the examples of the published contract. A
scan, the acknowledgement dance around it, and what screens get of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from waystock.contract.acks import Ack, Hello, Status
from waystock.contract.events import Barcode, Batch, Position
from waystock.contract.frames import (
    AckFrame,
    AuthFrame,
    BeatFrame,
    DeltaFrame,
    ErrorFrame,
    SnapFrame,
    SubArgs,
    SubFrame,
    UnsubFrame,
)
from waystock.contract.live import (
    ENTITY_TYPES,
    AlertEntity,
    Entity,
    HealthEntity,
    KpiEntity,
    LiveMessage,
    MovementEntity,
    StockEntity,
    TransitEntity,
    encode_entity,
)

STREAM = UUID("0192f3a1-5b7c-7d3e-8f10-2a4b6c8d0e1f")
SCANNED_AT = datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)
STORED_AT = SCANNED_AT + timedelta(milliseconds=80)
GTIN = "09501101530003"
SSCC = "095011010000000015"


def messages() -> dict[str, Any]:
    """JSON values by the name of their definition in the schema."""
    examples: dict[str, Any] = {}
    for name, message in _control().items():
        examples[name] = _json(message)
    for frame in _frames():
        examples[type(frame).__name__] = _json(frame)
    for stream, entity in zip(ENTITY_TYPES, _entities(), strict=True):
        examples[f"{stream.capitalize()}Message"] = _json(_live(entity))
    return examples


def _json(message: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message))


def _control() -> dict[str, msgspec.Struct]:
    scan = Barcode(
        device="scan-sha-recv-1",
        time=SCANNED_AT,
        captured_at=SCANNED_AT,
        aim="]C1",
        format="gs1",
        data=f"00{SSCC}",
        elements=(("00", SSCC),),
    )
    fix = Position(
        device="gps-truck-01",
        time=SCANNED_AT,
        captured_at=SCANNED_AT + timedelta(milliseconds=120),
        clock="gps",
        lat=31.2304,
        lon=121.4737,
        speed_mps=12.4,
        course_deg_true=84.5,
    )
    return {
        "Hello": Hello(stream=STREAM, first=118, next=120),
        "Batch": Batch(stream=STREAM, first=120, sent_at=SCANNED_AT, events=(scan, fix)),
        "Ack": Ack(stream=STREAM, committed=((120, 122),)),
        "Status": Status(
            state="online",
            at=SCANNED_AT,
            stream=STREAM,
            queue_depth=2,
            oldest_unsent_s=0.4,
            rejects={"check_digit": 1},
            devices={"scan-sha-recv-1": 0.4},
        ),
    }


def _live(entity: Entity) -> LiveMessage:
    return LiveMessage(
        publisher="ingest-1",
        epoch="20261123T055900000000",
        seq=7,
        sent_at=STORED_AT,
        entities=(encode_entity(entity),),
    )


def _frames() -> tuple[msgspec.Struct, ...]:
    stock = _entities()[0]
    return (
        AuthFrame(token="wst_the-token-that-was-printed"),  # noqa: S106 - an example's
        SubFrame(id=1, ch="stock", args=SubArgs(site="sha")),
        UnsubFrame(id=1),
        AckFrame(id=1, seq=12),
        SnapFrame(id=1, epoch="b3f1", seq=12, part=1, of=1, d=(encode_entity(stock),)),
        DeltaFrame(id=1, seq=13, prev=12, up=(encode_entity(stock),), rm=()),
        BeatFrame(at=STORED_AT),
        ErrorFrame(code="bad_message", message="Object missing required field `ch`"),
    )


def _entities() -> tuple[Entity, ...]:
    """In the order of ENTITY_TYPES."""
    version = int(STORED_AT.timestamp() * 1_000_000)
    return (
        StockEntity(
            key=f"sha/{GTIN}", version=version, captured_at=SCANNED_AT, site="sha", gtin=GTIN,
            on_hand=480, by_zone={"dock": 48, "reserve": 432}, reorder_point=200,
        ),
        TransitEntity(
            key="truck-01", version=version, captured_at=SCANNED_AT, vehicle="truck-01",
            plate="沪A·12345", lat=31.2304, lon=121.4737, speed_mps=12.4, course_deg_true=84.5,
            fix_time=SCANNED_AT, motion="moving", shipment="SH-1007", destination="Suzhou store",
            destination_zh="苏州门店", eta=SCANNED_AT + timedelta(minutes=50), late_s=-600.0,
            load_units=96, load_lpns=2, orders=("SO-2001",),
        ),
        AlertEntity(
            key="0192f3a1-0000-7000-8000-000000000001", version=version, type="stock.low",
            severity="warning", state="open", site="sha", subject=f"sha/{GTIN}",
            opened_at=SCANNED_AT,
            figures={"on_hand": 180.0, "reorder_point": 200.0},
            text={"en": "Shanghai is low on green tea: 180 of 200.", "zh": "上海绿茶只剩 180 件。"},
        ),
        MovementEntity(
            key="0192f3a1-0000-7000-8000-000000000002", version=version, captured_at=SCANNED_AT,
            occurred_at=SCANNED_AT, biz_step="receiving", from_location="supplier/tea-farm",
            to_location="sha/dock-1", gtin=GTIN, lot="LOT7", lpn=SSCC, quantity=48,
        ),
        HealthEntity(
            key="sha/gw-dock", version=version, site="sha", gateway="gw-dock", device=None,
            state="online", last_seen=STORED_AT, values={"queue_depth": 2.0},
        ),
        KpiEntity(
            key="sha/stock_units", version=version, site="sha", name="stock_units",
            value=9_840.0, unit="piece",
        ),
    )  # fmt: skip
