"""Ports in this process, on real sockets and a real outbox, with decoders that misbehave: what one
peer or a fault of ours does costs nobody else his conversation.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.gateway.tcp_devices import LOCALHOST, TcpDevice
from tests.support.processes import wait_until
from waystock_gateway.backoff import Backoff
from waystock_gateway.clock import SystemClock
from waystock_gateway.conversation import PortConfig
from waystock_gateway.devices.barcode.decoder import LineDecoder
from waystock_gateway.devices.barcode.settings import BarcodeSettings
from waystock_gateway.endpoint import TcpListen, TcpServer
from waystock_gateway.intake import Intake
from waystock_gateway.openers import Connection, Listener, open_endpoint
from waystock_gateway.outbox import Outbox
from waystock_gateway.ports import Port
from waystock_gateway.readings import Answer, Decoded, Line
from waystock_gateway.sessions.scans import ScanSession
from waystock_gateway.tally import DeviceTally, Tally

ANSWER = b"a" * 200_000
"""Too long for the socket of somebody who does not read."""


class Moody(LineDecoder):
    """A scanner's decoder with a fault, and one that answers too much."""

    def feed(self, data: bytes) -> list[Decoded]:
        if b"boom" in data:
            raise RuntimeError("boom")
        if b"answer" in data:
            return [Answer(ANSWER)]
        return super().feed(data)


@dataclass
class Bench:
    """A port's surroundings."""

    intake: Intake
    tally: Tally
    stack: ExitStack
    open_ports: list[Port] = field(default_factory=list[Port])

    def open(self, port_number: int, make_line: Callable[[], Line]) -> None:
        config = PortConfig(
            device="pda-1",
            endpoint=TcpListen(LOCALHOST, port_number),
            baud=0,
            make_line=make_line,
            session=lambda device, state: ScanSession(device, state, 0.0),
            peers_max=4,
        )
        backoff = Backoff(0.01, 0.1, lambda: 0.5)
        port = Port(config, self.intake, SystemClock(), self.tally, backoff)
        self.open_ports.append(port)
        self._run(port.run)

    def call(self, port_number: int) -> TcpDevice:
        device = TcpDevice(port_number)
        self.stack.callback(device.hang_up)
        device.call()
        return device

    @property
    def told(self) -> DeviceTally:
        return self.tally.snapshot().get("pda-1", DeviceTally())

    def _run(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.stack.callback(thread.join, 10)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        outbox = Outbox(tmp_path / "outbox.sqlite", 1_000_000_000)
        stack.callback(outbox.close)
        clock, tally = SystemClock(), Tally()
        bench = Bench(Intake(outbox, clock, tally, on_stored=lambda: None), tally, stack)
        bench._run(bench.intake.run)
        stack.callback(bench.intake.stop)
        with ExitStack() as ports:
            ports.callback(lambda: [port.stop() for port in bench.open_ports])
            yield bench


def moody_line() -> Line:
    return Line(Moody(BarcodeSettings()))


def test_a_decoder_that_fails_costs_neither_its_peer_nor_another(
    bench: Bench, free_port: int
) -> None:
    bench.open(free_port, moody_line)
    one, other = bench.call(free_port), bench.call(free_port)
    other.send(b"HAL")
    one.send(b"boom")
    wait_until(lambda: bench.told.rejects["decoder_failed"] == 1, "the fault is counted")
    one.send(b"GOES ON\n")
    other.send(b"F\n")
    wait_until(lambda: bench.told.events == 2, "both are heard")


def test_a_peer_that_does_not_take_its_answers_is_hung_up_and_holds_nobody_up(
    bench: Bench, free_port: int
) -> None:
    bench.open(free_port, moody_line)
    deaf, other = bench.call(free_port), bench.call(free_port)

    def is_counted() -> bool:
        deaf.send(b"answer")
        return bool(bench.told.drops["answer_unsent"])

    wait_until(is_counted, "what was not sent is counted")
    other.send(b"A\n")
    wait_until(lambda: bench.told.events == 1, "the other is heard")
    wait_until(deaf.is_hung_up, "the deaf one is hung up")


def test_whoever_calls_again_and_again_leaves_nothing_open(bench: Bench, free_port: int) -> None:
    bench.open(free_port, moody_line)
    bench.call(free_port).hang_up()
    before = open_files()
    for _ in range(60):
        device = bench.call(free_port)
        device.send(b"HAL")
        device.break_down()
    wait_until(lambda: bench.told.notices["connected"] == 61, "all were heard")
    wait_until(lambda: open_files() <= before, "all is closed")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def wake_fd() -> Iterator[int]:
    read, write = socket.socketpair()
    with read, write:
        yield read.fileno()


def test_both_ends_of_a_call_are_watched_over_by_the_kernel(free_port: int, wake_fd: int) -> None:
    listener = open_endpoint(TcpListen(LOCALHOST, free_port), 0, 9, wake_fd)
    assert isinstance(listener, Listener)
    calling = open_endpoint(TcpServer("localhost", free_port), 0, 9, wake_fd)
    assert isinstance(calling, Connection)
    called = listener.accept()
    assert called is not None
    for connection in (calling, called):
        assert not os.get_blocking(connection.fd)
        with socket.socket(fileno=os.dup(connection.fd)) as sock:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 9
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 18_000
        connection.close()
    assert called.peer == LOCALHOST
    listener.close()


def test_a_listener_everywhere_is_called_over_ipv4_and_ipv6(free_port: int, wake_fd: int) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    listener = open_endpoint(TcpListen("::", free_port), 0, 9, wake_fd)
    assert isinstance(listener, Listener)
    for host, address in ((LOCALHOST, LOCALHOST), ("::1", "::1")):
        with socket.create_connection((host, free_port), 5):
            called = listener.accept()
            assert called is not None
            assert called.peer == address
            called.close()
    listener.close()
