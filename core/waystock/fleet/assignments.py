"""Which vehicle a device was on, and when: a fix belongs to the vehicle that its tracker was on at
the fix's own time, whenever it arrives. Upstream: assignments of the master data; downstream:
ingest, which gives each fix its vehicle by columns. UTC, microseconds since 1970.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waystock.fleet.fixes import Int32s, Int64s
from waystock.fleet.records import UNKNOWN_US

FOREVER_US = 2**62
"""Later than every fix."""
NOWHERE = -1


class Span(NamedTuple):
    """A device on a vehicle, from (included) until (not included)."""

    device: str
    vehicle: str
    from_us: int = UNKNOWN_US
    until_us: int = FOREVER_US


class Assignments:
    """All of them; those of one device don't overlap."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._of_device: dict[str, list[Span]] = defaultdict(list)
        self._of_vehicle: dict[str, list[Span]] = defaultdict(list)
        for span in sorted(spans, key=lambda one: (one.device, one.from_us)):
            self._of_device[span.device].append(span)
            self._of_vehicle[span.vehicle].append(span)
        self._vehicles = sorted(self._of_vehicle)
        self._ranks = {vehicle: rank for rank, vehicle in enumerate(self._vehicles)}
        self._numbers = {device: number for number, device in enumerate(self._of_device)}
        # Where each device was put last; the end stands for those that were never on any vehicle.
        last = [spans[-1] for spans in self._of_device.values()]
        ranks = [self._ranks[span.vehicle] for span in last]
        self._last_rank = np.array([*ranks, NOWHERE], np.int32)
        self._last_from_us = np.array([*(span.from_us for span in last), UNKNOWN_US], np.int64)
        self._last_until_us = np.array([*(span.until_us for span in last), FOREVER_US], np.int64)

    def of_vehicle(self, vehicle: str) -> Sequence[Span]:
        """What was, is or will be on it."""
        return self._of_vehicle.get(vehicle, ())

    def of_device(self, device: str) -> Sequence[Span]:
        """What it was, is or will be on."""
        return self._of_device.get(device, ())

    def vehicle_at(self, device: str, time_us: int) -> str | None:
        """The vehicle that the device was on at that instant."""
        for span in self._of_device.get(device, ()):
            if span.from_us <= time_us < span.until_us:
                return span.vehicle
        return None

    def tracks(
        self, devices: Sequence[str], device: Int32s, time_us: Int64s
    ) -> tuple[list[str], Int32s]:
        """The fixes' vehicles in order of name, and for each fix the place of its own among them,
        NOWHERE where its device was on none. `device` counts in `devices`, which are distinct."""
        numbers = np.fromiter(map(self._numbers.get, devices, repeat(-1)), np.intp, len(devices))
        of_fix = numbers[device] if len(devices) else device
        begins_us = self._last_from_us[of_fix]
        # Nearly all fixes are of now, when a device is where it was put last.
        is_last = (begins_us <= time_us) & (time_us < self._last_until_us[of_fix])
        rank = np.where(is_last, self._last_rank[of_fix], NOWHERE)
        at = np.flatnonzero(~is_last & (begins_us > UNKNOWN_US))
        if len(at):
            known = [self._of_device.get(name, ()) for name in devices]
            rank[at] = _by_time(known, self._ranks, device[at], time_us[at])
        is_met = np.zeros(len(self._vehicles), np.bool_)
        is_met[rank[rank >= 0]] = True
        place = np.append(np.cumsum(is_met) - 1, NOWHERE).astype(np.int32)
        vehicles = [self._vehicles[number] for number in np.flatnonzero(is_met).tolist()]
        return vehicles, place[rank]


def _by_time(
    known: Sequence[Sequence[Span]], ranks: Mapping[str, int], device: Int32s, time_us: Int64s
) -> Int32s:
    """Spans and fixes together in order of device and time: a fix's span is the last one before it,
    if it is of the fix's device and not over."""
    rows = [(number, span) for number, spans in enumerate(known) for span in spans]
    of_device = np.array([number for number, _ in rows], np.int32)
    begins_us = np.array([span.from_us for _, span in rows], np.int64)
    ends_us = np.array([span.until_us for _, span in rows], np.int64)
    vehicle = np.array([ranks[span.vehicle] for _, span in rows], np.int32)
    is_fix = np.arange(len(rows) + len(device)) >= len(rows)
    order = np.lexsort(
        (is_fix, np.concatenate((begins_us, time_us)), np.concatenate((of_device, device)))
    )
    last: NDArray[np.intp] = np.maximum.accumulate(np.where(is_fix[order], -1, order))
    span = np.empty(len(order), np.intp)
    span[order] = last
    mine = span[len(rows) :]
    is_on = (mine >= 0) & (of_device[mine] == device) & (time_us < ends_us[mine])
    return np.where(is_on, vehicle[mine], NOWHERE).astype(np.int32)
