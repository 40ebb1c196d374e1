"""What is told of vehicles by a clock, by sensors and by the hours of the day ends in the same rows
however the readings came: a person is called once, for what was so.
"""

import random
from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest

from tests.integration.ingest.test_any_order import take_in
from tests.support.small_day import STREAMS, master_data, minutes
from waystock.contract.events import Batch, Event, Position, Telemetry
from waystock.contract.limits import DayHours, VehicleLimits
from waystock.contract.masterdata import Device, Fence, MasterData, Vehicle
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.silence import watch_silence

GATEWAY = ("fleet", "gw-a")
LIMITS = VehicleLimits(
    silent_s=1200.0,
    temperature_low_c=2.0,
    temperature_high_c=8.0,
    temperature_s=300.0,
    door_open_s=120.0,
    needs_shipment=True,
    working_hours=(DayHours(days=("mon",), start="06:00", end="07:00"),),
)


def world(limits: VehicleLimits = LIMITS) -> MasterData:
    """Truck t09 without a shipment, with a tracker and a sensor."""
    vehicle = Vehicle(vehicle="t09", plate="T 9", home_site="sha", limits=limits)
    devices = (
        Device(device="gps-9", kind="gps", biz_step="tracking", vehicle="t09"),
        Device(device="box-9", kind="sensor", biz_step="tracking", vehicle="t09"),
    )
    data = master_data()
    zone = Fence(
        fence="zone", name={"en": "Zone"}, kind="no_go", site="sha", enter_fixes=2, enter_s=30.0,
        exit_margin_m=100.0, exit_fixes=1, enter_margin_m=50.0,
        active_hours=(DayHours(days=("mon",), start="06:40", end="08:00"),),
        geometry={"type": "Point", "coordinates": [121.45, 31.0], "radius_m": 9000},
    )  # fmt: skip
    fences = (*data.fences, zone)
    return msgspec.structs.replace(
        data, vehicles=(vehicle,), devices=devices, shipments=(), fences=fences
    )


@pytest.fixture
def url(database_url: str) -> str:
    fill(database_url)
    return database_url


def fill(url: str, limits: VehicleLimits = LIMITS) -> None:
    data = msgspec.structs.replace(world(limits), sales_orders=(), purchase_orders=())
    with connect(url, "test") as database:
        import_master_data(database, data)


def fix(minute: float, east_m: float, speed_mps: float = 15.0) -> Position:
    at = minutes(minute)
    return Position(
        device="gps-9", time=at, captured_at=at, clock="gps", lat=31.0,
        lon=121.1 + east_m / 95_500, speed_mps=speed_mps, accuracy_m=5.0,
    )  # fmt: skip


def drive(first: int, last: int) -> list[Event]:
    """A fix every minute at 15 m/s."""
    return [fix(minute, 900.0 * minute) for minute in range(first, last)]


def measured(minute: float, **values: float) -> Telemetry:
    at = minutes(minute)
    return Telemetry(device="box-9", time=at, captured_at=at, values=values)


