"""A vehicle folded again because an assignment was corrected: fixes that were taken for its own are
another's, or the other way round. From the last checkpoint before the change, over the fixes that
are its own by the assignments of now. Upstream: `waystock_ingest.corrections`.
"""

from typing import NamedTuple

import numpy as np

from waystock.fleet.assignments import FOREVER_US
from waystock.fleet.fixes import Int64s
from waystock.fleet.fold import FoldOutput, fold_tracks, quarter_start_us
from waystock.fleet.records import UNKNOWN_US, Records
from waystock.fleet.state import nothing_known
from waystock.store import fleet as store
from waystock.store.fleet import Again, Devices
from waystock.store.refolds import Refold
from waystock.store.vehicle_states import Known
from waystock_ingest.stages.again import QUARTER_US, after_floor_us, devices_of, first_us_of, put
from waystock_ingest.stages.work import Work


class OutOfReachError(Exception):
    """The fixes that it would take are no longer stored."""


class _Folded(NamedTuple):
    """One vehicle's second fold."""

    output: FoldOutput
    since_us: Int64s
    """What was decided after this falls."""
    is_based: bool
    is_whole: bool
    """False: it begins later than what was asked for."""


def refold(work: Work, asked: Refold) -> bool:
    """Whether all that was asked for could be folded again; False where only the later part could:
    what was derived from fixes that are gone stays as it was.

    Raises OutOfReachError where nothing of it can.
    """
    vehicles = [asked.vehicle]
    known = work.states.locked(work.database, vehicles)
    folded = _fold_from(work, asked, known)
    again = Again(vehicles, folded.since_us, np.array([not folded.is_based]))
    store.overrule(work.database, again)
    if not folded.output.progress["is_new"][0]:
        store.forget_progress(work.database, vehicles)
        known = work.states.locked(work.database, vehicles)
    put(work, vehicles, known, folded.output, again)
    work.dirty["transit"].add(asked.vehicle)
    return folded.is_whole


def _fold_from(work: Work, asked: Refold, known: Known) -> _Folded:
    """From before the change; and from before that, until a fix is accepted that says where the
    vehicle stood last."""
    own = devices_of(work, [asked.vehicle])
    first_us = np.array([asked.since_us], np.int64)
    is_whole = True
    while True:
        states, is_based = store.checkpoints_before(
            work.database, [asked.vehicle], quarter_start_us(first_us), own
        )
        if is_based[0]:
            based_us = states["at_us"].copy()
            output, _ = _fold(work, asked, states, own)
            if output.progress["is_new"][0] or not is_whole:
                since_us = quarter_start_us(based_us + QUARTER_US)
                return _Folded(output, since_us, is_based=True, is_whole=is_whole)
            first_us = based_us
            continue
        limit_us = _limit_us(work, asked, known, own)
        if limit_us <= first_us[0]:
            return _fold_from_nothing(work, asked, known, own)
        first_us[0], is_whole = limit_us, False


def _limit_us(work: Work, asked: Refold, known: Known, own: Devices) -> int:
    """Where it can begin that has no checkpoint to begin from: anywhere, as long as its first fix
    is still stored, whosever that is now."""
    if known.is_stale[0] or known.states["at_us"][0] == UNKNOWN_US:
        return UNKNOWN_US
    first_us = known.states["first_us"]
    is_kept, _ = store.kept_since(work.database, [asked.vehicle], first_us, _with(own, asked))
    if is_kept[0]:
        return UNKNOWN_US
    _, floor_us = store.kept_since(work.database, [asked.vehicle], first_us, own)
    if floor_us[0] == UNKNOWN_US:
        raise OutOfReachError(f"the first fixes of {asked.vehicle} are no longer stored")
    return int(after_floor_us(floor_us)[0])


def _with(own: Devices, asked: Refold) -> Devices:
    """Together with the devices that came or went, whenever."""
    count = len(asked.devices)
    return Devices(
        [*own.places, *[1] * count],
        [*own.names, *asked.devices],
        np.append(own.from_us, np.full(count, UNKNOWN_US)),
        np.append(own.until_us, np.full(count, FOREVER_US)),
    )


def _fold_from_nothing(work: Work, asked: Refold, known: Known, own: Devices) -> _Folded:
    output, begin_us = _fold(work, asked, nothing_known(1), own)
    if begin_us[0] == np.iinfo(np.int64).max:  # no fix is its own
        begin_us = np.array([asked.since_us], np.int64)
    if known.states["at_us"][0] != UNKNOWN_US:
        begin_us = np.minimum(begin_us, known.states["first_us"])
    return _Folded(output, quarter_start_us(begin_us), is_based=False, is_whole=True)


def _fold(work: Work, asked: Refold, states: Records, own: Devices) -> tuple[FoldOutput, Int64s]:
    """What the fixes after a state give, and the first of them."""
    fixes = store.fixes_since(work.database, states["at_us"].copy(), own)
    shipments = work.plan.shipments_of([asked.vehicle])
    return fold_tracks(states, fixes, shipments, work.plan), first_us_of(fixes, 1)
