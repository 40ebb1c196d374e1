"""One vehicle during one call of the fold: takes accepted fixes through motion, visits, journey,
arrival time and alerts, in that order, and gathers the rows. Upstream: `waystock.fleet.fold`, which
decides what is accepted; downstream: the rows of a call. The only mutable thing of the fold; it
lives no longer than the call.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from waystock.fleet import episodes, eta, journey, motion
from waystock.fleet.fences import Hit
from waystock.fleet.plan import FleetPlan, PlannedShipment, PlannedStop
from waystock.fleet.rows import (
    ArrivalRow,
    Derived,
    Episode,
    EpisodeType,
    Fix,
    Mark,
    Motion,
    Progress,
    Skipped,
    StopRow,
    TripRow,
    VisitRow,
    instant_from_us,
    instant_us,
)
from waystock.fleet.state import Journey, Pace, Spot, Suspect, VehicleState
from waystock.fleet.visits import step_visits

_YARDS = frozenset({"site", "customer"})


class Outlook(NamedTuple):
    """What is expected after the last fix."""

    stop: PlannedStop
    remaining_m: float
    forecast: eta.Forecast
    from_us: int
    eta_us: int


class VehicleFold:
    """State and rows of one vehicle while a call lasts."""

    def __init__(
        self, vehicle: str, state: VehicleState, plan: FleetPlan, skipped: list[Skipped]
    ) -> None:
        self.plan = plan
        self.suspect: Suspect | None = state.suspect
        self._vehicle = vehicle
        self._shipments = plan.shipments.get(vehicle, ())
        self._state = state
        self._last = state.last
        self._motion = state.motion
        self._fences = state.fences
        self._journey = state.journey
        self._finished = state.finished
        self._pace = state.pace
        self._late = state.late
        self._off_route = state.off_route
        self._outlook: Outlook | None = None
        self._accepted = False
        self._trips: dict[object, TripRow] = {}
        self._stops: dict[object, StopRow] = {}
        self._visits: dict[object, VisitRow] = {}
        self._arrivals: dict[object, ArrivalRow] = {}
        self._episodes: dict[object, Episode] = {}
        self._skipped = skipped

    @property
    def odometer_m(self) -> float:
        """Sum of all accepted legs."""
        return self._motion.rest.until.odometer_m if self._motion else 0.0

    def last_spot(self) -> Spot | None:
        """The last accepted fix."""
        return self._motion.rest.until if self._motion else None

    def skip(self, fix: Fix, mark: Mark) -> None:
        """Note a fix that is left out."""
        self._skipped.append(Skipped(fix.time, mark))

    def accept(self, fix: Fix, spot: Spot, leg_m: float, hits: Sequence[Hit]) -> None:
        """Take the next fix, `leg_m` after the last one, through all rules."""
        if self._motion is None:
            step = motion.MotionStep(motion.begin_motion(spot))
        else:
            step = motion.step_motion(self._vehicle, self._motion, spot, self.plan.settings)
        self._follow(fix, spot, leg_m, hits, step)

    def accept_elsewhere(self, fix: Fix, spot: Spot, hits: Sequence[Hit]) -> None:
        """Take a fix that several agree on, though it contradicts the last one: no leg between."""
        if self._motion is not None:
            s = self.plan.settings
            step = motion.step_over_gap(self._vehicle, self._motion, spot, s)
            self._follow(fix, spot, 0.0, hits, step)

    def _follow(
        self, fix: Fix, spot: Spot, leg_m: float, hits: Sequence[Hit], step: motion.MotionStep
    ) -> None:
        self._accepted = True
        self.suspect = None
        self._last = fix
        self._take_motion(step, hits)
        visits = self._step_visits(spot, hits)
        self._step_journey(fix, spot, leg_m, visits)

    def _take_motion(self, step: motion.MotionStep, hits: Sequence[Hit]) -> None:
        self._motion = step.state
        if step.trip is not None:
            self._trips[step.trip.started_at] = step.trip
        if step.stop is not None:
            self._stops[step.stop.arrived_at] = step.stop
        if step.state.phase == "stopped":
            self._pace = Pace()
        elif step.hop is not None and not self._is_in_yard(hits):
            # Manoeuvring in a yard says nothing about the road.
            self._pace = eta.step_pace(self._pace, step.hop, self.plan.settings)

    def _is_in_yard(self, hits: Sequence[Hit]) -> bool:
        kinds = self.plan.fences.kinds
        return any(hit.outside_m <= 0 and kinds[hit.fence] in _YARDS for hit in hits)

    def _step_visits(self, spot: Spot, hits: Sequence[Hit]) -> list[VisitRow]:
        s = self.plan.settings
        self._fences, rows = step_visits(
            self._vehicle, self._fences, hits, spot.time_us, spot.accuracy_m, s
        )
        for row in rows:
            self._visits[row.fence, row.entered_at] = row
        return rows

    def _step_journey(self, fix: Fix, spot: Spot, leg_m: float, visits: Sequence[VisitRow]) -> None:
        """The active shipment: progress, arrivals, arrival time, alerts."""
        self._outlook = None
        active = journey.active_shipment(self._shipments, self._finished, spot.time_us)
        if active is None or (self._journey and self._journey.shipment != active.shipment):
            self._end_watches(fix, spot.time_us, {"ended": "shipment_over"})
            self._journey = None
        if active is None:
            return
        going = journey.begin_or_go_on(self._journey, active)
        going, away_m = journey.step_progress(going, active, spot, leg_m, self.plan.settings)
        going, arrivals = journey.step_arrivals(self._vehicle, going, active, visits)
        self._journey = going
        self._take_arrivals(fix, arrivals, active)
        stop = journey.next_stop(going, active)
        if stop is None:
            self._end_watches(fix, spot.time_us, {"ended": "arrived"})
            s = self.plan.settings
            self._finished = journey.finish(self._finished, active.shipment, s)
            self._journey = None
            return
        self._watch_route(fix, spot, away_m, active, going)
        self._look_ahead(fix, spot, away_m, active, going, stop)

    def _take_arrivals(
        self, fix: Fix, arrivals: Sequence[ArrivalRow], active: PlannedShipment
    ) -> None:
        """An arrival settles what was predicted of it."""
        ends_us = {stop.seq: stop.window_end_us for stop in active.stops}
        for row in arrivals:
            self._arrivals[row.shipment, row.seq] = row
            at_us = instant_us(row.arrived_at)
            late_s = (at_us - ends_us[row.seq]) * 1e-6
            ended: episodes.Figures = {
                "ended": "arrived",
                "late_s": float(round(late_s)),
                "late_min": float(round(late_s / 60)),
            }
            self._end_watch("shipment.late_predicted", fix, at_us, ended)

    def _watch_route(
        self,
        fix: Fix,
        spot: Spot,
        away_m: float | None,
        active: PlannedShipment,
        going: Journey,
    ) -> None:
        """Off route? Not asked in a yard, nor before the vehicle has set out on this shipment."""
        s = self.plan.settings
        if away_m is None or self._is_visiting_yard():
            return
        is_due = spot.time_us >= active.depart_us or (going.progress_m or 0.0) >= s.departed_m
        limit_m = journey.off_route_limit_m(spot.accuracy_m, s)
        if away_m > limit_m and not going.was_on_route:
            is_due = is_due and journey.is_far(active, spot, s)
        if not is_due or (self._off_route is None and away_m <= limit_m):
            return
        now = episodes.watch_off_route(self._vehicle, active.shipment, fix, spot, away_m, s)
        self._off_route, row = episodes.step_watch(self._off_route, now)
        self._take_episode(row)

    def _is_visiting_yard(self) -> bool:
        kinds = self.plan.fences.kinds
        return any(kinds.get(state.fence) in _YARDS for state in self._fences)

    def _look_ahead(
        self,
        fix: Fix,
        spot: Spot,
        away_m: float | None,
        active: PlannedShipment,
        going: Journey,
        stop: PlannedStop,
    ) -> None:
        s = self.plan.settings
        way_m = journey.remaining_m(going, stop, spot, away_m, s)
        if way_m is None or self._motion is None:
            return
        is_under_way = (going.progress_m or 0.0) >= s.departed_m or going.last_seq is not None
        from_us = spot.time_us if is_under_way else max(spot.time_us, active.depart_us)
        since_us = self._motion.rest.since.time_us
        since_us = since_us if is_under_way else max(since_us, active.depart_us)
        start = self._motion.trip_start
        travel = eta.Travel(
            remaining_m=way_m,
            planned_mps=active.planned_speed_mps,
            pace=self._pace,
            trip_m=spot.odometer_m - start.odometer_m if start else 0.0,
            trip_s=(spot.time_us - start.time_us) * 1e-6 if start else 0.0,
            halted_s=max(0.0, (spot.time_us - since_us) * 1e-6),
        )
        outlook = eta.forecast(travel, s)
        eta_us = from_us + round(outlook.p50_s * 1e6)
        self._outlook = Outlook(stop, way_m, outlook, from_us, eta_us)
        if self._late is None and eta_us - stop.window_end_us <= s.late_open_s * 1e6:
            return
        now = episodes.watch_late(
            self._vehicle, active.shipment, stop, fix, spot.time_us, way_m, outlook, eta_us, s
        )
        self._late, row = episodes.step_watch(self._late, now)
        self._take_episode(row)

    def _end_watches(self, fix: Fix, at_us: int, ended: episodes.Figures) -> None:
        self._end_watch("shipment.late_predicted", fix, at_us, ended)
        self._end_watch("vehicle.off_route", fix, at_us, ended)

    def _end_watch(self, kind: EpisodeType, fix: Fix, at_us: int, ended: episodes.Figures) -> None:
        is_late = kind == "shipment.late_predicted"
        watch = self._late if is_late else self._off_route
        self._take_episode(episodes.end_watch(kind, self._vehicle, watch, at_us, ended, fix))
        if is_late:
            self._late = None
        else:
            self._off_route = None

    def _take_episode(self, row: Episode | None) -> None:
        if row is not None:
            self._episodes[row.type, row.subject, row.opened_at] = row

    def result(self) -> tuple[VehicleState, Derived]:
        """The state to go on from, and each row that is new or changed, once."""
        if self._accepted and self._motion is not None:
            trip = motion.open_trip(self._vehicle, self._motion)
            if trip is not None:
                self._trips[trip.started_at] = trip
        state = VehicleState(
            last=self._last,
            suspect=self.suspect,
            motion=self._motion,
            fences=self._fences,
            journey=self._journey,
            finished=self._finished,
            pace=self._pace,
            late=self._late,
            off_route=self._off_route,
        )
        return state, Derived(
            trips=list(self._trips.values()),
            stops=list(self._stops.values()),
            visits=list(self._visits.values()),
            arrivals=list(self._arrivals.values()),
            episodes=list(self._episodes.values()),
            skipped=self._skipped,
            progress=self._progress(),
        )

    def _progress(self) -> Progress | None:
        if not self._accepted or self._last is None or self._motion is None:
            return None
        ahead = self._outlook
        return Progress(
            fix=self._last,
            motion=self._shown_motion(self._last, self._motion.phase),
            at_fence=self._innermost_fence(),
            shipment=self._journey.shipment if self._journey else None,
            next_stop=ahead.stop.seq if ahead else None,
            remaining_m=ahead.remaining_m if ahead else None,
            eta=instant_from_us(ahead.eta_us) if ahead else None,
            eta_p10=_after(ahead.from_us, ahead.forecast.p10_s) if ahead else None,
            eta_p90=_after(ahead.from_us, ahead.forecast.p90_s) if ahead else None,
            window_end=ahead.stop.window_end if ahead else None,
            late_s=(ahead.eta_us - ahead.stop.window_end_us) / 1e6 if ahead else None,
            off_route=self._off_route is not None and self._off_route.opened_us is not None,
        )

    def _shown_motion(self, fix: Fix, phase: Motion) -> Motion:
        """Until the way driven tells, the device's own speed does."""
        if phase == "unknown" and fix.speed_mps is not None:
            return "moving" if fix.speed_mps >= self.plan.settings.moving_mps else "unknown"
        return phase

    def _innermost_fence(self) -> str | None:
        areas = self.plan.fences.areas_m2
        inside = [f.fence for f in self._fences if f.confirmed and f.fence in areas]
        return min(inside, key=lambda fence: (areas[fence], fence), default=None)


def _after(from_us: int, seconds: float) -> datetime:
    return instant_from_us(from_us + round(seconds * 1e6))
