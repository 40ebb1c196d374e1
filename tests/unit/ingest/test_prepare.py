"""What messages hold, read before the store is asked: nothing is lost, each keeps its offset."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.events import Barcode, Batch, Event, Position, encode_batch, encode_event
from waystock.store.binary_copy import instants_us
from waystock_ingest.batches import prepare
from waystock_ingest.source import Message

STREAM = UUID(int=7)
AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
TOPIC = "waystock/v1/east/gw-1/events"


def fix(lat: float, speed_mps: float | None = None) -> Position:
    return Position(device="t-1", time=AT, captured_at=AT, lat=lat, lon=1.0, speed_mps=speed_mps)


def scan(data: str) -> Barcode:
    return Barcode(device="s-1", time=AT, captured_at=AT, format="text", data=data)


def message(first: int, *events: Event) -> Message:
    batch = Batch(stream=STREAM, first=first, sent_at=AT, events=events)
    return Message(TOPIC, encode_batch(batch), 1, 1, 1)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=1, max_size=4))
def test_each_reading_keeps_its_message_its_offset_and_its_place(shapes: list[list[bool]]) -> None:
    messages, sent, first = list[Message](), list[tuple[int, int, Event]](), 0
    for number, shape in enumerate(shapes):
        events = [fix(i) if is_fix else scan(str(i)) for i, is_fix in enumerate(shape)]
        messages.append(message(first, *events))
        sent += [(number, first + i, event) for i, event in enumerate(events)]
        first += len(events)
    prepared = prepare(messages)
    found: dict[int, tuple[int, int, Event]] = {}
    for readings in prepared.readings:
        for i, event in enumerate(readings.events):
            where = int(readings.position[i])
            found[where] = (int(readings.source[i]), int(readings.stream_offset[i]), event)
    assert [found[position] for position in range(len(sent))] == sent
    assert prepared.spoilt == []


def test_a_number_that_no_column_holds_is_put_aside_and_its_neighbours_go_on() -> None:
    spoilt = fix(1.0, speed_mps=1e300)
    prepared = prepare([message(40, scan("a"), spoilt, fix(2.0))])
    assert [(one.offset, one.payload) for one in prepared.spoilt] == [(41, encode_event(spoilt))]
    assert "speed_mps" in prepared.spoilt[0].reason
    assert sorted(int(at) for one in prepared.readings for at in one.stream_offset) == [40, 42]


def test_a_speed_is_the_same_number_now_and_when_it_is_read_from_the_store() -> None:
    (readings,) = prepare([message(0, fix(1.0, speed_mps=0.1))]).readings
    assert readings.numbers["speed_mps"][0] == 0.10000000149011612


@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),
        max_value=datetime(9999, 12, 30),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    )
)
def test_an_instant_is_exact_to_the_microsecond(instant: datetime) -> None:
    exact = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instants_us([instant]).tolist() == [exact]
