"""Being asked to stop. Signal handlers and threads ask; the main thread looks or waits. It is no
threading.Event: that one's lock is not reentrant, so a second SIGTERM in the middle of the handler
of the first would wait for itself for ever.
"""

from queue import Empty, SimpleQueue


class StopRequest:
    """Stays asked for once it was. `set` from anywhere, a signal handler included; `is_set` and
    `wait` from one thread."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[None] = SimpleQueue()
        self._is_set = False

    def set(self) -> None:
        """Ask."""
        self._requests.put(None)

    def is_set(self) -> bool:
        """Whether anybody has asked."""
        return self._is_set or not self._requests.empty()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until somebody asks, `timeout_s` at most; whether somebody has."""
        try:
            self._is_set = self._is_set or self._requests.get(timeout=timeout_s) is None
        except Empty:
            return False
        return True
