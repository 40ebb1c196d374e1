"""Questions about the fleet's past, against minutes counted in Python: who asks after a driver's
hours or a truck's kilometres must get what really was.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg.types.json import Jsonb

from tests.integration.store.past_world import (
    Timeline,
    add_fleet,
    add_vehicles,
    insert,
    minute,
    raw,
    whole,
)
from waystock.store.api import UnusableValueError
from waystock.store.connection import Database, connect
from waystock.store.questions import ask
from waystock.store.questions_fleet import (
    ACTIVITY,
    DAY_M_MAX,
    DISTANCES,
    DRIVING_HOURS,
    LAST_FIXES,
    LONG_DRIVING,
    STATIONARY,
)

DAY = 24 * 60
SINCE, UNTIL = 1 * DAY + 37, 4 * DAY - 101
PERIOD: dict[str, Any] = {"since": minute(SINCE), "until": minute(UNTIL)}
SHANGHAI, KOLKATA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Kolkata")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test", autocommit=True) as connection:
        yield connection


def runs(letters: str, wanted: str) -> list[tuple[int, int]]:
    """Stretches of one letter."""
    found: list[tuple[int, int]] = []
    at = 0
    for letter, group in groupby(letters):
        length = len(list(group))
        if letter == wanted:
            found.append((at, at + length))
        at += length
    return found


def test_the_last_fix_says_how_old_it_is_and_the_silent_are_found(database: Database) -> None:
    add_vehicles(database, ("t01", "t02", "t03"))
    for vehicle, at in (("t01", 100), ("t02", 40)):
        state = {"vehicle": vehicle, "fix_time": minute(at), "lat": 31, "lon": 121}
        insert(database, "vehicle_state", [state])
    rows = whole(database, LAST_FIXES, limit=1, at=minute(102))
    assert [(row.vehicle, row.age_s) for row in rows] == [
        ("t01", 120), ("t02", 62 * 60), ("t03", None),
    ]  # fmt: skip
    silent = whole(database, LAST_FIXES, at=minute(102), silent_s_min=1800.0)
    assert [row.vehicle for row in silent] == ["t02", "t03"]
    assert [row.age_s for row in whole(database, LAST_FIXES, at=minute(99), vehicle="t01")] == [0]


@pytest.mark.parametrize("seed", [1, 2])
def test_standing_time_is_every_minute_stood_in_the_period_and_no_other(
    database: Database, seed: int
) -> None:
    fleet = add_fleet(database, seed, 15, 5 * DAY)
    rows = whole(database, STATIONARY, limit=4, **PERIOD, stood_s_min=600 * 60.0)
    expected: dict[str, tuple[float, int, float]] = {}
    for vehicle, timeline in fleet.items():
        stands = runs(timeline.letters()[:UNTIL].ljust(UNTIL, "?"), "s")
        lengths = [until - max(since, SINCE) for since, until in stands if until > SINCE]
        if sum(lengths) >= 600:
            expected[vehicle] = (sum(lengths) * 60, len(lengths), max(lengths) * 60)
    assert {row.vehicle: (row.stood_s, row.stands, row.longest_s) for row in rows} == expected
    assert expected
    for row in rows:
        assert row.longest_from is not None
        assert row.longest_until is not None
        assert (row.longest_until - row.longest_from).total_seconds() == row.longest_s


def test_slow_vehicles_are_told_by_the_speed_their_units_reported(database: Database) -> None:
    speeds = {"t01": (0.0, 0.4), "t02": (0.2, 9.0), "t03": ()}
    add_vehicles(database, speeds)
    for vehicle, values in speeds.items():
        insert(database, "fix", (
            raw(f"gps-{vehicle}", minute(number), number)
            | {"lat": 31, "lon": 121, "speed_mps": speed}
            for number, speed in enumerate(values)
        ))  # fmt: skip
    asked: dict[str, Any] = {"since": minute(0), "until": minute(10), "stood_s_min": 0.0}
    [slow] = whole(database, STATIONARY, **asked, speed_mps_below=1.0)
    assert (slow.vehicle, slow.stood_s) == ("t01", 0)
    assert slow.mean_speed_mps == pytest.approx(0.2)
    assert len(whole(database, STATIONARY, **asked)) == 3


def sessions(timeline: Timeline, rest: int) -> list[tuple[int, int, int, int]]:
    """(begin, end, minutes driven, trips) of driving up to UNTIL without a rest."""
    found: list[tuple[int, int, int, int]] = []
    for since, until in runs(timeline.letters()[:UNTIL], "m"):
        if found and since - found[-1][1] < rest:
            begin, _, driven, trips = found.pop()
            found.append((begin, until, driven + until - since, trips + 1))
        else:
            found.append((since, until, until - since, 1))
    return found


@pytest.mark.parametrize("seed", [3, 4])
def test_nobody_drives_too_long_without_being_found(database: Database, seed: int) -> None:
    fleet = add_fleet(database, seed, 15, 5 * DAY)
    rows = whole(
        database, LONG_DRIVING, limit=3, **PERIOD, looked_back_to=minute(-1), rest_s=1200.0,
        driven_s_min=240 * 60.0,
    )  # fmt: skip
    expected = [
        (vehicle, minute(since), minute(until), driven * 60, trips, UNTIL - until >= 20)
        for vehicle, timeline in fleet.items()
        for since, until, driven, trips in sessions(timeline, 20)
        if until > SINCE and driven >= 240
    ]
    assert [
        (row.vehicle, row.started_at, row.ended_at, row.driven_s, row.trips, row.is_over)
        for row in rows
    ] == expected
    assert any(trips > 1 for *_, trips, _ in expected)
    assert all(
        row.driven_s + row.paused_s == (row.ended_at - row.started_at).total_seconds()
        for row in rows
    )


@pytest.mark.parametrize("seed", [5, 6])
def test_the_hardest_day_of_a_driver_is_found_wherever_it_begins(
    database: Database, seed: int
) -> None:
    fleet = add_fleet(database, seed, 12, 5 * DAY)
    window = 24 * 60
    rows = whole(
        database, DRIVING_HOURS, limit=5, **PERIOD, looked_back_to=minute(SINCE - window),
        window_s=window * 60.0, driven_s_min=60.0,
    )  # fmt: skip
    expected: dict[str, int] = {}
    for vehicle, timeline in fleet.items():
        driven = [0]
        for letter in timeline.letters()[:UNTIL].ljust(UNTIL, "?"):
            driven.append(driven[-1] + (letter == "m"))
        most = max(driven[t] - driven[max(t - window, 0)] for t in range(SINCE, UNTIL + 1))
        expected[vehicle] = most
    for row in rows:
        assert row.driven_s == expected[row.vehicle] * 60, row.vehicle
        assert row.window_end - row.window_start == timedelta(hours=24)
        assert PERIOD["since"] <= row.window_end <= PERIOD["until"]
    assert {row.vehicle for row in rows} == {name for name, most in expected.items() if most}


@pytest.mark.parametrize(("by", "zone"), [("hour", KOLKATA), ("day", SHANGHAI)])
def test_activity_counts_each_minute_in_its_own_hour_and_day(
    database: Database, by: str, zone: ZoneInfo
) -> None:
    fleet = add_fleet(database, 7, 6, 5 * DAY)
    rows = whole(database, ACTIVITY, limit=50, **PERIOD, bucket=by, time_zone=zone.key)
    layout = "%Y-%m-%d %H" if by == "hour" else "%Y-%m-%d"
    expected: list[tuple[str, int, int, int]] = []
    for vehicle, timeline in fleet.items():
        letters = timeline.letters().ljust(UNTIL, "?")
        minutes = range(SINCE, UNTIL)
        for _, group in groupby(minutes, lambda m: minute(m).astimezone(zone).strftime(layout)):
            inside = list(group)
            spelt = [letters[m] for m in inside]
            expected.append((vehicle, len(inside), spelt.count("m"), spelt.count("s")))
    assert [
        (
            row.vehicle, (row.ends_at - row.starts_at) / timedelta(minutes=1), row.moved_s / 60,
            row.stood_s / 60,
        )
        for row in rows
    ] == expected  # fmt: skip
    assert all(0 <= row.moved_share <= 1 for row in rows)
    assert {row.time_zone for row in rows} == {zone.key}


def add_fixes_along(database: Database, fleet: dict[str, Timeline]) -> None:
    """A fix each minute, going east at each vehicle's own pace while it moves."""
    metres_per_degree = 95_504.3  # of longitude at 31° N on the WGS 84 ellipsoid
    for vehicle, timeline in fleet.items():
        lon = 121.0
        fixes: list[dict[str, Any]] = []
        for at, letter in enumerate(timeline.letters()):
            fixes.append(raw(f"gps-{vehicle}", minute(at), at) | {"lat": 31.0, "lon": lon})
            if letter == "m":
                lon += timeline.speed_m_per_minute / metres_per_degree
        with database.cursor().copy(
            "COPY fix (time, captured_at, received_at, stream_id, stream_offset, device, clock,"
            " quality, lat, lon) FROM STDIN"
        ) as copy:
            for fix in fixes:
                copy.write_row(list(fix.values()))


