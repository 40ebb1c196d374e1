"""How fast the fleet fold takes fixes (motion, trips, fences, journeys, ETA, alerts) beside the
bare question which of the same fences' boxes each fix lies in, in the same run; and what fixes that
come late cost. No database: states, checkpoints and fixes are kept in memory.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# shapely's own annotations leave **kwargs open, which taints each of its functions.

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from waystock.contract.masterdata import Fence, Shipment, ShipmentStop
from waystock.fleet.fixes import TrackFixes
from waystock.fleet.fold import FoldOutput, fold_tracks, quarter_start_us, warm_up
from waystock.fleet.lane_curve import CURVE, SEGMENTS, LaneBook, book_of
from waystock.fleet.plan import FleetPlan, instant_us
from waystock.fleet.records import Records
from waystock.fleet.state import nothing_known
from waystock.fleet.state_bytes import pack, unpack
from waystock_demo.bench.options import BenchOptions
from waystock_demo.bench.result import BenchResult

FIXES, FENCES = 100_000, 10_000
VEHICLES, FIXES_PER_BATCH = 500, 20_000
EVERY_S, SPEED_MPS = 12, 18.0
LATE_SHARE, LATE_BY_BATCHES = 0.05, 2
START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
METRES_PER_DEGREE_LON = 95_500.0


def run(options: BenchOptions) -> BenchResult:
    """Ordered fixes first, then the same with some that come late."""
    started = time.process_time()
    warm_up()
    warmed_s = time.process_time() - started
    started = time.process_time()
    plan = FleetPlan.build(list(_fences()), list(_shipments()))
    planned_s = time.process_time() - started
    fixes = _fixes(options.events or FIXES)
    count = len(fixes.time_us)
    limit = count / _bare_query_s(plan, fixes)
    ordered_s = _fold_s(plan, list(_cut(fixes, np.arange(count) // FIXES_PER_BATCH)))
    late_s = _fold_s(plan, list(_cut(fixes, _late_batches(count))))
    learned = plan.knowing(_book(plan))
    learned_s = _fold_s(learned, list(_cut(fixes, np.arange(count) // FIXES_PER_BATCH)))
    return BenchResult(
        name="fleet",
        ours=count / ordered_s,
        limit=limit,
        ratio=count / ordered_s / limit,
        unit="fixes/s (limit: the bare STRtree query for the same fixes and fences)",
        details={
            "fixes": count,
            "fences": FENCES,
            "vehicles": VEHICLES,
            "late_share": LATE_SHARE,
            "with_late_fixes_per_s": count / late_s,
            "with_learned_lanes_per_s": count / learned_s,
            "warm_up_s": warmed_s,
            "plan_built_s": planned_s,
        },
    )


def _book(plan: FleetPlan) -> LaneBook:
    """Each road driven before, so that every arrival time is a learned one."""
    lanes = np.unique(plan.lanes)
    curves = np.zeros(len(lanes), CURVE)
    curves["lane"], curves["passages"], curves["spread"] = lanes, 20, 0.1
    curves["length_m"], curves["leave_m"] = 86_000.0, 400.0
    curves["rest_s"] = np.linspace(86_000.0 / SPEED_MPS, 0.0, SEGMENTS + 1)
    return book_of([curves], [])


def _latitude(number: int) -> float:
    return 30.0 + number * 0.005


def _fences() -> Iterator[Fence]:
    """Each truck's customer at the end of its road, the others along all roads."""
    for number in range(FENCES):
        road, place = number % VEHICLES, number // VEHICLES
        lon = 121.9 if place == 0 else 121.0 + 0.043 * place
        ring = [
            [lon + 0.003 * math.cos(turn), _latitude(road) + 0.003 * math.sin(turn)]
            for turn in (step / 8 * math.tau for step in range(8))
        ]
        yield Fence(
            fence=f"f{number}",
            name={"en": f"f{number}"},
            kind="customer",
            geometry={"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        )


def _shipments() -> Iterator[Shipment]:
    for number in range(VEHICLES):
        stop = ShipmentStop(
            seq=1,
            name={"en": f"f{number}"},
            fence=f"f{number}",
            window_start=START,
            window_end=START + timedelta(hours=6),
        )
        yield Shipment(
            shipment=f"S{number}",
            vehicle=f"v{number}",
            from_site="bench",
            depart_at=START,
            route=tuple((121.0 + step * 0.03, _latitude(number)) for step in range(31)),
            stops=(stop,),
        )


def _fixes(count: int) -> TrackFixes:
    """Every truck in turn, each along its road."""
    noise = np.random.default_rng(7).normal(0, 3e-5, count)
    number = np.arange(count, dtype=np.int64)
    track = (number % VEHICLES).astype(np.int32)
    after_s = number // VEHICLES * EVERY_S
    time_us = instant_us(START) + after_s * 1_000_000 + track
    return TrackFixes(
        track=track,
        time_us=time_us,
        captured_us=time_us,
        lat=30.0 + track * 0.005 + noise,
        lon=np.asarray(121.0 + after_s * SPEED_MPS % 80_000 / METRES_PER_DEGREE_LON, np.float64),
        speed_mps=np.full(count, SPEED_MPS),
        course_deg_true=np.full(count, 90.0),
        accuracy_m=np.full(count, 5.0),
    )


def _late_batches(count: int) -> NDArray[np.int64]:
    """The batch each fix comes in: some of them later than their neighbours."""
    batch = np.arange(count) // FIXES_PER_BATCH
    is_late = np.random.default_rng(11).random(count) < LATE_SHARE
    return np.minimum(batch + is_late * LATE_BY_BATCHES, int(batch[-1]))


def _cut(fixes: TrackFixes, batch: NDArray[np.int64]) -> Iterator[TrackFixes]:
    for number in range(int(batch[-1]) + 1):
        yield fixes.take(batch == number)


def _bare_query_s(plan: FleetPlan, fixes: TrackFixes) -> float:
    """The same batches' points asked of a tree of the fences' bounding boxes."""
    bounds: NDArray[np.float64] = np.asarray(shapely.bounds(plan.fences.shapes))
    west, south, east, north = bounds.T
    boxes: Any = shapely.box(west, south, east, north)
    tree: Any = shapely.STRtree(boxes)
    batches = list(_cut(fixes, np.arange(len(fixes.lat)) // FIXES_PER_BATCH))
    tree.query(shapely.points(batches[0].lon[:1], batches[0].lat[:1]))  # builds it
    started = time.process_time()
    for batch in batches:
        points: Any = shapely.points(batch.lon, batch.lat)
        tree.query(points)
    return time.process_time() - started


def _fold_s(plan: FleetPlan, batches: list[TrackFixes]) -> float:
    """All batches through a fleet kept in memory."""
    fleet = _Fleet(plan)
    started = time.process_time()
    for batch in batches:
        fleet.take(batch)
    return time.process_time() - started


class _Fleet:
    """What the store keeps of vehicles: packed states, checkpoints, fixes."""

    def __init__(self, plan: FleetPlan) -> None:
        self._plan = plan
        self._shipments = plan.shipments_of([f"v{number}" for number in range(VEHICLES)])
        self._states = pack(nothing_known(VEHICLES))
        self._checkpoints: list[Records] = []
        self._owners: list[NDArray[np.int32]] = []
        self._stored: list[TrackFixes] = []

    def take(self, batch: TrackFixes) -> None:
        """Vehicles that are met in order go on, the others are folded again."""
        self._stored.append(batch)
        states, _ = unpack(self._states)
        first_us = np.full(VEHICLES, np.iinfo(np.int64).max)
        np.minimum.at(first_us, batch.track, batch.time_us)
        is_late = first_us <= states["at_us"]
        if not is_late.any():
            self._keep(fold_tracks(states, batch, self._shipments, self._plan))
            return
        states[is_late] = self._before(quarter_start_us(first_us))[is_late]
        since_us = np.where(is_late, states["at_us"], first_us - 1)
        stored = [one.take(one.time_us > since_us[one.track]) for one in self._stored]
        fixes = TrackFixes._make(map(np.concatenate, zip(*stored, strict=True)))
        self._keep(fold_tracks(states, fixes, self._shipments, self._plan))

    def _before(self, before_us: NDArray[np.int64]) -> Records:
        """Each vehicle's last checkpoint before its instant; a newer one of the same instant in the
        lists has overruled an older one."""
        found = nothing_known(VEHICLES)
        for owners, points in zip(self._owners, self._checkpoints, strict=True):
            is_usable = points["at_us"] < before_us[owners]
            is_usable &= points["at_us"] >= found["at_us"][owners]
            found[owners[is_usable]] = points[is_usable]
        return found

    def _keep(self, output: FoldOutput) -> None:
        self._states = pack(output.states)
        self._checkpoints.append(output.checkpoints)
        self._owners.append(output.checkpoint_track)
