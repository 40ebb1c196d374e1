"""Opens what a port's bytes come from: a serial device, a connection to a TCP server, a listener
for devices that call. Sockets never block, and a peer that has died without a word is noticed by
the kernel. Upstream: `endpoint`. Downstream: `ports`.
"""

import errno
import glob
import os
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import serial

from waystock_gateway.endpoint import Endpoint, SerialPath, TcpListen, TcpServer, plain_address

CONNECT_S_MAX = 5.0
"""So long one address of a server is tried."""
CALLS_WAITING_MAX = 16
"""Peers that the kernel holds until they are admitted."""
KEEPALIVE_PROBES = 3


@dataclass(frozen=True, slots=True)
class Connection:
    """Bytes both ways, without blocking."""

    fd: int
    close: Callable[[], None]
    peer: str = ""
    """The address of who called; empty where the gateway did."""
    holds_back: bool = False
    """Whether what is not read waits at the other end, as TCP has it; a cable goes on and loses."""
    break_off: Callable[[], None] = lambda: None
    """From any thread: whoever reads it finds it ended."""


class Listener:
    """Devices that call."""

    def __init__(self, sock: socket.socket, keepalive_s: int) -> None:
        self._socket = sock
        self._keepalive_s = keepalive_s

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def accept(self) -> Connection | None:
        """Who calls; None if they have given up meanwhile."""
        try:
            sock, address = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        return _connection(sock, self._keepalive_s, plain_address(str(address[0])))

    def close(self) -> None:
        self._socket.close()


def open_endpoint(
    endpoint: Endpoint, baud: int, keepalive_s: int, wake_fd: int
) -> Connection | Listener:
    """Raises OSError where it can't be opened; connecting ends early when `wake_fd` has bytes."""
    if isinstance(endpoint, SerialPath):
        return _open_serial(endpoint, baud)
    if isinstance(endpoint, TcpServer):
        return _connect(endpoint, keepalive_s, wake_fd)
    return _listen(endpoint, keepalive_s)


class KeepingSerial(serial.Serial):
    """What came while the port was closed is still good: pyserial would throw it away."""

    def _reset_input_buffer(self) -> None:
        pass


def _open_serial(path: SerialPath, baud: int) -> Connection:
    device = KeepingSerial(find_path(path.pattern), baud, timeout=0, exclusive=True)
    return Connection(device.fileno(), device.close)


def find_path(pattern: str) -> str:
    """`pattern` itself if it exists, else the first device that matches it as a glob."""
    if Path(pattern).exists():
        return pattern
    matches = sorted(glob.glob(pattern))  # noqa: PTH207 - an absolute pattern
    if not matches:
        raise FileNotFoundError(f"no device at {pattern}")
    return matches[0]


def _connect(server: TcpServer, keepalive_s: int, wake_fd: int) -> Connection:
    """The first address of the host that answers. Only the look-up of a name can take long and not
    be ended: give addresses where there is no name server."""
    failure = OSError(f"{server.host} has no address")
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            _connect_within(sock, address, wake_fd)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return _connection(sock, keepalive_s)
    raise failure


def _connect_within(sock: socket.socket, address: object, wake_fd: int) -> None:
    sock.setblocking(False)
    error = sock.connect_ex(address)  # pyright: ignore[reportArgumentType] - as getaddrinfo gave it
    if error == errno.EINPROGRESS:
        waiting = select.poll()
        waiting.register(sock, select.POLLOUT)
        waiting.register(wake_fd, select.POLLIN)
        ready = [fd for fd, _ in waiting.poll(CONNECT_S_MAX * 1000)]
        if sock.fileno() not in ready:
            raise TimeoutError(f"no answer within {CONNECT_S_MAX:g} s")
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _listen(own: TcpListen, keepalive_s: int) -> Listener:
    """At `::` for both IPv6 and IPv4."""
    sock = socket.create_server(
        (own.host, own.port),
        family=socket.AF_INET6 if ":" in own.host else socket.AF_INET,
        backlog=CALLS_WAITING_MAX,
        dualstack_ipv6=own.host == "::" and socket.has_dualstack_ipv6(),
    )
    sock.setblocking(False)
    return Listener(sock, keepalive_s)


def _connection(sock: socket.socket, keepalive_s: int, peer: str = "") -> Connection:
    """A peer that is gone without a word is noticed by probes when all is quiet, and by what it
    leaves unacknowledged when it was being answered."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    pause_s = max(1, keepalive_s // KEEPALIVE_PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, pause_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000 * keepalive_s)

    def break_off() -> None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself

    return Connection(sock.fileno(), sock.close, peer, holds_back=True, break_off=break_off)
