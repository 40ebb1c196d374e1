"""Vehicles that fall silent: how long each may say nothing after a fix, and the silence as it is
told when the next one comes. Until then whoever has a clock tells of it: `Progress.silent_us` is
the instant from which the vehicle is overdue, and the episode is the same whoever tells. Upstream:
accepted fixes and the vehicle's limits; downstream: alert rows.
"""

from waystock.compiled import compiled
from waystock.fleet.planned import PlannedLimits
from waystock.fleet.records import UNKNOWN_US, Items
from waystock.fleet.rows import GPS_SILENT, RECOVERED, Row, Step, end_row, say, tell
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import MOVING, VehicleState


@compiled
def tell_silence(state: VehicleState, step: Step, rows: Items[Row]) -> None:
    """The vehicle was overdue until this fix. Before the fix is taken."""
    silent_us = state.anomalies.silent_us
    if silent_us == UNKNOWN_US or step.spot.time_us < silent_us:
        return
    row = rows[say(rows, step, GPS_SILENT, 0, 0, state.until.time_us)]
    tell(row, step, step.leg_s, (silent_us - state.until.time_us) * 1e-6)
    row.lat = state.until.lat
    row.lon = state.until.lon
    row.ended = RECOVERED
    end_row(row, step.spot.time_us, step)


@compiled
def expect_word(state: VehicleState, step: Step, limits: PlannedLimits, s: FleetSettings) -> None:
    """When the vehicle is overdue if this fix was the last. After the fix is taken."""
    allowed_s = limits.silent_s
    if state.phase != MOVING or _may_have_parked(state, step, s):
        allowed_s = limits.parked_silent_s
    state.anomalies.silent_us = UNKNOWN_US
    if allowed_s > 0:
        state.anomalies.silent_us = step.spot.time_us + round(allowed_s * 1e6)


@compiled
def _may_have_parked(state: VehicleState, step: Step, s: FleetSettings) -> bool:
    """Its stop would be known only after some minutes, in which many trackers fall asleep."""
    if step.speed_mps <= s.parked_mps:
        return True
    return (state.until.time_us - state.since.time_us) * 1e-6 >= s.still_s
