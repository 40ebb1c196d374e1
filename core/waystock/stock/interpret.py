"""What a scan means. A reading carries no intent: the device's biz_step does, with what the same
device read in the ten minutes before. Upstream: stored scans of one device in order of time;
downstream: the ledger. The rules are told to users in docs/scanning.md.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

CONTEXT = timedelta(minutes=10)
"""How long a scanned bin or pallet stays the context of what the same device scans next."""

OperationKind = Literal[
    "opening",
    "receive",
    "close_receipt",
    "putaway",
    "pick",
    "load",
    "unload",
    "deliver",
    "undecided",
    "unexplained",
]


class Scan(NamedTuple):
    """One stored barcode reading, one RFID arrival, or one passage through a portal, with what its
    device is for."""

    stream_id: int
    stream_offset: int
    device: str
    time: datetime
    captured_at: datetime
    biz_step: str
    read_point: str | None
    vehicle: str | None
    data: str
    elements: tuple[tuple[str, str], ...]
    direction: str | None = None
    """`in` from the yard, `out` to it, or `unknown`, where a portal tells it."""
    doubt: str = ""
    """Why it is unknown."""


class Operation(msgspec.Struct, frozen=True, gc=False):
    """What one scan did. Its key is the reading that completed it, so that it can be made again.
    Fields stand in the order of the table's columns.
    """

    stream_id: int
    stream_offset: int
    occurred_at: datetime
    captured_at: datetime
    device: str
    kind: OperationKind
    lpn: str = ""
    gtin: str = ""
    lot: str = ""
    quantity: int = 0
    from_location: str = ""
    to_location: str = ""
    document: str = ""
    reason: str = ""

    @property
    def order(self) -> tuple[datetime, str, int, int]:
        """Sorts operations the same way however they arrived."""
        return (self.occurred_at, self.device, self.stream_offset, self.stream_id)


class AnnouncedPallet(NamedTuple):
    """What a supplier said of a pallet before it came."""

    purchase_order: str
    gtin: str
    lot: str
    quantity: int


class Appointment(NamedTuple):
    """A vehicle at a dock door between two instants."""

    starts_at: datetime
    ends_at: datetime
    shipment: str
    vehicle: str


class ShipmentPlan(NamedTuple):
    """Where a pallet belongs."""

    shipment: str
    vehicle: str
    customer: str | None


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """The master data that interpretation needs, looked up by what a scan holds."""

    location_by_gln: dict[tuple[str, str], str] = {}
    site_by_location: dict[str, str] = {}
    asn_by_sscc: dict[str, AnnouncedPallet] = {}
    supplier_by_purchase_order: dict[str, str] = {}
    lot_tracked: dict[str, bool] = {}
    """Also the list of known products."""
    appointments_by_door: dict[str, list[Appointment]] = {}
    plan_by_lpn: dict[str, ShipmentPlan] = {}


class _Context(msgspec.Struct):
    """What the device's next scan refers to."""

    pallet: tuple[str, datetime] | None = None
    place: tuple[str, datetime] | None = None


def interpret(scans: Sequence[Scan], directory: Directory) -> list[Operation]:
    """Operations of one device's scans, which are sorted by (time, stream_offset).

    A scan that only sets context gives none; one that should complete something and can't gives an
    `unexplained` operation with the reason. What a scan means depends on no scan further than
    CONTEXT before it: folding any later part of the day with that much lead-in gives the same.
    """
    context = _Context()
    operations: list[Operation] = []
    for scan in scans:
        rule = _undecided if scan.direction == "unknown" else _RULES.get(scan.biz_step)
        if rule is not None:
            operation = rule(scan, dict(scan.elements), context, directory)
            if operation is not None:
                operations.append(operation)
    return operations


def is_settled(scans: Sequence[Scan], directory: Directory) -> bool:
    """Whether these, the last scans of one device, tell what its next one refers to, whatever it
    scanned before them.
    """
    places = [_place(dict(scan.elements), directory) is not None for scan in scans]
    pallets = [any(ai == "00" for ai, _ in scan.elements) for scan in scans]
    if scans and scans[-1].biz_step == "picking":
        only_pallets = (has and not is_place for has, is_place in zip(pallets, places, strict=True))
        return any(places) and any(only_pallets)
    return any(places) or any(pallets)


