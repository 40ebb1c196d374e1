"""A small reader on the simulator's ports, in place of a gateway: it acknowledges SSI packets,
starts the portals' multi-poll and keeps every byte. Written for these tests alone.
"""

import os
import selectors
import termios
import threading
import tty
from pathlib import Path

SSI_ACK = bytes.fromhex("04d00400ff28")
START_MULTI_POLL = bytes.fromhex("bb00270003222710837e")


def ssi_packets(data: bytes) -> list[bytes]:
    """The packets in an undamaged SSI stream."""
    packets: list[bytes] = []
    while data and len(data) >= data[0] + 2:
        packets.append(data[: data[0] + 2])
        data = data[data[0] + 2 :]
    return packets


class Reader:
    """Reads all ports of a directory in a thread of its own until `close`."""

    def __init__(self, ports: Path, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.bytes: dict[str, bytearray] = {}
        self._unanswered: dict[str, bytearray] = {}
        self._files: dict[str, int] = {}
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        for path in sorted(ports.iterdir()):
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(descriptor, termios.TCSANOW)  # the default throws away what waits
            self._files[path.name] = descriptor
            self.bytes[path.name] = bytearray()
            self._unanswered[path.name] = bytearray()
            self._selector.register(descriptor, selectors.EVENT_READ, path.name)
            if path.name.startswith("rfid"):
                os.write(descriptor, START_MULTI_POLL)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and let go of the ports."""
        self._stop.set()
        self._thread.join()
        self._selector.close()
        for descriptor in self._files.values():
            os.close(descriptor)

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                name: str = key.data
                try:
                    data = os.read(key.fd, 4096)
                except OSError:  # the simulator has hung up
                    self._selector.unregister(key.fd)
                    continue
                self.bytes[name] += data
                if name.startswith("scan") and self.acknowledges:
                    self._acknowledge(name, key.fd, data)

    def _acknowledge(self, name: str, descriptor: int, data: bytes) -> None:
        held = self._unanswered[name]
        held += data
        while held and len(held) >= held[0] + 2:
            del held[: held[0] + 2]
            os.write(descriptor, SSI_ACK)
