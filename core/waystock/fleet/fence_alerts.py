"""What is told of a stay in a fence: that the vehicle has no business there, or that it is kept for
longer than agreed. One alert per stay while the fence's limits count; where its hours end first, it
ends with them, and begins anew when they come again. Upstream: visits that are certain; downstream:
alert rows.
"""

from waystock.compiled import compiled
from waystock.fleet.hours import Hours, is_within
from waystock.fleet.planned import PlannedFence
from waystock.fleet.records import Items
from waystock.fleet.rows import DWELL, HOURS_OVER, NO_GO, RECOVERED, Row, Step, end_row, say, tell
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import ALERTED, INSIDE, NO_GO_AREA, FenceStay


@compiled
def watch_stay(
    stay: FenceStay,
    step: Step,
    fence: PlannedFence,
    hours: Hours,
    rows: Items[Row],
    s: FleetSettings,
) -> None:
    """One more fix of a visit that goes on."""
    if stay.stage == ALERTED:
        if not is_within(hours, fence.schedule, step.spot.time_us):
            _end(stay, step, fence, step.spot.time_us, HOURS_OVER, rows)
        return
    if stay.run > 0 or not _is_due(stay, step, fence, s):
        return
    if not is_within(hours, fence.schedule, step.spot.time_us):
        return
    stay.stage = ALERTED
    stay.alert_us = _begin_us(stay, step, fence, hours)
    _say(stay, step, fence, step.spot.time_us, rows)


@compiled
def end_stay_alert(stay: FenceStay, step: Step, fence: PlannedFence, rows: Items[Row]) -> None:
    """The visit is over, at `stay.run_us`."""
    if stay.stage == ALERTED:
        _end(stay, step, fence, stay.run_us, RECOVERED, rows)


@compiled
def _is_due(stay: FenceStay, step: Step, fence: PlannedFence, s: FleetSettings) -> bool:
    if stay.kind == NO_GO_AREA:
        return True
    stayed_s = (step.spot.time_us - stay.entered_us) * 1e-6
    return stayed_s >= s.dwell_s_min and 0 < fence.dwell_limit_s <= stayed_s


@compiled
def _begin_us(stay: FenceStay, step: Step, fence: PlannedFence, hours: Hours) -> int:
    """Where the limit was reached, or the fence entered; or here, if that was outside its hours."""
    begin_us = stay.entered_us
    if stay.kind != NO_GO_AREA:
        begin_us += round(fence.dwell_limit_s * 1e6)
    if stay.alert_us == 0 and is_within(hours, fence.schedule, begin_us):
        return begin_us
    return step.spot.time_us


@compiled
def _say(stay: FenceStay, step: Step, fence: PlannedFence, at_us: int, rows: Items[Row]) -> int:
    kind = NO_GO if stay.kind == NO_GO_AREA else DWELL
    at = say(rows, step, kind, stay.fence, 0, stay.alert_us)
    limit_s = 0.0 if kind == NO_GO else fence.dwell_limit_s
    tell(rows[at], step, (at_us - stay.entered_us) * 1e-6, limit_s)
    return at


@compiled
def _end(
    stay: FenceStay, step: Step, fence: PlannedFence, at_us: int, ended: int, rows: Items[Row]
) -> None:
    row = rows[_say(stay, step, fence, at_us, rows)]
    row.ended = ended
    end_row(row, max(at_us, stay.alert_us), step)
    stay.stage = INSIDE
