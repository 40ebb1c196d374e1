"""How well the fleet's anomalies are told: made-up days with labelled events among things that look
like them, through the fold in the order in which fixes come. No database.

An alert is right if it is of a label's kind and vehicle and overlaps it; a label is found if such
an alert is there. The delay is from the label's beginning to the fix at which the alert was first
told; for stays it counts from the end of the free time, for an unplanned stop from its beginning.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, Literal, NamedTuple

import numpy as np

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.alert_rows import EPISODES
from waystock.fleet.fixes import TrackFixes
from waystock.fleet.fold import fold_tracks
from waystock.fleet.geodesy import metres_per_degree
from waystock.fleet.plan import FleetPlan, instant_us
from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import GPS_SILENT
from waystock.fleet.state import nothing_known
from waystock_demo.bench.odd_day import (
    EVERY_S,
    KINDS,
    LEG_M,
    LEGS,
    NO_GO_BESIDE_M,
    NO_GO_M,
    TOWN_LIMIT_MPS,
    TOWN_M,
    Day,
    Label,
)
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult

VEHICLES = 300
START = datetime(2026, 11, 23, tzinfo=UTC)
ROUTE_STEP_M = 5_000.0
ROAD_LAT, ROADS_APART = 45.0, 0.02
START_LON = 5.0
WORKER_LOOKS_S = 10.0
SLACK_S = 120.0
"""An alert may lie so far outside its label."""


class Alert(NamedTuple):
    """An episode, in seconds of the day; the last is when it was first told."""

    kind: str
    start_s: float
    end_s: float
    told_s: float


class Score(NamedTuple):
    """Of one kind of anomaly."""

    labels: int
    alerts: int
    found: int
    right: int
    delay_s: float

    @property
    def precision(self) -> float:
        """Right among the alerts; 1 where there are none."""
        return self.right / self.alerts if self.alerts else 1.0

    @property
    def recall(self) -> float:
        """Found among the labels."""
        return self.found / self.labels if self.labels else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def run(options: BenchOptions) -> BenchResult:
    """Mean F1 of the kinds; the limit is 1, every label found and nothing else told."""
    vehicles = options.events or VEHICLES
    days = [Day(seed) for seed in range(vehicles)]
    alerts = _fold(days)
    scores = {kind: _score(kind, days, alerts) for kind in KINDS}
    details: dict[str, float | str | list[float]] = {"vehicle_days": vehicles}
    false = sum(score.alerts - score.right for score in scores.values())
    details["false_alarms_per_vehicle_day"] = false / vehicles
    for kind, score in scores.items():
        details[f"{kind}_labels"] = score.labels
        details[f"{kind}_precision"] = score.precision
        details[f"{kind}_recall"] = score.recall
        details[f"{kind}_delay_s"] = score.delay_s
    ours = sum(score.f1 for score in scores.values()) / len(scores)
    return BenchResult(
        name="anomalies",
        ours=ours,
        limit=1.0,
        ratio=ours,
        unit="mean F1 of the kinds (limit: every label found, nothing else told)",
        details=details,
    )


def _score(kind: str, days: list[Day], alerts: list[list[Alert]]) -> Score:
    found: list[float] = []
    labels = told = right = 0
    for day, said in zip(days, alerts, strict=True):
        mine = [label for label in day.labels if label.kind == kind]
        of_kind = [alert for alert in said if alert.kind == kind]
        labels += len(mine)
        told += len(of_kind)
        right += sum(any(_meet(alert, label) for label in mine) for alert in of_kind)
        for label in mine:
            delays = [alert.told_s - label.start_s for alert in of_kind if _meet(alert, label)]
            found += [min(delays)] if delays else []
    return Score(labels, told, len(found), right, median(found) if found else 0.0)


def _meet(alert: Alert, label: Label) -> bool:
    return alert.start_s <= label.end_s + SLACK_S and label.start_s - SLACK_S <= alert.end_s


def _fold(days: list[Day]) -> list[list[Alert]]:
    """All trucks together, one step of the receivers after the other."""
    plan = FleetPlan.build(_fences(len(days)), [_shipment(truck) for truck in range(len(days))])
    shipments = plan.shipments_of([f"v{truck}" for truck in range(len(days))])
    fixes = _fixes(days)
    states = nothing_known(len(days))
    known: list[dict[tuple[int, int, int], Alert]] = [{} for _ in days]
    step = (fixes.time_us - instant_us(START)) // (EVERY_S * 1_000_000)
    order = np.argsort(step, kind="stable")
    bounds = np.flatnonzero(np.diff(step[order], prepend=-1, append=-1))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        piece = fixes.take(order[first:end])
        output = fold_tracks(states, piece, shipments, plan)
        states = output.states
        now_s = _seconds(int(piece.time_us.max()))
        for row in output.rows[np.isin(output.rows["kind"], tuple(EPISODES))]:
            name = (int(row["kind"]), int(row["key"]), int(row["begin_us"]))
            mine = known[int(row["track"])]
            told_s = mine[name].told_s if name in mine else _told_s(row, now_s)
            end_us = int(row["end_us"])
            end_s = now_s if end_us == UNKNOWN_US else _seconds(end_us)
            begin_s = _seconds(int(row["begin_us"]))
            mine[name] = Alert(EPISODES[name[0]], begin_s, end_s, told_s)
    return [list(mine.values()) for mine in known]


def _told_s(row: Any, now_s: float) -> float:
    """At the fix that says so; of a silence, when the worker looks after it has become too long."""
    if int(row["kind"]) != GPS_SILENT:
        return now_s
    return _seconds(int(row["begin_us"])) + float(row["limit"]) + WORKER_LOOKS_S


def _seconds(us: int) -> float:
    return (us - instant_us(START)) / 1e6


def _fixes(days: list[Day]) -> TrackFixes:
    columns: dict[str, list[float]] = defaultdict(list)
    for truck, day in enumerate(days):
        per_lon, per_lat = metres_per_degree(_lat(truck))
        for seen in day.fixes:
            columns["track"].append(truck)
            columns["second"].append(seen.second)
            columns["lat"].append(_lat(truck) + seen.beside_m / per_lat)
            columns["lon"].append(START_LON + seen.along_m / per_lon)
            columns["speed"].append(seen.speed_mps)
            columns["accuracy"].append(seen.accuracy_m)
    time_us = instant_us(START) + np.array(columns["second"], np.int64) * 1_000_000
    return TrackFixes(
        np.array(columns["track"], np.int32),
        time_us,
        time_us,
        np.array(columns["lat"]),
        np.array(columns["lon"]),
        np.array(columns["speed"]),
        np.full(len(time_us), np.nan),
        np.array(columns["accuracy"]),
    )


def _lat(truck: int) -> float:
    return ROAD_LAT + truck * ROADS_APART


def _fences(vehicles: int) -> list[Fence]:
    fences: list[Fence] = []
    for truck in range(vehicles):
        fences.append(_fence(f"depot-{truck}", "site", truck, (-300, 300), (-200, 200)))
        for leg in range(LEGS):
            name, start_m = f"{truck}-{leg}", leg * LEG_M
            customer_m = start_m + LEG_M
            town = (start_m + TOWN_M[0], start_m + TOWN_M[1])
            no_go = (start_m + NO_GO_M[0], start_m + NO_GO_M[1])
            fences += [
                _fence(
                    f"customer-{name}",
                    "customer",
                    truck,
                    (customer_m - 200, customer_m + 200),
                    (-150, 150),
                ),
                _fence(f"town-{name}", "zone", truck, town, (-800, 800), TOWN_LIMIT_MPS),
                _fence(f"no-go-{name}", "no_go", truck, no_go, NO_GO_BESIDE_M),
            ]
    return fences


def _fence(
    name: str,
    kind: Literal["site", "customer", "zone", "no_go"],
    truck: int,
    along_m: tuple[float, float],
    beside_m: tuple[float, float],
    speed_limit_mps: float | None = None,
) -> Fence:
    per_lon, per_lat = metres_per_degree(_lat(truck))
    west, east = (START_LON + metres / per_lon for metres in along_m)
    south, north = (_lat(truck) + metres / per_lat for metres in beside_m)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return Fence(
        fence=name,
        name={"en": name},
        kind=kind,
        speed_limit_mps=speed_limit_mps,
        geometry={"type": "Polygon", "coordinates": [ring]},
    )


def _shipment(truck: int) -> Shipment:
    per_lon, _ = metres_per_degree(_lat(truck))
    steps = int((LEGS * LEG_M + LEG_M) / ROUTE_STEP_M)
    return Shipment(
        shipment=f"S{truck}",
        vehicle=f"v{truck}",
        from_site="depot",
        depart_at=START,
        route=tuple(
            (START_LON + step * ROUTE_STEP_M / per_lon, _lat(truck)) for step in range(steps)
        ),
        stops=tuple(
            ShipmentStop(
                seq=leg + 1,
                name={"en": f"customer {leg}"},
                fence=f"customer-{truck}-{leg}",
                window_start=START,
                window_end=START + timedelta(days=3),
            )
            for leg in range(LEGS)
        ),
    )