def _undecided(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    """A portal that doesn't know which way a pallet went leaves it to a person."""
    del context, directory
    if scan.biz_step not in _PORTAL_STEPS or "00" not in elements:
        return None
    return _operation(
        scan,
        "undecided",
        lpn=elements["00"],
        from_location=scan.read_point or "",
        reason=UNDECIDED_REASON + scan.doubt,
    )


def _receive(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    del context
    sscc, order = elements.get("00"), elements.get("400")
    if sscc is None:
        if order is None:
            return _unexplained(scan, "neither a pallet (00) nor a purchase order (400)")
        if order not in directory.supplier_by_purchase_order:
            return _unexplained(scan, f"purchase order {order} is not known")
        return _operation(scan, "close_receipt", document=order)
    if scan.read_point is None:
        return _unexplained(scan, f"device {scan.device} has no read point to receive at", sscc)
    if scan.direction == "out":
        return _unexplained(scan, f"pallet went out through {scan.read_point}", sscc)
    announced = directory.asn_by_sscc.get(sscc)
    gtin, count = elements.get("02"), elements.get("37", "")
    if gtin is not None and count.isdigit():
        lot, quantity = elements.get("10", ""), int(count)
    elif announced is not None:
        gtin, lot, quantity = announced.gtin, announced.lot, announced.quantity
    else:
        return _unexplained(scan, "pallet not announced and its label names no contents", sscc)
    if gtin not in directory.lot_tracked:
        return _unexplained(scan, f"product {gtin} is not known", sscc)
    order = announced.purchase_order if announced else (order or "")
    return _operation(
        scan,
        "receive",
        lpn=sscc,
        gtin=gtin,
        lot=_lot(gtin, lot, directory),
        quantity=quantity,
        from_location=f"supplier/{directory.supplier_by_purchase_order.get(order, 'unknown')}",
        to_location=scan.read_point,
        document=order,
    )


def _store(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    if "00" in elements:
        context.pallet = (elements["00"], scan.time)
        return None
    place = _place(elements, directory)
    if place is None:
        return _unexplained(scan, "neither a pallet (00) nor a known location label (414)(254)")
    pallet, context.pallet = _fresh(context.pallet, scan.time), None
    if pallet is None:
        return _unexplained(scan, f"location {place} scanned with no pallet before it")
    return _operation(scan, "putaway", lpn=pallet, to_location=place)


def _pick(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    place = _place(elements, directory)
    if place is not None:
        context.place = (place, scan.time)
        return None
    if "00" in elements:
        context.pallet = (elements["00"], scan.time)
        return None
    gtin = elements.get("01")
    if gtin is None or gtin not in directory.lot_tracked:
        return _unexplained(scan, f"no known product, place or pallet in {scan.data[:60]!r}")
    source, pallet = _fresh(context.place, scan.time), _fresh(context.pallet, scan.time)
    if source is None or pallet is None:
        missing = "bin" if source is None else "outbound pallet"
        return _unexplained(scan, f"item {gtin} scanned with no {missing} before it")
    count = elements.get("30", "1")
    return _operation(
        scan,
        "pick",
        lpn=pallet,
        gtin=gtin,
        lot=_lot(gtin, elements.get("10", ""), directory),
        quantity=int(count) if count.isdigit() else 1,
        from_location=source,
        to_location=f"{directory.site_by_location.get(source, source.partition('/')[0])}/staging",
    )


def _load(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    del context
    sscc = elements.get("00")
    if sscc is None:
        return None  # other tags pass a portal all day: people's badges, returnable crates
    for appointment in directory.appointments_by_door.get(scan.read_point or "", ()):
        if appointment.starts_at <= scan.time < appointment.ends_at:
            door, vehicle = scan.read_point or "", f"vehicle/{appointment.vehicle}"
            is_in = scan.direction == "in"
            return _operation(
                scan,
                "unload" if is_in else "load",
                lpn=sscc,
                from_location=vehicle if is_in else door,
                to_location=door if is_in else vehicle,
                document=appointment.shipment,
            )
    return _unexplained(scan, f"no vehicle has an appointment at {scan.read_point} now", sscc)


def _deliver(
    scan: Scan, elements: dict[str, str], context: _Context, directory: Directory
) -> Operation | None:
    del context
    sscc = elements.get("00")
    if sscc is None or scan.vehicle is None:
        return _unexplained(scan, "delivery needs a pallet (00) and a device bound to a vehicle")
    if scan.direction == "in":
        return _unexplained(scan, f"pallet came back onto vehicle {scan.vehicle}", sscc)
    plan = directory.plan_by_lpn.get(sscc)
    return _operation(
        scan,
        "deliver",
        lpn=sscc,
        from_location=f"vehicle/{scan.vehicle}",
        to_location=f"customer/{(plan and plan.customer) or 'unknown'}",
        document=plan.shipment if plan else "",
    )


UNDECIDED_REASON = "which way it went is not known: "
_PORTAL_STEPS = frozenset({"receiving", "loading", "unloading"})
BIZ_STEPS_WITH_CONTEXT = frozenset({"storing", "picking"})
"""What a scan means there depends on scans before it; elsewhere each stands by itself."""

_Rule = Callable[[Scan, dict[str, str], _Context, Directory], Operation | None]
_RULES: dict[str, _Rule] = {
    "receiving": _receive,
    "storing": _store,
    "picking": _pick,
    "loading": _load,
    "unloading": _deliver,
}


def _place(elements: dict[str, str], directory: Directory) -> str | None:
    gln = elements.get("414")
    return directory.location_by_gln.get((gln, elements.get("254", ""))) if gln else None


def _fresh(context: tuple[str, datetime] | None, now: datetime) -> str | None:
    if context is None or now - context[1] > CONTEXT:
        return None
    return context[0]


def _lot(gtin: str, lot: str, directory: Directory) -> str:
    return lot if directory.lot_tracked.get(gtin, False) else ""


def _operation(
    scan: Scan,
    kind: OperationKind,
    *,
    lpn: str = "",
    gtin: str = "",
    lot: str = "",
    quantity: int = 0,
    from_location: str = "",
    to_location: str = "",
    document: str = "",
    reason: str = "",
) -> Operation:
    return Operation(
        stream_id=scan.stream_id,
        stream_offset=scan.stream_offset,
        occurred_at=scan.time,
        captured_at=scan.captured_at,
        device=scan.device,
        kind=kind,
        lpn=lpn,
        gtin=gtin,
        lot=lot,
        quantity=quantity,
        from_location=from_location,
        to_location=to_location,
        document=document,
        reason=reason,
    )


def _unexplained(scan: Scan, reason: str, lpn: str = "") -> Operation:
    return _operation(scan, "unexplained", lpn=lpn, reason=reason)
