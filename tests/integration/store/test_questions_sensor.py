"""Questions of sensors, against a book kept reading by reading: a cold room that was warm for an
hour at night is found, and so is the truck that is about to run dry.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests.integration.store.past_world import (
    add_telemetry,
    add_vehicles,
    chunks,
    minute,
    plan,
    whole,
)
from waystock.store import migrate
from waystock.store.connection import Database, connect
from waystock.store.questions_sensor import BAND_EPISODES, LATEST_MEASUREMENTS

DAY = 24 * 60
SINCE, UNTIL = 1 * DAY + 37, 4 * DAY - 101
PERIOD: dict[str, Any] = {"since": minute(SINCE), "until": minute(UNTIL)}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with connect(database_url, "test", autocommit=True) as connection:
        yield connection


def true_episodes(
    readings: list[tuple[datetime, float]], low: float | None, high: float | None, gap: timedelta
) -> list[tuple[datetime, datetime | None, float, float, int]]:
    """Reading by reading, as a person would keep the book."""
    found: list[tuple[datetime, datetime | None, float, float, int]] = []
    values: list[float] = []
    started = last = minute(0)
    for at, value in [*readings, (minute(UNTIL), None)]:
        if values and at - last > gap:
            found.append((started, last, min(values), max(values), len(values)))
            values = []
        if value is None:
            if values:
                found.append((started, None, min(values), max(values), len(values)))
        elif (low is not None and value < low) or (high is not None and value > high):
            started = started if values else at
            last = at
            values.append(value)
        elif values:
            found.append((started, at, min(values), max(values), len(values)))
            values = []
    return found


def random_readings(random: Random) -> list[tuple[datetime, float]]:
    at, value = SINCE - 60.0, 5.0
    readings: list[tuple[datetime, float]] = []
    while at < UNTIL + 60:
        at += random.choice((1, 5, 5, 5, 29, 30, 31, 90))
        value += random.uniform(-2, 2) + (5 - value) / 5
        readings.append((minute(at), round(value, 3)))
    return readings


@pytest.mark.parametrize(("low", "high"), [(2.0, 8.0), (3.0, None), (None, 7.0)])
def test_every_spell_out_of_band_is_found_from_its_beginning_to_its_end(
    database: Database, low: float | None, high: float | None
) -> None:
    random = Random(10)
    names = [f"t{number:02}" for number in range(12)]
    add_vehicles(database, names, device="cold")
    readings = {name: random_readings(random) for name in names}
    for name in names:
        add_telemetry(database, f"cold-{name}", "temperature_c", readings[name])
    asked: dict[str, Any] = {
        "measure": "temperature_c", "low": low, "high": high, "gap_s": 1800.0, **PERIOD,
    }  # fmt: skip
    rows = whole(database, BAND_EPISODES, limit=11, **asked, lasted_s_min=0.0)
    expected = [
        (f"cold-{name}", name, *episode)
        for name in names
        for episode in true_episodes(
            [one for one in readings[name] if PERIOD["since"] <= one[0] < PERIOD["until"]],
            low, high, timedelta(minutes=30),
        )
    ]  # fmt: skip
    assert [
        (row.device, row.vehicle, row.started_at, row.ended_at, row.lowest, row.highest,
         row.readings)
        for row in rows
    ] == expected  # fmt: skip
    assert len(expected) > 50
    long = whole(database, BAND_EPISODES, **asked, lasted_s_min=3600.0)
    assert long == [row for row in rows if row.lasted_s >= 3600]
    assert long
    asked["measure"] = "battery_v"
    assert whole(database, BAND_EPISODES, **asked, lasted_s_min=0.0) == []


def test_the_newest_value_decides_who_is_low_on_fuel_now(database: Database) -> None:
    add_vehicles(database, ("t01", "t02", "t03", "t04"), device="tank")
    for vehicle, values in {
        "t01": [(1, 0.05), (2, 0.9)], "t02": [(1, 0.9), (2, 0.05)], "t03": [(-2000, 0.01)],
    }.items():  # fmt: skip
        readings = [(minute(at), value) for at, value in values]
        add_telemetry(database, f"tank-{vehicle}", "fuel_ratio", readings)
    add_telemetry(database, "tank-t02", "battery_v", [(minute(3), 12.0)])
    asked: dict[str, Any] = {
        "measure": "fuel_ratio", "low": 0.1, "at": minute(5), "since": minute(-1000),
        "until": minute(10),
    }  # fmt: skip
    [low] = whole(database, LATEST_MEASUREMENTS, **asked, out_of_band=True)
    assert (low.vehicle, low.value, low.age_s, low.out_of_band) == ("t02", 0.05, 180, True)
    rows = whole(database, LATEST_MEASUREMENTS, limit=1, **asked, out_of_band=False)
    assert [(row.vehicle, row.out_of_band) for row in rows] == [("t01", False), ("t02", True)]


def test_a_day_of_telemetry_is_read_off_the_index_and_not_from_other_days(
    database: Database, database_url: str
) -> None:
    names = ("t01", "t02", "t03")
    add_vehicles(database, names)
    for name in names:
        add_telemetry(
            database, f"gps-{name}", "fuel_ratio", ((minute(2 * n), 0.5) for n in range(7200))
        )
    database.execute("ANALYZE telemetry_reading")
    text = plan(
        database, BAND_EPISODES, measure="fuel_ratio", low=0.1, vehicle="t02", gap_s=1800.0,
        lasted_s_min=0.0, since=minute(8 * DAY + 600), until=minute(8 * DAY + 1200),
    )  # fmt: skip
    assert re.search(r"Index.*telemetry_reading_device_time", text), text
    if migrate.tier(database_url) != "plain":
        assert len(chunks(text)) == 1, text
