"""Every number the fleet rules use, in one place. The defaults were chosen by trial on simulated
days; a deployment may pass others to `FleetPlan.build`. Upstream: configuration;
downstream: all of `waystock.fleet`.
"""

import msgspec
import numpy as np

from waystock.fleet.records import Records

FINISHED_MAX, FENCES_MAX, RESTS_MAX, RECENT_MAX = 32, 12, 4, 14
"""Room in a vehicle's state: finished shipments, fences it can be in at once (further ones are met
when it has left some), earlier rests, fixes of the stop window."""


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Metres, seconds, metres per second."""

    # Which fixes are skipped (they stay stored).
    future_s_max: float = 86_400.0
    """A fix dated further than this after its capture is no fix of this trip."""
    accuracy_m_max: float = 200.0
    """A fix worse than this says too little."""
    jump_speed_mps: float = 250.0 / 3.6
    """Implied speed above which a fix contradicts the one before it …"""
    jump_m_min: float = 100.0
    """… if they are also further apart than this: noise at a high rate is no jump."""
    jump_confirm_fixes: int = 3
    """As many fixes that contradict the last one but agree with each other are believed after all:
    then the older place was the wrong one (or the vehicle was carried)."""

    # Motion.
    depart_m: float = 200.0
    """Stopped becomes moving at this distance from where the vehicle stands …"""
    depart_fixes: int = 2
    """… on as many consecutive fixes, so that one stray fix makes no trip …"""
    depart_anyway_m: float = 500.0
    """… and the last of them is this far away, or has `moving_mps`, or comes later than
    `stop_window_s` after the last one at the stop: reflections throw a parked vehicle's fixes
    about, and not only one by one. The trip begins no later for it. A vehicle that creeps, resting
    now and then, departs at this distance too."""
    stop_m: float = 200.0
    stop_window_s: float = 180.0
    """Moving becomes stopped when every fix of a window this long lies within `stop_m` of its
    first."""
    gap_s: float = 3_600.0
    """A longer silence ends the trip at its last fix."""
    gap_pace_mps: float = 0.5
    """A silence of at least `stop_window_s` crossed slower than this was a stop too: a vehicle that
    went underground and came up on the other side of the block made two trips."""
    still_m: float = 30.0
    """Within this distance of a point (or twice the fix's accuracy) a vehicle has not moved. Stops
    are stamped at the first fix, and trips at the last fix, that lies so near the resting place."""
    still_s: float = 60.0
    """A rest this long is a resting place."""
    rest_memory_s: float = 300.0
    """A trip is back-dated to the last resting place if that was left at most this long before the
    vehicle went out of `depart_m`."""
    moving_mps: float = 2.0
    """A device's own speed from which a vehicle is shown as moving before its way has told."""
    recent_step_s: float = 15.0
    """Spacing of the fixes kept for the stop window. It bounds the state, and a vehicle that leaves
    a circle of `stop_m` and is back in it within this time is none of the road's."""

    # Geofences.
    enter_fixes: int = 3
    exit_fixes: int = 3
    """Fixes inside, less those just outside between them, that make a visit begin; consecutive ones
    outside that make it end …"""
    fence_s: float = 60.0
    """… or two fixes this far apart, for trackers that report rarely."""
    exit_buffer_m: float = 30.0
    """Outside begins this far beyond the edge, plus the fix's accuracy."""
    enter_margin_m: float = 0.0
    """A fix is inside from this deep within the edge."""
    exit_standing_m: float = 100.0
    exit_standing_far_s: float = 600.0
    exit_standing_s: float = 900.0
    """A vehicle that stands has left a fence only if it is so far outside after having been outside
    for the shorter time, or has been outside for the longer one, or is in another fence since:
    fixes wander for minutes, a parked truck does not."""
    enter_standing_s: float = 180.0
    enter_standing_m: float = 50.0
    """And it has come into one only if it says that it moves (`moving_mps`), or its fixes were
    inside for so long and so far from where it stood; or for `exit_standing_s`."""
    accuracy_m_default: float = 5.0
    """Taken for a fix that does not state its accuracy."""

    # Shipments and routes.
    early_s: float = 12 * 3_600.0
    """A shipment can be a vehicle's active one from this long before its `depart_at`."""
    expire_s: float = 24 * 3_600.0
    """A shipment that was never finished stops being active this long after its last window."""
    finished_max: int = 32
    """Finished shipments a vehicle remembers; older ones have expired long before."""
    back_m: float = 300.0
    forward_m: float = 300.0
    """How far behind (ahead of) the expected progress a fix is sought on the route before the whole
    route is searched; the way driven since the last fix is added ahead."""
    progress_weight: float = 0.1
    """Metres of distance to the route that one metre of unexpected progress is worth: keeps a fix
    on the outbound leg where the way back runs beside it."""
    progress_hold_m: float = 50.0
    """Progress does not go back by less than this."""
    rebase_fixes: int = 2
    """Fixes near another part of the route before progress jumps there."""
    departed_m: float = 500.0
    """Progress from which a vehicle counts as under way before its `depart_at`."""

    # Off route.
    off_route_m: float = 100.0
    off_route_accuracies: float = 2.5
    """Off route: further than the larger of `off_route_m` and this many accuracies …"""
    off_route_fixes: int = 3
    rejoin_fixes: int = 2
    """… on as many consecutive fixes; back on it after `rejoin_fixes` within that limit."""
    off_route_far_m: float = 1_000.0
    """A vehicle never seen on its route is off it only this far from its start and every stop."""

    # Arrival times.
    pace_memory_s: float = 180.0
    """Time constant of the vehicle's own pace."""
    pace_trust_s: float = 20.0
    """Observed time after which own pace and expectation weigh the same on the way just ahead."""
    pace_min_s: float = 15.0
    """Observed time below which own pace is not used."""
    pace_floor_mps: float = 2.5
    """Slowest pace that is believed to go on: a halt of a minute is a traffic light, not a pace."""
    pace_young_s: float = 60.0
    """With less observed, the last hop's speed counts if higher: who pulls away is slow too."""
    pace_reach_m: float = 6_000.0
    """How far ahead the present pace is expected to last: a jam's length, not the whole way."""
    trip_trust_m: float = 30_000.0
    """Distance after which the trip's mean pace and the planned one weigh the same beyond that."""
    halt_free_s: float = 90.0
    """A halt up to this long is expected to end at once …"""
    halt_s_max: float = 900.0
    """… a longer one to last as long again as it already has, but no more than this."""
    learned_prior_passages: float = 0.25
    """So many finished trips of a lane weigh as much as the planned pace."""
    learned_trust_s: float = 240.0
    """Driving time after which the vehicle's pace of the last minutes, against what its lane takes
    there, and the lane weigh the same on the way just ahead."""
    delay_log_max: float = 0.7
    """A vehicle is never reckoned slower or faster than its lane by more than e to this."""
    service_s: float = 900.0
    """Stay at a stop, where none has been learned; before that it waits for its window to open."""
    service_over_share: float = 0.2
    service_over_s_max: float = 600.0
    """A stay longer than usual lasts such a part of it longer still, but no more than this."""
    leave_m: float = 400.0
    leave_share: float = 0.3
    """A vehicle has left a stop when it is so far along the leg from there, or has driven such a
    part of it, whichever is less."""
    break_after_s: float = 14_400.0
    break_s: float = 1_200.0
    """Twenty minutes' rest after four hours' driving, on ways that nobody drove yet."""
    detour: float = 1.3
    """Way ÷ straight line, where there is no route or the vehicle is off it."""
    spread_planned: float = 0.30
    spread_observed: float = 0.15
    """Standard deviation of ln(travel time) at the start and after a long observed trip."""
    spread_s_min: float = 30.0
    """p10 and p90 are at least this far from p50."""

    # Anomalies.
    free_time_s: float = 7_200.0
    """Stay at a customer's before the detention clock runs, if its fence has no other limit."""
    dwell_s_min: float = 60.0
    """No limit of a fence is shorter."""
    speed_limit_mps: float = 130.0 / 3.6
    """Highest speed of any vehicle; a fence may have a lower one."""
    speeding_over_mps: float = 2.0
    """Speeding is further above the limit than this …"""
    speeding_fixes: int = 3
    speeding_clear_fixes: int = 2
    """… on as many consecutive fixes, until as many are not above the limit."""
    speeding_leg_s: float = 5.0
    """Where the device tells no speed, that of a leg at least this long is taken."""
    unplanned_stop_s: float = 900.0
    """A stop this long on the way of a shipment, in no yard, is unplanned …"""
    unplanned_stop_m: float = 500.0
    """… unless the end of the route is this near."""
    silent_s: float = 1_800.0
    """A silence this long on the road is told …"""
    parked_silent_s: float = 0.0
    """… and one this long of a vehicle that stands; 0: trackers of parked vehicles sleep."""
    parked_mps: float = 0.5
    """A vehicle whose last fix says that it is no faster stands, before its stop is known."""
    outing_fixes: int = 3
    """On the road outside its working hours, or without a shipment, on as many fixes …"""
    unassigned_m: float = 1_000.0
    """… without one this far, so that a truck may be moved about."""
    jump_quiet_s: float = 1_800.0
    """Jumps with less than this between them are one episode."""
    frozen_fixes: int = 3
    """Fixes in a row at the very same place that make a receiver frozen, if it says it moves …"""
    frozen_mps: float = 3.0
    frozen_leap: float = 2.5
    """… or if it came there at this speed, and leaves with a leg so many times as fast (and faster
    than anyone drives in town, `frozen_leap_mps`): the way was driven meanwhile."""
    frozen_leap_mps: float = 20.0

    # Lateness.
    late_open_s: float = 300.0
    late_clear_s: float = 120.0
    late_fixes: int = 3
    """Late above `late_open_s` (the grace) for as many fixes; recovered below `late_clear_s`."""
    figures_step_s: float = 60.0
    """An open alert shows new figures when the lateness has changed by this much."""
    figures_step_m: float = 250.0
    """… or, off route, the distance."""

    def check(self) -> None:
        """ValueError where the state has no room for what these would have it remember."""
        if self.stop_window_s > (RECENT_MAX - 2) * self.recent_step_s:
            raise ValueError(
                f"stop_window_s is at most {RECENT_MAX - 2} times recent_step_s, not"
                f" {self.stop_window_s} / {self.recent_step_s}"
            )
        if self.stop_window_s > (RESTS_MAX - 1) * self.still_s:
            raise ValueError(f"stop_window_s is at most {RESTS_MAX - 1} times still_s")
        if not 0 < self.finished_max <= FINISHED_MAX:
            raise ValueError(f"finished_max is 1 to {FINISHED_MAX}, not {self.finished_max}")

    def as_record(self) -> Records:
        """The same numbers for compiled rules."""
        return np.array([msgspec.structs.astuple(self)], RULES)


RULES: np.dtype[np.void] = np.dtype(
    [
        (field.name, "<i8" if field.type is int else "<f8")
        for field in msgspec.structs.fields(FleetSettings)
    ]
)
