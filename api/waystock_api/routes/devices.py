"""Devices and the gateways they hang on."""

from typing import Annotated

from fastapi import APIRouter, Query

from waystock.store.api import DEVICES, GATEWAYS, Device, Gateway
from waystock_api.paging import ListQuery, Page, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["devices"])


class DeviceQuery(ListQuery):
    device: str | None = None
    kind: str | None = None
    vehicle: str | None = None
    site: Annotated[str | None, Query(description="of its read point or its gateway")] = None


class GatewayQuery(ListQuery):
    site: str | None = None


@router.get("/devices")
def list_devices(services: ServicesOfApp, query: Annotated[DeviceQuery, Query()]) -> Page[Device]:
    """Devices, by name; `last_seen` is what their gateway last said."""
    rows, cursor = read_page(services.store, DEVICES, query)
    return Page(items=rows, next=cursor)


@router.get("/gateways")
def list_gateways(
    services: ServicesOfApp, query: Annotated[GatewayQuery, Query()]
) -> Page[Gateway]:
    """Gateways, by site and name; `silent`: said "online" more than 90 s ago, and nothing since."""
    rows, cursor = read_page(services.store, GATEWAYS, query)
    return Page(items=rows, next=cursor)
