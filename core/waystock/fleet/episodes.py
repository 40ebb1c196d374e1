"""Alert episodes of a vehicle: one row per episode, opened and cleared with hysteresis, armed again
afterwards. Upstream: lateness and distance from the route, fix by fix; downstream: alert rows.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from waystock.alerts.types import severity_of
from waystock.contract.identifiers import iso_utc
from waystock.fleet.eta import Forecast
from waystock.fleet.journey import off_route_limit_m
from waystock.fleet.plan import PlannedStop
from waystock.fleet.rows import Episode, EpisodeType, Fix, instant_from_us
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import Spot, Watch

Figures = dict[str, float | str]


class Watched(NamedTuple):
    """One condition at one fix. Neither `is_over` nor `is_under`: in between, or unknown."""

    type: EpisodeType
    vehicle: str
    subject: str
    shipment: str
    fix: Fix
    time_us: int
    is_over: bool
    is_under: bool
    leading: float
    """The figure whose change by `step` makes new figures worth showing."""
    step: float
    open_fixes: int
    clear_fixes: int
    figures: Callable[[], Figures]
    """Made only when they are shown: most fixes show nothing."""


def step_watch(watch: Watch | None, now: Watched) -> tuple[Watch | None, Episode | None]:
    """The watch after this fix, and the episode if it opened, changed what it shows, or cleared."""
    if watch is None:
        if not now.is_over:
            return None, None
        watch = Watch(subject=now.subject, shipment=now.shipment)
    if watch.opened_us is None:
        return _step_armed(watch, now)
    return _step_open(watch, now)


def _step_armed(watch: Watch, now: Watched) -> tuple[Watch | None, Episode | None]:
    if not now.is_over:
        return None, None
    run = watch.run + 1
    run_us = watch.run_us if watch.run else now.time_us
    is_open = run >= now.open_fixes
    following = Watch(
        subject=watch.subject,
        shipment=watch.shipment,
        run=run,
        run_us=run_us,
        opened_us=run_us if is_open else None,
        shown=now.leading,
        captured_at=now.fix.captured_at,
        figures=now.figures() if is_open else {},
    )
    return following, _episode(following, now) if is_open else None


def _step_open(watch: Watch, now: Watched) -> tuple[Watch | None, Episode | None]:
    clear_run = watch.clear_run + 1 if now.is_under else 0
    clear_us = watch.clear_us if watch.clear_run else now.time_us
    if clear_run >= now.clear_fixes:
        figures: Figures = {**now.figures(), "ended": "recovered"}
        return None, _episode(watch, now, clear_us, figures)
    is_news = now.is_over and abs(now.leading - watch.shown) >= now.step
    if not is_news and clear_run == watch.clear_run:
        return watch, None
    following = Watch(
        subject=watch.subject,
        shipment=watch.shipment,
        opened_us=watch.opened_us,
        clear_run=clear_run,
        clear_us=clear_us if clear_run else 0,
        shown=now.leading if is_news else watch.shown,
        captured_at=now.fix.captured_at if is_news else watch.captured_at,
        figures=now.figures() if is_news else watch.figures,
    )
    return following, _episode(following, now) if is_news else None


def _episode(
    watch: Watch, now: Watched, cleared_us: int | None = None, figures: Figures | None = None
) -> Episode:
    return _row(
        now.type, now.vehicle, watch, cleared_us, figures or watch.figures, now.fix.captured_at
    )


def end_watch(
    kind: EpisodeType, vehicle: str, watch: Watch | None, at_us: int, ended: Figures, fix: Fix
) -> Episode | None:
    """The episode, cleared because its subject is done with: a stop reached, a shipment over."""
    if watch is None or watch.opened_us is None:
        return None
    cleared_us = max(at_us, watch.opened_us)
    return _row(kind, vehicle, watch, cleared_us, {**watch.figures, **ended}, fix.captured_at)


def open_episode(kind: EpisodeType, vehicle: str, watch: Watch) -> Episode | None:
    """The episode of a watch as it stands; None if none is open."""
    if watch.opened_us is None or watch.captured_at is None:
        return None
    return _row(kind, vehicle, watch, None, watch.figures, watch.captured_at)


def _row(
    kind: EpisodeType,
    vehicle: str,
    watch: Watch,
    cleared_us: int | None,
    figures: Figures,
    captured_at: datetime,
) -> Episode:
    return Episode(
        type=kind,
        severity=severity_of(kind),
        subject=watch.subject,
        vehicle=vehicle,
        shipment=watch.shipment,
        opened_at=instant_from_us(watch.opened_us or 0),
        cleared_at=None if cleared_us is None else instant_from_us(cleared_us),
        figures=figures,
        captured_at=captured_at,
    )


def watch_late(
    vehicle: str,
    shipment: str,
    stop: PlannedStop,
    fix: Fix,
    time_us: int,
    way_m: float,
    outlook: Forecast,
    eta_us: int,
    s: FleetSettings,
) -> Watched:
    """Predicted arrival (p50) against the end of the next stop's window."""
    late_s = (eta_us - stop.window_end_us) / 1e6

    def figures() -> Figures:
        return {
            "vehicle": vehicle,
            "seq": float(stop.seq),
            "destination_en": stop.name_en,
            "destination_zh": stop.name_zh,
            "late_s": float(round(late_s)),
            "late_min": float(round(late_s / 60)),
            "remaining_m": float(round(way_m)),
            "pace_mps": round(outlook.pace_mps, 2),
            "eta": iso_utc(instant_from_us(eta_us)),
            "window_end": iso_utc(stop.window_end),
            "model": outlook.model,
        }

    return Watched(
        "shipment.late_predicted",
        vehicle,
        shipment,
        shipment,
        fix,
        time_us,
        late_s > s.late_open_s,
        late_s < s.late_clear_s,
        late_s,
        s.figures_step_s,
        s.late_fixes,
        s.late_fixes,
        figures,
    )


def watch_off_route(
    vehicle: str, shipment: str, fix: Fix, spot: Spot, away_m: float, s: FleetSettings
) -> Watched:
    """Distance to the nearest segment of the planned route."""
    limit_m = off_route_limit_m(spot.accuracy_m, s)

    def figures() -> Figures:
        return {
            "vehicle": vehicle,
            "shipment": shipment,
            "distance_m": float(round(away_m)),
            "limit_m": float(round(limit_m)),
            "lat": round(spot.lat, 6),
            "lon": round(spot.lon, 6),
        }

    return Watched(
        "vehicle.off_route",
        vehicle,
        vehicle,
        shipment,
        fix,
        spot.time_us,
        away_m > limit_m,
        away_m <= limit_m,
        away_m,
        s.figures_step_m,
        s.off_route_fixes,
        s.rejoin_fixes,
        figures,
    )
