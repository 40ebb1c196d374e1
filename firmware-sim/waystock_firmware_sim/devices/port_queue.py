"""Frames that wait for a file descriptor with a small buffer behind it: what pseudo-terminals and
cables have in common. Never blocks when nobody reads; a frame goes out whole or not at all.
Upstream: devices write frames; downstream: the gateway's pyserial.
"""

import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

FRAMES_QUEUED_MAX = 64
UNREAD_BYTES_MAX = 3_000
"""Below the kernel's 4096: beyond it a frame would be cut."""
READ_BYTES = 4_096


class QueuedPort(ABC):
    """Implements devices.line.Line on a non-blocking descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        self._queue: deque[tuple[bytes, Callable[[], None] | None]] = deque()
        self.dropped_frames = 0

    def fileno(self) -> int:
        """The device's end, for a selector."""
        return self._descriptor

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        """See Line.send."""
        if len(self._queue) == FRAMES_QUEUED_MAX:
            self._queue.popleft()
            self.dropped_frames += 1
        self._queue.append((frame, sent))
        self.flush()

    def flush(self) -> None:
        """Put on the wire what fits; called again from time to time while frames wait."""
        while self._queue:
            frame, sent = self._queue[0]
            if self.on_wire_bytes() + len(frame) > UNREAD_BYTES_MAX:
                return
            try:
                written = os.write(self._descriptor, frame)
            except BlockingIOError:
                return
            self._queue.popleft()
            if written < len(frame):
                # Not seen below UNREAD_BYTES_MAX; the rest goes first, so that no frame is cut.
                self._queue.appendleft((frame[written:], sent))
                return
            if sent is not None:
                sent()

    def receive(self) -> bytes:
        """See Line.receive."""
        try:
            return os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return b""

    def unread_bytes(self) -> int:
        """See Line.unread_bytes."""
        return self.on_wire_bytes() + sum(len(frame) for frame, _ in self._queue)

    @abstractmethod
    def on_wire_bytes(self) -> int:
        """What is written and not taken yet."""

    @abstractmethod
    def close(self) -> None:
        """Hang up."""
