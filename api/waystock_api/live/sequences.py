"""Watches the sequence numbers of those who publish live messages, and says when something was
missed. No I/O.
"""

from collections import OrderedDict
from typing import Literal

PUBLISHERS_MAX = 256
TOPICS_MAX = 4096
FIRST_SEQ_MAX = 1
"""A publisher begins an epoch at 0 or 1."""

Finding = Literal["follows", "repeats", "gap", "new_epoch"]


class Sequences:
    """Newest seq by (publisher, topic); the ones unheard for longest are forgotten when full."""

    def __init__(self) -> None:
        self._epochs: OrderedDict[str, str] = OrderedDict()
        self._newest: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def observe(self, topic: str, publisher: str, epoch: str, seq: int) -> Finding:
        """What this message says of those before it.

        `gap`: messages of this topic were missed. `new_epoch`: the publisher has begun anew, or is
        heard for the first time, and what it said before may have been missed on any topic.
        """
        known_epoch = self._epochs.get(publisher)
        self._remember_epoch(publisher, epoch)
        key = (publisher, epoch, topic)
        newest = self._newest.pop(key, None)
        self._newest[key] = seq if newest is None else max(newest, seq)
        if len(self._newest) > TOPICS_MAX:
            self._newest.popitem(last=False)
        if known_epoch != epoch:
            return "new_epoch"
        if newest is None:
            return "follows" if seq <= FIRST_SEQ_MAX else "gap"
        if seq <= newest:
            return "repeats"
        return "follows" if seq == newest + 1 else "gap"

    def _remember_epoch(self, publisher: str, epoch: str) -> None:
        self._epochs.pop(publisher, None)
        self._epochs[publisher] = epoch
        if len(self._epochs) > PUBLISHERS_MAX:
            self._epochs.popitem(last=False)
