"""The published contract says exactly what the code takes: whoever writes a gateway or a screen
from it must neither be refused nor surprised.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.json_schema import is_valid, problems
from tests.support.wire_messages import GEOMETRY, INSTANTS, messages, spoilt
from waystock.contract.acks import Ack, Hello, Status, decode_ack, decode_hello, decode_status
from waystock.contract.events import Batch, Event, decode_batch, decode_event
from waystock.contract.frames import ClientFrame, ServerFrame
from waystock.contract.identifiers import NAME_PATTERN
from waystock.contract.live import ENTITY_TYPES, LiveMessage, encode_gone
from waystock.contract.masterdata import MasterData, decode_master_data
from waystock.contract.schema import definitions, documents, message_name
from waystock_api.live import protocol
from waystock_api.live.channel import Channel
from waystock_api.live.picture import Gone, Picture, make_entry
from waystock_api.live.subscription import Subscription
from waystock_api.metrics import Metrics

DOCUMENTS = documents()
METRICS = Metrics()
CLIENT = DOCUMENTS["websocket"] | {"$ref": "#/$defs/ClientFrame"}
SERVER = DOCUMENTS["websocket"] | {"$ref": "#/$defs/ServerFrame"}
WHOLE: dict[str, tuple[Any, Callable[[bytes], object]]] = {
    "batch": (Batch, decode_batch),
    "event": (Event, decode_event),
    "hello": (Hello, decode_hello),
    "ack": (Ack, decode_ack),
    "status": (Status, decode_status),
    "masterdata": (MasterData, decode_master_data),
    "websocket": (ClientFrame, lambda data: protocol.decode_frame(data.decode())),
}
quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _json(message: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message))


def _decodes(name: str, value: Any) -> bool:
    try:
        WHOLE[name][1](msgspec.json.encode(value))
    except msgspec.DecodeError:
        return False
    return True


@pytest.mark.parametrize("name", WHOLE)
@quick
@given(data=st.data())
def test_a_reader_of_the_schema_expects_what_is_really_sent(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(WHOLE[name][0]))
    assert not problems(DOCUMENTS[name], _json(message))


@pytest.mark.parametrize("name", WHOLE)
@quick
@given(data=st.data())
def test_the_schema_refuses_what_the_code_refuses_and_nothing_else(
    name: str, data: st.DataObject
) -> None:
    value = _with_what_is_checked_later(name, data.draw(spoilt(messages(WHOLE[name][0]))))
    document = CLIENT if name == "websocket" else DOCUMENTS[name]
    assert is_valid(document, value) == _decodes(name, value), problems(document, value)


def _with_what_is_checked_later(name: str, value: Any) -> Any:
    """The schema says more of a fence than the decoder checks."""
    fences = value.get("fences") if name == "masterdata" else None
    for fence in fences if isinstance(fences, list) else ():
        if isinstance(fence, dict) and isinstance(fence.get("geometry"), dict):
            fence["geometry"] = GEOMETRY
    return value


@pytest.mark.parametrize("stream", ENTITY_TYPES)
@quick
@given(data=st.data())
def test_a_screen_on_the_broker_expects_the_entities_of_its_stream(
    stream: str, data: st.DataObject
) -> None:
    message = data.draw(messages(LiveMessage, ENTITY_TYPES[stream]))
    own = DOCUMENTS["live"] | {"$ref": f"#/$defs/{message_name(stream)}"}
    assert not problems(own, _json(message))
    assert not problems(DOCUMENTS["live"], _json(message))
    gone = _json(message) | {"entities": [_json(encode_gone("sha/1", 7))]}
    assert not problems(own, gone)
    assert not is_valid(own, gone | {"entities": [{"key": "sha/1", "version": 7}]})


@pytest.mark.parametrize("stream", ENTITY_TYPES)
@quick
@given(data=st.data())
def test_a_page_expects_the_frames_that_the_hub_sends(stream: str, data: st.DataObject) -> None:
    entity = messages(ENTITY_TYPES[stream]).map(lambda one: msgspec.json.encode(one).decode())
    body = ",".join(data.draw(st.lists(entity, max_size=3)))
    keys = msgspec.json.encode(data.draw(st.lists(st.text(max_size=9), max_size=3))).decode()
    number = st.integers(0, 2**53)
    seq, prev = data.draw(number), data.draw(number)
    frames = [
        protocol.snap_frame(1, "e5d0", seq, 1, 2, body),
        protocol.delta_frame(1, seq, prev, f'"up":[{body}],"rm":{keys}'),
        protocol.beat_frame(data.draw(INSTANTS)),
        protocol.error_frame("too_many", "at most 16"),
        protocol.error_frame("bad_message", data.draw(st.text(max_size=20)), 3),
    ]
    for frame in frames:
        assert not problems(SERVER, json.loads(frame)), frame


@pytest.mark.parametrize("stream", ENTITY_TYPES)
@quick
@given(data=st.data())
def test_a_page_expects_what_its_subscription_sends(stream: str, data: st.DataObject) -> None:
    picture = Picture(stream)
    channel = Channel(stream, "e5d0", picture.entries)
    subscription = Subscription(7, channel, None, None, METRICS)
    news = data.draw(st.lists(messages(ENTITY_TYPES[stream]), max_size=3))
    entries = [make_entry(entity, {}) for entity in news]
    sent = list(subscription.frames(0.0))
    subscription.acknowledge(0)
    for each in (*entries, Gone("sha/1", 2**50)):
        channel.add(picture.apply([each]).changes)
        channel.tick(0.0)
        sent += subscription.frames(0.0)
        subscription.acknowledge(channel.seq)
    assert len(sent) > 1
    for frame in sent:
        assert not problems(SERVER, json.loads(frame)), frame


def test_a_page_can_rely_on_every_part_of_a_servers_frame() -> None:
    known = definitions()
    assert set(known["SnapFrame"]["required"]) == {"type", "id", "epoch", "seq", "part", "of", "d"}
    assert set(known["DeltaFrame"]["required"]) == {"type", "id", "seq", "prev", "up", "rm"}


@quick
@given(data=st.data())
def test_no_frame_of_the_server_can_be_taken_for_another(data: st.DataObject) -> None:
    frame = data.draw(messages(ServerFrame, ENTITY_TYPES["kpi"]))
    assert not problems(SERVER, _json(frame))
    assert not problems(DOCUMENTS["websocket"], _json(frame))
    assert not is_valid(CLIENT, _json(frame))


def test_a_code_generator_finds_kinds_names_and_ranges() -> None:
    known = definitions()
    kinds = {one["$ref"].rpartition("/")[2] for one in known["Event"]["oneOf"]}
    assert kinds == {"Barcode", "Rfid", "Position", "Telemetry", "Health"}
    assert known["Event"]["discriminator"]["propertyName"] == "kind"
    for kind in kinds:
        assert known[kind]["properties"]["kind"] == {"const": kind.lower()}
        assert known[kind]["properties"]["device"]["pattern"] == NAME_PATTERN
        assert {"kind", "device", "time", "captured_at"} <= set(known[kind]["required"])
    fix = known["Position"]["properties"]
    assert (fix["lat"]["minimum"], fix["lat"]["maximum"]) == (-90, 90)
    assert (fix["lon"]["minimum"], fix["lon"]["maximum"]) == (-180, 180)
    assert known["Batch"]["properties"]["events"]["maxItems"] == 5_000
    assert known["Site"]["properties"]["name"]["propertyNames"] == {"enum": ["en", "zh"]}
    assert "mean sea level" in fix["altitude_m"]["description"]
