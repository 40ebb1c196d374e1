"""The goods of the world: product names and their GTINs. Upstream: products.tsv beside this file
(one family a line, its variants in one column, `en|zh` where they differ); downstream: orders,
labels and opening stock.
"""

from importlib.resources import files

from waystock.contract.masterdata import Product
from waystock_firmware_sim.protocol.gs1 import gtin_14

COMPANY_PREFIX = "9527001"
"""952 is the GS1 prefix for demonstrations and examples: no real article bears these numbers."""
SUPPLIER_PREFIX_FIRST = 9_527_100
PREFIX_DIGITS = 7


def products() -> tuple[Product, ...]:
    """Every article, in the order of the file; item reference = its number from 1."""
    return tuple(
        Product(
            gtin=gtin_14(COMPANY_PREFIX, number),
            name={"en": f"{en}, {variant}", "zh": f"{zh} {variant_zh}"},
            lot_tracked=lot == "yes",
            unit=unit,
        )
        for number, (en, zh, variant, variant_zh, unit, lot) in enumerate(_articles(), start=1)
    )


def _articles() -> list[tuple[str, ...]]:
    table = files(__package__ or __name__).joinpath("products.tsv").read_text(encoding="utf-8")
    articles: list[tuple[str, ...]] = []
    for line in table.splitlines():
        if not line or line.startswith("#"):
            continue
        en, zh, variants, unit, lot = line.split("\t")
        for variant in variants.split(","):
            variant_en, _, variant_zh = variant.partition("|")
            articles.append((en, zh, variant_en, variant_zh or variant_en, unit, lot))
    return articles
