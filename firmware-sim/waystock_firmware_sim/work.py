"""The people of the warehouses: each handheld and each loading door has one worker, who first plays
the acts of the plot and then goes on with everyday work at human pace. Upstream: plot and world;
downstream: handhelds and portals. What a worker knows of the stock changes only with the beep.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from random import Random

from waystock.contract.masterdata import AsnPallet
from waystock_firmware_sim.devices.handheld import Handheld, Symbol
from waystock_firmware_sim.devices.portal import Portal
from waystock_firmware_sim.plot import (
    Act,
    Cause,
    CloseReceipt,
    LoadPallet,
    PickPallet,
    PutAway,
    Receive,
)
from waystock_firmware_sim.protocol import epc, gs1
from waystock_firmware_sim.scheduler import Script
from waystock_firmware_sim.stockroom import Stockroom
from waystock_firmware_sim.truth import Truth
from waystock_firmware_sim.world.build import World
from waystock_firmware_sim.world.catalogue import PREFIX_DIGITS
from waystock_firmware_sim.world.inbound import Delivery
from waystock_firmware_sim.world.outbound import Pallet, PickLine
from waystock_firmware_sim.world.shelves import Article

SCAN_PACE_S = (0.9, 1.4)
WALK_S = (1.5, 4.0)
NEXT_PALLET_S = (18.0, 32.0)
"""Between two pallets of a receiver."""
IN_FIELD_S = (4.5, 6.0)
DOOR_CLEARS_BEFORE = timedelta(minutes=2)
"""No pallet is loaded so shortly before the truck departs."""
PICK_BIN_FULL = 300
SPARE_PALLET_LINES = 14


class Crew:
    """The workers of one site and what they share."""

    def __init__(
        self,
        site: str,
        world: World,
        truth: Truth,
        random: Random,
        utc: Callable[[], datetime],
        elapsed_s: Callable[[], float],
    ) -> None:
        self._site = site
        self._truth = truth
        self._random = random
        self._utc = utc
        self._elapsed_s = elapsed_s
        self._stock = Stockroom(world)
        self._is_over = False
        self._articles = {one.product.gtin: one for one in world.articles[site]}
        self._labels = {
            place.location: Symbol(
                gs1.AIM_GS1_128, gs1.location_label(place.gln, place.gln_extension)
            )
            for place in world.master_data.locations
        }
        self._reserve_bins = [
            place.location
            for place in world.master_data.locations
            if place.site == site and place.zone == "reserve"
        ]
        self._deliveries = deque(world.inbound[site].later)
        self._to_put_away: deque[AsnPallet] = deque()
        self._doors = {
            trip.shipment.dock_door: trip.shipment.depart_at - DOOR_CLEARS_BEFORE
            for trip in world.trips
            if trip.shipment.dock_door is not None and trip.truck.site == site
        }
        self._to_pick = deque(_in_turns([world.load_at(d).pallets[2:] for d in self._doors if d]))
        self._door_of = {p.sscc: d for d in self._doors if d for p in world.load_at(d).pallets}
        self._ready: dict[str, deque[Pallet]] = {door: deque() for door in self._doors if door}
        self._spare = deque(world.spare_pallets[site == "hgh" :: 2])

    def finish(self) -> None:
        """Everyone lets go after the scan in hand."""
        self._is_over = True

    def receiver(self, handheld: Handheld, acts: Iterable[Act]) -> Script:
        """The day of a receiver."""
        yield from self._play(handheld, acts)
        while self._deliveries:
            delivery = self._deliveries.popleft()
            for pallet in delivery.coming:
                yield self._random.uniform(*NEXT_PALLET_S)
                yield from self._receive(handheld, pallet)
                self._to_put_away.append(pallet)
            yield from self._close(handheld, delivery)

    def putter(self, handheld: Handheld, acts: Iterable[Act]) -> Script:
        """The day of someone who puts pallets away."""
        yield from self._play(handheld, acts)
        while True:
            yield lambda: bool(self._to_put_away)
            pallet = self._to_put_away.popleft()
            yield self._random.uniform(*WALK_S)
            yield from self._put_away(handheld, pallet)

    def picker(self, handheld: Handheld, acts: Iterable[Act]) -> Script:
        """The day of a picker: planned pallets first, then pallets for another day."""
        yield from self._play(handheld, acts)
        while self._to_pick or self._spare:
            pallet = self._next_to_pick()
            door = self._door_of.get(pallet.sscc)
            yield from self._pick(handheld, pallet)
            if door is not None and self._stock.lines_picked(pallet.sscc):
                self._ready[door].append(pallet)

    def loader(self, portal: Portal, door: str, acts: Iterable[Act]) -> Script:
        """The day at one loading door, until its truck departs."""
        for act in acts:
            yield from self._until(act.at_s)
            if isinstance(act.deed, LoadPallet):
                yield from self._load(portal, act.deed.pallet, act.cause)
        closes_at = self._doors[door]
        while True:
            yield lambda: bool(self._ready[door])
            pallet = self._ready[door].popleft()
            yield self._random.uniform(*WALK_S)
            if self._utc() >= closes_at:
                return
            yield from self._load(portal, pallet, None)

    def _play(self, handheld: Handheld, acts: Iterable[Act]) -> Script:
        for act in acts:
            yield from self._until(act.at_s)
            match act.deed:
                case Receive(pallet):
                    yield from self._receive(handheld, pallet)
                case CloseReceipt(delivery):
                    yield from self._close(handheld, delivery)
                case PutAway(pallet):
                    yield lambda pallet=pallet: self._stock.is_received(pallet.sscc)
                    yield from self._put_away(handheld, pallet)
                case PickPallet(pallet):
                    yield from self._pick(handheld, pallet, is_planned=True)
                case _:
                    raise TypeError(f"{act.deed} is nothing for a handheld")
            if act.cause is not None:
                self._truth.alert(act.cause.type, act.cause.subject)

    def _until(self, at_s: float) -> Script:
        yield max(0.0, at_s - self._elapsed_s())

    def _receive(self, handheld: Handheld, pallet: AsnPallet) -> Script:
        label = gs1.pallet_label(pallet.sscc, pallet.gtin, pallet.quantity, pallet.lot)
        yield from self._scan(
            handheld,
            Symbol(gs1.AIM_GS1_128, label),
            lambda: self._stock.note_received(pallet.sscc),
        )

    def _close(self, handheld: Handheld, delivery: Delivery) -> Script:
        yield lambda: all(self._stock.is_received(p.sscc) for p in delivery.coming)
        sheet = gs1.order_label(delivery.order.purchase_order)
        yield from self._scan(handheld, Symbol(gs1.AIM_GS1_128, sheet))

    def _put_away(self, handheld: Handheld, pallet: AsnPallet) -> Script:
        place = self._articles[pallet.gtin].pick.bin
        if self._stock.on_hand(place, pallet.gtin) >= PICK_BIN_FULL:
            place = self._random.choice(self._reserve_bins)
        yield from self._scan(handheld, _logistic(pallet.sscc))
        yield from self._scan(
            handheld,
            self._labels[place],
            lambda: self._stock.add(place, pallet.gtin, pallet.quantity),
        )

    def _pick(self, handheld: Handheld, pallet: Pallet, is_planned: bool = False) -> Script:
        for line in pallet.lines:
            if not is_planned:
                yield self._random.uniform(*WALK_S)
                if not self._stock.may_pick(line.bin, line.gtin, line.quantity):
                    continue
            yield from self._pick_line(handheld, pallet.sscc, line)

    def _pick_line(self, handheld: Handheld, sscc: str, line: PickLine) -> Script:
        def lies_on_pallet() -> None:
            self._stock.add(line.bin, line.gtin, -line.quantity)
            self._stock.note_picked(sscc)

        yield from self._scan(handheld, self._labels[line.bin])
        yield from self._scan(handheld, _logistic(sscc))
        yield from self._scan(handheld, _item(line), lies_on_pallet)

    def _load(self, portal: Portal, pallet: Pallet, cause: Cause | None) -> Script:
        if cause is not None or pallet.sscc in self._door_of:
            needed = self._stock.lines_picked(pallet.sscc) or len(pallet.lines)
            yield lambda: self._stock.lines_picked(pallet.sscc) >= needed
        yield lambda: portal.is_attended and portal.is_clear and not self._is_over
        tag = portal.enter(epc.sscc_96(pallet.sscc, PREFIX_DIGITS))
        yield lambda: tag.is_certain
        if cause is not None:
            self._truth.alert(cause.type, cause.subject)
        yield self._random.uniform(*IN_FIELD_S)
        # A truck is loaded under somebody's eyes: nothing leaves the door while the reader is deaf.
        yield lambda: portal.is_attended and not self._is_over
        portal.leave(tag)

    def _scan(
        self, handheld: Handheld, symbol: Symbol, beeped: Callable[[], None] | None = None
    ) -> Script:
        yield lambda: handheld.is_idle and not self._is_over
        handheld.scan(symbol, beeped)
        yield lambda: handheld.is_idle
        yield self._random.uniform(*SCAN_PACE_S)

    def _next_to_pick(self) -> Pallet:
        while self._to_pick:
            pallet = self._to_pick.popleft()
            if self._utc() < self._doors[self._door_of[pallet.sscc]]:
                return pallet
        chosen = self._random.choices(list(self._articles.values()), k=SPARE_PALLET_LINES)
        return Pallet(self._spare.popleft(), tuple(self._line(article) for article in chosen))

    def _line(self, article: Article) -> PickLine:
        shelf = article.pick
        return PickLine(shelf.bin, shelf.gtin, shelf.lot, self._random.choice((1, 1, 1, 2, 3, 5)))


def _in_turns(queues: list[tuple[Pallet, ...]]) -> Iterable[Pallet]:
    """One from each queue after the other, so that every door has something to load."""
    for row in zip(*queues, strict=True):
        yield from row


def _logistic(sscc: str) -> Symbol:
    return Symbol(gs1.AIM_GS1_128, gs1.logistic_label(sscc))


def _item(line: PickLine) -> Symbol:
    if line.quantity == 1 and not line.lot:
        return Symbol(gs1.AIM_EAN_13, line.gtin[1:])
    return Symbol(gs1.AIM_GS1_128, gs1.item_label(line.gtin, line.quantity, line.lot))
