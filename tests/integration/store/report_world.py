"""A made-up week for reports: two carriers, a site, two customers; rows as ingest would have
written them, so few that every sum can be reckoned by hand.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.integration.store.past_world import add_vehicles, insert
from waystock.reports.asked import Asked
from waystock.reports.catalogue import REPORTS
from waystock.reports.columns import Row
from waystock.store.connection import Database
from waystock.store.reports import checked, read_report_page, read_rows

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
SHANGHAI = "Asia/Shanghai"


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026 by Shanghai's clock, which is eight hours before UTC."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour - 8, minutes=minute)


def ask(database: Database, name: str, **asked: Any) -> list[Row]:
    """All rows of a report of this week, else of the days asked for."""
    return list(read_rows(database, question(database, name, **asked), NOW))


def question(database: Database, name: str, **asked: Any) -> Asked:
    usual: dict[str, Any] = {
        "first_day": MONDAY, "last_day": MONDAY + timedelta(days=6), "time_zone": SHANGHAI,
    }  # fmt: skip
    return checked(database, Asked(report=REPORTS[name], **(usual | asked)))


def pages(database: Database, asked: Asked, limit: int) -> Iterator[list[Row]]:
    after = None
    while True:
        rows, after = read_report_page(database, asked, NOW, after, limit)
        yield rows
        if after is None:
            return


def fill(database: Database) -> None:
    """Master data: who and where."""
    insert(database, "site", [
        {"site": "sha", "name": words("Shanghai", "上海"), "lat": 31, "lon": 121,
         "time_zone": SHANGHAI},
    ])  # fmt: skip
    insert(database, "party", [
        {"party": party, "role": role, "name": words(party.title(), party)}
        for party, role in (
            ("swift", "carrier"), ("steady", "carrier"), ("shop", "customer"), ("mill", "customer"),
        )
    ])  # fmt: skip
    add_vehicles(database, ["t01", "t02"])
    database.execute("UPDATE vehicle SET carrier = 'swift' WHERE vehicle = 't01'")
    database.execute("UPDATE vehicle SET carrier = 'steady' WHERE vehicle = 't02'")
    insert(database, "fence", [
        {"fence": fence, "kind": kind, "site": site, "name": words(fence.title(), fence),
         "geometry": Jsonb(box(lon))}
        for fence, kind, site, lon in (
            ("yard", "site", "sha", 121.0), ("f-shop", "customer", None, 121.5),
            ("f-mill", "customer", None, 122.0),
        )
    ])  # fmt: skip


def words(en: str, zh: str) -> Jsonb:
    return Jsonb({"en": en, "zh": zh})


def box(lon: float) -> dict[str, object]:
    west, east, south, north = lon - 0.01, lon + 0.01, 30.99, 31.01
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def trip(vehicle: str, start: datetime, end: datetime | None, km: float | None) -> dict[str, Any]:
    return {
        "vehicle": vehicle, "started_at": start, "ended_at": end, "start_lat": 31.0,
        "start_lon": 121.0, "end_lat": None if end is None else 31.0,
        "end_lon": None if end is None else 121.5, "distance_m": None if km is None else km * 1000,
    }  # fmt: skip


def visit(vehicle: str, fence: str, start: datetime, end: datetime | None) -> dict[str, Any]:
    return {"vehicle": vehicle, "fence": fence, "entered_at": start, "exited_at": end}


def shipment(
    database: Database, name: str, vehicle: str, depart: datetime,
    *stops: tuple[str, str, datetime, datetime | None], closed: datetime | None = None,
) -> None:  # fmt: skip
    """Stops: fence, customer, end of the window, arrival."""
    insert(database, "shipment", [{
        "shipment": name, "vehicle": vehicle, "from_site": "sha", "depart_at": depart,
        "route": Jsonb([]), "planned_speed_mps": 15, "closed_at": closed,
    }])  # fmt: skip
    insert(database, "shipment_stop", [
        {"shipment": name, "seq": seq, "name": words(fence, fence), "fence": fence,
         "customer": customer, "window_start": ends - timedelta(hours=1), "window_end": ends}
        for seq, (fence, customer, ends, _) in enumerate(stops, 1)
    ])  # fmt: skip
    insert(database, "stop_arrival", [
        {"shipment": name, "seq": seq, "vehicle": vehicle, "arrived_at": arrived}
        for seq, (_, _, _, arrived) in enumerate(stops, 1) if arrived is not None
    ])  # fmt: skip
