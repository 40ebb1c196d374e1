"""What the workers know of the stock: which bins hold what, and which pallets stand ready.
Upstream: acknowledged scans; downstream: the choice of what to do next, so that no worker picks
what is not there, and only the plot's product runs low.
"""

from waystock_firmware_sim.world.build import World

SAFE_RATIO = 1.25
"""Background work leaves at least this many times the reorder point in the bins."""

Key = tuple[str, str]
"""Bin and GTIN."""


class Stockroom:
    """Bins by (bin, gtin); a product's lot in a bin is the lot it came with."""

    def __init__(self, world: World) -> None:
        self._bins: dict[Key, int] = {}
        self._total: dict[Key, int] = {}
        self._floor: dict[Key, int] = {}
        self._received: set[str] = set()
        self._picked: dict[str, int] = {}
        for there in world.articles.values():
            for article in there:
                gtin = article.product.gtin
                self._floor[article.site, gtin] = int(article.reorder_point * SAFE_RATIO)
                for shelf in (article.pick, *article.reserve):
                    self.add(shelf.bin, gtin, shelf.quantity)

    def add(self, place: str, gtin: str, quantity: int) -> None:
        """Goods were put into (negative: taken from) a bin."""
        self._bins[place, gtin] = self._bins.get((place, gtin), 0) + quantity
        site = place.partition("/")[0]
        self._total[site, gtin] = self._total.get((site, gtin), 0) + quantity

    def on_hand(self, place: str, gtin: str) -> int:
        """Pieces in one bin."""
        return self._bins.get((place, gtin), 0)

    def may_pick(self, place: str, gtin: str, quantity: int) -> bool:
        """Whether the bin holds that much and the site stays clear of its reorder point."""
        site = place.partition("/")[0]
        left = self._total.get((site, gtin), 0) - quantity
        return self.on_hand(place, gtin) >= quantity and left >= self._floor[site, gtin]

    def note_received(self, sscc: str) -> None:
        """A pallet stands at the dock."""
        self._received.add(sscc)

    def is_received(self, sscc: str) -> bool:
        """Whether that pallet stands at the dock or went on from there."""
        return sscc in self._received

    def note_picked(self, sscc: str) -> None:
        """One more line lies on an outbound pallet."""
        self._picked[sscc] = self._picked.get(sscc, 0) + 1

    def lines_picked(self, sscc: str) -> int:
        """Lines on an outbound pallet so far."""
        return self._picked.get(sscc, 0)
