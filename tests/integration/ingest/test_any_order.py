"""Any order, any repetition, any number of workers: the same tables. What fails here would show a
user other stock, other trips or other alerts because a network was slow.
"""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.small_day import STREAMS, batches, master_data, readings
from waystock.contract.events import Batch, Position, encode_batch
from waystock.contract.topics import gateway_topic
from waystock.store.audit import verify_ledger
from waystock.store.connection import Database, connect
from waystock.store.masterdata import import_master_data
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest.batches import Prepared
from waystock_ingest.batches import prepare as read_messages
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.source import Message

TABLES = {
    "barcode_reading": "device, time, stream_offset, data, elements, quality",
    "rfid_reading": "device, time, stream_offset, epc, presence, elements",
    "fix": "device, time, stream_offset, lat, lon, speed_mps, course_deg_true",
    "operation": "device, occurred_at, kind, lpn, gtin, lot, quantity, from_location, to_location,"
    " document, reason",
    "movement": "occurred_at, line, biz_step, from_location, to_location, gtin, lot, from_lpn,"
    " to_lpn, lpn, quantity, document, device",
    "stock_position": "location, gtin, lot, lpn, on_hand, reserved",
    "lpn": "lpn, location",
    "vehicle_state": "vehicle, fix_time, lat, lon, speed_mps, motion, at_fence, shipment,"
    " next_stop, round(remaining_m::numeric, 3), eta, eta_p10, eta_p90, late_s, off_route,"
    " eta_model, under_way, state, trip_started_at, round(trip_m::numeric, 3)",
    "trip": "vehicle, started_at, ended_at, round(distance_m::numeric, 3), decided_at,"
    " ended_decided_at",
    "fold_checkpoint": "vehicle, at, state",
    "vehicle_stop": "vehicle, arrived_at, departed_at, decided_at, ended_decided_at",
    "visit": "vehicle, fence, entered_at, exited_at, decided_at, ended_decided_at",
    "stop_arrival": "shipment, seq, vehicle, arrived_at",
    "alert": "alert_id, type, subject, opened_at, cleared_at, figures, orders, decided_at,"
    " ended_decided_at",
    "stream": "stream, site, gateway, committed",
    "dead_letter": "topic, stream_offset, stage",
}


EMPTY_POSITION = ",0,0)"
"""What goods passed through leaves a position of nothing, or none: both mean the same."""


def contents(database_url: str) -> dict[str, list[str]]:
    """Every table's rows as sorted text, without what tells only when it was written."""
    with psycopg.connect(database_url) as connection:
        return {
            table: sorted(
                str(row[0])
                for row in connection.execute(f"SELECT ROW({columns})::text FROM {table}")  # type: ignore[arg-type]
                if not str(row[0]).endswith(EMPTY_POSITION)
            )
            for table, columns in TABLES.items()
        }


def prepare(database_url: str) -> None:
    with connect(database_url, "test") as database:
        import_master_data(database, master_data())


def prepared(group: list[Batch]) -> Prepared:
    owners = {stream: owner for owner, stream in STREAMS.items()}
    return read_messages(
        Message(gateway_topic(*owners[batch.stream], "events"), encode_batch(batch), 1, 1, 1)
        for batch in group
    )


def take_in(database_url: str, groups: list[list[Batch]]) -> None:
    database: Database = connect(database_url, "test", autocommit=True)
    try:
        master, states = Master(database), VehicleStates()
        for group in groups:
            while True:
                try:
                    commit_batches(database, Gathering(prepared(group)), master, states)
                    break
                except psycopg.errors.DeadlockDetected:
                    continue
    finally:
        database.close()


@pytest.fixture
def ordered(database_url: str) -> dict[str, list[str]]:
    prepare(database_url)
    take_in(
        database_url,
        [
            [one]
            for owner in STREAMS
            for one in batches(owner, itertools.repeat(10_000), has_portal=True)
        ],
    )
    return contents(database_url)


def test_the_ordered_day_has_every_rule_in_it(ordered: dict[str, list[str]]) -> None:
    kinds = " ".join(ordered["operation"])
    for kind in ("receive", "putaway", "pick", "load", "unload", "undecided", "unexplained"):
        assert kind in kinds, kind
    alerts = " ".join(ordered["alert"])
    for kind in (
        "receipt.short",
        "stock.low",
        "load.wrong_vehicle",
        "portal.undecided",
        "shipment.late_predicted",
        "vehicle.off_route",
    ):
        assert kind in alerts, kind
    for table in ("trip", "visit", "vehicle_stop", "stop_arrival"):
        assert ordered[table], table
    assert ordered["dead_letter"] == []


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_repeated_and_split_over_workers_the_day_is_the_same(
    ordered: dict[str, list[str]],
    database_url: str,
    database_server: object,
    seed: int,
) -> None:
    dice = random.Random(seed)
    with database_server.migrated_database() as other_url:  # type: ignore[attr-defined]
        prepare(other_url)
        all_batches = [
            one
            for owner in STREAMS
            for one in batches(owner, iter(lambda: dice.choice([1, 2, 7, 30]), 0), has_portal=True)
        ]
        all_batches += dice.sample(all_batches, len(all_batches) // 3)
        all_batches += [
            one
            for owner in STREAMS
            for one in batches(owner, itertools.repeat(13), has_portal=True)
        ]
        dice.shuffle(all_batches)
        groups = [all_batches[at : at + 5] for at in range(0, len(all_batches), 5)]
        workers = 1 + seed % 3
        with ThreadPoolExecutor(workers) as pool:
            shares = [groups[worker::workers] for worker in range(workers)]
            list(pool.map(take_in, [other_url] * workers, shares))
        shuffled = contents(other_url)
        assert verify_ledger(other_url)[1] == []
    for table, rows in ordered.items():
        assert sorted(set(shuffled[table]) ^ set(rows)) == [], table
        assert len(shuffled[table]) == len(rows), table


def test_each_reading_is_stored_once(ordered: dict[str, list[str]]) -> None:
    events = [event for per_gateway in readings(has_portal=True).values() for event in per_gateway]
    assert len(ordered["fix"]) == sum(isinstance(event, Position) for event in events)
    stored = len(ordered["barcode_reading"]) + len(ordered["rfid_reading"]) + len(ordered["fix"])
    assert stored == len(events)
