"""What a lane gathers while the other has its turn: losing a piece would lose readings, taking none
would commit each by itself, taking all would hold the whole backlog in memory.
"""

import threading
import uuid
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from waystock.contract.broker import parse_broker_url
from waystock.contract.events import Batch, Position, encode_batch
from waystock.stopping import StopRequest
from waystock_ingest.lanes import LaneGathering, Lanes
from waystock_ingest.settings import IngestSettings
from waystock_ingest.source import Message

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
STREAM = uuid.UUID(int=7)
PATIENCE_S = 10.0


def message(first: int) -> Message:
    fix = Position(device="g1", time=AT, captured_at=AT, lat=31.0, lon=121.0)
    batch = Batch(stream=STREAM, first=first, sent_at=AT, events=(fix,))
    return Message("waystock/v1/s/g/events", encode_batch(batch), first, 1, 1)


class FakeSource:
    """Hands out one message at a time."""

    def __init__(self, count: int) -> None:
        self._waiting = deque(message(number) for number in range(count))
        self.handed_out = 0

    def take(self, linger_s: float, bytes_max: int, wait_s: float) -> list[Message]:
        if not self._waiting:
            threading.Event().wait(0.01)
            return []
        self.handed_out += 1
        return [self._waiting.popleft()]


@contextmanager
def lanes_of(source: FakeSource, pieces_per_commit: float) -> Generator[Lanes]:
    settings = IngestSettings(
        database_url="",
        broker=parse_broker_url("mqtt://127.0.0.1"),
        bytes_per_commit_max=int(len(message(0).payload) * pieces_per_commit),
    )
    lanes = Lanes(settings, cast(Any, source), cast(Any, None), StopRequest())
    reader = threading.Thread(target=lanes._read_ahead)
    reader.start()
    try:
        yield lanes
    finally:
        lanes._ending.set()
        with lanes._changed:
            lanes._changed.notify_all()
        reader.join()


def gather(lanes: Lanes) -> LaneGathering:
    gathering = lanes.gather()
    assert gathering is not None
    return gathering


def firsts(gathering: LaneGathering) -> list[int]:
    return [message.mid for message in gathering.messages]


def test_readings_that_come_during_a_commit_go_into_the_next_one_together() -> None:
    with lanes_of(FakeSource(4), pieces_per_commit=100) as lanes:
        now = gather(lanes)
        assert now.is_turn
        following = gather(lanes)
        assert not following.is_turn
        for number in (2, 3):
            piece = following.more(PATIENCE_S)
            assert piece is not None
            assert [batch.first for batch in piece.incoming] == [number]
        now.end()
        assert following.is_turn
        assert firsts(following) == [1, 2, 3]
        assert [batch.first for batch in following.whole().incoming] == [1, 2, 3]
        following.end()


def test_a_commit_that_takes_long_does_not_gather_the_whole_backlog_in_memory() -> None:
    source = FakeSource(1000)
    with lanes_of(source, pieces_per_commit=2.5) as lanes:
        now = gather(lanes)
        assert now.is_turn
        following = gather(lanes)
        while following.more(0.2) is not None:
            pass
        assert firsts(following) == [1, 2, 3]
        assert source.handed_out <= 8
        now.end()
        following.end()


def test_nothing_is_added_to_a_batch_that_is_being_derived_from() -> None:
    with lanes_of(FakeSource(3), pieces_per_commit=100) as lanes:
        now = gather(lanes)
        assert now.is_turn
        assert now.more(0.1) is None
        following = gather(lanes)
        now.end()
        assert following.is_turn
        assert following.more(0.1) is None
        assert firsts(following) == [1]
        following.end()
        last = gather(lanes)
        assert firsts(last) == [2]
        last.await_turn()
        last.end()


def test_what_was_gathered_is_there_again_when_the_store_comes_back() -> None:
    with lanes_of(FakeSource(3), pieces_per_commit=100) as lanes:
        now = gather(lanes)
        assert now.is_turn
        following = gather(lanes)
        assert len(list(following.pieces())) == 1
        following.more(PATIENCE_S)
        tried_again = [piece.incoming[0].first for piece in following.pieces()]
        assert tried_again == [1, 2]
        assert [one.size for piece in following.pieces() for one in piece.readings] == [1, 1]
        now.end()
        following.end()
