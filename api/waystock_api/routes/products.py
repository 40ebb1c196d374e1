"""Products."""

from typing import Annotated

from fastapi import APIRouter, Query

from waystock.store.api import PRODUCTS, Product
from waystock_api.paging import ListQuery, Page, read_page
from waystock_api.services import ServicesOfApp

router = APIRouter(tags=["master data"])


class ProductQuery(ListQuery):
    gtin: str | None = None


@router.get("/products")
def list_products(
    services: ServicesOfApp, query: Annotated[ProductQuery, Query()]
) -> Page[Product]:
    """Products, by GTIN, with their reorder point at each site."""
    rows, cursor = read_page(services.store, PRODUCTS, query)
    return Page(items=rows, next=cursor)
