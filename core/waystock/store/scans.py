"""Scans that mean something together with those the same device made around them: what is new is in
hand already, so of the store only what stands before it is asked, and whether there is more.
Upstream: ingest's stock stage; downstream: the ledger.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from waystock.stock.interpret import CONTEXT, Directory, Operation, Scan, interpret, is_settled
from waystock.store.connection import Database
from waystock.store.sql import queries

LEAD_IN_ROWS = 6
"""So many scans before the first new one mostly tell what it refers to; if not, all are read."""
_TICK = timedelta(microseconds=1)
_Span = tuple[datetime, datetime]
_read_elements = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode


class _Around(NamedTuple):
    """What the store has around a device's new scans."""

    before: list[Scan]
    """Those before the first new one, the last of them at least, in order."""
    is_whole: bool
    """Whether these are all within CONTEXT."""
    is_more: bool
    """Whether it has others from the first new one to CONTEXT after the last one."""


def interpret_in_context(
    database: Database, scans: Mapping[str, Sequence[Scan]], directory: Directory
) -> tuple[list[Operation], list[Operation]]:
    """What these devices' new scans, whose readings are in the store, mean: (old, new) operations.
    The old ones are no longer in the store, the new ones not yet.

    Scans up to CONTEXT before a new one say what it refers to. It may itself change the meaning of
    those up to CONTEXT after it: where the store has any there, all are read and understood again.
    """
    if not scans:
        return [], []
    in_order = {device: sorted(new, key=_order) for device, new in sorted(scans.items())}
    database.execute(queries("stock")["lock_devices"], {"devices": list(in_order)})
    around = _around(database, in_order)
    late = {device: new for device, new in in_order.items() if around[device].is_more}
    unsettled = {
        device: (new[0].time - CONTEXT, new[0].time - _TICK)
        for device, new in in_order.items()
        if not (around[device].is_more or _tells(around[device], directory))
    }
    lead_in = _read(database, unsettled, in_order)
    old, operations = _read_again(database, late, directory)
    for device, new in in_order.items():
        if device not in late:
            before = lead_in.get(device, around[device].before)
            operations += _interpret_from(new[0].time, [*before, *new], directory)
    return old, operations


def _order(scan: Scan) -> tuple[datetime, int, int]:
    return (scan.time, scan.stream_offset, scan.stream_id)


def _tells(around: _Around, directory: Directory) -> bool:
    return around.is_whole or is_settled(around.before, directory)


def _interpret_from(first: datetime, scans: list[Scan], directory: Directory) -> list[Operation]:
    """Operations of a device's scans from `first` on; those before are there for what they name."""
    return [one for one in interpret(scans, directory) if one.occurred_at >= first]


def _around(database: Database, in_order: Mapping[str, Sequence[Scan]]) -> dict[str, _Around]:
    firsts = [new[0].time for new in in_order.values()]
    until = [new[-1].time + CONTEXT for new in in_order.values()]
    rows = database.execute(
        queries("stock")["scans_around"],
        {
            "devices": list(in_order),
            "firsts": firsts,
            "until": until,
            "since": [first - CONTEXT for first in firsts],
            "rows": LEAD_IN_ROWS,
            "first": min(firsts) - CONTEXT,
            "last": max(until),
        },
        binary=True,
    ).fetchall()
    counts: dict[str, int] = {}
    before: dict[str, list[Scan]] = {device: [] for device in in_order}
    for device, count, *row in rows:
        counts[device] = count
        if row[0] is not None:
            before[device].append(_scan(row, in_order[device][0]))
    return {
        device: _Around(
            _whole_instants(before[device]),
            len(before[device]) < LEAD_IN_ROWS,
            counts[device] != len(new),
        )
        for device, new in in_order.items()
    }


def _whole_instants(before: list[Scan]) -> list[Scan]:
    """In order. Of many not all are given; those of the earliest instant are left out then, because
    others of the same may be missing.
    """
    if len(before) >= LEAD_IN_ROWS:
        earliest = min(scan.time for scan in before)
        before = [scan for scan in before if scan.time > earliest]
    return sorted(before, key=_order)


def _read_again(
    database: Database, late: Mapping[str, Sequence[Scan]], directory: Directory
) -> tuple[list[Operation], list[Operation]]:
    """All that these devices scanned around their new scans: (old, new) operations."""
    if not late:
        return [], []
    until = {device: new[-1].time + CONTEXT for device, new in late.items()}
    spans = {device: (new[0].time - CONTEXT, until[device]) for device, new in late.items()}
    new = [
        operation
        for device, scans in _read(database, spans, late).items()
        for operation in _interpret_from(late[device][0].time, scans, directory)
    ]
    old = database.execute(
        queries("stock")["remove_operations"],
        {
            "devices": list(late),
            "since": [scans[0].time for scans in late.values()],
            "until": list(until.values()),
        },
        binary=True,
    ).fetchall()
    return [Operation(*row) for row in old], new


def _read(
    database: Database, spans: Mapping[str, _Span], like: Mapping[str, Sequence[Scan]]
) -> dict[str, list[Scan]]:
    """What the store has of each device from and to these instants, in order; what a device is for
    is told by its new scans.
    """
    found: dict[str, list[Scan]] = {device: [] for device in spans}
    if not spans:
        return found
    since = [span[0] for span in spans.values()]
    until = [span[1] for span in spans.values()]
    rows = database.execute(
        queries("stock")["scans"],
        {
            "devices": list(spans),
            "since": since,
            "until": until,
            "first": min(since),
            "last": max(until),
        },
        binary=True,
    ).fetchall()
    for device, *row in rows:
        found[device].append(_scan(row, like[device][0]))
    return found


def _scan(row: Sequence[Any], like: Scan) -> Scan:
    """A row (stream_id, stream_offset, time, captured_at, data, elements, direction) as a scan of
    the device that made `like`."""
    stream_id, stream_offset, time, captured_at, data, elements, direction = row
    return like._replace(
        stream_id=stream_id,
        stream_offset=stream_offset,
        time=time,
        captured_at=captured_at,
        data=data,
        elements=_read_elements(elements),
        direction=direction,
        doubt="",
    )
