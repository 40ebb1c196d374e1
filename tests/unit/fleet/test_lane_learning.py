"""Arrival times learn from finished trips: where a road is slow, how long stays at stops take; and
never from what came later."""

import random

import numpy as np
import pytest

from waystock.contract.masterdata import Shipment
from waystock.fleet.fold import fold_tracks
from waystock.fleet.lane_curve import HOURS, RANGE, LaneBook, book_of, hour_of_week
from waystock.fleet.lane_learning import (
    NO_NETWORK,
    Leg,
    Network,
    Passage,
    Passages,
    learn_curve,
    network_of,
    passage_of,
)
from waystock.fleet.plan import FleetPlan, instant_us
from waystock.fleet.records import Records
from waystock.fleet.replay import NOTHING_KNOWN, Fix, Position, columns, fold
from waystock.fleet.rows import LEARNED
from waystock.fleet.settings import FleetSettings
from waystock.fleet.state import nothing_known

from .tracks import at, drive, fix, shipment, square

S = FleetSettings()
FENCES = [
    square("depot", 0.0),
    square("first", 10_000.0, kind="customer"),
    square("customer", 20_000.0, kind="customer"),
]
PLAN_OF_TWO = shipment(stops=[("first", 9000.0), ("customer", 9000.0)])
WEEK_S = 7 * 86_400.0


def pace_mps(east_m: float) -> float:
    """A town between kilometre 3 and 7."""
    return 5.0 if 3000 <= east_m < 7000 else 20.0


def trip(from_s: float, stay_s: float = 600.0, until_m: float = 20_000.0) -> list[Fix]:
    """From the depot by way of the first customer to the last."""
    fixes = [fix(at(from_s + 10.0 * i), 0.0) for i in range(30)]
    second, east_m, stays = from_s + 300.0, 0.0, stay_s
    while east_m < until_m:
        fixes.append(fix(at(second), east_m))
        second += 10.0
        if east_m >= 10_000.0 and stays > 0:
            stays -= 10.0
        else:
            east_m += 10.0 * pace_mps(east_m)
    if until_m >= 20_000.0:
        fixes += [fix(at(second + 10.0 * i), 20_000.0) for i in range(30)]
    return fixes


def placed(plan: Shipment) -> FleetPlan:
    return FleetPlan.build(FENCES, [plan])


def passages(day: list[Fix], plan: Shipment) -> dict[int, Passage]:
    """Of a day's fixes, by the stop that each leg ends at."""
    fleet = placed(plan)
    arrivals = fold("v1", NOTHING_KNOWN, day, fleet)[1].arrivals
    found: dict[int, Passage] = {}
    begin_us, is_first = instant_us(day[0].time), True
    for row, stop in zip(arrivals, fleet.placed["SH-1"].stops, strict=True):
        end_us = instant_us(row.arrived_at)
        some = [one for one in day if begin_us <= instant_us(one.time) < end_us]
        track = columns(some)
        leg = Leg(stop.leg_from_m, stop.along_m, begin_us, end_us, is_first)
        made = passage_of(
            fleet.placed["SH-1"].vertices, leg, track.time_us, track.lat, track.lon, S
        )
        assert isinstance(made, Passage), made
        found[row.seq] = made
        begin_us, is_first = end_us, False
    return found


def curve(lane: int, length_m: float, made: list[Passage], valid_us: int) -> Records:
    some = Passages(
        np.array([one.left_us for one in made], np.int64),
        np.array([one.service_s for one in made]),
        np.array([one.rest_s for one in made]),
    )
    learned = learn_curve(lane, length_m, some, NO_NETWORK, S)
    learned["valid_us"] = valid_us
    return learned


def knowing(plan: FleetPlan, valid_us: int, trips: int = 6) -> FleetPlan:
    """The plan, with as many earlier trips of its lanes, in force from an instant on."""
    days = [passages(trip(0.0), shipment(stops=[("first", 9000.0), ("customer", 9000.0)]))] * trips
    stops = plan.placed["SH-1"].stops
    book = book_of(
        [
            curve(stop.lane, stop.along_m - stop.leg_from_m, [d[stop.stop.seq] for d in days],
                  valid_us)
            for stop in stops
        ],
        [],
    )  # fmt: skip
    return plan.knowing(book)


