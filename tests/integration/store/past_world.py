"""A made-up past for the store's questions: rows as ingest would have written them, and, beside
each vehicle, what it did minute by minute, so that truth can be counted instead of reckoned.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from waystock.store.connection import Database
from waystock.store.questions import Question, Row, ask
from waystock.store.sql import queries

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
GTIN = "09501101530003"


def minute(count: float) -> datetime:
    return START + timedelta(minutes=count)


def minutes_since_start(instant: datetime) -> float:
    return (instant - START) / timedelta(minutes=1)


def insert(database: Database, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows of one shape; a `decided_at` that the table has besides them is filled in."""
    listed = list(rows)
    if not listed:
        return
    known = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
    )
    if "decided_at" in {row[0] for row in known}:
        listed = [{"decided_at": START} | row for row in listed]
    names = list(listed[0])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(map(sql.Placeholder, names)),
    )
    with database.cursor() as cursor:
        cursor.executemany(statement, listed)


def add_vehicles(database: Database, vehicles: Iterable[str], device: str = "gps") -> None:
    """Each with one device, `{device}-{vehicle}`."""
    names = list(vehicles)
    insert(database, "vehicle", ({"vehicle": name, "plate": name.upper()} for name in names))
    insert(
        database,
        "device",
        (
            {"device": f"{device}-{name}", "kind": "gps", "biz_step": "tracking", "vehicle": name}
            for name in names
        ),
    )


def raw(device: str, at: datetime, offset: int) -> dict[str, Any]:
    """What every reading has."""
    return {
        "time": at, "captured_at": at, "received_at": at, "stream_id": 1, "stream_offset": offset,
        "device": device, "clock": "gps", "quality": [],
    }  # fmt: skip


def add_telemetry(
    database: Database, device: str, measure: str, values: Iterable[tuple[datetime, float]]
) -> None:
    insert(
        database,
        "telemetry_reading",
        (
            raw(device, at, offset) | {"measured": Jsonb({measure: value})}
            for offset, (at, value) in enumerate(values)
        ),
    )


class Timeline:
    """What one vehicle did: a letter a minute (m moving, s standing, ? unknown)."""

    def __init__(self, random: Random, minutes: int, longest: int = 400) -> None:
        self.spells: list[tuple[int, int, str]] = []
        at = 0
        letter = random.choice("ms?")
        while at < minutes:
            length = random.choice((random.randint(1, 30), random.randint(1, longest)))
            self.spells.append((at, min(at + length, minutes), letter))
            at += length
            letter = random.choice([other for other in "ms?" if other != letter])
        self.last_fix = minutes - random.randint(0, 3)
        self.open_ended = random.random() < 0.5
        self.speed_m_per_minute = random.randint(100, 1500)

    def letters(self) -> str:
        whole = "".join(letter * (until - since) for since, until, letter in self.spells)
        if self.open_ended:  # The last spell has no end: it counts until the last fix.
            begun = self.spells[-1][0]
            whole = whole[: max(begun, self.last_fix)]
        return whole

    def store(self, database: Database, vehicle: str) -> None:
        trips: list[dict[str, Any]] = []
        stands: list[dict[str, Any]] = []
        for number, (since, until, letter) in enumerate(self.spells):
            is_open = self.open_ended and number == len(self.spells) - 1
            end = None if is_open else minute(until)
            if letter == "m":
                way_m = (until - since) * self.speed_m_per_minute
                trips.append({
                    "vehicle": vehicle, "started_at": minute(since), "ended_at": end,
                    "start_lat": 31.0, "start_lon": 121.0, "end_lat": 31.0, "end_lon": 121.0,
                    "distance_m": way_m,
                })  # fmt: skip
            elif letter == "s":
                stands.append({
                    "vehicle": vehicle, "arrived_at": minute(since), "departed_at": end,
                    "lat": 31.0, "lon": 121.0 + since / 10_000,
                })  # fmt: skip
        insert(database, "trip", trips)
        insert(database, "vehicle_stop", stands)
        state = {"vehicle": vehicle, "fix_time": minute(self.last_fix), "lat": 31.0, "lon": 121.0}
        insert(database, "vehicle_state", [state])


def add_fleet(database: Database, seed: int, count: int, minutes: int) -> dict[str, Timeline]:
    """Vehicles with random timelines, by name."""
    random = Random(seed)
    fleet = {f"t{number:02}": Timeline(random, minutes) for number in range(count)}
    add_vehicles(database, fleet)
    for vehicle, timeline in fleet.items():
        timeline.store(database, vehicle)
    return fleet


def movement(at: datetime, number: int, **fields: Any) -> dict[str, Any]:
    """One line of the ledger."""
    return {
        "occurred_at": at, "recorded_at": at, "captured_at": at, "stream_id": 1,
        "stream_offset": number, "line": 0, "biz_step": "storing", "gtin": GTIN, "lot": "",
        "from_lpn": "", "to_lpn": "", "lpn": "", "document": "", "device": "scan",
    } | fields  # fmt: skip


def add_ledger(database: Database, lines: list[dict[str, Any]]) -> dict[tuple[str, ...], int]:
    """The movements, and the positions that they add up to."""
    insert(database, "movement", lines)
    positions = stock_after(lines)
    insert(
        database,
        "stock_position",
        (
            {
                "location": key[0], "gtin": key[1], "lot": key[2], "lpn": key[3],
                "on_hand": on_hand, "changed_at": START,
            }
            for key, on_hand in positions.items()
        ),
    )  # fmt: skip
    return positions


def stock_after(
    lines: Iterable[dict[str, Any]], at: datetime | None = None
) -> dict[tuple[str, ...], int]:
    """Sums from the first line on, up to and with `at`."""
    stock: dict[tuple[str, ...], int] = {}
    for line in lines:
        if at is None or line["occurred_at"] <= at:
            for end, sign in (("to", 1), ("from", -1)):
                key = (line[f"{end}_location"], line["gtin"], line["lot"], line[f"{end}_lpn"])
                stock[key] = stock.get(key, 0) + sign * line["quantity"]
    return {key: on_hand for key, on_hand in stock.items() if on_hand}


def whole(
    database: Database, question: Question[Row], limit: int = 1000, **asked: Any
) -> list[Row]:
    """All pages."""
    rows: list[Row] = []
    after = None
    while True:
        page, after = ask(database, question, asked, after, limit)
        rows += page
        if after is None:
            return rows
        assert len(page) == limit


def plan(database: Database, question: Question[Row], **asked: Any) -> str:
    """How the database answers, what it never came to left out."""
    statement = queries(question.family)[question.query]
    parameters = dict.fromkeys(question.may) | {"after": None, "limit": 100} | asked
    rows = database.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}", parameters)
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


def chunks(text: str) -> set[str]:
    return set(re.findall(r"_hyper_\d+_\d+_chunk", text))
