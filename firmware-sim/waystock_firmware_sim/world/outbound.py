"""What leaves: pallets with their contents, the sales orders they serve, and the open orders that
wait for goods. Upstream: articles and trucks; downstream: shipments, opening stock of vehicles, and
the pickers and loaders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystock.contract.masterdata import OrderLine, SalesOrder
from waystock_firmware_sim.seeds import stream
from waystock_firmware_sim.world.numbering import OUTBOUND, PalletNumbers, document
from waystock_firmware_sim.world.parties import CONSIGNEES, Consignee
from waystock_firmware_sim.world.shelves import LOW_PRODUCT, SHORT_PRODUCT, Article
from waystock_firmware_sim.world.trucks import Truck

PALLETS_AT_DOOR = 28
ORDERS_PER_LOAD = 3
LOW_SHIPPED = 12
"""Takes the low product from above its reorder point to below it."""


@dataclass(frozen=True)
class PickLine:
    """So many pieces out of one bin."""

    bin: str
    gtin: str
    lot: str
    quantity: int


@dataclass(frozen=True)
class Pallet:
    """One outbound pallet, on board or still to be picked."""

    sscc: str
    lines: tuple[PickLine, ...]


@dataclass(frozen=True)
class Load:
    """What belongs on one truck."""

    truck: Truck
    consignee: Consignee
    pallets: tuple[Pallet, ...]


def consignee_of(truck: Truck) -> Consignee:
    """Who waits at the end of the truck's way."""
    (consignee,) = (one for one in CONSIGNEES if one.way == truck.way)
    return consignee


class OutboundPlanner:
    """Makes loads and orders of all sites from one range of numbers."""

    def __init__(self, seed: int, start: datetime) -> None:
        self._seed = seed
        self._start = start
        self._numbers = PalletNumbers(OUTBOUND, start)
        self._orders = 0

    def load(self, truck: Truck, articles: tuple[Article, ...]) -> Load:
        """Full pallets for a truck on the road, picked ones for a truck at a door."""
        random = stream(self._seed, f"load/{truck.vehicle}")
        usual = _usual(articles)
        if truck.role != "dock":
            pallets = [
                self._pallet([(article, random.randrange(36, 145, 12))])
                for article in random.sample(usual, random.randint(6, 12))
            ]
        else:
            pallets = [
                self._pallet([(a, random.randint(1, 6)) for a in random.sample(usual, 2)])
                for _ in range(2)
            ] + [
                self._pallet(
                    [
                        (article, random.choice((1, 1, 1, 2, 3, 4, 6)))
                        for article in random.sample(usual, random.randint(12, 16))
                    ]
                )
                for _ in range(PALLETS_AT_DOOR - 2)
            ]
        return Load(truck, consignee_of(truck), tuple(pallets))

    def with_low_product(self, load: Load, articles: tuple[Article, ...]) -> Load:
        """The same load with the low product on its first pallet."""
        (low,) = (a for a in articles if a.product.name["en"] == LOW_PRODUCT)
        first = load.pallets[0]
        line = PickLine(low.pick.bin, low.product.gtin, low.pick.lot, LOW_SHIPPED)
        return Load(
            load.truck,
            load.consignee,
            (Pallet(first.sscc, (line, *first.lines[:1])), *load.pallets[1:]),
        )

    def orders(self, load: Load, shipment: str, promised_at: datetime) -> tuple[SalesOrder, ...]:
        """The load shared out among a few orders of its customer, pallet by pallet."""
        random = stream(self._seed, f"orders/{load.truck.vehicle}")
        count = min(ORDERS_PER_LOAD, len(load.pallets))
        return tuple(
            self._order(
                load.truck.site,
                load.consignee,
                promised_at,
                random.randint(1, 6),
                _summed(line for pallet in load.pallets[i::count] for line in pallet.lines),
                shipment,
            )
            for i in range(count)
        )

    def waiting(self, site: str, articles: tuple[Article, ...]) -> tuple[SalesOrder, ...]:
        """Open orders without a shipment: for the plot's two products at their site, and others."""
        random = stream(self._seed, f"waiting/{site}")
        wanted = [a for a in articles if a.product.name["en"] in {LOW_PRODUCT, SHORT_PRODUCT}]
        wanted = wanted * 3 if site == "sha" else []
        wanted += random.sample(_usual(articles), 12)
        return tuple(
            self._order(
                site,
                random.choice(CONSIGNEES),
                self._start + timedelta(hours=random.randint(6, 30)),
                random.randint(1, 8),
                {article.product.gtin: random.randint(6, 24)},
                None,
            )
            for article in wanted
        )

    def spare_pallets(self, count: int) -> tuple[str, ...]:
        """SSCCs for pallets picked after the planned ones, for trucks of another day."""
        return tuple(self._numbers.take() for _ in range(count))

    def _pallet(self, contents: list[tuple[Article, int]]) -> Pallet:
        lines = tuple(
            PickLine(article.pick.bin, article.product.gtin, article.pick.lot, quantity)
            for article, quantity in contents
        )
        return Pallet(self._numbers.take(), lines)

    def _order(
        self,
        site: str,
        consignee: Consignee,
        promised_at: datetime,
        priority: int,
        wanted: dict[str, int],
        shipment: str | None,
    ) -> SalesOrder:
        self._orders += 1
        return SalesOrder(
            sales_order=document("SO", self._start, self._orders),
            customer=consignee.party.party,
            site=site,
            promised_at=promised_at,
            priority=priority,
            lines=tuple(OrderLine(gtin=gtin, quantity=count) for gtin, count in wanted.items()),
            shipment=shipment,
        )


def _usual(articles: tuple[Article, ...]) -> list[Article]:
    plot = {LOW_PRODUCT, SHORT_PRODUCT}
    return [article for article in articles if article.product.name["en"] not in plot]


def _summed(lines: Iterable[PickLine]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.gtin] = wanted.get(line.gtin, 0) + line.quantity
    return wanted
