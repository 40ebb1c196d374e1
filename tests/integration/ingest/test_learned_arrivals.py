"""From trips that ended to better arrival times of the next one, through the store: what is learned
counts each trip once, in any order; what was said is kept; the report tells how good it was.
"""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from tests.integration.ingest.test_any_order import take_in
from tests.support.small_day import METRES_PER_DEGREE_LON, ROUTE, master_data
from waystock.contract.events import Batch, Event, Position
from waystock.contract.masterdata import MasterData, Party, Shipment, Vehicle
from waystock.fleet.command import run
from waystock.fleet.settings import FleetSettings
from waystock.store.connection import connect
from waystock.store.lanes import Learned, learn_due_legs, learn_ranges
from waystock.store.masterdata import import_master_data
from waystock.store.predictions import ACCURACY, PREDICTIONS, PROMISES, Accuracy
from waystock.store.questions import ask

TRIPS = 4
EVERY_S = 20
STREAM = uuid.UUID(int=2)
OWNER = ("fleet", "gw-a")


@cache
def now() -> datetime:
    """Of the first test: the suite may have begun long before."""
    return datetime.now(UTC).replace(microsecond=0)


def begin() -> datetime:
    return now() - timedelta(days=2)


def depart_at(trip: int) -> datetime:
    """The last trip is under way now, the others were on the two days before."""
    return now() - timedelta(minutes=30) if trip == TRIPS else begin() + timedelta(hours=6 * trip)


def world() -> MasterData:
    """One truck that drives the same road again and again, slower than was planned."""
    data = master_data()
    one = data.shipments[0]
    return MasterData(
        sites=data.sites,
        parties=(
            *data.parties,
            Party(party="north-haul", role="carrier", name={"en": "North Haul"}),
        ),
        gateways=data.gateways,
        fences=data.fences,
        vehicles=tuple(
            Vehicle(vehicle=vehicle.vehicle, plate=vehicle.plate, carrier="north-haul")
            for vehicle in data.vehicles
        ),
        devices=tuple(device for device in data.devices if device.kind == "gps"),
        products=data.products,
        shipments=tuple(_shipment(one, trip) for trip in range(TRIPS + 1)),
        sales_orders=tuple(
            type(order)(
                sales_order=f"SO-{trip}",
                customer="shop",
                site="sha",
                promised_at=depart_at(trip) + timedelta(hours=1),
                lines=order.lines,
                shipment=f"S-{trip}",
            )
            for trip, order in enumerate([data.sales_orders[0]] * (TRIPS + 1))
        ),
    )


def _shipment(one: Shipment, trip: int) -> Shipment:
    begin = depart_at(trip)
    stop = type(one.stops[0])(
        seq=1,
        name=one.stops[0].name,
        fence="f-shop",
        customer="shop",
        window_start=begin,
        window_end=begin + timedelta(hours=1),
    )
    return Shipment(
        shipment=f"S-{trip}",
        vehicle="t01",
        from_site="sha",
        depart_at=begin,
        route=ROUTE,
        stops=(stop,),
    )


def drive(trip: int, minutes: float) -> list[Event]:
    """Slow in the first half of the road."""
    fixes: list[Event] = []
    driven_m = 0.0
    for step in range(int(minutes * 60 / EVERY_S)):
        at = depart_at(trip) + timedelta(seconds=step * EVERY_S)
        driven_m += EVERY_S * (0.0 if step < 15 else 8.0 if driven_m < 18_000 else 17.0)
        lon = min(121.0 + driven_m / METRES_PER_DEGREE_LON, ROUTE[-1][0])
        fixes.append(
            Position(
                device="gps-1", time=at, captured_at=at, clock="gps", lat=31.0, lon=lon,
                speed_mps=8.0, accuracy_m=5.0,
            )
        )  # fmt: skip
    return fixes


def batches(events: list[Event], size: int = 30) -> list[Batch]:
    return [
        Batch(stream=STREAM, first=at, sent_at=now(), events=tuple(events[at : at + size]))
        for at in range(0, len(events), size)
    ]


def history() -> list[Event]:
    return [event for trip in range(TRIPS) for event in drive(trip, 75)]


def learn(url: str) -> Learned:
    with connect(url, "test") as database:
        return learn_due_legs(database, 1000, FleetSettings())


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with connect(url, "test") as database:
        return database.execute(query).fetchall()  # type: ignore[arg-type]


PASSAGES = "SELECT shipment, seq, lane, left_at, arrived_at, rest_s FROM lane_passage ORDER BY 1"


@pytest.fixture
def url(database_url: str) -> str:
    with connect(database_url, "test") as database:
        import_master_data(database, world())
    return database_url


def test_finished_trips_teach_the_next_one_and_it_says_so(url: str) -> None:
    events = history()
    take_in(url, [[one] for one in batches(events)])
    learned = learn(url)
    assert (learned.due, learned.passages, learned.curves) == (TRIPS, TRIPS, 1)
    assert rows(url, "SELECT count(*) FROM leg_due") == [(0,)]
    (model,) = rows(url, "SELECT DISTINCT model FROM eta_prediction")
    assert model == ("pace",)  # nothing was known while they were driven
    # In force ten seconds after it was learned: as if the trip under way had begun after that.
    rows_changed = "UPDATE lane_curve SET valid_from = now() - interval '1 hour' RETURNING lane"
    assert len(rows(url, rows_changed)) == 1
    more = drive(TRIPS, 20)
    take_in(url, [_after(events, more)])
    ((eta, said),) = rows(url, "SELECT eta, eta_model FROM vehicle_state WHERE vehicle = 't01'")
    assert said == "learned"
    ((took,),) = rows(
        url,
        "SELECT max(arrived_at - s.depart_at) FROM stop_arrival JOIN shipment s USING (shipment)",
    )
    assert isinstance(took, timedelta)
    assert isinstance(eta, datetime)
    assert abs((eta - (depart_at(TRIPS) + took)).total_seconds()) < 120


