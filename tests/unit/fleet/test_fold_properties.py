"""However a day's fixes arrive (in pieces, twice, late, shuffled), its tables are the same."""

import itertools
import random
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waystock.contract.limits import DayHours, VehicleLimits
from waystock.contract.masterdata import Shipment
from waystock.fleet.fold import fold_tracks
from waystock.fleet.plan import FleetPlan
from waystock.fleet.replay import NOTHING_KNOWN, Fix, columns, fold
from waystock.fleet.state import nothing_known
from waystock.fleet.state_bytes import pack
from waystock.fleet.vehicle_rules import FleetRules, VehicleRule

from .tables import VEHICLE, Tables, rows_said
from .tracks import LAT, at, fix, lon_of, shipment, square

FENCES = [
    square("depot", 0.0),
    square("dock", 100.0, half_m=40.0),
    square("first", 3000.0, kind="customer"),
    square("customer", 8000.0, kind="customer"),
    square("lake", 5000.0, kind="no_go"),
    msgspec.structs.replace(
        square("town", 5500.0, half_m=1500.0), dwell_limit_s=300.0, speed_limit_mps=9.0
    ),
]
OWN_RULES = [
    msgspec.structs.replace(
        square("gate", 2000.0, half_m=60.0), enter_margin_m=20.0, enter_fixes=1, exit_fixes=2,
        exit_margin_m=5.0, exit_s=10.0,
    ),
    msgspec.structs.replace(
        square("bridge", 6500.0, kind="no_go"),
        active_hours=(DayHours(days=("mon",), start="00:05", end="00:20"),),
    ),
]  # fmt: skip
RULES = FleetRules(
    of_vehicle={
        VEHICLE: VehicleRule(
            VehicleLimits(
                speed_limit_mps=20.0, silent_s=600.0, parked_silent_s=1500.0, needs_shipment=True,
                unplanned_stop_s=300.0,
                working_hours=(DayHours(days=("mon",), start="00:02", end="00:30"),),
            )
        )
    }
)  # fmt: skip
OUT = [(lon_of(100.0 * i), LAT) for i in range(81)]
PLAN = FleetPlan.build(
    [*FENCES, *OWN_RULES],
    [
        shipment("SH-1", stops=[("first", 500.0), ("customer", 1000.0)], route=OUT),
        shipment("SH-2", stops=[("depot", 3000.0)], depart_s=900, route=OUT[::-1]),
    ],
    rules=RULES,
)


class Leg(NamedTuple):
    """A stretch of a vehicle's day."""

    kind: str
    fixes: int
    every_s: float
    speed_mps: float
    north_m: float


LEGS = st.lists(
    st.builds(
        Leg,
        kind=st.sampled_from(["east", "east", "east", "west", "stand", "silence", "wild"]),
        fixes=st.integers(1, 60),
        every_s=st.sampled_from([0.5, 1.0, 5.0, 10.0, 30.0, 61.0]),
        speed_mps=st.sampled_from([0.8, 3.5, 8.0, 16.0, 25.0]),
        north_m=st.sampled_from([0.0, 0.0, 0.0, 140.0, 900.0]),
    ),
    min_size=1,
    max_size=8,
)


def day(legs: list[Leg], seed: int) -> list[Fix]:
    """A vehicle's fixes, with noise, poor fixes, jumps and now and then two at one instant."""
    chance = random.Random(seed)
    second = east_m = 0.0
    fixes: list[Fix] = []
    for leg in legs:
        if leg.kind == "silence":
            second += chance.choice([200.0, 1200.0, 3700.0])
            east_m += chance.choice([0.0, 0.0, 250.0, 2000.0])
            continue
        for _ in range(leg.fixes):
            second += leg.every_s
            way_m = leg.speed_mps * leg.every_s
            east_m += {"east": way_m, "west": -way_m}.get(leg.kind, 0.0)
            wild_m = 30_000.0 if leg.kind == "wild" and chance.random() < 0.3 else 0.0
            accuracy_m = chance.choice([None, None, 4.0, 30.0, 250.0])
            noise_m = chance.choice([0.0, 5.0, 40.0])
            for _ in range(2 if chance.random() < 0.03 else 1):
                one = fix(
                    at(second),
                    east_m + wild_m + chance.gauss(0, noise_m),
                    leg.north_m + chance.gauss(0, noise_m),
                    accuracy_m,
                    chance.choice([None, leg.speed_mps, 40.0]),
                )
                fixes.append(one)
    return fixes


