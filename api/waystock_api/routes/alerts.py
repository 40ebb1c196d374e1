"""Alerts: one row an episode, with the sentence an operator would say."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, BaseModel

from waystock.contract.live import AlertEntity
from waystock.store.api import ALERTS, AlertKey
from waystock.store.live import load_entities
from waystock.store.pool import StorePool
from waystock_api.paging import ListQuery, NoQuery, Page, read_one, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(prefix="/alerts", tags=["alerts"])


class AlertQuery(ListQuery):
    open: Annotated[bool | None, Query(description="true: open ones, false: cleared ones")] = None
    type: Annotated[str | None, Query(description="such as vehicle.off_route")] = None
    severity: Literal["critical", "warning", "info"] | None = None
    site: str | None = None
    subject: str | None = None
    since: Annotated[AwareDatetime | None, Query(description="opened at or after")] = None
    until: Annotated[AwareDatetime | None, Query(description="opened before")] = None


class AlertOut(BaseModel):
    alert_id: str
    type: str
    severity: Literal["critical", "warning", "info"]
    state: Literal["open", "cleared"]
    site: str | None
    subject: str
    opened_at: AwareDatetime
    cleared_at: AwareDatetime | None
    captured_at: AwareDatetime | None
    figures: dict[str, float | str]
    orders: list[str]
    """Sales orders that it hits, most urgent first."""
    text: dict[str, str]


@router.get("")
def list_alerts(services: ServicesOfApp, query: Annotated[AlertQuery, Query()]) -> Page[AlertOut]:
    """Alerts, newest first."""
    rows, cursor = read_page(services.store, ALERTS, query)
    return Page(items=_alerts(services.store, rows), next=cursor)


@router.get("/{alert_id}", responses={404: {}})
def get_alert(
    alert_id: str, services: ServicesOfApp, _query: Annotated[NoQuery, Query()]
) -> AlertOut:
    """One alert."""
    found = read_one(services.store, ALERTS, "alert_id", alert_id)
    alerts = _alerts(services.store, [found]) if found else []
    if not alerts:
        raise HTTPException(404, f"There is no alert {alert_id!r}.")
    return alerts[0]


def _alerts(store: StorePool, rows: list[AlertKey]) -> list[AlertOut]:
    """In the order of `rows`; built as the live stream's, so that the two can't disagree."""
    with store.connection() as database:
        found = load_entities(database, "alerts", [row.alert_id for row in rows])
    by_key = {entity.key: entity for entity in found if isinstance(entity, AlertEntity)}
    return [_alert(by_key[row.alert_id]) for row in rows if row.alert_id in by_key]


def _alert(entity: AlertEntity) -> AlertOut:
    return AlertOut(
        alert_id=entity.key, type=entity.type, severity=entity.severity, state=entity.state,
        site=entity.site, subject=entity.subject, opened_at=entity.opened_at,
        cleared_at=entity.cleared_at, captured_at=entity.captured_at, figures=entity.figures,
        orders=list(entity.orders), text=entity.text,
    )  # fmt: skip
