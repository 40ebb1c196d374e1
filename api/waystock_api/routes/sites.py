"""Sites."""

from typing import Annotated

from fastapi import APIRouter, Query

from waystock.store.api import SITES, Site
from waystock_api.paging import ListQuery, Page, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["master data"])


@router.get("/sites")
def list_sites(services: ServicesOfApp, query: Annotated[ListQuery, Query()]) -> Page[Site]:
    """Warehouses, by code."""
    rows, cursor = read_page(services.store, SITES, query)
    return Page(items=rows, next=cursor)
