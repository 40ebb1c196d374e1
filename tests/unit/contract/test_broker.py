"""Broker addresses: a mistyped one must be told before anything starts, with no password shown."""

import pytest

from waystock.contract.broker import parse_broker_url


def test_an_address_is_taken_apart() -> None:
    address = parse_broker_url("mqtts://gw%2D1:s%40cret@broker.example:8884")
    assert (address.host, address.port, address.tls) == ("broker.example", 8884, True)
    assert (address.username, address.password) == ("gw-1", "s@cret")


def test_ports_are_the_standard_ones_where_none_is_named() -> None:
    assert parse_broker_url("mqtt://h").port == 1883
    assert parse_broker_url("mqtts://h").port == 8883


def test_a_websocket_is_an_address_only_where_it_is_understood() -> None:
    address = parse_broker_url("wss://u:p@broker.example/site/mqtt", websockets=True)
    assert (address.port, address.tls, address.websocket_path) == (443, True, "/site/mqtt")
    assert parse_broker_url("ws://h:9001", websockets=True).websocket_path == "/mqtt"
    assert parse_broker_url("mqtt://h", websockets=True).websocket_path is None


@pytest.mark.parametrize(
    "url",
    [
        "ws://u:hidden@h",
        "",
        "broker:1883",
        "http://u:hidden@h",
        "mqtt://",
        "mqtt://u:hidden@h:99999",
    ],
)
def test_an_unusable_address_is_told_and_keeps_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://user:password@host:1883") as told:
        parse_broker_url(url)
    assert "hidden" not in str(told.value)
