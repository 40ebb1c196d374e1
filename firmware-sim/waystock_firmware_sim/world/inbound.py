"""What suppliers have announced: purchase orders with their pallets. Upstream: articles and
parties; downstream: master data, and the receivers' day. One delivery of the plot comes short.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waystock.contract.masterdata import AsnPallet, OrderLine, PurchaseOrder
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.world.catalogue import SUPPLIER_PREFIX_FIRST
from waystock_firmware_sim.world.numbering import INBOUND, PalletNumbers, document
from waystock_firmware_sim.world.parties import SUPPLIERS
from waystock_firmware_sim.world.shelves import LOW_PRODUCT, SHORT_PRODUCT, Article

DELIVERIES_PER_SITE = 12
PALLETS_PER_DELIVERY = 36
"""Some two hours of receiving at the simulated pace."""
PLOT_PALLETS = 3
SHORT_PALLETS, SHORT_PALLET_QUANTITY = 4, 144


@dataclass(frozen=True)
class Delivery:
    """One purchase order and the pallets that really come of it."""

    order: PurchaseOrder
    coming: tuple[AsnPallet, ...]


@dataclass(frozen=True)
class Inbound:
    """All deliveries of one site, in the order in which they come."""

    plot: Delivery
    short: Delivery | None
    later: tuple[Delivery, ...]

    @property
    def orders(self) -> tuple[PurchaseOrder, ...]:
        """For master data."""
        short = (self.short.order,) if self.short else ()
        return (self.plot.order, *short, *(delivery.order for delivery in self.later))


class InboundPlanner:
    """Makes the deliveries of all sites from one range of numbers."""

    def __init__(self, seed: int, start: datetime) -> None:
        self._seed = seed
        self._start = start
        self._numbers = [
            PalletNumbers(INBOUND, start, str(SUPPLIER_PREFIX_FIRST + i))
            for i in range(len(SUPPLIERS))
        ]
        self._orders = 0

    def plan(self, site: str, articles: tuple[Article, ...], with_short: bool) -> Inbound:
        """Deliveries of one site; `with_short` adds the one that lacks its last pallet."""
        random = stream(self._seed, f"inbound/{site}")
        usual = [
            article
            for article in articles
            if article.product.name["en"] not in {LOW_PRODUCT, SHORT_PRODUCT}
        ]
        plot = self._delivery(site, random.sample(usual, PLOT_PALLETS), 60)
        short = None
        if with_short:
            (article,) = (a for a in articles if a.product.name["en"] == SHORT_PRODUCT)
            whole = self._delivery(site, [article] * SHORT_PALLETS, SHORT_PALLET_QUANTITY)
            short = Delivery(whole.order, whole.coming[:-1])
        later = tuple(
            self._delivery(
                site, random.choices(usual, k=PALLETS_PER_DELIVERY), random.choice((48, 60, 96))
            )
            for _ in range(DELIVERIES_PER_SITE)
        )
        return Inbound(plot, short, later)

    def _delivery(self, site: str, contents: list[Article], quantity: int) -> Delivery:
        self._orders += 1
        supplier = self._orders % len(SUPPLIERS)
        pallets = tuple(
            AsnPallet(
                sscc=self._numbers[supplier].take(),
                gtin=article.product.gtin,
                lot=article.pick.lot,
                quantity=quantity,
            )
            for article in contents
        )
        ordered: dict[str, int] = {}
        for pallet in pallets:
            ordered[pallet.gtin] = ordered.get(pallet.gtin, 0) + pallet.quantity
        order = PurchaseOrder(
            purchase_order=document("PO", self._start, self._orders),
            supplier=SUPPLIERS[supplier].party,
            site=site,
            expected_at=self._start + timedelta(minutes=10 * self._orders),
            lines=tuple(OrderLine(gtin=gtin, quantity=count) for gtin, count in ordered.items()),
            pallets=pallets,
        )
        return Delivery(order, pallets)
