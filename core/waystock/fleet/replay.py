"""The fold for one vehicle and fixes one by one: the readable face of `waystock.fleet.fold`, for
replaying a recorded track and for telling in a test what a user would see. States are kept as the
store keeps them.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from waystock.fleet.alert_rows import EPISODES, Episode, episode
from waystock.fleet.derived import (
    MARKS,
    MODELS,
    MOTIONS,
    Mark,
    Motion,
    as_progress,
    as_row,
    instant_from_us,
    instant_or_none,
)
from waystock.fleet.fixes import TrackFixes
from waystock.fleet.fold import FoldOutput, fold_tracks
from waystock.fleet.plan import FleetPlan, instant_us
from waystock.fleet.records import UNKNOWN_US
from waystock.fleet.rows import ARRIVAL, STOP, TRIP, VISIT, Row
from waystock.fleet.state import MOVING
from waystock.fleet.state_bytes import pack, unpack

NOTHING_KNOWN = b""
"""The state of a vehicle that no fix is known of."""


class Fix(msgspec.Struct, frozen=True):
    """One position of one vehicle. WGS 84 degrees, UTC; None is unknown."""

    time: datetime
    lat: float
    lon: float
    speed_mps: float | None
    course_deg_true: float | None
    accuracy_m: float | None
    captured_at: datetime


class TripRow(msgspec.Struct, frozen=True):
    """Key (vehicle, started_at). Open while `ended_at` is None; then `end_*` is where it is now."""

    vehicle: str
    started_at: datetime
    ended_at: datetime | None
    start_lat: float
    start_lon: float
    end_lat: float
    end_lon: float
    distance_m: float


class StopRow(msgspec.Struct, frozen=True):
    """Key (vehicle, arrived_at). The vehicle stands while `departed_at` is None."""

    vehicle: str
    arrived_at: datetime
    departed_at: datetime | None
    lat: float
    lon: float


class VisitRow(msgspec.Struct, frozen=True):
    """Key (vehicle, fence, entered_at): from the first fix inside to the first one outside."""

    vehicle: str
    fence: str
    entered_at: datetime
    exited_at: datetime | None


class ArrivalRow(msgspec.Struct, frozen=True):
    """Key (shipment, seq)."""

    shipment: str
    seq: int
    vehicle: str
    arrived_at: datetime


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The vehicle after its last accepted fix. None is unknown, never "on time"."""

    at: datetime
    motion: Motion
    at_fence: str | None
    """The smallest fence it is in."""
    shipment: str | None
    next_stop: int | None
    """`seq` of the stop."""
    remaining_m: float | None
    eta: datetime | None
    """p50."""
    eta_p10: datetime | None
    eta_p90: datetime | None
    window_end: datetime | None
    late_s: float | None
    """`eta` minus `window_end`; negative is early."""
    model: str | None
    """What `eta` rests on: learned, pace or straight_line."""
    off_route: bool
    silent_at: datetime | None = None
    """From then on it is silent, if nothing more is heard of it; None: it may be."""


class Skipped(msgspec.Struct, frozen=True):
    """A fix that the fold left out, and why."""

    time: datetime
    mark: Mark


class Derived(msgspec.Struct, frozen=True):
    """Rows new or changed in one call; `progress` is None if no fix was accepted."""

    trips: list[TripRow]
    stops: list[StopRow]
    visits: list[VisitRow]
    arrivals: list[ArrivalRow]
    episodes: list[Episode]
    skipped: list[Skipped]
    progress: Position | None


def fold(
    vehicle: str,
    state: bytes,
    fixes: Sequence[Fix],
    plan: FleetPlan,
    before: FleetPlan | None = None,
) -> tuple[bytes, Derived]:
    """Fold fixes that are all later than the state; ValueError for a state of another form. Codes
    that `plan` doesn't know any more are taken from the plan `before`."""
    states, is_read = unpack([state])
    if state and not is_read[0]:
        raise ValueError("the state is not of the form that this version reads")
    output = fold_tracks(states, columns(fixes), plan.shipments_of([vehicle]), plan)
    names = {**(before.names if before else {}), **plan.names}
    return pack(output.states)[0], _derived(vehicle, fixes, output, plan, names)