@pytest.mark.parametrize("seed", [8, 9])
def test_kilometres_fall_on_the_day_they_were_driven_on(database: Database, seed: int) -> None:
    fleet = add_fleet(database, seed, 6, 5 * DAY)
    add_fixes_along(database, fleet)
    # A trip whose distance nobody knows yet is measured from its fixes.
    database.execute("UPDATE trip SET distance_m = NULL WHERE ended_at IS NULL")
    first, last = minute(DAY).date(), minute(3 * DAY).date()
    rows = whole(
        database, DISTANCES, limit=2, first_day=first, last_day=last, until=minute(5 * DAY),
        looked_back_to=minute(-2 * DAY), looked_on_to=minute(8 * DAY), time_zone=SHANGHAI.key,
        day_m_max=DAY_M_MAX,
    )  # fmt: skip
    assert [(row.vehicle, row.day) for row in rows] == [
        (vehicle, first + timedelta(days=n)) for vehicle in fleet for n in range(3)
    ]
    for row in rows:
        timeline = fleet[row.vehicle]
        driven = sum(
            letter == "m" and minute(at).astimezone(SHANGHAI).date() == row.day
            for at, letter in enumerate(timeline.letters())
        )
        assert row.driven_s == driven * 60, row
        assert row.distance_m == pytest.approx(
            driven * timeline.speed_m_per_minute, rel=0.002, abs=2 * timeline.speed_m_per_minute
        )
    assert any(row.distance_m > 10_000 for row in rows)


