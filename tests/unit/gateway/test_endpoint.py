"""What a port's path may be, and which addresses are the same."""

import pytest

from waystock_gateway.endpoint import (
    SerialPath,
    TcpListen,
    TcpServer,
    is_address,
    parse_endpoint,
    plain_address,
)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/dev/serial/by-id/usb-*", SerialPath("/dev/serial/by-id/usb-*")),
        ("COM3", SerialPath("COM3")),
        ("tcp://10.0.4.9:4001", TcpServer("10.0.4.9", 4001)),
        ("tcp://moxa.dock.example:950", TcpServer("moxa.dock.example", 950)),
        ("tcp://[fd00::9]:4001", TcpServer("fd00::9", 4001)),
        ("tcp-listen://0.0.0.0:4001", TcpListen("0.0.0.0", 4001)),
        ("tcp-listen://[::]:4001", TcpListen("::", 4001)),
    ],
)
def test_a_path_says_where_the_bytes_come_from(path: str, endpoint: object) -> None:
    assert parse_endpoint(path) == endpoint


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tcp://",
        "tcp://host",
        "tcp://:4001",
        "tcp://host:0",
        "tcp://host:70000",
        "tcp://host:4001/x",
        "tcp://me@host:4001",
        "tcp://[fd00::9:4001",
        "tcp-listen://4001",
        "udp://host:1",
    ],
)
def test_what_is_no_path_is_refused_with_what_would_be_right(path: str) -> None:
    with pytest.raises(ValueError, match="tcp-listen://address:port"):
        parse_endpoint(path)


def test_one_address_has_one_form_however_it_came() -> None:
    assert plain_address("::ffff:10.0.4.21") == plain_address("10.0.4.21") == "10.0.4.21"
    assert plain_address("FE80:0::1%wlan0") == "fe80::1"


def test_a_name_is_no_address() -> None:
    assert is_address("10.0.4.21")
    assert not is_address("pda-1")


def test_two_listeners_clash_where_one_hears_what_the_other_should() -> None:
    everywhere, here = TcpListen("0.0.0.0", 4001), TcpListen("127.0.0.1", 4001)
    assert everywhere.clashes(here)
    assert here.clashes(here)
    assert not here.clashes(TcpListen("127.0.0.2", 4001))
    assert not here.clashes(TcpListen("127.0.0.1", 4002))
