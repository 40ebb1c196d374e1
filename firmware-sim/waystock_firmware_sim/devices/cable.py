"""A device's end of a real cable: a serial port of this machine, wired to the gateway's. And the
plug of any port, which can be pulled and put in again. Upstream: devices write frames; downstream:
the gateway's pyserial at the other end.
"""

import fcntl
import os
import struct
import termios
import time
import tty
from collections.abc import Callable

from waystock_firmware_sim.devices.port_queue import QueuedPort

TAKEN_POLL_S, TAKEN_S_MAX = 0.005, 30.0
"""How long a plug is not pulled, so that the host may take what was said before."""


class Cable(QueuedPort):
    """Implements devices.line.Line on an existing port, raw, 8N1. Raises OSError where it can't be
    opened and ValueError at a rate that it doesn't have."""

    def __init__(self, path: str, baud: int) -> None:
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise ValueError(f"{baud} is no usual rate: 9600, 57600, 115200 and the like are")
        super().__init__(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tty.setraw(self._descriptor)
            attributes = termios.tcgetattr(self._descriptor)
            attributes[2] |= termios.CLOCAL | termios.CREAD
            attributes[4] = attributes[5] = speed
            termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        except BlockingIOError as error:
            self.close()
            raise OSError(
                f"{path} is in use: name the port at the other end of the cable"
            ) from error
        except termios.error as error:
            self.close()
            raise OSError(f"{path} is no serial port: {error.args[-1]}") from error

    def on_wire_bytes(self) -> int:
        """See QueuedPort.on_wire_bytes; what has left this end counts as taken."""
        answer = fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        """Hang up."""
        os.close(self._descriptor)


class PluggedPort:
    """Implements devices.line.Plug on ports that `make` opens, one after the other. `is_hurried`
    says that somebody waits for the end."""

    def __init__(self, make: Callable[[], QueuedPort], is_hurried: Callable[[], bool]) -> None:
        self._make = make
        self._is_hurried = is_hurried
        self.port: QueuedPort | None = make()
        self._dropped_frames = 0

    @property
    def dropped_frames(self) -> int:
        """Frames that nobody took in time."""
        return self._dropped_frames + (self.port.dropped_frames if self.port else 0)

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        """See Line.send; lost while the plug is out."""
        if self.port is not None:
            self.port.send(frame, sent)

    def flush(self) -> None:
        """See QueuedPort.flush."""
        if self.port is not None:
            self.port.flush()

    def receive(self) -> bytes:
        """See Line.receive."""
        return b"" if self.port is None else self.port.receive()

    def unread_bytes(self) -> int:
        """See Line.unread_bytes."""
        return 0 if self.port is None else self.port.unread_bytes()

    def unplug(self) -> None:
        """See Plug.unplug. The world stands still while the host takes what is on the wire."""
        if self.port is None:
            return
        patience_s = TAKEN_S_MAX
        while self.port.unread_bytes() and patience_s > 0 and not self._is_hurried():
            time.sleep(TAKEN_POLL_S)
            patience_s -= TAKEN_POLL_S
            self.port.flush()
        self.close()

    def close(self) -> None:
        """Hang up at once."""
        if self.port is not None:
            self._dropped_frames += self.port.dropped_frames
            self.port.close()
            self.port = None

    def plug(self) -> None:
        """See Plug.plug."""
        if self.port is None:
            self.port = self._make()