def columns(fixes: Sequence[Fix]) -> TrackFixes:
    """One vehicle's fixes by columns, the 4-byte ones rounded as the store rounds them."""

    def floats(values: Iterable[float | None]) -> Any:
        known = [math.nan if value is None else value for value in values]
        with np.errstate(over="ignore"):
            return np.array(known, np.float32).astype(np.float64)

    return TrackFixes(
        np.zeros(len(fixes), np.int32),
        np.array([instant_us(fix.time) for fix in fixes], np.int64),
        np.array([instant_us(fix.captured_at) for fix in fixes], np.int64),
        np.array([fix.lat for fix in fixes], np.float64),
        np.array([fix.lon for fix in fixes], np.float64),
        floats(fix.speed_mps for fix in fixes),
        floats(fix.course_deg_true for fix in fixes),
        floats(fix.accuracy_m for fix in fixes),
    )


def _derived(
    vehicle: str,
    fixes: Sequence[Fix],
    output: FoldOutput,
    plan: FleetPlan,
    names: dict[int, str],
) -> Derived:
    rows = [as_row(record) for record in output.rows]
    trips = [_trip(vehicle, row) for row in rows if row.kind == TRIP and row.end_us != UNKNOWN_US]
    return Derived(
        trips=trips + _open_trip(vehicle, output),
        stops=[_stop(vehicle, row) for row in rows if row.kind == STOP],
        visits=[
            VisitRow(
                vehicle,
                names[row.key],
                instant_from_us(row.begin_us),
                instant_or_none(row.end_us),
            )
            for row in rows
            if row.kind == VISIT
        ],
        arrivals=[
            ArrivalRow(names[row.key], row.number, vehicle, instant_from_us(row.begin_us))
            for row in rows
            if row.kind == ARRIVAL
        ],
        episodes=[episode(row, vehicle, plan, names) for row in rows if row.kind in EPISODES],
        skipped=_skipped(fixes, output),
        progress=_position(output, names),
    )


def _skipped(fixes: Sequence[Fix], output: FoldOutput) -> list[Skipped]:
    return [
        Skipped(fix.time, MARKS[int(mark)])
        for fix, mark in zip(fixes, output.marks, strict=True)
        if mark != 0
    ]


def _trip(vehicle: str, row: Row) -> TripRow:
    return TripRow(
        vehicle=vehicle,
        started_at=instant_from_us(row.begin_us),
        ended_at=instant_or_none(row.end_us),
        start_lat=row.lat,
        start_lon=row.lon,
        end_lat=row.end_lat,
        end_lon=row.end_lon,
        distance_m=row.distance_m,
    )


def _open_trip(vehicle: str, output: FoldOutput) -> list[TripRow]:
    """The trip under way, as far as the last fix."""
    state = output.states[0]
    if state["phase"] != MOVING:
        return []
    start, end = state["anchor"], state["until"]
    return [
        TripRow(
            vehicle=vehicle,
            started_at=instant_from_us(int(start["time_us"])),
            ended_at=None,
            start_lat=float(start["lat"]),
            start_lon=float(start["lon"]),
            end_lat=float(end["lat"]),
            end_lon=float(end["lon"]),
            distance_m=float(end["odometer_m"] - start["odometer_m"]),
        )
    ]


def _stop(vehicle: str, row: Row) -> StopRow:
    return StopRow(
        vehicle=vehicle,
        arrived_at=instant_from_us(row.begin_us),
        departed_at=instant_or_none(row.end_us),
        lat=row.lat,
        lon=row.lon,
    )


def _position(output: FoldOutput, names: dict[int, str]) -> Position | None:
    one = as_progress(output.progress[0])
    if not one.is_new:
        return None
    ahead = one.has_outlook
    return Position(
        at=instant_from_us(one.fix_us),
        motion=MOTIONS[one.phase],
        at_fence=names.get(one.fence),
        shipment=names.get(one.shipment),
        next_stop=one.next_seq if ahead else None,
        remaining_m=one.remaining_m if ahead else None,
        eta=instant_from_us(one.eta_us) if ahead else None,
        eta_p10=instant_from_us(one.p10_us) if ahead else None,
        eta_p90=instant_from_us(one.p90_us) if ahead else None,
        window_end=instant_from_us(one.window_end_us) if ahead else None,
        late_s=one.late_s if ahead else None,
        model=MODELS[one.model] if ahead else None,
        off_route=bool(one.is_off_route),
        silent_at=instant_or_none(one.silent_us),
    )
