"""Devices that reach the gateway over TCP, bare: a test decides when they connect, what they write
and when the connection breaks.
"""

import select
import socket
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Protocol

from tests.support.processes import wait_until

LOCALHOST = "127.0.0.1"
READ_BYTES = 4096
TCP_REPAIR = 19
"""Linux; Python has no name for it."""


class TcpDevice:
    """Calls the gateway at `port`, and calls again when the connection has been lost. Plays the
    part of a cable for `rig.Scanner`."""

    def __init__(
        self, port: int, address: str = LOCALHOST, called: socket.socket | None = None
    ) -> None:
        self._host = (LOCALHOST, port)
        self._address = address
        self._socket = called

    def call(self, within_s: float = 10.0) -> None:
        """Connect, as soon as somebody listens."""
        wait_until(self._is_answered, f"somebody listens at {self._host}", within_s=within_s)

    def send(self, data: bytes) -> None:
        if self._socket is None:
            self.call()
        try:
            self._connection.sendall(data)
        except OSError:
            self.hang_up()

    def receive(self, within_s: float) -> bytes:
        """What the gateway sent, b'' if it sends nothing in time or has hung up."""
        if self._socket is None:
            return b""
        ready, _, _ = select.select([self._socket], [], [], within_s)
        if not ready:
            return b""
        data = b""
        with suppress(ConnectionError):
            data = self._socket.recv(READ_BYTES)
        if not data:
            self.hang_up()
        return data

    def is_hung_up(self, within_s: float = 10.0) -> bool:
        """Whether the gateway ends the connection."""
        deadline_s = time.monotonic() + within_s
        while self._socket is not None and time.monotonic() < deadline_s:
            self.receive(0.05)
        return self._socket is None

    def forget_input(self) -> None:
        """Throw away what the gateway sent so far."""
        while self.receive(0):
            pass

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def break_down(self) -> None:
        """The connection is reset, as when a battery is pulled and put back."""
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.hang_up()

    @property
    def is_connected(self) -> bool:
        """As far as it knows."""
        return self._socket is not None

    def left_behind(self) -> "TcpDevice":
        """Its connection, which goes on without it; the device calls anew."""
        left, self._socket = self._socket, None
        return TcpDevice(self._host[1], self._address, called=left)

    def die(self) -> None:
        """Gone without a word, as out of the reach of Wi-Fi. PermissionError without
        CAP_NET_ADMIN: only a socket in repair mode closes without telling its peer."""
        self._connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.hang_up()

    def send_what_fits(self, data: bytes) -> int:
        """Without waiting for the gateway to read; how many bytes were taken."""
        self._connection.setblocking(False)
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0

    @property
    def _connection(self) -> socket.socket:
        assert self._socket is not None, "it has not called"
        return self._socket

    def _is_answered(self) -> bool:
        try:
            self._socket = socket.create_connection(self._host, 5, (self._address, 0))
        except OSError:
            return False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True


class TcpServer:
    """Where devices wait to be called, such as a box with serial ports."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server((LOCALHOST, port))
        self._listener.settimeout(10)
        self._answered: list[TcpDevice] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def answer(self) -> TcpDevice:
        """Wait for a call; the device that it reaches."""
        called, _ = self._listener.accept()
        self._answered.append(TcpDevice(self.port, called=called))
        return self._answered[-1]

    def close(self) -> None:
        for device in self._answered:
            device.hang_up()
        self._listener.close()


class MakeDevice(Protocol):
    """A fixture: makes a device that calls at `port` from `address`, hung up at the test's end."""

    def __call__(self, port: int, address: str = LOCALHOST) -> TcpDevice: ...


@contextmanager
def tcp_server(port: int = 0) -> Generator[TcpServer]:
    server = TcpServer(port)
    try:
        yield server
    finally:
        server.close()
