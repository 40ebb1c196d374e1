"""A serial port for the gateway to open: a pseudo-terminal behind a stable name. Upstream: devices
write frames; downstream: the gateway's pyserial. Never blocks when nobody reads; bytes that wait
outlive a restart of the reader, because one end of the far side is kept open here.
"""

import fcntl
import os
import struct
import termios
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

FRAMES_QUEUED_MAX = 64
UNREAD_BYTES_MAX = 3_000
"""Below the kernel's 4096: beyond it a frame would be cut."""
READ_BYTES = 4_096


class PseudoTerminal:
    """Implements devices.line.Line; `link` leads to the slave's device file."""

    def __init__(self, link: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link = link
        self._queue: deque[tuple[bytes, Callable[[], None] | None]] = deque()
        self.dropped_frames = 0
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def fileno(self) -> int:
        """The device's end, for a selector."""
        return self._master

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
            if self._on_wire() + len(frame) > UNREAD_BYTES_MAX:
                return
            try:
                written = os.write(self._master, frame)
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
            return os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return b""

    def unread_bytes(self) -> int:
        """See Line.unread_bytes."""
        return self._on_wire() + sum(len(frame) for frame, _ in self._queue)

    def _on_wire(self) -> int:
        answer = fcntl.ioctl(self._slave, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        """Remove the name and hang up."""
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
