"""Second stage: scans become operations, operations movements, movements positions and alerts."""

from collections import defaultdict

import numpy as np

from waystock.contract.events import Barcode, Event, Rfid
from waystock.contract.masterdata import Device
from waystock.fleet.plan import instant_us
from waystock.stock.interpret import BIZ_STEPS_WITH_CONTEXT, Scan, interpret
from waystock.store.scans import interpret_in_context
from waystock.store.stock import LedgerChange, apply_operations
from waystock.store.stock_alerts import raise_stock_alerts
from waystock_ingest.stages.work import Work

MOVEMENTS_SHOWN = 200
"""Of the movements a batch adds, screens are told of so many, the last ones."""
_SCANNING = {"receiving", "storing", "picking", "loading", "unloading"}


def derive_stock(work: Work) -> None:
    """Read what was scanned as operations; change the ledger by the difference."""
    alone, in_context = _scans(work)
    if not alone and not in_context:
        return
    directory = work.master.directory
    old, new = interpret_in_context(work.database, in_context, directory)
    new += interpret(alone, directory)
    change = apply_operations(work.database, old, new, directory)
    alerts = raise_stock_alerts(work.database, change, directory, work.master.names)
    work.dirty["alerts"] |= alerts
    _mark(work, change)


def _scans(work: Work) -> tuple[list[Scan], dict[str, list[Scan]]]:
    """New scans that stand by themselves; and by device those that mean something together with
    what it scanned around them. Devices that scan nothing are left out.
    """
    alone: list[Scan] = []
    in_context: dict[str, list[Scan]] = defaultdict(list)
    for one in work.columns:
        if one.kind not in (Barcode, Rfid):
            continue
        devices = [_scanning(work, name) for name in one.devices]
        is_scanning = np.array([device is not None for device in devices], np.bool_)
        at = np.flatnonzero(is_scanning[one.device])
        stream_ids = work.stream_ids[one.source[at]].tolist()
        offsets: list[int] = one.stream_offset[at].tolist()
        numbers: list[int] = one.device[at].tolist()
        for i, number, stream_id, offset in zip(
            at.tolist(), numbers, stream_ids, offsets, strict=True
        ):
            event, device = one.events[i], devices[number]
            assert device is not None
            if isinstance(event, Rfid) and not _is_scan(event):
                continue
            has_context = device.biz_step in BIZ_STEPS_WITH_CONTEXT
            scans = in_context[device.device] if has_context else alone
            scans.append(_scan(work, event, device, stream_id, offset))
    return alone, in_context


def _scanning(work: Work, name: str) -> Device | None:
    device = work.master.devices.get(name)
    return device if device is not None and device.biz_step in _SCANNING else None


def _is_scan(event: Rfid) -> bool:
    """An arrival, or what a portal tells of a tag that is through; see the contract."""
    return not event.sighting and (event.presence != "departed" or event.direction is not None)


def _scan(work: Work, event: Event, device: Device, stream_id: int, stream_offset: int) -> Scan:
    assert isinstance(event, Barcode | Rfid)
    return Scan(
        stream_id,
        stream_offset,
        event.device,
        event.time,
        event.captured_at,
        device.biz_step,
        device.read_point,
        work.master.assignments.vehicle_at(event.device, instant_us(event.time)),
        event.data if isinstance(event, Barcode) else event.epc,
        event.elements,
        event.direction if isinstance(event, Rfid) else None,
        event.evidence.reason if isinstance(event, Rfid) and event.evidence else "",
    )


def _mark(work: Work, change: LedgerChange) -> None:
    sites = work.master.directory.site_by_location
    for location, gtin in change.since:
        place, _, name = location.partition("/")
        if place == "vehicle":
            work.dirty["transit"].add(name)
        elif location in sites:
            work.dirty["stock"].add(f"{sites[location]}/{gtin}")
    shown = (*change.gone, *change.come[-MOVEMENTS_SHOWN:])
    work.dirty["movements"] |= {f"{one.stream_id}-{one.stream_offset}-{one.line}" for one in shown}
