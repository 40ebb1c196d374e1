"""The plot of the day: who does what, and when at the earliest, in seconds after `sim run` began.
Every alert has its cause here. Upstream: the world; downstream: the workers and trucks that play it
(work.py, simulation.py). After it, each worker goes on with everyday work.
"""

from dataclasses import dataclass

from waystock.contract.masterdata import AsnPallet
from waystock_firmware_sim.truth import AlertType
from waystock_firmware_sim.world.build import World
from waystock_firmware_sim.world.inbound import Delivery
from waystock_firmware_sim.world.outbound import Pallet
from waystock_firmware_sim.world.shelves import LOW_PRODUCT


@dataclass(frozen=True)
class Cause:
    """An alert that an act must bring about."""

    type: AlertType
    subject: str


@dataclass(frozen=True)
class Receive:
    """The receiver scans the label of a pallet at the dock."""

    pallet: AsnPallet


@dataclass(frozen=True)
class CloseReceipt:
    """The receiver scans the delivery's closing sheet."""

    delivery: Delivery


@dataclass(frozen=True)
class PutAway:
    """A pallet that was received goes into a bin; the bin's label is scanned there."""

    pallet: AsnPallet


@dataclass(frozen=True)
class PickPallet:
    """All lines of an outbound pallet are picked."""

    pallet: Pallet


@dataclass(frozen=True)
class LoadPallet:
    """A picked pallet rolls through the portal of a door."""

    pallet: Pallet


@dataclass(frozen=True)
class Crawl:
    """A truck is caught in traffic."""

    speed_mps: float


@dataclass(frozen=True)
class LeaveRoute:
    """A truck takes the wrong exit."""


Deed = Receive | CloseReceipt | PutAway | PickPallet | LoadPallet | Crawl | LeaveRoute


@dataclass(frozen=True)
class Act:
    """`actor` is a scanner, a portal or a vehicle."""

    at_s: float
    actor: str
    deed: Deed
    cause: Cause | None = None


def acts(world: World) -> tuple[Act, ...]:
    """The plot of one world."""
    sha, hgh = world.inbound["sha"], world.inbound["hgh"]
    short = sha.short
    assert short is not None
    here, there = world.load_at("sha/dock-out-1"), world.load_at("sha/dock-out-2")
    away = world.load_at("hgh/dock-out-1")
    with_low, astray = here.pallets[0], here.pallets[1]
    late, lost = world.trip_of("late"), world.trip_of("off_route")
    low_gtin = world.product(LOW_PRODUCT).gtin

    def cause(kind: AlertType, subject: str) -> Cause:
        return Cause(kind, subject)

    return (
        # On the road
        Act(
            0.0,
            late.truck.vehicle,
            Crawl(3.5),
            cause("shipment.late_predicted", late.shipment.shipment),
        ),
        Act(
            5.0,
            lost.truck.vehicle,
            LeaveRoute(),
            cause("vehicle.off_route", lost.truck.vehicle),
        ),
        # Shanghai: one delivery is complete, the other lacks a pallet
        *(Act(2.5 + 2.5 * i, "scan-sha-recv-1", Receive(p)) for i, p in enumerate(short.coming)),
        Act(
            11.0,
            "scan-sha-recv-1",
            CloseReceipt(short),
            cause("receipt.short", short.order.purchase_order),
        ),
        *(Act(3.0 + 3.0 * i, "scan-sha-recv-2", Receive(p)) for i, p in enumerate(sha.plot.coming)),
        Act(14.0, "scan-sha-recv-2", CloseReceipt(sha.plot)),
        *(Act(7.0 + 5.0 * i, "scan-sha-put-1", PutAway(p)) for i, p in enumerate(short.coming)),
        *(Act(8.0 + 5.0 * i, "scan-sha-put-2", PutAway(p)) for i, p in enumerate(sha.plot.coming)),
        # Shanghai: picked and loaded; one pallet goes to the wrong door
        Act(2.0, "scan-sha-pick-1", PickPallet(with_low)),
        Act(2.5, "scan-sha-pick-2", PickPallet(astray)),
        Act(3.0, "scan-sha-pick-3", PickPallet(there.pallets[0])),
        Act(
            14.0,
            "rfid-sha-out-1",
            LoadPallet(with_low),
            cause("stock.low", f"sha/{low_gtin}"),
        ),
        Act(13.0, "rfid-sha-out-2", LoadPallet(there.pallets[0])),
        Act(
            20.0,
            "rfid-sha-out-2",
            LoadPallet(astray),
            cause("load.wrong_vehicle", astray.sscc),
        ),
        # Hangzhou: a day without surprises
        *(Act(4.0 + 3.0 * i, "scan-hgh-recv-1", Receive(p)) for i, p in enumerate(hgh.plot.coming)),
        Act(15.0, "scan-hgh-recv-1", CloseReceipt(hgh.plot)),
        *(Act(9.0 + 5.0 * i, "scan-hgh-put-1", PutAway(p)) for i, p in enumerate(hgh.plot.coming)),
        Act(2.0, "scan-hgh-pick-1", PickPallet(away.pallets[0])),
        Act(3.5, "scan-hgh-pick-2", PickPallet(away.pallets[1])),
        Act(16.0, "rfid-hgh-out-1", LoadPallet(away.pallets[0])),
        Act(24.0, "rfid-hgh-out-1", LoadPallet(away.pallets[1])),
    )
