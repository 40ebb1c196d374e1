"""Alerts of a vehicle's sensors: its load out of the temperature band, a door open on the road.
Each is told anew from the raw readings (and trips) around those that are new, all devices of a
commit at once, so that any order of arrival ends in the same rows. Upstream: ingest's sensor stage.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from waystock.alerts.types import alert_id
from waystock.contract.limits import VehicleLimits
from waystock.fleet.sensor_spells import (
    Band,
    SensorReading,
    Spell,
    Trip,
    lasting,
    on_the_road,
    spells_of,
)
from waystock.store.alerts import AlertRow, replace_episodes
from waystock.store.connection import Database
from waystock.store.directory import Names
from waystock.store.sql import queries

TEMPERATURE, DOOR = "temperature_c", "door_open"
TEMPERATURE_GAP_S, DOOR_GAP_S = 3_600.0, 86_400.0
"""Many doors report only that they were opened or shut."""
TEMPERATURE_HOLD_S = 300.0
"""Where nobody says how long a load may be out of its band."""
RUNNING_S_MAX = 2 * 86_400.0
"""A spell that has run for longer is not gone through from its beginning any more."""
_TYPES = {TEMPERATURE: "vehicle.temperature", DOOR: "vehicle.door_open"}
_OPEN = 0.5
_INFINITE = float("inf")


class SensorNews(NamedTuple):
    """New readings of one measure of one device on one vehicle; or, with no last one, a change of
    trips since."""

    vehicle: str
    device: str
    measure: str
    first: datetime
    last: datetime
    on_from: datetime
    on_until: datetime
    """While the device was on that vehicle, both included; readings before and after are of
    others."""


class _Window(NamedTuple):
    """What is told anew: readings from `since` on, up to `until`."""

    news: SensorNews
    limits: VehicleLimits
    since: datetime
    until: datetime
    running: Spell | None


def is_watched(limits: VehicleLimits, measure: str) -> bool:
    """Whether anything is told of this measure."""
    if measure == DOOR:
        return limits.door_open_s is not None
    has_band = limits.temperature_low_c is not None or limits.temperature_high_c is not None
    return measure == TEMPERATURE and has_band


def raise_sensor_alerts(
    database: Database, news: Sequence[tuple[SensorNews, VehicleLimits]], names: Names
) -> set[str]:
    """Bring the alerts in line with the readings; ids of those that changed or went."""
    if not news:
        return set()
    windows = _windows(database, news)
    readings = _readings(database, windows)
    trips = _trips(database, windows)
    rows: list[AlertRow] = []
    for place, window in enumerate(windows):
        band = _band(window.news.measure, window.limits)
        spells = spells_of(readings.get(place, ()), band, window.running)
        rows += [
            _alert(window, spell, names) for spell in _told(window, spells, trips.get(place, []))
        ]
    said = {alert_id(row.type, row.subject, row.opened_at) for row in rows}
    gone = database.execute(
        queries("sensor_alerts")["withdraw"],
        {
            "types": [_TYPES[window.news.measure] for window in windows],
            "vehicles": [window.news.vehicle for window in windows],
            "devices": [window.news.device for window in windows],
            "from": [_began(window) for window in windows],
            "until": [window.until for window in windows],
            "said": sorted(said),
        },
    )
    return {row[0] for row in gone} | replace_episodes(database, [], rows)


def _told(window: _Window, spells: Sequence[Spell], trips: Sequence[Trip]) -> list[Spell]:
    limits = window.limits
    if window.news.measure == DOOR:
        return on_the_road(spells, trips, limits.door_open_s or 0.0)
    hold_s = limits.temperature_s
    return lasting(spells, TEMPERATURE_HOLD_S if hold_s is None else hold_s)


def _began(window: _Window) -> datetime:
    return window.running.opened_at if window.running else window.since


def _windows(database: Database, news: Sequence[tuple[SensorNews, VehicleLimits]]) -> list[_Window]:
    running = _running(database, news)
    floors = [_floor(one, limits, running.get(place)) for place, (one, limits) in enumerate(news)]
    bands = [_band(one.measure, limits) for one, limits in news]
    found = database.execute(
        queries("sensor_alerts")["windows"],
        {
            "devices": [one.device for one, _ in news],
            "measures": [one.measure for one, _ in news],
            "low": [-_INFINITE if band.low is None else band.low for band in bands],
            "high": [_INFINITE if band.high is None else band.high for band in bands],
            "first": [one.first for one, _ in news],
            "last": [one.last for one, _ in news],
            "floor": floors,
        },
    )
    windows: list[_Window] = []
    for (place, since, reaches), (one, limits) in zip(found, news, strict=True):
        until = min(reaches, one.on_until)
        known = running.get(place - 1)
        is_long = known is not None and known.opened_at < since
        running_on = known._replace(last_at=since) if known and is_long else None
        windows.append(_Window(one, limits, since, until, running_on))
    return windows


def _running(
    database: Database, news: Sequence[tuple[SensorNews, VehicleLimits]]
) -> dict[int, Spell]:
    """Spells of temperature that are told of already. Those of doors are parts of trips; where the
    door was opened is to be looked for."""
    rows: list[tuple[int, datetime, float, datetime]] = database.execute(
        queries("sensor_alerts")["running"],
        {
            "types": [_TYPES[one.measure] for one, _ in news],
            "vehicles": [one.vehicle for one, _ in news],
            "devices": [one.device for one, _ in news],
            "first": [one.first for one, _ in news],
        },
    ).fetchall()
    return {
        place - 1: Spell(opened_at, opened_at, None, worst, captured_at)
        for place, opened_at, worst, captured_at in rows
        if news[place - 1][0].measure != DOOR
    }


def _floor(one: SensorNews, limits: VehicleLimits, running: Spell | None) -> datetime:
    """How far back is looked: a spell that is not told of yet is shorter than what it takes."""
    hold_s = limits.temperature_s or TEMPERATURE_HOLD_S
    back_s = DOOR_GAP_S if one.measure == DOOR else hold_s + TEMPERATURE_GAP_S
    if running is None or one.measure == DOOR:
        return max(one.on_from, one.first - timedelta(seconds=back_s))
    return max(one.on_from, running.opened_at, one.first - timedelta(seconds=RUNNING_S_MAX))


def _readings(database: Database, windows: Sequence[_Window]) -> dict[int, list[SensorReading]]:
    rows = database.execute(
        queries("sensor_alerts")["readings"],
        {
            "devices": [window.news.device for window in windows],
            "measures": [window.news.measure for window in windows],
            "from": [window.since for window in windows],
            "until": [window.until for window in windows],
        },
    )
    readings: dict[int, list[SensorReading]] = {}
    for place, time, captured_at, value in rows:
        readings.setdefault(place - 1, []).append(SensorReading(time, captured_at, value))
    return readings


def _trips(database: Database, windows: Sequence[_Window]) -> dict[int, list[Trip]]:
    of_doors = [place for place, one in enumerate(windows) if one.news.measure == DOOR]
    trips: dict[int, list[Trip]] = {}
    if not of_doors:
        return trips
    rows: list[tuple[int, datetime, datetime | None]] = database.execute(
        queries("sensor_alerts")["trips"],
        {
            "vehicles": [windows[place].news.vehicle for place in of_doors],
            "from": [windows[place].since for place in of_doors],
            "until": [windows[place].until for place in of_doors],
        },
    ).fetchall()
    for number, started_at, ended_at in rows:
        trips.setdefault(of_doors[number - 1], []).append(Trip(started_at, ended_at))
    return trips


def _band(measure: str, limits: VehicleLimits) -> Band:
    if measure == DOOR:
        return Band(None, _OPEN, DOOR_GAP_S)
    return Band(limits.temperature_low_c, limits.temperature_high_c, TEMPERATURE_GAP_S)


def _alert(window: _Window, spell: Spell, names: Names) -> AlertRow:
    vehicle, limits = window.news.vehicle, window.limits
    site = names.home_sites.get(vehicle)
    figures: dict[str, Any] = {
        "vehicle": vehicle,
        "plate": names.plates.get(vehicle, vehicle),
        "device": window.news.device,
        "time_zone": names.time_zones.get(site or "", "UTC"),
        **_of_measure(window.news.measure, limits, spell),
    }
    if spell.ended_at is not None:
        figures["ended"] = "recovered"
    return AlertRow(
        _TYPES[window.news.measure],
        vehicle,
        spell.opened_at,
        spell.ended_at,
        site,
        {name: value for name, value in figures.items() if value is not None},
        (),
        spell.captured_at,
        spell.opened_at,
        spell.ended_at,
    )


def _of_measure(measure: str, limits: VehicleLimits, spell: Spell) -> Mapping[str, Any]:
    """While it lasts its length is not told: it would change with every reading."""
    lasted_s = None
    if spell.ended_at is not None:
        lasted_s = (spell.ended_at - spell.opened_at).total_seconds()
    if measure == DOOR:
        return {"open_s": lasted_s, "limit_s": limits.door_open_s}
    return {
        "value": spell.worst,
        "value_c": round(spell.worst, 1),
        "low_c": limits.temperature_low_c,
        "high_c": limits.temperature_high_c,
        "lasted_s": lasted_s,
        "limit_s": limits.temperature_s if limits.temperature_s is not None else TEMPERATURE_HOLD_S,
    }


def merged(news: Iterable[SensorNews]) -> list[SensorNews]:
    """One for each device, measure and time on a vehicle, over all that is new of it."""
    found: dict[tuple[str, str, str, datetime], SensorNews] = {}
    for one in news:
        key = (one.vehicle, one.device, one.measure, one.on_from)
        known = found.get(key, one)
        first, last = min(known.first, one.first), max(known.last, one.last)
        found[key] = one._replace(first=first, last=last)
    return [found[key] for key in sorted(found)]