def in_one_go(fixes: list[Fix]) -> tuple[bytes, Tables]:
    tables = Tables()
    state, derived = fold(VEHICLE, NOTHING_KNOWN, fixes, PLAN)
    tables.write(derived)
    return state, tables


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEGS, st.integers(0, 2**32), st.data())
def test_folding_in_pieces_gives_the_same_rows_and_state(
    legs: list[Leg], seed: int, data: st.DataObject
) -> None:
    fixes = day(legs, seed)
    whole_state, whole = in_one_go(fixes)
    instants = sorted({one.time for one in fixes})
    cuts = data.draw(
        st.sets(st.sampled_from(instants), max_size=12) if instants else st.just(set())
    )
    state, tables = NOTHING_KNOWN, Tables()
    pieces: list[list[Fix]] = [[]]
    for one in fixes:
        if one.time in cuts and pieces[-1] and pieces[-1][-1].time != one.time:
            pieces.append([])
        pieces[-1].append(one)
    for piece in pieces:
        state, derived = fold(VEHICLE, state, piece, PLAN)
        tables.write(derived)
    assert state == whole_state
    assert tables == whole


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEGS, LEGS, st.integers(0, 2**32))
def test_folding_the_fleet_together_gives_each_vehicle_its_own(
    one: list[Leg], other: list[Leg], seed: int
) -> None:
    days = [day(one, seed), day(other, seed + 1)]
    fixes = columns(days[0]).joined(columns(days[1]))
    fixes.track[len(days[0]) :] = 1
    vehicles = [VEHICLE, "v2"]
    together = fold_tracks(nothing_known(2), fixes, PLAN.shipments_of(vehicles), PLAN)
    for place, (vehicle, alone) in enumerate(zip(vehicles, days, strict=True)):
        plan = PLAN.shipments_of([vehicle])
        apart = fold_tracks(nothing_known(1), columns(alone), plan, PLAN)
        assert pack(together.states)[place] == pack(apart.states)[0]
        rows = together.rows[together.rows["track"] == place].copy()
        rows["track"] = 0
        assert rows_said(rows) == rows_said(apart.rows)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEGS, st.integers(0, 2**32))
def test_rows_never_contradict_themselves(legs: list[Leg], seed: int) -> None:
    """Trips and stops alternate and never overlap, nothing ends before it began, and the state
    stays small enough to be stored with every batch."""
    state, tables = in_one_go(day(legs, seed))
    trips = [tables.trips[key] for key in sorted(tables.trips)]
    for trip in trips:
        assert trip.ended_at is None or trip.ended_at > trip.started_at
        assert trip.distance_m > 0
    for before, after in itertools.pairwise(trips):
        assert before.ended_at is not None
        assert before.ended_at <= after.started_at
    assert sum(trip.ended_at is None for trip in trips) <= 1
    for visit in tables.visits.values():
        assert visit.exited_at is None or visit.exited_at > visit.entered_at
    for stop in tables.stops.values():
        assert stop.departed_at is None or stop.departed_at >= stop.arrived_at
    for episode in tables.episodes.values():
        assert episode.cleared_at is None or episode.cleared_at >= episode.opened_at
    assert len(state) <= 2_000


def test_the_order_of_two_fixes_at_one_instant_does_not_matter() -> None:
    plan: FleetPlan = FleetPlan.build(FENCES, list[Shipment]())
    good, poor = fix(at(0), 0.0, accuracy_m=3.0), fix(at(0), 80.0, accuracy_m=90.0)
    one_way = fold(VEHICLE, NOTHING_KNOWN, [good, poor], plan)
    assert one_way == fold(VEHICLE, NOTHING_KNOWN, [poor, good], plan)
    assert one_way[1].progress is not None
    assert one_way == fold(VEHICLE, NOTHING_KNOWN, [good], plan)
