"""A gpsd with one receiver: it greets who connects, and reports to all who have asked to watch.
Upstream: a receiver's fixes; downstream: TCP connections and the truth. Never blocks; a client that
does not read is dropped, as gpsd drops it.
"""

import json
import re
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from waystock_firmware_sim.devices.gps_unit import FIRST_FIX_S, Receiver
from waystock_firmware_sim.protocol import gpsd
from waystock_firmware_sim.scheduler import Scheduler
from waystock_firmware_sim.truth import Truth

CLIENTS_MAX = 64
REQUEST_BYTES_MAX = 1_024
BACKLOG_BYTES_MAX = 65_536
READ_BYTES = 4_096
_REQUEST_END = re.compile(rb"[;\r\n]+")


class _Client:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.asked = b""
        self.backlog = b""
        self.is_watching = False


class GpsdServer:
    """Listens at once; `attend` serves whoever is there, without waiting longer than it is told."""

    def __init__(
        self, address: tuple[str, int], started: datetime, receiver: str = "/dev/ttyACM0"
    ) -> None:
        self.receiver = receiver
        self._started = started
        self._listener = socket.create_server(address)
        self._listener.setblocking(False)
        self._selector = selectors.EpollSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._clients: dict[int, _Client] = {}

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def watchers(self) -> int:
        """Clients that have asked for reports."""
        return sum(client.is_watching for client in self._clients.values())

    def fileno(self) -> int:
        """Readable when `attend` has something to do."""
        return self._selector.fileno()

    def attend(self, timeout_s: float = 0.0) -> None:
        """Accept, answer, send what waits."""
        for key, events in self._selector.select(timeout_s):
            client = self._clients.get(key.fd)
            if client is None:
                self._accept()
                continue
            if events & selectors.EVENT_WRITE:
                self._say(client, b"")
            if events & selectors.EVENT_READ and key.fd in self._clients:
                self._hear(client)

    def report(self, *lines: bytes) -> int:
        """To all watchers; how many there were."""
        watchers = [client for client in self._clients.values() if client.is_watching]
        for client in watchers:
            self._say(client, b"".join(lines))
        return len(watchers)

    def close(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._listener.accept()
            if len(self._clients) >= CLIENTS_MAX:
                connection.close()
                return
            connection.setblocking(False)
            client = _Client(connection)
            self._clients[connection.fileno()] = client
            self._selector.register(connection, selectors.EVENT_READ)
            self._say(client, gpsd.version())

    def _hear(self, client: _Client) -> None:
        try:
            data = client.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        *requests, client.asked = _REQUEST_END.split(client.asked + data)
        for request in requests:
            if request:
                self._say(client, self._answer(client, request.decode("ascii", "replace")))
        if len(client.asked) > REQUEST_BYTES_MAX:
            self._say(client, gpsd.error(client.asked[:80].decode("ascii", "replace")))
            client.asked = b""

    def _answer(self, client: _Client, request: str) -> bytes:
        if request == "?VERSION":
            return gpsd.version()
        if request == "?DEVICES":
            return gpsd.devices(self.receiver, self._started)
        if request.startswith("?WATCH"):
            policy = _policy(request)
            if policy is None:
                return gpsd.error(request)
            client.is_watching = policy.get("enable", client.is_watching) is True
            return gpsd.devices(self.receiver, self._started) + gpsd.watch(client.is_watching)
        return gpsd.error(request)

    def _say(self, client: _Client, data: bytes) -> None:
        client.backlog += data
        try:
            client.backlog = client.backlog[client.socket.send(client.backlog) :]
        except BlockingIOError:
            if len(client.backlog) > BACKLOG_BYTES_MAX:
                self._drop(client)
                return
        except OSError:
            self._drop(client)
            return
        waits_for = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.backlog else 0)
        self._selector.modify(client.socket, waits_for)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.socket.fileno(), None) is not None:
            self._selector.unregister(client.socket)
            client.socket.close()


class GpsdUnit:
    """A receiver behind a gpsd: an instant each second, told twice as gpsd does when the height
    comes later than the place."""

    def __init__(
        self,
        device: str,
        server: GpsdServer,
        scheduler: Scheduler,
        utc: Callable[[], datetime],
        truth: Truth,
        receiver: Receiver,
    ) -> None:
        self.device = device
        self._server = server
        self._scheduler = scheduler
        self._utc = utc
        self._truth = truth
        self._receiver = receiver
        self._sees_from = utc() + timedelta(seconds=FIRST_FIX_S)
        self._is_on = True
        self._wait()

    def switch_off(self) -> None:
        """Say nothing more."""
        self._is_on = False

    def _wait(self) -> None:
        rest_s = 1.0 - self._utc().microsecond / 1e6
        self._scheduler.after(rest_s, self._speak)

    def _speak(self) -> None:
        if not self._is_on:
            return
        epoch = self._utc().replace(microsecond=0)
        name = self._server.receiver
        if epoch < self._sees_from:
            self._server.report(gpsd.no_fix(name, epoch))
        else:
            fix = self._receiver.fix_at(epoch)
            reports = (gpsd.first_report(name, fix), gpsd.full_report(name, fix))
            if self._server.report(*reports, gpsd.sky(name, fix)):
                self._truth.position(self.device, epoch)
        self._wait()


def _policy(request: str) -> dict[str, Any] | None:
    """What follows `?WATCH=`; empty where nothing does, None where it is no object."""
    _, equals, text = request.partition("=")
    if not equals:
        return {}
    try:
        policy = json.loads(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", policy) if isinstance(policy, dict) else None
