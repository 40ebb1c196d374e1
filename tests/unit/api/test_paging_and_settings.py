"""Cursors, settings and frames: what comes from outside is understood or refused in words."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystock.contract.frames import AckFrame, SubFrame
from waystock.store.api import UnusableValueError
from waystock_api.live.protocol import decode_frame, error_frame
from waystock_api.paging import decode_cursor, encode_cursor
from waystock_api.settings import SettingsError, api_settings, worker_settings


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_cursor_comes_back_as_it_was_given(key: list[str]) -> None:
    assert decode_cursor("sites", encode_cursor("sites", tuple(key))) == tuple(key)


@given(st.text(max_size=100))
def test_a_made_up_cursor_is_refused_in_words(cursor: str) -> None:
    with pytest.raises(UnusableValueError, match="cursor"):
        decode_cursor("sites", cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(UnusableValueError):
        decode_cursor("sites", encode_cursor("products", ("1",)))


def test_an_unusable_broker_address_is_told_with_its_variable() -> None:
    with pytest.raises(SettingsError, match="WAYSTOCK_MQTT_URL"):
        api_settings({"WAYSTOCK_MQTT_URL": "http://broker"})


def test_allowed_origins_are_a_list_by_comma() -> None:
    settings = api_settings({"WAYSTOCK_ALLOWED_ORIGINS": "https://a.example/, https://b.example"})
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert api_settings({}).allowed_origins == ()


def test_a_retention_set_the_old_way_stops_the_worker_before_it_deletes_anything() -> None:
    with pytest.raises(SettingsError, match="waystock db retention"):
        worker_settings({"WAYSTOCK_RETENTION_DAYS": "2000"})


def test_frames_of_the_protocol_are_understood() -> None:
    frame = decode_frame(
        '{"type":"sub","id":1,"ch":"transit","args":{"site":null},"since":{"epoch":"e","seq":12}}'
    )
    assert isinstance(frame, SubFrame)
    assert frame.since is not None
    assert isinstance(decode_frame('{"type":"ack","id":1,"seq":13}'), AckFrame)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", '{"type":"subscribe"}', '{"type":"sub","id":1,"ch":"secrets"}',
        '{"type":"sub","id":-1,"ch":"kpi"}', '{"type":"ack","id":1}', "[" * 100_000,
        '{"type":"sub","id":1,"ch":"kpi","args":{"site":"../x"}}', '{"type":"unsub","id":1,"x":2}',
    ],
)  # fmt: skip
def test_other_frames_are_refused_without_a_crash(text: str) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        decode_frame(text)


def test_an_error_frame_escapes_what_the_client_sent() -> None:
    frame = msgspec.json.decode(error_frame("bad_message", 'a "quoted" \n text', 3))
    assert frame == {
        "type": "error",
        "code": "bad_message",
        "message": 'a "quoted" \n text',
        "id": 3,
    }
