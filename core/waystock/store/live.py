"""Live entities from the store: ingest asks for the few that a commit touched, the api for all.
One way to build each, so that a delta and a snapshot can't disagree.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from waystock.alerts.sentences import sentence
from waystock.contract.acks import STATUS_LEASE_S
from waystock.contract.live import (
    AlertEntity,
    Entity,
    HealthEntity,
    MovementEntity,
    StockEntity,
    TransitEntity,
)
from waystock.store.arrays import texts
from waystock.store.sql import queries


def load_entities(
    connection: psycopg.Connection[Any], stream: str, keys: Collection[str] | None
) -> list[Entity]:
    """Entities of a live stream by key, or the whole snapshot where `keys` is None.

    Keys that the store doesn't know are left out. Raises KeyError for a stream that has no query
    (kpi is computed by the api), psycopg.Error where the store fails.
    """
    build = _BUILDERS[stream]
    parameters = {
        "keys": None if keys is None else texts(sorted(keys)),
        "gtins": texts([key.rpartition("/")[2] for key in keys or ()]),
        "locations": texts([f"vehicle/{key}" for key in keys or ()]),
    }
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        rows = cursor.execute(queries("live")[stream], parameters).fetchall()
    return list(build(rows))


def _version(changed_at: datetime) -> int:
    return int(changed_at.timestamp() * 1_000_000)


def _stock(rows: list[DictRow]) -> Iterable[Entity]:
    by_key: dict[str, list[DictRow]] = {}
    for row in rows:
        by_key.setdefault(f"{row['site']}/{row['gtin']}", []).append(row)
    for key, zones in by_key.items():
        captured = [row["captured_at"] for row in zones if row["captured_at"] is not None]
        yield StockEntity(
            key=key,
            version=_version(max(row["changed_at"] for row in zones)),
            captured_at=max(captured, default=None),
            site=zones[0]["site"],
            gtin=zones[0]["gtin"],
            on_hand=sum(row["on_hand"] for row in zones),
            reserved=sum(row["reserved"] for row in zones),
            by_zone={row["zone"]: row["on_hand"] for row in zones},
            reorder_point=zones[0]["reorder_point"],
        )


def _transit(rows: list[DictRow]) -> Iterable[Entity]:
    for row in rows:
        version = _version(row.pop("changed_at"))
        row["orders"] = tuple(row["orders"])
        yield TransitEntity(key=row["vehicle"], version=version, **row)


def _alerts(rows: list[DictRow]) -> Iterable[Entity]:
    for row in rows:
        orders = tuple(row["orders"])
        yield AlertEntity(
            key=row["alert_id"],
            version=_version(row["changed_at"]),
            captured_at=row["captured_at"],
            type=row["type"],
            severity=row["severity"],
            state="open" if row["cleared_at"] is None else "cleared",
            site=row["site"],
            subject=row["subject"],
            opened_at=row["opened_at"],
            cleared_at=row["cleared_at"],
            figures=row["figures"],
            orders=orders,
            text={
                language: sentence(row["type"], row["subject"], row["figures"], orders, language)
                for language in ("en", "zh")
            },
        )


def _movements(rows: list[DictRow]) -> Iterable[Entity]:
    for row in rows:
        offset = f"{row.pop('stream_id')}-{row.pop('stream_offset')}-{row.pop('line')}"
        yield MovementEntity(key=offset, version=_version(row.pop("recorded_at")), **row)


def _health(rows: list[DictRow]) -> Iterable[Entity]:
    now = datetime.now(UTC)
    for row in rows:
        report: dict[str, Any] = row["report"] or {}
        yield HealthEntity(
            key=f"{row['site']}/{row['gateway']}",
            version=_version(row["received_at"]) if row["received_at"] else 0,
            site=row["site"],
            gateway=row["gateway"],
            device=None,
            state=_lease_state(row["state"], row["received_at"], now),
            last_seen=row["reported_at"],
            values={
                "queue_depth": float(report.get("queue_depth", 0)),
                "oldest_unsent_s": float(report.get("oldest_unsent_s", 0)),
            },
        )


def _lease_state(state: str | None, received_at: datetime | None, now: datetime) -> Any:
    """A status is a lease: past it, "online" may be a dead gateway's last word."""
    if state is None or received_at is None:
        return "unknown"
    if state == "online" and now - received_at > timedelta(seconds=STATUS_LEASE_S):
        return "silent"
    return state


_BUILDERS: dict[str, Callable[[list[DictRow]], Iterable[Entity]]] = {
    "stock": _stock,
    "transit": _transit,
    "alerts": _alerts,
    "movements": _movements,
    "health": _health,
}
