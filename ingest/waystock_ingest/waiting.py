"""The queue between the broker's thread and the loop that commits: bounded by count and by bytes,
so that a store that is away for hours costs no more memory than one that is away for a second.
Upstream: the source's callbacks; downstream: `take`.
"""

import threading
import time
from collections import deque
from typing import NamedTuple


class Message(NamedTuple):
    """One MQTT message that waits for its commit."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    connection: int
    """Which connection it came by: an acknowledgement only makes sense on the same one."""


class Waiting:
    """Messages in order of arrival; `put` blocks while it is full, until it is closed."""

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def messages(self) -> int:
        return len(self._messages)

    @property
    def bytes(self) -> int:
        return self._bytes

    def put(self, message: Message) -> bool:
        """Wait for room and append; False where the queue was closed meanwhile. A message that is
        larger than all the room there is goes in alone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(len(message.payload)))
            if self._closed:
                return False
            self._messages.append(message)
            self._bytes += len(message.payload)
            self._changed.notify_all()
            return True

    def take(self, linger_s: float, bytes_max: int, wait_s: float) -> list[Message]:
        """The first message within `wait_s`, then company for `linger_s`, up to `bytes_max`."""
        taken: list[Message] = []
        size = 0
        deadline_s = time.monotonic() + wait_s
        with self._changed:
            while size < bytes_max:
                left_s = deadline_s - time.monotonic()
                if not self._messages and (
                    left_s <= 0 or not self._changed.wait_for(lambda: self._messages, left_s)
                ):
                    break
                if not taken:
                    deadline_s = time.monotonic() + linger_s
                message = self._messages.popleft()
                self._bytes -= len(message.payload)
                size += len(message.payload)
                taken.append(message)
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Whoever waits for room gives up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._messages:
            return True
        return len(self._messages) < self._messages_max and self._bytes + size <= self._bytes_max
