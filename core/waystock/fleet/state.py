"""The state of the fold over one vehicle's fixes: all that is needed to go on with the next fix, a
record of fixed size. Upstream and downstream: `waystock.fleet.fold`. The form's number stands
first: a state of another form is not read, its vehicle is folded again from its fixes.
"""

from typing import Annotated

import numpy as np

from waystock.compiled import compiled
from waystock.fleet.records import (
    F4,
    F8,
    I4,
    I8,
    U1,
    U2,
    UNKNOWN_US,
    Flag,
    Items,
    Records,
    WideFlag,
    dtype_of,
)
from waystock.fleet.settings import FENCES_MAX, FINISHED_MAX, RECENT_MAX, RESTS_MAX

FORM = 4
"""Number of this form; 1 was JSON, 2 knew no anomalies, 3 no hours, no limits of vehicles and not
when a leg began, and was kept in full (see `state_bytes`)."""

NOTHING, UNKNOWN, STOPPED, MOVING = 0, 1, 2, 3
"""Phases: no fix yet; too little is known; standing; driving."""
ENTERING, DRIVING_IN, INSIDE, ALERTED = 0, 1, 2, 3
"""A visit that isn't certain yet, the same of a vehicle that said it moves; one that is; one that
is told of, because it lasts too long or is where the vehicle has no business."""
PLAIN, YARD, NO_GO_AREA = 0, 1, 2
"""Kinds of fences: one where vehicles manoeuvre, one where they have no business."""


class Spot:
    """An accepted fix as the rules need it. `odometer_m` is the sum of all legs up to it."""

    time_us: I8
    lat: F8
    lon: F8
    odometer_m: F8


class Rest:
    """A time during which the vehicle stayed near `since`."""

    since: Spot
    until: Spot


class FenceStay:
    """One fence the vehicle is entering, in, or leaving (`run` > 0)."""

    fence: I8
    entered_us: I8
    run_us: I8
    alert_us: I8
    """When what is told of it began."""
    area_m2: F4
    run: U2
    stage: U1
    """ENTERING, DRIVING_IN, INSIDE or ALERTED."""
    kind: U1
    """PLAIN, YARD or NO_GO_AREA."""


class Journey:
    """Progress of the active shipment, if there is one."""

    shipment: I8
    route_m: F8
    """Length of the route that `progress_m` is measured on: another length is another route."""
    progress_m: F8
    """NaN: not known."""
    arrived: I8
    """Bit by bit, the stops arrived at whose number is less than 63."""
    leg_us: I8
    """When it arrived at the last stop, or was first seen under way; 0 before."""
    left_us: I8
    """The last fix at the stop where the leg begins; 0 until it has left it."""
    last_seq: I4
    """The last stop arrived at, if `has_arrived`; earlier ones may have been left out."""
    rebase: U1
    is_on: Flag
    has_arrived: Flag
    was_on_route: Flag


class Pace:
    """Way and time of late, each decaying with `pace_memory_s`; the speed of the last hop, 0 before
    the first."""

    moved_m: F8
    moved_s: F8
    hop_mps: F8


class Watch:
    """Hysteresis of one alert. `run` counts towards opening, `clear_run` towards clearing."""

    shipment: I8
    run_us: I8
    opened_us: I8
    clear_us: I8
    captured_us: I8
    """Capture time of the fix that led to what is shown."""
    shown: F8
    """The leading figure as last shown."""
    run: U2
    clear_run: U2
    is_open: WideFlag


class LateFigures:
    """What an open alert of lateness shows."""

    late_s: F8
    remaining_m: F8
    pace_mps: F8
    eta_us: I8
    window_end_us: I8
    seq: I4
    model: U2
    cause: U2


class AwayFigures:
    """What an open alert of a vehicle off its route shows."""

    distance_m: F8
    limit_m: F8
    lat: F8
    lon: F8


class Outing:
    """Being on the road when one should not, from its first fix on; `run` counts its fixes up to
    those that are told of."""

    begin_us: I8
    way_m: F4
    run: U2
    is_told: U2


class Anomalies:
    """What is out of the ordinary, each thing one episode at a time."""

    speeding_us: I8
    speeding_clear_us: I8
    speeding_fence: I8
    speeding_mps: F4
    """The highest of the episode."""
    speeding_limit_mps: F4
    halt_us: I8
    halt_shipment: I8
    """The unplanned stop that is told; without a shipment, the last stop that was in a yard."""
    frozen_us: I8
    """The first of the fixes at the very same place …"""
    frozen_mps: F4
    """… and how fast the way to it was driven."""
    jump_m: F4
    jump_us: I8
    jump_last_us: I8
    """First and last fix of an episode of jumps."""
    speeding_run: U1
    speeding_clear_run: U1
    is_speeding: Flag
    is_frozen: Flag
    frozen_run: U2
    jumps: U1
    is_jumping: Flag
    silent_us: I8
    """From then on the vehicle is silent, if nothing more is heard of it; UNKNOWN_US: it may be."""
    off_hours: Outing
    unassigned: Outing


class VehicleState:
    """Zeros, but for the instants, is knowing nothing yet. There is no room between the fields, so
    that equal states are equal bytes."""

    form: U2
    phase: U2
    rest_count: U2
    recent_count: U2
    away: U2
    """Fixes in a row that lie away from where the vehicle stands."""
    suspect_fixes: U2
    """Fixes in a row that contradict the accepted ones; the last of them is the suspect."""
    finished_count: U2
    fence_count: U2
    at_us: I8
    """The last fix that was looked at, used or not: one at or before it is late."""
    first_us: I8
    """The first fix that was looked at."""
    suspect_us: I8
    suspect_lat: F8
    suspect_lon: F8
    anchor: Spot
    """The place that departure is measured from; where the trip began, while moving."""
    since: Spot
    until: Spot
    """The present rest: it always ends at the last accepted fix."""
    left: Spot
    """Last fix before the run of `away` fixes."""
    journey: Journey
    pace: Pace
    late: Watch
    late_figures: LateFigures
    off_route: Watch
    away_figures: AwayFigures
    anomalies: Anomalies
    finished: Annotated[Items[I8], FINISHED_MAX]
    """Shipments that are done with, newest last."""
    fences: Annotated[Items[FenceStay], FENCES_MAX]
    rests: Annotated[Items[Rest], RESTS_MAX]
    """Earlier rests of `still_s` or more; those of the stop window, and at least the latest."""
    recent: Annotated[Items[Spot], RECENT_MAX]
    """Accepted fixes of the stop window, `recent_step_s` apart."""


STATE = dtype_of(VehicleState)


def nothing_known(count: int) -> Records:
    """States of vehicles that no fix is known of."""
    states = np.zeros(count, STATE)
    states["form"] = FORM
    states["at_us"] = states["first_us"] = UNKNOWN_US
    states["anomalies"]["silent_us"] = UNKNOWN_US
    return states


@compiled
def copy_spot(into: Spot, of: Spot) -> None:
    """Make one spot the other."""
    into.time_us = of.time_us
    into.lat = of.lat
    into.lon = of.lon
    into.odometer_m = of.odometer_m
