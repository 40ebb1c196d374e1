"""Alert episodes of a vehicle: one row per episode, opened and cleared with hysteresis, armed again
afterwards. Upstream: lateness and distance from the route, fix by fix; downstream: alert rows.
"""

from waystock.compiled import compiled
from waystock.fleet.journey import off_route_limit_m
from waystock.fleet.planned import PlannedStop
from waystock.fleet.records import Items
from waystock.fleet.rows import LATE, NO_CAUSE, OFF_ROUTE, RECOVERED, Row, Step, end_row, say
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import AwayFigures, LateFigures, VehicleState, Watch

_SAME, _SHOWN, _CLEARED = 0, 1, 2


@compiled
def watch_lateness(
    state: VehicleState, step: Step, stop: PlannedStop, rows: Items[Row], s: FleetSettings
) -> None:
    """Predicted arrival (p50) against the end of the next stop's window."""
    late_s = (step.eta_us - stop.window_end_us) / 1e6
    watch = state.late
    if not _is_watched(watch) and late_s <= s.late_open_s:
        return
    news = _step_watch(
        watch,
        step,
        state.journey.shipment,
        late_s > s.late_open_s,
        late_s < s.late_clear_s,
        late_s,
        s.figures_step_s,
        s.late_fixes,
        s.late_fixes,
    )
    if news == _SAME:
        return
    figures = state.late_figures
    figures.late_s = late_s
    figures.remaining_m = step.remaining_m
    figures.pace_mps = step.pace_mps
    figures.eta_us = step.eta_us
    figures.window_end_us = stop.window_end_us
    figures.seq = stop.seq
    figures.model = step.model
    if step.cause != NO_CAUSE:
        figures.cause = step.cause
    row = rows[_say_late(watch, figures, step, rows)]
    if news == _CLEARED:
        end_row(row, watch.clear_us, step)
        row.ended = RECOVERED
        disarm(watch)


@compiled
def watch_route(
    state: VehicleState, step: Step, away_m: float, rows: Items[Row], s: FleetSettings
) -> None:
    """Distance to the nearest segment of the planned route."""
    limit_m = off_route_limit_m(step.accuracy_m, s)
    watch = state.off_route
    news = _step_watch(
        watch,
        step,
        state.journey.shipment,
        away_m > limit_m,
        away_m <= limit_m,
        away_m,
        s.figures_step_m,
        s.off_route_fixes,
        s.rejoin_fixes,
    )
    if news == _SAME:
        return
    figures = state.away_figures
    figures.distance_m = away_m
    figures.limit_m = limit_m
    figures.lat = step.spot.lat
    figures.lon = step.spot.lon
    row = rows[_say_off_route(watch, figures, step, rows)]
    if news == _CLEARED:
        end_row(row, watch.clear_us, step)
        row.ended = RECOVERED
        disarm(watch)


@compiled
def _step_watch(
    watch: Watch,
    step: Step,
    shipment: int,
    is_over: bool,
    is_under: bool,
    leading: float,
    news_step: float,
    open_fixes: int,
    clear_fixes: int,
) -> int:
    """One condition at one fix; neither over nor under is in between, or unknown. What is to be
    shown: nothing new, new figures, or that it cleared. `leading` is the figure whose change by
    `news_step` makes new figures worth showing."""
    now_us = step.spot.time_us
    if not watch.is_open:
        if not is_over:
            disarm(watch)
            return _SAME
        if watch.run == 0:
            watch.run_us = now_us
            watch.shipment = shipment
        watch.run += 1
        if watch.run < open_fixes:
            return _SAME
        watch.is_open = True
        watch.opened_us = watch.run_us
        watch.clear_run = 0
        return _show(watch, step, leading)
    if not is_under:
        watch.clear_run = 0
    else:
        if watch.clear_run == 0:
            watch.clear_us = now_us
        watch.clear_run += 1
    if watch.clear_run >= clear_fixes:
        watch.captured_us = step.captured_us
        return _CLEARED
    if is_over and abs(leading - watch.shown) >= news_step:
        return _show(watch, step, leading)
    return _SAME


@compiled
def _show(watch: Watch, step: Step, leading: float) -> int:
    watch.shown = leading
    watch.captured_us = step.captured_us
    return _SHOWN


@compiled
def _is_watched(watch: Watch) -> bool:
    return watch.is_open or watch.run > 0


@compiled
def is_watching_route(state: VehicleState) -> bool:
    """Whether the vehicle was off its route at the last fix that was asked about."""
    return _is_watched(state.off_route)


@compiled
def disarm(watch: Watch) -> None:
    """Nothing is being watched."""
    watch.is_open = False
    watch.run = 0
    watch.clear_run = 0
    watch.shipment = 0
    watch.run_us = 0
    watch.opened_us = 0
    watch.clear_us = 0
    watch.captured_us = 0
    watch.shown = 0.0


@compiled
def end_lateness(
    state: VehicleState, step: Step, at_us: int, ended: int, late_s: float, rows: Items[Row]
) -> None:
    """Cleared because its subject is done with: a stop reached (`late_s` as it came to be), a
    shipment over (`late_s` as it was last)."""
    watch = state.late
    if watch.is_open:
        watch.captured_us = step.captured_us
        row = rows[_say_late(watch, state.late_figures, step, rows)]
        row.late_s = late_s
        row.ended = ended
        end_row(row, max(at_us, watch.opened_us), step)
    disarm(watch)


@compiled
def end_off_route(
    state: VehicleState, step: Step, at_us: int, ended: int, rows: Items[Row]
) -> None:
    """Cleared because the shipment is over."""
    watch = state.off_route
    if watch.is_open:
        watch.captured_us = step.captured_us
        row = rows[_say_off_route(watch, state.away_figures, step, rows)]
        row.ended = ended
        end_row(row, max(at_us, watch.opened_us), step)
    disarm(watch)


@compiled
def _say_late(watch: Watch, figures: LateFigures, step: Step, rows: Items[Row]) -> int:
    at = say(rows, step, LATE, watch.shipment, 0, watch.opened_us)
    row = rows[at]
    row.shipment = watch.shipment
    row.captured_us = watch.captured_us
    row.late_s = figures.late_s
    row.remaining_m = figures.remaining_m
    row.pace_mps = figures.pace_mps
    row.eta_us = figures.eta_us
    row.window_end_us = figures.window_end_us
    row.seq = figures.seq
    row.model = figures.model
    row.cause = figures.cause
    return at


@compiled
def _say_off_route(watch: Watch, figures: AwayFigures, step: Step, rows: Items[Row]) -> int:
    at = say(rows, step, OFF_ROUTE, 0, 0, watch.opened_us)
    row = rows[at]
    row.shipment = watch.shipment
    row.captured_us = watch.captured_us
    row.distance_m = figures.distance_m
    row.limit_m = figures.limit_m
    row.lat = figures.lat
    row.lon = figures.lon
    return at