def _after(events: list[Event], more: list[Event]) -> list[Batch]:
    return [Batch(stream=STREAM, first=len(events), sent_at=now(), events=tuple(more))]


def test_late_and_repeated_fixes_count_no_trip_twice_and_end_in_the_same_passages(
    url: str, database_server: object
) -> None:
    events = history()
    take_in(url, [[one] for one in batches(events)])
    learn(url)
    expected = rows(url, PASSAGES)
    assert len(expected) == TRIPS
    with database_server.migrated_database() as other:  # type: ignore[attr-defined]
        with connect(other, "test") as database:
            import_master_data(database, world())
        pieces = batches(events, 11)
        random.Random(3).shuffle(pieces)
        half = len(pieces) // 2
        take_in(other, [pieces[at : at + 4] for at in range(0, half, 4)])
        learn(other)  # of what is known so far
        take_in(other, [pieces[half:], batches(events, 17)])
        learn(other)
        assert rows(other, PASSAGES) == expected
        assert learn(other).due == 0


def test_what_was_said_is_kept_thinned_and_its_accuracy_is_a_report(url: str) -> None:
    events = history()
    take_in(url, [[one] for one in batches(events, 6)])
    with connect(url, "test") as database:
        said, _ = ask(database, PREDICTIONS, {"shipment": "S-0"}, None, 1000)
        assert 5 < len(said) < 75 * 60 / EVERY_S / 6
        asked = {"since": begin(), "until": now(), "by": "carrier"}
        found, _ = ask(database, ACCURACY, asked, None, 100)
    assert {row.key for row in found} == {"north-haul"}
    assert {"15-60", "0-3"} <= {row.minutes_away for row in found}
    assert sum(row.predictions for row in found) > 20
    for row in found:
        assert isinstance(row, Accuracy)
        assert row.arrivals <= TRIPS
        assert 0 <= row.right_share <= 1
        assert abs(row.bias_s) <= row.mae_s + 1e-6
    first = [row for row in found if row.minutes_away == "15-60"]
    # The road is slower than planned: they come later than told.
    assert first[0].bias_s > 0


def test_the_report_on_the_command_line_is_one_line_a_kind(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(url, [[one] for one in batches(history(), 6)])
    monkeypatch.setenv("WAYSTOCK_DATABASE_URL", url)
    assert run(["eta-report", "--by", "carrier", "--model", "pace"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(line["type"], line["key"], line["model"]) for line in lines} == {
        ("eta_accuracy", "north-haul", "pace")
    }
    assert run(["eta-report", "--model", "learned"]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.delenv("WAYSTOCK_DATABASE_URL")
    assert run(["eta-report"]) == 2
    assert "WAYSTOCK_DATABASE_URL" in capsys.readouterr().err


def test_pages_of_the_report_give_each_row_once(url: str) -> None:
    take_in(url, [[one] for one in batches(history(), 6)])
    asked = {"since": begin(), "until": now(), "by": "lane"}
    with connect(url, "test") as database:
        every, _ = ask(database, ACCURACY, asked, None, 100)
        paged: list[Accuracy] = []
        after = None
        while True:
            some, after = ask(database, ACCURACY, asked, after, 2)
            paged += some
            if after is None:
                break
    named = [(row.key, row.model, row.bucket, row.predictions) for row in every]
    assert [(row.key, row.model, row.bucket, row.predictions) for row in paged] == named
    assert len(every) > 2


def test_outcomes_become_ranges_once_there_are_enough(url: str) -> None:
    take_in(url, [[one] for one in batches(history(), 2)])
    with connect(url, "test") as database:
        assert learn_ranges(database) > 0
        assert learn_ranges(database) == 0  # not again within the hour
    for low, high, outcomes in rows(url, "SELECT low, high, outcomes FROM eta_range"):
        assert 0 < low < high  # type: ignore[operator]
        assert outcomes >= 30  # type: ignore[operator]


def test_a_late_shipment_moves_what_its_customer_is_told_and_no_other(url: str) -> None:
    events = history()
    take_in(url, [[one] for one in batches(events)])
    late = drive(TRIPS, 29)
    with connect(url, "test") as database:
        database.execute("UPDATE shipment_stop SET window_end = now() WHERE shipment = 'S-4'")
        database.execute("UPDATE sales_order SET promised_at = now() WHERE sales_order = 'SO-4'")
        database.execute("UPDATE master_version SET version = version + 1")
    take_in(url, [_after(events, late)])
    with connect(url, "test") as database:
        asked = {"since": begin(), "until": now() + timedelta(days=1)}
        found = {row.sales_order: row for row in ask(database, PROMISES, asked, None, 100)[0]}
    moved = found.pop("SO-4")
    assert moved.state == "moved"
    assert moved.expected_at > moved.promised_at
    assert moved.eta_p90 is not None
    assert moved.eta_p90 < moved.expected_at <= moved.eta_p90 + timedelta(minutes=15)
    assert moved.expected_at.minute % 15 == 0
    assert {row.state for row in found.values()} == {"arrived"}
    assert all(row.expected_at == row.promised_at for row in found.values())
