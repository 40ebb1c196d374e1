"""What comes out of the fold, as records: derived rows of all kinds in one growing array, and each
vehicle's progress. Upstream: the rules; downstream: the store's tables and the alerts. A row has a
deterministic name (kind, vehicle, key, number, beginning); said again it replaces what was said.
"""

from typing import Annotated

from waystock.compiled import compiled
from waystock.fleet.records import F8, I4, I8, UNKNOWN_US, Flag, Items, dtype_of
from waystock.fleet.settings import FENCES_MAX
from waystock.fleet.state import Spot

TRIP, STOP, VISIT, ARRIVAL, LATE, OFF_ROUTE = range(6)
"""Kinds of rows. Keys: the fence of a visit, the shipment of an arrival or of lateness; number: the
stop of an arrival."""
NO_GO, DWELL, SPEEDING, UNPLANNED_STOP, GPS_SILENT, GPS_JUMP, GPS_FROZEN = range(6, 13)
OFF_HOURS, UNASSIGNED = range(13, 15)
"""Kinds of rows that are alerts, too; the key of the first three is a fence. `figure` and `limit`
are seconds, for speeding metres per second, for jumps the longest in metres and how many, of the
last two metres driven."""
NOT_ENDED, RECOVERED, REACHED, SHIPMENT_OVER, HOURS_OVER = range(5)
"""Why an alert ended."""
PACE, LEARNED, STRAIGHT_LINE = range(3)
"""What an arrival time rests on: planned and own pace on the route; the lane's finished trips; the
straight line, where there is no route."""
NO_CAUSE, LATE_DEPARTURE, HALT, DETOUR, SERVICE, SLOW = range(6)
"""What makes a vehicle late: it left late, stands on the way, is off its route, is kept at the stop
before, or drives slower than it should."""
FUTURE_TIME, LOW_ACCURACY, TELEPORT = 1, 2, 3
"""Why a fix was left out; 0 is that it was not."""


class Row:
    """One derived row; which fields mean something depends on `kind`."""

    kind: I4
    track: I4
    """Which of the call's vehicles."""
    number: I4
    seq: I4
    model: I4
    cause: I4
    ended: I4
    key: I8
    shipment: I8
    begin_us: I8
    end_us: I8
    """UNKNOWN_US: not over."""
    decided_us: I8
    """The end of the quarter of an hour in which its beginning became known …"""
    end_decided_us: I8
    """… and its end."""
    captured_us: I8
    eta_us: I8
    window_end_us: I8
    lat: F8
    lon: F8
    end_lat: F8
    end_lon: F8
    distance_m: F8
    limit_m: F8
    late_s: F8
    remaining_m: F8
    pace_mps: F8
    figure: F8
    limit: F8


class Progress:
    """A vehicle after its last accepted fix. NaN and UNKNOWN_US: unknown."""

    is_new: Flag
    """Whether a fix was accepted in this call; the rest means nothing otherwise."""
    is_off_route: Flag
    has_outlook: Flag
    is_on_trip: Flag
    is_under_way: Flag
    """Whether it has left the place where its shipment begins."""
    phase: I4
    next_seq: I4
    """The stop ahead, where there is an outlook …"""
    model: I4
    """… and what its arrival time rests on."""
    fence: I8
    """The smallest fence it is in; 0 for none."""
    shipment: I8
    """0 for none."""
    fix_us: I8
    captured_us: I8
    eta_us: I8
    p10_us: I8
    p90_us: I8
    window_end_us: I8
    trip_started_us: I8
    silent_us: I8
    """From then on it is silent, if nothing more is heard of it."""
    lat: F8
    lon: F8
    speed_mps: F8
    course_deg_true: F8
    remaining_m: F8
    late_s: F8
    trip_m: F8


class Outlook:
    """When a vehicle will be at one of its later stops, as of its last accepted fix."""

    track: I4
    seq: I4
    model: I4
    shipment: I8
    lane: I8
    fix_us: I8
    eta_us: I8
    p10_us: I8
    p90_us: I8
    remaining_m: F8


class Step:
    """What the rules tell each other about one fix, and where the call's rows have got to."""

    spot: Spot
    before: Spot
    """The accepted fix before this one."""
    captured_us: I8
    speed_mps: F8
    course_deg_true: F8
    accuracy_m: F8
    leg_m: F8
    leg_s: F8
    """Way and time since the last accepted fix; 0 s at the first."""
    unplanned_stop_s: F8
    """… and one of them."""
    quarter_us: I8
    """End of the quarter of an hour that the fix lies in."""
    hop_m: F8
    hop_s: F8
    """The way from the first fix at one place to the first one away from it; 0 s: none ended."""
    away_m: F8
    """Distance from the planned route; NaN: there is none."""
    remaining_m: F8
    pace_mps: F8
    p10_s: F8
    p50_s: F8
    p90_s: F8
    from_us: I8
    eta_us: I8
    model: I4
    cause: I4
    """What makes it late, if it is."""
    outlooks: I4
    """How many there are so far."""
    shipment: I4
    """Place of the active shipment among the plan's; −1 for none."""
    next_stop: I4
    """Place of the stop ahead among the plan's; −1 for none."""
    is_accepted: Flag
    is_full: Flag
    """Whether rows were lost for want of room."""
    track: I4
    rows: I4
    first_row: I4
    """Rows so far, and where those of this vehicle begin."""
    checkpoints: I4
    """Of the vehicles before this one."""
    shipment_from: I4
    """Shipments of the vehicle before this one are over."""
    shipment_to: I4
    limits: I4
    """Place of the vehicle's limits among the plan's …"""
    entered_count: I4
    entered: Annotated[Items[I8], FENCES_MAX]
    """Fences whose visit became known at this fix …"""
    entered_us: Annotated[Items[I8], FENCES_MAX]
    """… and when it began."""


ROW, PROGRESS, STEP = dtype_of(Row), dtype_of(Progress), dtype_of(Step)
OUTLOOK = dtype_of(Outlook)


@compiled
def say(rows: Items[Row], step: Step, kind: int, key: int, number: int, begin_us: int) -> int:
    """Place of the row of this name: as it was said before in this call, or a new open one."""
    for i in range(step.rows - 1, step.first_row - 1, -1):
        row = rows[i]
        is_same = row.kind == kind and row.key == key and row.number == number
        if is_same and row.begin_us == begin_us:
            return i
    at = step.rows
    if at >= len(rows) - 1:
        # The last place takes what has no room; the vehicle is folded again with more of it.
        step.is_full = True
        at = len(rows) - 1
    else:
        step.rows += 1
    row = rows[at]
    row.kind = kind
    row.track = step.track
    row.key = key
    row.number = number
    row.shipment = 0
    row.begin_us = begin_us
    row.end_us = UNKNOWN_US
    row.decided_us = step.quarter_us
    row.end_decided_us = UNKNOWN_US
    row.ended = NOT_ENDED
    return at


@compiled
def end_row(row: Row, end_us: int, step: Step) -> None:
    """The row is over; said a second time alike, it was decided when it was said first."""
    if row.end_us != end_us:
        row.end_us = end_us
        row.end_decided_us = step.quarter_us


@compiled
def tell(row: Row, step: Step, figure: float, limit: float) -> None:
    """The figures of an anomaly, at the place of this fix."""
    row.captured_us = step.captured_us
    row.lat = step.spot.lat
    row.lon = step.spot.lon
    row.figure = figure
    row.limit = limit
