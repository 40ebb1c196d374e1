"""What lies in the bins when the world begins, and where each article is picked. Upstream:
catalogue and sites; downstream: opening stock, reorder points, and the pickers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from waystock.contract.masterdata import Product
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.world.sites import (
    PICK_BAYS,
    RESERVE_AISLES,
    RESERVE_BAYS,
    Warehouse,
)

LOW_PRODUCT = "Servo motor, 400 W"
LOW_OPENING, LOW_REORDER_POINT = 58, 50
"""At Shanghai; the plot ships 12 of them."""
SHORT_PRODUCT = "Lithium cell 18650, 2600 mAh"
SHORT_OPENING, SHORT_REORDER_POINT = 160, 60


@dataclass(frozen=True)
class Shelf:
    """One article in one bin."""

    bin: str
    gtin: str
    lot: str
    quantity: int


@dataclass(frozen=True)
class Article:
    """One product at one site."""

    site: str
    product: Product
    pick: Shelf
    reserve: tuple[Shelf, ...]
    reorder_point: int


def articles(seed: int, house: Warehouse, products: tuple[Product, ...]) -> Iterator[Article]:
    """Every product at one site; two share a pick bin."""
    random = stream(seed, f"shelves/{house.name}")
    for number, product in enumerate(products):
        lot = f"{random.choice('ABCDEFGHKLMN')}{random.randint(100, 999)}"
        lot = lot if product.lot_tracked else ""
        aisle, bay = divmod(number // 2, PICK_BAYS)
        picked, stored = random.randrange(180, 421, 12), random.randrange(120, 601, 24)
        reorder_point = (picked + stored) * 3 // 10
        if house.name == "sha" and product.name["en"] == LOW_PRODUCT:
            picked, stored, reorder_point = LOW_OPENING, 0, LOW_REORDER_POINT
        if house.name == "sha" and product.name["en"] == SHORT_PRODUCT:
            picked, stored, reorder_point = SHORT_OPENING, 0, SHORT_REORDER_POINT
        aisle_r, bay_r = random.randint(1, RESERVE_AISLES), random.randint(1, RESERVE_BAYS)
        reserve_bin = f"{house.name}/R-{aisle_r:02d}-{bay_r:02d}"
        yield Article(
            site=house.name,
            product=product,
            pick=Shelf(f"{house.name}/P-{aisle + 1:02d}-{bay + 1:02d}", product.gtin, lot, picked),
            reserve=(Shelf(reserve_bin, product.gtin, lot, stored),) if stored else (),
            reorder_point=reorder_point,
        )
