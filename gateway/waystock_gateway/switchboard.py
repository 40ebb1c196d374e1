"""All conversations of one port, waited for together in one `poll`, so that a port with many peers
takes one thread and each of them gets its turn. Upstream: `ports`. Downstream: `conversation`.
"""

import math
import select
from typing import NamedTuple

from waystock_gateway.clock import Clock
from waystock_gateway.conversation import Conversation, HungUpError

LAST_READS_MAX = 16
"""So often somebody who is hung up is read before: more than a scanner says in a second."""


class Turn(NamedTuple):
    """What one turn brought."""

    is_heard: bool
    """Some conversation had bytes."""
    is_called: bool
    """Somebody calls at the listener."""
    ended: list[tuple[Conversation, OSError]]
    """Conversations that are over, and why; they are closed."""


class Switchboard:
    """Used in the port's thread alone."""

    def __init__(self, clock: Clock, wake_fd: int, listener_fd: int = -1) -> None:
        self._clock = clock
        self._listener_fd = listener_fd
        self._poll = select.poll()
        self._poll.register(wake_fd, select.POLLIN)
        if listener_fd >= 0:
            self._poll.register(listener_fd, select.POLLIN)
        self._by_fd: dict[int, Conversation] = {}

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """The oldest first."""
        return tuple(self._by_fd.values())

    def add(self, conversation: Conversation) -> None:
        self._poll.register(conversation.connection.fd, select.POLLIN)
        self._by_fd[conversation.connection.fd] = conversation
        conversation.begin()

    def hang_up(self, conversation: Conversation, *, orderly: bool = False) -> None:
        fd = conversation.connection.fd
        self._poll.unregister(fd)
        del self._by_fd[fd]
        conversation.end(orderly=orderly)

    def dismiss(self, conversation: Conversation) -> None:
        """Hang up on somebody who may have said something since: that is heard first, as nobody
        says it again."""
        is_over = False
        try:
            for _ in range(LAST_READS_MAX):
                if not conversation.receive(self._clock.now()):
                    break
        except OSError as error:
            is_over = isinstance(error, HungUpError)
        self.hang_up(conversation, orderly=is_over)

    def close(self) -> None:
        for conversation in self.conversations:
            if conversation.connection.holds_back:
                self.dismiss(conversation)
            else:
                self.hang_up(conversation)

    def turn(self) -> Turn:
        """Wait until there is something to do, and do it. Who had nothing to say when all were
        looked at is judged by the time of that look: one that had to wait for the others was not
        silent."""
        ready = {fd for fd, _ in self._poll.poll(self._timeout_ms())}
        moment = self._clock.now()
        ended: list[tuple[Conversation, OSError]] = []
        for fd, conversation in list(self._by_fd.items()):
            try:
                if fd in ready:
                    conversation.receive(moment)
                else:
                    conversation.pass_time(moment)
            except OSError as error:
                self.hang_up(conversation, orderly=isinstance(error, HungUpError))
                ended.append((conversation, error))
        return Turn(bool(ready & self._by_fd.keys()), self._listener_fd in ready, ended)

    def _timeout_ms(self) -> int | None:
        """Rounded up, or it would wake too early again and again."""
        dues = [due for c in self._by_fd.values() if (due := c.due_mono_s()) is not None]
        if not dues:
            return None
        return max(0, math.ceil((min(dues) - self._clock.now().mono_s) * 1000))
