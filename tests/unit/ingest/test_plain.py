"""The compiled reader of fixes and msgspec must say the same of whatever anybody sends: a
difference would be another position in the store depending on how its JSON was written.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waystock.contract.events import Position, decode_event, encode_event
from waystock.store import readings as store
from waystock.store.plain_fixes import NUMBERS, QUALITIES, read_events
from waystock.store.readings import UnreadEvents
from waystock_ingest import batches
from waystock_ingest.batches import Prepared, prepare
from waystock_ingest.source import Message

TOPIC = "waystock/v1/east/gw-1/events"
AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)

numbers = st.one_of(
    st.floats(-1e6, 1e6).map(lambda value: round(value, 7)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70),
)
texts = st.one_of(st.text(max_size=20), st.from_regex(r"[ -~]{0,20}", fullmatch=True))
fixes = st.builds(
    Position,
    device=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    time=st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    captured_at=st.just(AT),
    clock=st.sampled_from(["ntp", "gps", "device", "unsynced"]),
    quality=st.lists(st.sampled_from(QUALITIES[1:]), max_size=2).map(tuple),
    raw=st.none() | texts,
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    speed_mps=st.none() | st.floats(-1e30, 1e30),
    hdop=st.none() | st.floats(0, 100),
    satellites=st.none() | st.integers(0, 32_767),
)  # fmt: skip


def message(body: bytes, first: int = 0) -> Message:
    head = b'{"v":1,"stream":"%s","first":%d,"sent_at":"2026-11-23T06:00:00Z","events":['
    payload = head % (str(UUID(int=7)).encode(), first) + body + b"]}"
    return Message(TOPIC, payload, 1, 1, 1)


def told(prepared: Prepared) -> tuple[Any, ...]:
    """All that comes of messages, event by event, however their events were read."""
    events = {}
    for one in prepared.readings:
        fields = list(_cells(one))
        for i in range(len(one.events)):
            events[int(one.position[i])] = (
                one.events[i],
                int(one.source[i]),
                int(one.stream_offset[i]),
                one.devices[one.device[i]],
                int(one.time_us[i]),
                int(one.captured_us[i]),
                {name: repr(values[i]) for name, values in one.numbers.items()},
                fields[i],
            )
    batches_told = [one._replace(payload=b"") for one in prepared.incoming]
    return events, batches_told, sorted(prepared.spoilt, key=repr)


def _cells(one: store.Readings) -> Sequence[list[bytes | None]]:
    data = one.rows.data.tobytes()
    return [
        [
            data[start : start + length] if length >= 0 else None
            for start, length in zip(starts, lengths, strict=True)
        ]
        for starts, lengths in zip(
            one.rows.starts.T.tolist(), one.rows.lengths.T.tolist(), strict=True
        )
    ]


def both_ways(monkeypatch: pytest.MonkeyPatch, *bodies: bytes) -> None:
    messages = [message(body, 10 * number) for number, body in enumerate(bodies)]
    quick = told(prepare(messages))
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_EVENTS", b"never there")
        assert quick == told(prepare(messages))


@settings(deadline=None)
@given(st.lists(st.lists(fixes, min_size=1, max_size=4), min_size=1, max_size=3), st.data())
def test_fixes_as_gateways_write_them_are_read_the_same(
    groups: list[list[Position]], data: st.DataObject
) -> None:
    bodies = [b",".join(map(encode_event, group)) for group in groups]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(bodies[0]) - 1))
        bodies[0] = bodies[0][:at] + data.draw(st.binary(max_size=3)) + bodies[0][at + 1 :]
    with pytest.MonkeyPatch.context() as monkeypatch:
        both_ways(monkeypatch, *bodies)


@settings(deadline=None)
@given(fixes, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_keys_and_unknown_ones_change_nothing(
    fix: Position, dice: Any, is_strange: bool
) -> None:
    written = list(msgspec.to_builtins(fix).items())
    kind, rest = ("kind", "position"), [pair for pair in written if pair[0] != "kind"]
    dice.shuffle(rest)
    if is_strange:
        rest.insert(dice.randrange(len(rest) + 1), ("later", [{"a": "}]"}]))
    body = json.dumps(dict([kind, *rest]), separators=(",", ":")).encode()
    with pytest.MonkeyPatch.context() as monkeypatch:
        both_ways(monkeypatch, body)


@settings(deadline=None, max_examples=300)
@given(numbers, st.sampled_from(["lat", "lon", "speed_mps", "satellites"]))
@example(29.999992323591346, "lat")
@example(-0.0, "lon")
@example(9_007_199_254_740_993, "speed_mps")
def test_a_number_is_the_same_to_its_last_bit(number: float, name: str) -> None:
    fix = {"kind": "position", "device": "d", "time": "2026-11-23T06:00:00Z"}
    fix |= {"captured_at": "2026-11-23T06:00:00.5Z", "lat": 1, "lon": 2, name: number}
    body = json.dumps(fix, separators=(",", ":")).encode()
    with pytest.MonkeyPatch.context() as monkeypatch:
        both_ways(monkeypatch, body)


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-29T00:00:00Z",
        "2024-02-29T23:59:59.999999Z",
        "2026-11-23T06:00:00+02:00",
        "2026-11-23t06:00:00z",
        "2026-11-23 06:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T06:00:60Z",
        "2026-11-23T06:00:00.1234567Z",
        "2026-11-23T06:00:00.Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9Z",
    ],
)
def test_an_instant_is_read_the_same_or_refused_the_same(
    monkeypatch: pytest.MonkeyPatch, time: str
) -> None:
    body = b'{"kind":"position","device":"d","time":"%s","captured_at":"2026-11-23T06:00:00Z"'
    both_ways(monkeypatch, (body + b',"lat":1.5,"lon":2.5}') % time.encode())


@pytest.mark.parametrize("body", [b"{},{}", b"{}" + b",{}" * 6_000, b"{", b"", b"[]", b'{"a":"'])
def test_what_holds_no_event_is_no_danger(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    both_ways(monkeypatch, body)


def test_a_plain_fix_is_read_without_an_object() -> None:
    """Else the test above would compare msgspec with itself."""
    fix = Position(
        device="d", time=AT, captured_at=AT, lat=31.2304567, lon=-121.4737, quality=("teleport",)
    )
    body = encode_event(fix)
    data = np.frombuffer(body, np.uint8)
    plain = read_events(data, np.array([0]), np.array([len(body)]))
    assert plain.counts.tolist() == [1]
    assert plain.numbers[NUMBERS.index("lat"), 0] == 31.2304567
    (readings,) = prepare([message(body)]).readings
    assert isinstance(readings.events, UnreadEvents)
    assert readings.events[0] == decode_event(body) == fix
