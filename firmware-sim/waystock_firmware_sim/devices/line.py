"""The serial line as a device sees it. Upstream: devices; downstream: a pseudo-terminal
(devices.pseudo_terminal), a cable (devices.cable), or a list of bytes in a test.
"""

from collections.abc import Callable
from typing import Protocol


class Line(Protocol):
    """Frames go out whole or not at all."""

    def send(self, frame: bytes, sent: Callable[[], None] | None = None) -> None:
        """Queue one frame; `sent` is called once all of it is on the wire. When the queue is full
        the oldest frame that has not begun is dropped and counted."""
        ...

    def receive(self) -> bytes:
        """What the host has sent since the last call."""
        ...

    def unread_bytes(self) -> int:
        """Bytes on the wire, or waiting for it, that the host has not taken yet."""
        ...


class Plug(Line, Protocol):
    """A line whose plug can be pulled."""

    def unplug(self) -> None:
        """Hang up, as soon as the host has taken what is on the wire (or leaves it there)."""
        ...

    def plug(self) -> None:
        """Be there again."""
        ...