def told(fixes: list[Fix], plan: FleetPlan) -> Position:
    last = fold("v1", NOTHING_KNOWN, fixes, plan)[1].progress
    assert last is not None
    assert last.eta is not None
    return last


def arrival_s(stop: int) -> float:
    """When the trip that begins at START reaches a stop."""
    found = fold("v1", NOTHING_KNOWN, trip(0.0), placed(PLAN_OF_TWO))[1].arrivals
    return (found[stop].arrived_at - at(0)).total_seconds()


def off_s(now: Position, stop: int) -> float:
    assert now.eta is not None
    return (now.eta - at(0)).total_seconds() - arrival_s(stop)


@pytest.mark.parametrize("until_m", [1500.0, 3200.0, 6000.0])
def test_a_lane_that_was_driven_before_knows_where_it_is_slow(until_m: float) -> None:
    plain = placed(PLAN_OF_TWO)
    learned = knowing(plain, valid_us=0)
    fixes = trip(0.0, until_m=until_m)
    wise, blind = told(fixes, learned), told(fixes, plain)
    assert (wise.model, blind.model) == ("learned", "pace")
    assert abs(off_s(wise, 0)) < 60
    assert abs(off_s(wise, 0)) < abs(off_s(blind, 0)) / 2


def test_what_was_learned_later_than_a_fix_is_not_used_for_it() -> None:
    fixes = trip(0.0, until_m=3200.0)
    plain = placed(PLAN_OF_TWO)
    later = knowing(plain, valid_us=instant_us(fixes[-1].time) + 1)
    assert told(fixes, later) == told(fixes, plain)


def test_the_version_in_force_at_a_fix_counts_whatever_was_learned_since() -> None:
    """A late fix that is folded again meets what was known at its time, so it says the same."""
    fixes = trip(0.0, until_m=3200.0)
    once = knowing(placed(PLAN_OF_TWO), valid_us=0)
    stop = once.placed["SH-1"].stops[0]
    slow = passages(trip(0.0), PLAN_OF_TWO)[1]
    slow = slow._replace(rest_s=slow.rest_s * 3)
    now_us = instant_us(fixes[-1].time)
    newer = curve(stop.lane, stop.along_m, [slow], now_us + 1)
    older = as_records(once)
    both = once.knowing(book_of([older, newer], []))
    assert told(fixes, both) == told(fixes, once)
    assert told(trip(0.0, until_m=3400.0), both) != told(trip(0.0, until_m=3400.0), once)


def as_records(plan: FleetPlan) -> Records:
    curves: Records = plan.arrays.lanes.curves  # type: ignore[assignment]
    return curves


def test_stays_at_stops_are_learned_and_count_for_the_stop_after() -> None:
    learned = knowing(placed(PLAN_OF_TWO), valid_us=0)
    standing = [one for one in trip(0.0) if one.time <= at(arrival_s(0) + 240.0)]
    assert abs(off_s(told(standing, learned), 1)) < 150


def test_every_later_stop_has_its_arrival_time_and_ranges_grow_wider() -> None:
    learned = knowing(placed(PLAN_OF_TWO), valid_us=0)
    fixes = columns(trip(0.0, until_m=1500.0))
    output = fold_tracks(nothing_known(1), fixes, learned.shipments_of(["v1"]), learned)
    said = output.outlooks
    assert said["seq"].tolist() == [1, 2]
    assert (said["model"] == LEARNED).all()
    assert (said["p10_us"] < said["eta_us"]).all()
    assert (said["eta_us"] < said["p90_us"]).all()
    widths = said["p90_us"] - said["p10_us"]
    assert widths[1] > widths[0]
    assert abs((said["eta_us"][1] - instant_us(at(0))) / 1e6 - arrival_s(1)) < 300


def test_outcomes_of_earlier_predictions_make_the_range() -> None:
    plain = knowing(placed(PLAN_OF_TWO), valid_us=0)
    ranges = np.array([(0, LEARNED, horizon, 100_000, 0.5, 3.0) for horizon in range(7)], RANGE)
    wide = plain.knowing(LaneBook(as_records(plain), ranges))
    fixes = trip(0.0, until_m=1500.0)
    narrow, broad = told(fixes, plain), told(fixes, wide)
    assert narrow.eta == broad.eta
    assert narrow.eta_p90 is not None
    assert broad.eta is not None
    assert broad.eta_p10 is not None
    assert broad.eta_p90 is not None
    left_s = (broad.eta - fixes[-1].time).total_seconds()
    assert (broad.eta_p90 - fixes[-1].time).total_seconds() == pytest.approx(3 * left_s, rel=0.01)
    assert (broad.eta_p10 - fixes[-1].time).total_seconds() == pytest.approx(left_s / 2, rel=0.01)


