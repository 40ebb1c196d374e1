"""Hours by the clock on the wall: what counts at night counts at night, in summer and in winter."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.limits import WEEKDAYS, DayHours
from waystock.fleet.hours import ANY_TIME, Hours, Schedules, is_within
from waystock.fleet.plan import instant_us
from waystock.fleet.week_hours import holds_at, time_zone_of

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")
TIMES = st.builds(
    lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59)
)
HOURS = st.lists(
    st.builds(
        DayHours,
        days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7).map(tuple),
        start=TIMES,
        end=st.one_of(TIMES, st.just("24:00")),
    ),
    min_size=1,
    max_size=3,
)


def within(hours: list[DayHours], zone: str, instant: datetime) -> bool:
    schedules = Schedules()
    schedules.place([DayHours(days=("sun",), start="01:00", end="02:00")], "Pacific/Auckland")
    place = schedules.place(hours, zone)
    return is_within(schedules.arrays(), place, instant_us(instant))


@given(HOURS, st.sampled_from(ZONES), st.integers(946_684_800, 4_102_444_800))
def test_compiled_rules_and_a_clock_on_the_wall_agree(
    hours: list[DayHours], zone: str, second: int
) -> None:
    instant = datetime.fromtimestamp(second, UTC)
    assert within(hours, zone, instant) == holds_at(hours, zone, instant)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = [DayHours(days=("sat",), start="22:00", end="06:00")]


@pytest.mark.parametrize(
    ("instant", "is_in"),
    [
        ("2026-03-28 20:59:59", False),  # 21:59:59 in Berlin, an hour ahead
        ("2026-03-28 21:00:00", True),
        ("2026-03-29 03:59:59", True),  # 05:59:59, two hours ahead: that night has an hour less
        ("2026-03-29 04:00:00", False),
        ("2026-10-24 20:00:00", True),  # 22:00, two hours ahead
        ("2026-10-25 04:59:59", True),  # 05:59:59, one hour ahead: and this one an hour more
        ("2026-10-25 05:00:00", False),
    ],
)
def test_a_night_in_which_the_clock_is_put_on_or_back_ends_when_people_say_so(
    instant: str, is_in: bool
) -> None:
    assert within(NIGHT, "Europe/Berlin", at(instant)) is is_in
    assert holds_at(NIGHT, "Europe/Berlin", at(instant)) is is_in


def test_no_hours_are_any_time_and_equal_hours_are_kept_once() -> None:
    schedules = Schedules()
    assert schedules.place((), "UTC") == schedules.place(None, "UTC") == ANY_TIME
    assert is_within(schedules.arrays(), ANY_TIME, 0)
    assert schedules.place(NIGHT, "UTC") == schedules.place(list(NIGHT), "UTC")
    assert schedules.place(NIGHT, "Europe/Berlin") == 1
    assert len(schedules.arrays().within) == 2 * 7 * 24 * 60


def test_a_zone_that_is_not_known_is_utc_and_said_to_be_none() -> None:
    assert time_zone_of("Mars/Olympus") is None
    assert within(NIGHT, "Mars/Olympus", at("2026-11-28 22:00:00"))
    assert np.array_equal(_arrays("UTC").ahead_s, _arrays("Mars/Olympus").ahead_s)


def _arrays(zone: str) -> Hours:
    schedules = Schedules()
    schedules.place(NIGHT, zone)
    return schedules.arrays()
