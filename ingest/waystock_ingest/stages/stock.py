"""Second stage: scans become operations, operations movements, movements positions and alerts."""

from waystock.contract.events import Barcode, Rfid
from waystock.stock.interpret import BIZ_STEPS_WITH_CONTEXT
from waystock.store.stock import LedgerChange, Span, apply_operations, reinterpret
from waystock.store.stock_alerts import raise_stock_alerts
from waystock_ingest.stages.work import Work

MOVEMENTS_SHOWN = 200
"""Of the movements a batch adds, screens are told of so many, the last ones."""
_SCANNING = {"receiving", "storing", "picking", "loading", "unloading"}


def derive_stock(work: Work) -> None:
    """Read again what was scanned around the batch; change the ledger by the difference."""
    spans = _spans(work)
    if not spans:
        return
    directory = work.master.directory
    devices = work.master.devices
    with_context = {
        device for device in spans if devices[device].biz_step in BIZ_STEPS_WITH_CONTEXT
    }
    old, new = reinterpret(work.database, spans, directory, with_context)
    change = apply_operations(work.database, old, new, directory)
    alerts = raise_stock_alerts(work.database, change, directory, work.master.names)
    work.dirty["alerts"] |= alerts
    _mark(work, change)


def _spans(work: Work) -> dict[str, Span]:
    """Device → (first, last) time of its new scans; devices that scan nothing are left out."""
    spans: dict[str, Span] = {}
    scans = [event for one in work.columns if one.kind in (Barcode, Rfid) for event in one.events]
    for event in scans:
        device = work.master.devices.get(event.device)
        if device is None or device.biz_step not in _SCANNING:
            continue
        if isinstance(event, Rfid) and event.presence == "departed":
            continue
        first, last = spans.get(event.device, (event.time, event.time))
        spans[event.device] = (min(first, event.time), max(last, event.time))
    return spans


def _mark(work: Work, change: LedgerChange) -> None:
    sites = work.master.directory.site_by_location
    touched = {
        (location, movement.gtin)
        for movement in (*change.gone, *change.come)
        for location in (movement.from_location, movement.to_location)
    }
    for location, gtin in touched:
        place, _, name = location.partition("/")
        if place == "vehicle":
            work.dirty["transit"].add(name)
        elif location in sites:
            work.dirty["stock"].add(f"{sites[location]}/{gtin}")
    shown = (*change.gone, *change.come[-MOVEMENTS_SHOWN:])
    work.dirty["movements"] |= {f"{one.stream_id}-{one.stream_offset}-{one.line}" for one in shown}
