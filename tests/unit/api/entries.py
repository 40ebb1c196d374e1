"""Entities and entries for the tests of the live picture."""

from datetime import UTC, datetime, timedelta

from waystock.contract.live import (
    AlertEntity,
    Entity,
    MovementEntity,
    StockEntity,
    TransitEntity,
)
from waystock_api.live.picture import Entry, make_entry

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def stock(site: str, gtin: str, on_hand: int, version: int) -> Entry:
    entity = StockEntity(
        key=f"{site}/{gtin}", version=version, site=site, gtin=gtin, on_hand=on_hand
    )
    return make_entry(entity, {})


def transit(vehicle: str, version: int, **fields: object) -> TransitEntity:
    known: dict[str, object] = {
        "plate": "A 1", "lat": 31.2, "lon": 121.4, "speed_mps": 3.0, "course_deg_true": 90.0,
        "fix_time": NOON, "motion": "moving",
    }  # fmt: skip
    return TransitEntity(key=vehicle, version=version, vehicle=vehicle, **(known | fields))  # pyright: ignore[reportArgumentType]


def alert(name: str, version: int, *, cleared_ago_s: float | None = None) -> AlertEntity:
    cleared_at = None if cleared_ago_s is None else NOON - timedelta(seconds=cleared_ago_s)
    return AlertEntity(
        key=name, version=version, type="stock.low", severity="warning",
        state="open" if cleared_at is None else "cleared", site="sha", subject="sha/1",
        opened_at=NOON - timedelta(hours=2), cleared_at=cleared_at,
    )  # fmt: skip


def movement(name: str, minute: int) -> MovementEntity:
    return MovementEntity(
        key=name, version=minute, occurred_at=NOON + timedelta(minutes=minute),
        biz_step="loading", from_location="sha/dock-1", to_location="vehicle/truck-1",
        gtin="09501101530003", lot="", lpn="", quantity=1,
    )  # fmt: skip


def entries_of(entities: list[Entity]) -> list[Entry]:
    return [make_entry(entity, {}) for entity in entities]