def send(url: str, events: Sequence[Event], first: int = 0, seed: int | None = None) -> None:
    """In order, some at a time; with a seed, the batches shuffled and some of them twice."""
    stream = STREAMS[GATEWAY]
    groups = [
        Batch(
            stream=stream, first=first + at, sent_at=minutes(0), events=tuple(events[at : at + 3])
        )
        for at in range(0, len(events), 3)
    ]
    if seed is not None:
        chance = random.Random(seed)
        groups += chance.sample(groups, len(groups) // 4)
        chance.shuffle(groups)
    take_in(url, [[group] for group in groups])


def look(url: str) -> None:
    with connect(url, "test") as database, database.transaction():
        watch_silence(database)


def alerts(url: str, alert_type: str = "%") -> list[tuple[str, datetime, datetime | None]]:
    with connect(url, "test") as database:
        return database.execute(
            "SELECT type, opened_at, cleared_at FROM alert WHERE subject = 't09'"
            " AND type LIKE %s ORDER BY opened_at, type",
            (alert_type,),
        ).fetchall()


def figures(url: str, alert_type: str) -> dict[str, object]:
    with connect(url, "test") as database:
        row = database.execute(
            "SELECT figures FROM alert WHERE type = %s", (alert_type,)
        ).fetchone()
    assert row is not None
    return row[0]


def everything(url: str) -> list[tuple[object, ...]]:
    with connect(url, "test") as database:
        return database.execute(
            "SELECT alert_id, type, site, opened_at, cleared_at, figures::text, decided_at::text,"
            " ended_decided_at::text FROM alert WHERE subject = 't09' UNION ALL"
            " SELECT vehicle, fence, NULL, entered_at, exited_at, '', '', '' FROM visit"
            " ORDER BY 2, 1, 4"
        ).fetchall()


SILENT = "gps.silent"


def test_a_vehicle_that_sends_nothing_more_is_told_of_without_another_fix(url: str) -> None:
    send(url, drive(0, 10))
    assert alerts(url, SILENT) == []
    look(url)
    look(url)
    assert alerts(url, SILENT) == [(SILENT, minutes(9), None)]
    told = figures(url, SILENT)
    assert (told["limit_s"], told["plate"]) == (1200.0, "T 9")
    send(url, drive(40, 43), first=100)
    assert alerts(url, SILENT) == [(SILENT, minutes(9), minutes(40))]
    assert figures(url, SILENT)["silent_s"] == 31 * 60.0


def test_a_silence_that_was_only_the_networks_is_taken_back_when_the_fixes_come(url: str) -> None:
    send(url, drive(0, 10))
    look(url)
    send(url, drive(10, 43), first=100)
    assert alerts(url, SILENT) == []
    look(url)
    assert alerts(url, SILENT) == [(SILENT, minutes(42), None)]


def test_a_parked_vehicle_sleeps_unless_its_limits_say_that_it_does_not(url: str) -> None:
    parked = [fix(minute, 0.0, speed_mps=0.0) for minute in range(10)]
    send(url, parked)
    look(url)
    assert alerts(url, SILENT) == []
    fill(url, msgspec.structs.replace(LIMITS, parked_silent_s=600.0))
    send(url, [fix(10, 0.0, speed_mps=0.0)], first=100)
    look(url)
    assert alerts(url, SILENT) == [(SILENT, minutes(10), None)]


def test_a_load_out_of_its_band_is_told_once_with_what_it_came_to(url: str) -> None:
    values = [5, 6, 9, 10, 11.44, 9, 9, 9, 7, 5, 9, 5]
    send(url, [measured(minute, temperature_c=value) for minute, value in enumerate(values)])
    kind = "vehicle.temperature"
    assert alerts(url, kind) == [(kind, minutes(2), minutes(8))]
    told = figures(url, kind)
    assert (told["value_c"], told["high_c"], told["lasted_s"]) == (11.4, 8.0, 360.0)
    assert told["device"] == "box-9"


def test_a_door_is_told_of_on_the_road_alone(url: str) -> None:
    parked: list[Event] = [fix(minute, 0.0, speed_mps=0.0) for minute in range(20)]
    door: list[Event] = [measured(2, door_open=1.0), measured(15, door_open=1.0)]
    send(url, [*parked, *door])
    assert alerts(url, "vehicle.door_open") == []
    on_the_way = [fix(20 + minute, 900.0 * minute) for minute in range(10)]
    send(url, [*on_the_way, measured(26, door_open=1.0), measured(29, door_open=0.0)], first=100)
    ((kind, opened_at, cleared_at),) = alerts(url, "vehicle.door_open")
    assert kind == "vehicle.door_open"
    assert minutes(19) <= opened_at <= minutes(20)
    assert cleared_at == minutes(29)
    assert figures(url, kind)["limit_s"] == 120.0


def day() -> list[Event]:
    """Everything at once: off hours, without a shipment, silent, too warm, a door open, a stop."""
    stop: list[Event] = [fix(130 + n, 900.0 * 129 + n % 3, speed_mps=0.0) for n in range(20)]
    on = [fix(150 + minute, 900.0 * (129 + minute)) for minute in range(8)]
    warm = [measured(3 * n, temperature_c=6 + n % 7) for n in range(50)]
    doors = [measured(7 + 11 * n, door_open=float(n % 3 > 0)) for n in range(13)]
    events = [*drive(30, 90), *drive(115, 130), *stop, *on, *warm, *doors]
    return sorted(events, key=lambda event: (event.time, event.device))


def test_every_rule_is_in_the_day(url: str) -> None:
    send(url, day())
    look(url)
    kinds = {row[0] for row in alerts(url)}
    assert kinds == {
        SILENT, "vehicle.temperature", "vehicle.door_open", "vehicle.off_hours",
        "vehicle.no_shipment", "vehicle.no_go",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_however_the_day_comes_and_whoever_looks_meanwhile_its_alerts_are_the_same(
    url: str, database_server: object, seed: int
) -> None:
    send(url, day())
    look(url)
    with database_server.migrated_database() as other_url:  # type: ignore[attr-defined]
        fill(other_url)
        events = day()
        half = len(events) // 6 * 3
        look(other_url)
        send(other_url, events[half:], first=half, seed=seed)
        look(other_url)
        send(other_url, events[:half], seed=seed + 10)
        look(other_url)
        assert everything(other_url) == everything(url)


def test_working_hours_begin_and_end_by_the_sites_clock(url: str) -> None:
    """The hours are 06:00 to 07:00 in UTC, where the site is."""
    send(url, drive(30, 90))
    kind = "vehicle.off_hours"
    assert alerts(url, kind) == [(kind, minutes(60), None)]
