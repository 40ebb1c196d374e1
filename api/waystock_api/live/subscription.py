"""One client's view of one channel: a cursor into the ring, and at most two messages on the way
that the client has not acknowledged. Beyond that it waits; what happens meanwhile becomes one
delta.
"""

from collections import deque
from collections.abc import Iterator

from waystock.contract.frames import Since
from waystock_api.live.channel import Channel
from waystock_api.live.protocol import delta_frame, snap_frame
from waystock_api.metrics import Metrics

ACK_WINDOW = 2


class Subscription:
    """No I/O: `frames` says what to send now, `acknowledge` makes room for more."""

    def __init__(
        self, subscription: int, channel: Channel, site: str | None, since: Since | None,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self.id = subscription
        self.channel = channel
        self._site = site
        self._metrics = metrics
        self._unacknowledged: deque[tuple[int, float]] = deque()
        resumes = since is not None and since.epoch == channel.epoch and channel.reaches(since.seq)
        self._cursor: int | None = since.seq if since is not None and resumes else None
        """Last tick looked at; None: a snapshot is due."""
        self._sent_seq = self._cursor or 0
        """Seq of the last message sent, which is the `prev` of the next."""

    def frames(self, now_s: float) -> Iterator[str]:
        """What to send now, in order; nothing while the window is full."""
        while len(self._unacknowledged) < ACK_WINDOW:
            if self._cursor is None or not self.channel.reaches(self._cursor):
                yield from self._snapshot_frames(now_s)
                continue
            delta = self.channel.delta_after(self._cursor, self._site)
            self._cursor = delta.seq
            if not delta.body:
                return
            if delta.ticks > 1:
                self._metrics.conflated.labels(self.channel.name).inc(delta.ticks - 1)
            self._metrics.deltas_sent.labels(self.channel.name).inc()
            frame = delta_frame(self.id, delta.seq, self._sent_seq, delta.body)
            self._sent(delta.seq, now_s)
            yield frame

    def acknowledge(self, seq: int) -> None:
        """The client has applied everything up to `seq`."""
        while self._unacknowledged and self._unacknowledged[0][0] <= seq:
            self._unacknowledged.popleft()

    def unacknowledged_s(self, now_s: float) -> float:
        """For how long the oldest message on the way has been so."""
        return now_s - self._unacknowledged[0][1] if self._unacknowledged else 0.0

    def _snapshot_frames(self, now_s: float) -> Iterator[str]:
        snapshot = self.channel.snapshot(now_s, self._site)
        self._cursor = snapshot.seq
        self._metrics.snapshots_sent.labels(self.channel.name).inc()
        self._sent(snapshot.seq, now_s)
        of = len(snapshot.parts)
        for part, body in enumerate(snapshot.parts, start=1):
            yield snap_frame(self.id, self.channel.epoch, snapshot.seq, part, of, body)

    def _sent(self, seq: int, now_s: float) -> None:
        self._unacknowledged.append((seq, now_s))
        self._sent_seq = seq
