"""Derived rows as lines of JSON, as `waystock fleet replay` prints them. Upstream: the fold's rows
and progress; downstream: standard output. Instants are UTC, distances metres, places WGS 84.

Every line has `type`, `vehicle`, `start` and `end`. What was not over when the recording ended is
`open`. An alert has a line when it opens and one more when it is cleared.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from waystock.alerts.figures import Figures
from waystock.alerts.sentences import sentences
from waystock.contract.identifiers import iso_utc
from waystock.fleet.alert_rows import EPISODES, Episode, episode
from waystock.fleet.derived import MODELS, Mark, instant_from_us
from waystock.fleet.plan import FleetPlan
from waystock.fleet.plan_files import ROUTE_SHIPMENT
from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import (
    ARRIVAL,
    GPS_FROZEN,
    GPS_JUMP,
    GPS_SILENT,
    SPEEDING,
    STOP,
    TRIP,
    UNPLANNED_STOP,
    VISIT,
    Progress,
    Row,
)

Line = dict[str, Any]

TYPES = ("trip", "stop", "visit", "arrival", "eta", "alert", "mark")
"""In the order in which lines of one vehicle and instant come."""


_NEVER_ASKED = {UNPLANNED_STOP, GPS_SILENT, GPS_JUMP, GPS_FROZEN}


def is_anomaly(row: Row) -> bool:
    """Whether it is an alert that neither a route nor a fence of the user's asks for."""
    return row.kind in _NEVER_ASKED or (row.kind == SPEEDING and row.key == 0)


class LastHeard(NamedTuple):
    """The end of a vehicle's recording."""

    fix_us: int
    trip_end: Any
    """A record `Spot`: where its trip ends, if one is under way …"""
    trip_m: float
    """… and the way driven on it."""


def lines_of(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    """One derived row."""
    return _LINES[row.kind](row, vehicle, last, plan)


def _trip(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    end_us, end_lat, end_lon, way_m = row.end_us, row.end_lat, row.end_lon, row.distance_m
    if is_open := row.end_us == UNKNOWN_US:
        spot = last.trip_end
        end_us, end_lat, end_lon = int(spot["time_us"]), float(spot["lat"]), float(spot["lon"])
        way_m = last.trip_m
    return [
        _span("trip", vehicle, row.begin_us, end_us)
        | {
            "distance_m": round(way_m, 1),
            "start_lat": round(row.lat, 7),
            "start_lon": round(row.lon, 7),
            "end_lat": round(end_lat, 7),
            "end_lon": round(end_lon, 7),
            "open": is_open,
        }
    ]


def _stop(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    line = _stay("stop", row, vehicle, last)
    return [line | {"lat": round(row.lat, 7), "lon": round(row.lon, 7)}]


def _visit(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    return [_stay("visit", row, vehicle, last) | {"fence": plan.names[row.key]}]


def _arrival(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    line = _span("arrival", vehicle, row.begin_us, row.begin_us)
    return [line | {"shipment": plan.names[row.key], "seq": row.number}]


def _alert(row: Row, vehicle: str, last: LastHeard, plan: FleetPlan) -> list[Line]:
    """Opened, and cleared if it was."""
    told = episode(row, vehicle, plan, {})
    figures = told.figures
    if str(figures.get("shipment", "")).startswith(ROUTE_SHIPMENT):
        figures = _without("shipment", figures)
    lines = [_alert_line("open", told, _without("ended", figures))]
    if told.cleared_at is not None:
        lines.append(_alert_line("cleared", told, figures))
    return lines


def _without(name: str, figures: Figures) -> Figures:
    return {other: value for other, value in figures.items() if other != name}


def _alert_line(state: str, told: Episode, figures: Figures) -> Line:
    is_over = state == "cleared" and told.cleared_at is not None
    return {
        "type": "alert",
        "alert": told.type,
        "state": state,
        "vehicle": told.vehicle,
        "start": iso_utc(told.opened_at),
        "end": iso_utc(told.cleared_at) if is_over and told.cleared_at else None,
        "severity": told.severity,
        **{name: value for name, value in figures.items() if name != "vehicle"},
        "text": sentences(told.type, told.subject, {**figures, "vehicle": told.vehicle}, []),
    }


_LINES: dict[int, Callable[[Row, str, LastHeard, FleetPlan], list[Line]]] = {
    TRIP: _trip,
    STOP: _stop,
    VISIT: _visit,
    ARRIVAL: _arrival,
    **dict.fromkeys(EPISODES, _alert),
}


def _stay(kind: str, row: Row, vehicle: str, last: LastHeard) -> Line:
    is_open = row.end_us == UNKNOWN_US
    return _span(kind, vehicle, row.begin_us, last.fix_us if is_open else row.end_us) | {
        "open": is_open
    }


def _span(kind: str, vehicle: str, begin_us: int, end_us: int) -> Line:
    return {
        "type": kind,
        "vehicle": vehicle,
        "start": _iso(begin_us),
        "end": _iso(end_us),
        "duration_s": (end_us - begin_us) / 1e6,
    }


def outlook_line(vehicle: str, now: Progress, plan: FleetPlan) -> Line:
    """When it will be at its next stop: told at `start`, expected at `end`."""
    stop = plan.stop(plan.names[now.shipment], now.next_seq)
    return {
        "type": "eta",
        "vehicle": vehicle,
        "start": _iso(now.fix_us),
        "end": _iso(now.eta_us),
        "distance_m": round(now.remaining_m, 1),
        "to": stop.name["en"] if stop else None,
        "p10": _iso(now.p10_us),
        "p50": _iso(now.eta_us),
        "p90": _iso(now.p90_us),
        "model": MODELS[now.model],
    }


def mark_line(vehicle: str, time_us: int, mark: Mark) -> Line:
    """A fix that was left out, and why."""
    return {
        "type": "mark",
        "vehicle": vehicle,
        "start": _iso(time_us),
        "end": _iso(time_us),
        "mark": mark,
    }


def _iso(us: int) -> str:
    return iso_utc(instant_from_us(us))