def test_a_passage_is_the_same_whatever_the_order_and_number_of_its_fixes() -> None:
    day = trip(0.0)
    again = passages(day, PLAN_OF_TWO)
    thinned = passages(day[::3], PLAN_OF_TWO)
    for seq in (1, 2):
        assert np.allclose(again[seq].rest_s, thinned[seq].rest_s, atol=60.0)
    assert again[2].service_s == pytest.approx(600.0, abs=60.0)


def test_a_leg_that_was_not_seen_or_driven_elsewhere_teaches_nothing() -> None:
    vertices = placed(PLAN_OF_TWO).placed["SH-1"].vertices
    whole = columns(drive(600, 16.0, every_s=10.0))
    leg = Leg(0.0, 9850.0, instant_us(at(0)), instant_us(at(620)), True)

    def why(some: slice, north_m: float = 0.0) -> Passage | str:
        lat = whole.lat[some] + north_m / 111_000
        return passage_of(vertices, leg, whole.time_us[some], lat, whole.lon[some], S)

    assert isinstance(why(slice(None)), Passage)
    assert why(slice(0, 3)) == "fewer than four fixes"
    assert why(slice(0, 8)) == "not seen for most of it"
    assert why(slice(None), north_m=900.0) in {
        "not driven on its route",
        "no time between leaving and arriving",
        "not seen for most of it",
    }


def test_one_breakdown_does_not_move_what_a_lane_says() -> None:
    good = passages(trip(0.0), PLAN_OF_TWO)[1]
    bad = good._replace(rest_s=good.rest_s + np.linspace(7200.0, 0.0, len(good.rest_s)))
    usual = curve(7, 9850.0, [good] * 6, 0)
    marred = curve(7, 9850.0, [good] * 6 + [bad], 0)
    assert marred["rest_s"][0, 0] == pytest.approx(usual["rest_s"][0, 0], rel=0.05)


def test_the_rush_hour_is_told_apart_from_the_night() -> None:
    chance = random.Random(4)
    made: list[Passage] = []
    base = passages(trip(0.0), PLAN_OF_TWO)[1]
    for day in range(5):
        for hour in (3, 8):
            slower = (1.6 if hour == 8 else 1.0) * chance.uniform(0.97, 1.03)
            left_us = instant_us(at(day * 86_400 + hour * 3600))
            made.append(base._replace(left_us=left_us, rest_s=base.rest_s * slower))
    learned = curve(7, 9850.0, made, 0)
    hour_log = learned["hour_log"][0]
    rush = hour_log[hour_of_week(made[1].left_us)]
    night = hour_log[hour_of_week(made[0].left_us)]
    assert rush - night == pytest.approx(np.log(1.6), abs=0.2)
    assert len(hour_log) == HOURS


def test_an_hour_nobody_drove_a_lane_in_takes_what_the_network_says() -> None:
    hours = np.arange(HOURS)
    network = network_of(hours, np.where(hours % 24 == 8, 0.4, 0.0), np.full(HOURS, 50.0))
    base = passages(trip(0.0), PLAN_OF_TWO)[1]
    night = [base._replace(left_us=instant_us(at(day * 86_400 + 3 * 3600))) for day in range(5)]
    some = Passages(
        np.array([one.left_us for one in night], np.int64),
        np.array([one.service_s for one in night]),
        np.array([one.rest_s for one in night]),
    )
    learned = learn_curve(7, 9850.0, some, Network(network.hour_log), S)
    assert learned["hour_log"][0, 8] - learned["hour_log"][0, 3] > 0.05


def test_the_week_begins_on_monday_at_midnight_utc() -> None:
    # START is Monday, 23 November 2026.
    assert hour_of_week(instant_us(at(0))) == 0
    assert hour_of_week(instant_us(at(25 * 3600))) == 25
    assert hour_of_week(instant_us(at(WEEK_S - 1))) == HOURS - 1
    assert hour_of_week(instant_us(at(-1))) == HOURS - 1
