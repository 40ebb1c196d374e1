"""The line of a device that calls its host over TCP, as a PDA on Wi-Fi does: it connects, and
connects again with growing pauses when the host or the network is gone. Upstream: devices write
frames; downstream: the gateway's listener. Never blocks.
"""

import errno
import fcntl
import os
import select
import socket
import struct
import termios
from collections import deque
from collections.abc import Callable

FRAMES_QUEUED_MAX = 64
READ_BYTES = 4_096
RECONNECT_S, RECONNECT_S_MAX = 0.1, 2.0


class TcpLine:
    """Implements devices.line.Line. `flush` moves it on: call it whenever there is input, and from
    time to time."""

    def __init__(
        self, host: tuple[str, int], monotonic_s: Callable[[], float], own_address: str = ""
    ) -> None:
        self._host = host
        self._own_address = own_address
        self._monotonic_s = monotonic_s
        self._socket: socket.socket | None = None
        self._is_up = False
        self._queue: deque[tuple[bytes, Callable[[], None] | None]] = deque()
        self._sent_of_first = 0
        self._pause_s = RECONNECT_S
        self._call_at_s = monotonic_s()
        self.connections = 0
        self.dropped_frames = 0

    @property
    def is_connected(self) -> bool:
        return self._is_up

    def fileno(self) -> int:
        """For a selector; -1 while there is no connection."""
        return -1 if self._socket is None else self._socket.fileno()

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        """See Line.send. A frame that a lost connection has cut goes out again whole."""
        if len(self._queue) == FRAMES_QUEUED_MAX:
            del self._queue[1 if self._sent_of_first else 0]
            self.dropped_frames += 1
        self._queue.append((frame, sent))
        self.flush()

    def receive(self) -> bytes:
        """See Line.receive."""
        if self._socket is None or not self._is_up:
            return b""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def unread_bytes(self) -> int:
        """See Line.unread_bytes; what the host's machine has taken counts as taken."""
        waiting = sum(len(frame) for frame, _ in self._queue) - self._sent_of_first
        if self._socket is None or not self._is_up:
            return waiting
        answer = fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0\0\0\0")
        return waiting + int(struct.unpack("i", answer)[0])

    def flush(self) -> None:
        """Connect if it is time to, and put on the wire what fits."""
        try:
            if self._is_connecting_done():
                self._write()
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        """Leave the network, for a pause; a frame that has not gone out whole waits."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._is_up = False
        self._sent_of_first = 0
        self._call_at_s = self._monotonic_s() + self._pause_s
        self._pause_s = min(2 * self._pause_s, RECONNECT_S_MAX)

    def close(self) -> None:
        """Hang up for good: it is not to be flushed any more."""
        self.hang_up()

    def _is_connecting_done(self) -> bool:
        if self._is_up:
            return True
        if self._socket is None:
            if self._monotonic_s() < self._call_at_s:
                return False
            self._socket = self._call()
        waiting = select.poll()
        waiting.register(self._socket, select.POLLOUT)
        if not waiting.poll(0):
            return False
        failure = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
        self._is_up = True
        self._pause_s = RECONNECT_S
        self.connections += 1
        return True

    def _call(self) -> socket.socket:
        called = socket.socket(socket.AF_INET6 if ":" in self._host[0] else socket.AF_INET)
        called.setblocking(False)
        called.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._own_address:
            called.bind((self._own_address, 0))
        failure = called.connect_ex(self._host)
        if failure not in {0, errno.EINPROGRESS}:
            called.close()
            raise OSError(failure, os.strerror(failure))
        return called

    def _write(self) -> None:
        while self._queue and self._socket is not None:
            frame, sent = self._queue[0]
            try:
                self._sent_of_first += self._socket.send(frame[self._sent_of_first :])
            except BlockingIOError:
                return
            if self._sent_of_first < len(frame):
                return
            self._queue.popleft()
            self._sent_of_first = 0
            if sent is not None:
                sent()
