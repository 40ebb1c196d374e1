"""A serial port for the gateway to open: a pseudo-terminal behind a stable name. Upstream: devices
write frames; downstream: the gateway's pyserial. Bytes that wait outlive a restart of the reader,
because one end of the far side is kept open here.
"""

import fcntl
import os
import struct
import termios
import tty
from pathlib import Path

from waystock_firmware_sim.devices.port_queue import QueuedPort


class PseudoTerminal(QueuedPort):
    """Implements devices.line.Line; `link` leads to the slave's device file."""

    def __init__(self, link: Path) -> None:
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        super().__init__(master)
        self._link = link
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))

    def on_wire_bytes(self) -> int:
        """See QueuedPort.on_wire_bytes."""
        answer = fcntl.ioctl(self._slave, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        """Remove the name and hang up."""
        self._link.unlink(missing_ok=True)
        os.close(self._descriptor)
        os.close(self._slave)