def test_the_kilometres_of_a_trip_under_way_are_those_driven_so_far(database: Database) -> None:
    add_vehicles(database, ["t01"])
    insert(database, "trip", [
        {"vehicle": "t01", "started_at": minute(60), "start_lat": 31, "start_lon": 121}
    ])  # fmt: skip
    insert(database, "vehicle_state", [{
        "vehicle": "t01", "fix_time": minute(90), "lat": 31, "lon": 121,
        "trip_started_at": minute(60), "trip_m": 25_000,
    }])  # fmt: skip
    [row] = whole(
        database, DISTANCES, first_day=minute(0).date(), last_day=minute(0).date(),
        until=minute(2 * DAY), looked_back_to=minute(-DAY), looked_on_to=minute(3 * DAY),
        day_m_max=DAY_M_MAX,
    )  # fmt: skip
    assert (row.distance_m, row.driven_s) == (25_000, 1800)


def test_a_vehicle_without_fixes_over_midnight_still_has_its_kilometres(
    database: Database,
) -> None:
    add_vehicles(database, ["t01"])
    insert(database, "trip", [{
        "vehicle": "t01", "started_at": minute(DAY - 60), "ended_at": minute(DAY + 180),
        "start_lat": 31, "start_lon": 121, "end_lat": 31, "end_lon": 122, "distance_m": 80_000,
    }])  # fmt: skip
    rows = whole(
        database, DISTANCES, first_day=minute(0).date(), last_day=minute(2 * DAY).date(),
        until=minute(4 * DAY), looked_back_to=minute(-DAY), looked_on_to=minute(9 * DAY),
        day_m_max=DAY_M_MAX,
    )  # fmt: skip
    assert [(row.distance_m, row.trips, row.time_zone) for row in rows] == [
        (20_000, 1, "UTC"), (60_000, 1, "UTC"), (0, 0, "UTC"),
    ]  # fmt: skip


def test_a_time_zone_that_there_is_not_is_refused_and_not_taken_for_utc(
    database: Database,
) -> None:
    add_vehicles(database, ["t01"])
    asked = {**PERIOD, "bucket": "hour", "time_zone": "Mars/Olympus"}
    with pytest.raises(UnusableValueError, match="Mars/Olympus"):
        ask(database, ACTIVITY, asked, None, 10)
    with pytest.raises(KeyError, match="bucket"):
        ask(database, ACTIVITY, PERIOD, None, 10)


def test_the_zone_of_the_site_a_vehicle_last_left_decides_its_midnight(
    database: Database,
) -> None:
    add_vehicles(database, ("t01", "t02"))
    for site, zone in (("sha", "Asia/Shanghai"), ("ber", "Europe/Berlin")):
        insert(database, "site", [
            {"site": site, "name": Jsonb({}), "lat": 31, "lon": 121, "time_zone": zone}
        ])  # fmt: skip
    for number, site in enumerate(("sha", "ber")):
        insert(database, "shipment", [{
            "shipment": f"SH-{number}", "vehicle": "t01", "from_site": site,
            "depart_at": minute(number * 60), "route": Jsonb([]), "planned_speed_mps": 15,
        }])  # fmt: skip
    rows = whole(database, ACTIVITY, **PERIOD, bucket="day")
    assert {(row.vehicle, row.time_zone) for row in rows} == {
        ("t01", "Europe/Berlin"), ("t02", "UTC"),
    }  # fmt: skip
    assert rows[1].starts_at.astimezone(ZoneInfo("Europe/Berlin")).hour == 0
