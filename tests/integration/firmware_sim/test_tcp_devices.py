"""Simulated devices on real sockets, without a gateway: a lost connection costs a PDA no frame, and
a gpsd no client but the one that does not read.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.processes import wait_until
from waystock_firmware_sim.devices.gpsd import BACKLOG_BYTES_MAX, CLIENTS_MAX, GpsdServer
from waystock_firmware_sim.devices.tcp_line import FRAMES_QUEUED_MAX, TcpLine
from waystock_firmware_sim.protocol import gpsd

LOCALHOST = "127.0.0.1"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
WATCH = b'?WATCH={"enable":true,"json":true};'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def host(stack: ExitStack) -> socket.socket:
    listener = stack.enter_context(socket.create_server((LOCALHOST, 0)))
    listener.settimeout(10)
    return listener


@pytest.fixture
def line(host: socket.socket, stack: ExitStack) -> TcpLine:
    line = TcpLine(host.getsockname(), time.monotonic)
    stack.callback(line.close)
    return line


def accept(host: socket.socket, line: TcpLine, stack: ExitStack) -> socket.socket:
    """The line's connection, as soon as it has one."""
    wait_until(lambda: line.flush() or line.is_connected, "it calls")
    called, _ = host.accept()
    called.settimeout(10)
    return stack.enter_context(called)


def test_a_frame_goes_out_once_there_is_a_connection(
    host: socket.socket, line: TcpLine, stack: ExitStack
) -> None:
    sent: list[str] = []
    line.send(b"CODE\n", lambda: sent.append("CODE"))
    called = accept(host, line, stack)
    wait_until(lambda: line.flush() or sent, "it is on the wire")
    assert called.recv(100) == b"CODE\n"
    called.sendall(b"ACK")
    wait_until(lambda: line.receive() == b"ACK", "the answer is heard")
    wait_until(lambda: line.unread_bytes() == 0, "all of it is taken")


def test_a_frame_that_a_lost_connection_has_cut_goes_out_again_whole(
    host: socket.socket, line: TcpLine, stack: ExitStack
) -> None:
    first = accept(host, line, stack)
    long = bytes(range(256)) * 100_000
    line.send(long)
    assert line.unread_bytes() > 0, "it does not fit at once"
    first.recv(1_000)
    first.close()
    wait_until(lambda: line.receive() or not line.is_connected or line.flush(), "it is missed")
    second = accept(host, line, stack)
    got = b""
    while len(got) < len(long):
        line.flush()
        got += second.recv(1_000_000)
    assert got == long


def test_frames_that_nobody_takes_are_bounded_and_counted(
    host: socket.socket, line: TcpLine, stack: ExitStack
) -> None:
    address = host.getsockname()
    host.close()
    for n in range(FRAMES_QUEUED_MAX + 5):
        line.send(b"%d\n" % n)
    assert line.dropped_frames == 5
    with socket.create_server(address) as back:
        back.settimeout(10)
        called = accept(back, line, stack)
        wait_until(lambda: line.flush() or line.unread_bytes() == 0, "what is left goes out")
        assert called.recv(100_000).startswith(b"5\n6\n")


def test_a_pda_keeps_the_address_it_was_given(host: socket.socket, stack: ExitStack) -> None:
    line = TcpLine(host.getsockname(), time.monotonic, own_address="127.0.0.7")
    stack.callback(line.close)
    assert accept(host, line, stack).getpeername()[0] == "127.0.0.7"


@pytest.fixture
def server(stack: ExitStack) -> GpsdServer:
    server = GpsdServer((LOCALHOST, 0), NOW)
    stack.callback(server.close)
    return server


class Client:
    """One client of the simulated gpsd."""

    def __init__(self, server: GpsdServer, stack: ExitStack) -> None:
        self._server = server
        self.socket = stack.enter_context(socket.create_connection((LOCALHOST, server.port)))
        self.socket.setblocking(False)
        self._held = b""
        self.is_dropped = False

    def ask(self, request: bytes) -> None:
        self.socket.sendall(request)

    def hear(self) -> list[dict[str, Any]]:
        self._server.attend()
        try:
            data = self.socket.recv(1_000_000)
            self.is_dropped = not data
        except BlockingIOError:
            data = b""
        except ConnectionError:
            self.is_dropped, data = True, b""
        *lines, self._held = (self._held + data).split(b"\r\n")
        return [json.loads(line) for line in lines]

    def await_classes(self, *classes: str) -> None:
        """Until just these have been heard."""
        heard: list[str] = []

        def is_complete() -> bool:
            heard.extend(report["class"] for report in self.hear())
            return len(heard) >= len(classes)

        wait_until(is_complete, f"{classes} are heard")
        assert tuple(heard) == classes


def test_a_client_is_greeted_and_hears_reports_once_it_has_asked_for_them(
    server: GpsdServer, stack: ExitStack
) -> None:
    watcher, listener = Client(server, stack), Client(server, stack)
    watcher.await_classes("VERSION")
    listener.await_classes("VERSION")
    watcher.ask(WATCH[:20])
    assert not watcher.hear()
    watcher.ask(WATCH[20:])
    watcher.await_classes("DEVICES", "WATCH")
    assert server.report(gpsd.no_fix("/dev/ttyACM0", NOW)) == 1
    watcher.await_classes("TPV")
    assert not listener.hear()
    watcher.ask(b'?WATCH={"enable":false};\n?DEVICES;?VERSION\n')
    watcher.await_classes("DEVICES", "WATCH", "DEVICES", "VERSION")
    assert server.watchers == 0


@pytest.mark.parametrize("request_", [b"?NONSENSE;", b"?WATCH=[1];", b"?WATCH={;", b"x" * 2_000])
def test_what_it_does_not_know_is_answered_as_an_error(
    server: GpsdServer, stack: ExitStack, request_: bytes
) -> None:
    client = Client(server, stack)
    client.ask(request_)
    client.await_classes("VERSION", "ERROR")
    client.ask(b"?VERSION;")
    client.await_classes("VERSION")


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_served(
    server: GpsdServer, stack: ExitStack
) -> None:
    deaf, reads = Client(server, stack), Client(server, stack)
    for client in (deaf, reads):
        client.ask(WATCH)
        client.await_classes("VERSION", "DEVICES", "WATCH")
    report = b"x" * BACKLOG_BYTES_MAX

    def is_deaf_one_gone() -> bool:
        server.report(b'{"class":"TPV"}' + b" " * len(report) + b"\r\n")
        for _ in range(20):
            reads.hear()
        return server.watchers == 1

    wait_until(is_deaf_one_gone, "the deaf one is dropped")
    assert not reads.is_dropped


def test_there_is_room_for_so_many_clients_and_no_more(
    server: GpsdServer, stack: ExitStack
) -> None:
    clients = [Client(server, stack) for _ in range(CLIENTS_MAX)]
    for client in clients:
        client.await_classes("VERSION")
    one_more = Client(server, stack)
    wait_until(lambda: one_more.hear() == [] and one_more.is_dropped, "it is turned away")
