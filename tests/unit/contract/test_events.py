"""The wire contract: what a gateway sends comes out as it went in; nothing else may pass."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.events import (
    Barcode,
    Batch,
    Position,
    decode_batch,
    decode_batch_envelope,
    decode_event,
    deflate,
    encode_batch,
    encode_batch_of_raw,
    encode_event,
    inflate,
)
from waystock.contract.identifiers import iso_utc

NOW = datetime(2026, 11, 23, 6, 1, 2, 500_000, UTC)


def scan(data: str) -> Barcode:
    return Barcode(device="scan-1", time=NOW, captured_at=NOW, format="text", data=data)


@given(st.lists(st.text(max_size=40), max_size=20), st.integers(0, 2**40), st.booleans())
def test_a_batch_arrives_as_it_was_sent(codes: list[str], first: int, deflated: bool) -> None:
    batch = Batch(stream=uuid.UUID(int=7), first=first, sent_at=NOW, events=tuple(map(scan, codes)))
    payload = encode_batch(batch)
    assert decode_batch(deflate(payload) if deflated else payload) == batch


def test_events_from_the_outbox_are_wrapped_without_decoding_them() -> None:
    events = [encode_event(scan("A")), encode_event(scan("B"))]
    batch = decode_batch(encode_batch_of_raw(uuid.UUID(int=7), 5, NOW, events))
    assert [event.data for event in batch.events if isinstance(event, Barcode)] == ["A", "B"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b'{"kind":"smell","device":"a"}', "smell"),
        (b'{"kind":"position","device":"a","time":"2026-11-23T06:00:00Z"}', "captured_at"),
        (
            b'{"kind":"position","device":"A b","time":"2026-11-23T06:00:00Z",'
            b'"captured_at":"2026-11-23T06:00:00Z","lat":1,"lon":2}',
            "device",
        ),
        (
            b'{"kind":"position","device":"a","time":"2026-11-23T06:00:00Z",'
            b'"captured_at":"2026-11-23T06:00:00Z","lat":91,"lon":2}',
            "lat",
        ),
        (
            b'{"kind":"position","device":"a","time":"2026-11-23T06:00:00",'
            b'"captured_at":"2026-11-23T06:00:00Z","lat":1,"lon":2}',
            "time",
        ),
    ],
)
def test_an_event_that_breaks_the_contract_is_refused_with_the_spot(
    event: bytes, reason: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        decode_event(event)


def test_one_spoilt_event_does_not_hide_the_header_and_its_neighbours() -> None:
    good = encode_event(scan("A"))
    payload = encode_batch_of_raw(uuid.UUID(int=7), 5, NOW, [good, b'{"kind":"smell"}', good])
    with pytest.raises(msgspec.ValidationError, match=r"\$\.events\[1\]"):
        decode_batch(payload)
    envelope = decode_batch_envelope(payload)
    assert envelope.first == 5
    assert decode_event(envelope.events[2]) == scan("A")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x78",
        b"\x78\x9c\x00",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"v":"\xff"}',
        b'{"x":' + b"[" * 100_000,
        deflate(b"x" * 99)[:-3],
    ],
)
def test_garbage_is_refused_and_never_anything_else(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_batch(payload)


def test_a_small_message_cannot_unpack_to_fill_the_memory() -> None:
    with pytest.raises(msgspec.DecodeError, match="larger"):
        inflate(deflate(b"0" * 2_000_000), bytes_max=1_000_000)


def test_times_of_other_zones_name_the_same_instant() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    fix = Position(device="gps-1", time=there, captured_at=NOW, lat=31.2, lon=121.4)
    again = decode_event(encode_event(fix))
    assert again.time == NOW


def test_numbers_that_the_store_cannot_hold_are_refused_at_the_door() -> None:
    text = encode_event(scan("A"))[:-1]
    with pytest.raises(msgspec.ValidationError, match="repeats"):
        decode_event(text + b',"repeats":%d}' % 2**31)
    with pytest.raises(msgspec.ValidationError, match="first"):
        decode_batch(encode_batch_of_raw(uuid.UUID(int=7), 2**63, NOW, []))


def test_a_name_does_not_end_in_a_line_feed() -> None:
    with pytest.raises(msgspec.ValidationError, match="device"):
        decode_event(encode_event(scan("A")).replace(b'"scan-1"', b'"scan-1\\n"'))


@pytest.mark.parametrize("year", [1, 999, 1970, 2026, 9999])
def test_instants_written_as_text_can_be_read_and_sorted(year: int) -> None:
    moment = datetime(year, 1, 2, 3, 4, 5, 6, UTC)
    text = iso_utc(moment)
    assert text.endswith("-01-02T03:04:05.000006Z")
    assert len(text) == 27
    assert datetime.fromisoformat(text) == moment
