"""States of vehicles that a process has in hand, while another one writes them too: a state that is
believed against the store would lose the other's fixes, and with them trips and arrivals.
"""

import uuid
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from waystock.contract.events import Batch, Position, encode_batch
from waystock.contract.masterdata import Device, MasterData, Vehicle
from waystock.contract.topics import gateway_topic
from waystock.store.connection import connect
from waystock.store.masterdata import import_master_data
from waystock.store.vehicle_states import VehicleStates
from waystock_ingest import metrics
from waystock_ingest.batches import prepare
from waystock_ingest.gathering import Gathering
from waystock_ingest.master import Master
from waystock_ingest.pipeline import commit_batches
from waystock_ingest.source import Message

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
STREAMS = {gateway: uuid.UUID(int=number) for number, gateway in enumerate(("a", "b"), 1)}


class Worker:
    """A process's part: its own connection, its own memory."""

    def __init__(self, database_url: str) -> None:
        self.database = connect(database_url, "test", autocommit=True)
        self.states = VehicleStates()

    def commit(self, gateway: str, first: int, minutes: Sequence[int]) -> None:
        batch = Batch(
            stream=STREAMS[gateway], first=first, sent_at=START, events=tuple(map(fix, minutes))
        )
        topic = gateway_topic("s", gateway, "events")
        prepared = prepare([Message(topic, encode_batch(batch), 1, 1, 1)])
        commit_batches(self.database, Gathering(prepared), Master(self.database), self.states)


def fix(minute: int) -> Position:
    at = START + timedelta(minutes=minute)
    lon = 121.0 + max(0, minute - 2) * 0.01
    return Position(device="g1", time=at, captured_at=at, lat=31.0, lon=lon, speed_mps=15.0)


@pytest.fixture
def workers(database_url: str) -> Generator[tuple[Worker, Worker, Worker]]:
    data = MasterData(
        vehicles=(Vehicle(vehicle="v1", plate="V 1"),),
        devices=(Device(device="g1", kind="gps", biz_step="tracking", vehicle="v1"),),
    )
    with connect(database_url, "test") as database:
        import_master_data(database, data)
    with ExitStack() as stack:
        made = (Worker(database_url), Worker(database_url), Worker(database_url))
        for worker in made:
            stack.enter_context(closing(worker.database))
        yield made


def states(database_url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "SELECT s.state, s.fix_time, s.trip_m, t.started_at, t.ended_at"
            " FROM vehicle_state AS s LEFT JOIN trip AS t USING (vehicle)"
        ).fetchall()


def overtaken() -> float:
    return metrics.STATES_OVERTAKEN._value.get()


def test_a_second_worker_in_between_costs_a_vehicle_none_of_its_way(
    database_url: str, workers: tuple[Worker, Worker, Worker]
) -> None:
    one, other, alone = workers
    before = overtaken()
    one.commit("a", 0, range(5))
    other.commit("b", 0, range(5, 8))
    one.commit("a", 5, range(8, 12))
    other.commit("b", 3, range(12, 14))
    assert overtaken() == before + 2
    shared = states(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE vehicle_state, fold_checkpoint, trip, fix, stream")
    alone.commit("a", 0, range(14))
    assert states(database_url) == shared
    assert shared[0][4] is None, "the trip goes on"


def test_a_batch_that_is_rolled_back_leaves_no_state_behind_in_memory(
    database_url: str, workers: tuple[Worker, Worker, Worker]
) -> None:
    one, _, alone = workers
    one.commit("a", 0, range(5))

    class CutError(Exception):
        pass

    with pytest.raises(CutError), one.database.transaction():
        one.commit("a", 5, range(5, 20))
        raise CutError
    one.commit("a", 5, range(5, 9))
    shared = states(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("TRUNCATE vehicle_state, fold_checkpoint, trip, fix, stream")
    alone.commit("a", 0, range(9))
    assert states(database_url) == shared


def test_a_state_that_was_folded_on_but_not_written_is_read_again(
    workers: tuple[Worker, Worker, Worker],
) -> None:
    one, _, _ = workers
    one.commit("a", 0, range(5))
    lent = one.states.known(one.database, ["v1"])
    at_us = int(lent.states["at_us"][0])
    lent.states["at_us"] += 60_000_000
    again = one.states.known(one.database, ["v1"])
    assert int(again.states["at_us"][0]) == at_us
    assert again.written_by[0] == lent.written_by[0]
