"""A conversation with one device over one connection: its bytes go to a decoder of its own, its
readings to the intake, and back to it the answers it is owed. What a decoder does wrong costs no
connection. Upstream: `switchboard`, in the port's thread, which says when there is something to
read and when time has passed. Downstream: `intake`, in whose thread answers are sent.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from waystock_gateway.clock import Clock, Moment
from waystock_gateway.endpoint import Endpoint
from waystock_gateway.intake import Arrival, Intake, SessionMaker
from waystock_gateway.openers import Connection
from waystock_gateway.peers import Speaker
from waystock_gateway.readings import Answer, Decoded, Line, Notice, Reading, Reject, Scan
from waystock_gateway.tally import Tally

READ_BYTES_MAX = 4096
SUBMIT_TIMEOUT_S = 5.0
"""How long a full intake holds a cable back before readings are dropped and counted; a TCP peer is
held back as long as it takes."""

T = TypeVar("T", bound=Reading)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortConfig:
    """What a port needs to know of its device."""

    device: str
    endpoint: Endpoint
    baud: int
    make_line: Callable[[], Line]
    session: SessionMaker
    keepalive_s: int = 15
    idle_s: float = 0.0
    """Who says nothing for so long is hung up; 0: nobody is."""
    peers_max: int = 1
    peer_names: dict[str, str] = field(default_factory=dict[str, str])
    """Devices by the address they call from; empty: whoever calls is `device`."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Every name under which readings can come."""
        return tuple(dict.fromkeys(self.peer_names.values())) or (self.device,)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all conversations of a gateway's port share."""

    intake: Intake
    clock: Clock
    tally: Tally
    stopping: threading.Event


class HungUpError(OSError):
    """The other end closed the connection in good order."""


class Conversation:
    """From the opening of a connection to its end."""

    def __init__(
        self, connection: Connection, speaker: Speaker, config: PortConfig, around: Surroundings
    ) -> None:
        self.connection = connection
        self.speaker = speaker
        self._config = config
        self._around = around
        self._line = config.make_line()
        self._quiet_since_s = self._heard_s = around.clock.now().mono_s
        self._may_flush = False
        self._sending = threading.Lock()
        self._is_open = True
        self._last_answer_mono_s = -1.0

    def begin(self) -> None:
        self._send(self._line.on_open)

    def receive(self, moment: Moment) -> bool:
        """Take in what has come, READ_BYTES_MAX at most; False if there was nothing. Raises OSError
        when the connection is gone, HungUpError when it was closed."""
        try:
            data = os.read(self.connection.fd, READ_BYTES_MAX)
        except BlockingIOError:
            return False
        if not data:
            raise HungUpError("it has been closed at its other end")
        self._deliver(self._decode(lambda: self._line.decoder.feed(data), data), moment)
        self._quiet_since_s = self._heard_s = moment.mono_s
        self._may_flush = True
        return True

    def pass_time(self, moment: Moment) -> None:
        """Nothing had come at `moment`: do what is due. Raises TimeoutError when the other end has
        been silent for too long."""
        line, quiet_s = self._line, moment.mono_s - self._quiet_since_s
        if self._may_flush and line.idle_flush_s is not None:
            if quiet_s >= line.idle_flush_s:
                self._deliver(self._decode(line.decoder.idle), moment)
                self._may_flush = False
        elif line.wake_after_s is not None and quiet_s >= line.wake_after_s:
            self._send(line.on_open)
            self._quiet_since_s = moment.mono_s
        idle_s = self._config.idle_s
        if idle_s and moment.mono_s - self._heard_s >= idle_s:
            raise TimeoutError(f"it said nothing for {idle_s:g} s")

    def due_mono_s(self) -> float | None:
        """When `pass_time` has something to do; None: not before bytes have come."""
        dues: list[float] = []
        if self._may_flush and self._line.idle_flush_s is not None:
            dues.append(self._quiet_since_s + self._line.idle_flush_s)
        elif self._line.wake_after_s is not None:
            dues.append(self._quiet_since_s + self._line.wake_after_s)
        if self._config.idle_s:
            dues.append(self._heard_s + self._config.idle_s)
        return min(dues, default=None)

    def end(self, *, orderly: bool) -> None:
        """Close. What still waited for more is told as what it is; a gateway that stops by itself
        takes no fix from half an instant, though."""
        with self._sending:
            self._is_open = False
        self.connection.close()
        last: list[Decoded] = []
        if orderly and self._line.hang_up_ends_frame:
            last += self._decode(self._line.decoder.idle)
        halves = self._decode(self._line.decoder.finish)
        if self._around.stopping.is_set():
            halves = [item for item in halves if isinstance(item, Reject)]
        self._deliver(last + halves, self._around.clock.now())

    def _decode(self, decode: Callable[[], list[Decoded]], data: bytes = b"") -> list[Decoded]:
        """A decoder that raises is a fault of ours; it must not cost the connection."""
        try:
            return decode()
        except Exception:  # noqa: BLE001 - whatever a decoder does, the port lives
            _log.exception("decoder_failed", device=self.speaker.device)
            self._line.decoder = self._config.make_line().decoder
            return [Reject(reason="decoder_failed", at=0, raw=data[:512])]

    def _deliver(self, decoded: Sequence[Decoded], moment: Moment) -> None:
        """At-once answers go out now, readings to the intake; each scan by itself, so that it gets
        its own acknowledgement."""
        plain: list[Reading] = []
        owed: list[Scan | Reject] = []
        for item in decoded:
            if isinstance(item, Answer):
                self._send(item.data)
            elif isinstance(item, Notice):
                self._around.tally.notice(self.speaker.device, item.what)
            elif isinstance(item, Scan | Reject) and item.answer:
                owed.append(self._signed(item))
            else:
                plain.append(self._signed(item))
        if plain or owed or any(isinstance(item, Answer) for item in decoded):
            self._around.tally.heard(self.speaker.device, moment.mono_s)
        if plain:
            self._submit(self._arrival(plain, moment))
        for item in owed:
            stored = self._answering(item, moment)
            self._submit(self._arrival([item], moment, stored))

    def _signed(self, item: T) -> T:
        """Where several scanners are one device, what each of them sent last is told apart."""
        if isinstance(item, Scan) and self.speaker.is_one_of_many:
            return replace(item, peer=self.speaker.address)
        return item

    def _arrival(
        self, readings: Sequence[Reading], moment: Moment, stored: Callable[[], None] | None = None
    ) -> Arrival:
        return Arrival(
            self.speaker.device,
            self._config.session,
            readings,
            moment,
            stored=stored,
            sends_again=stored is not None,
        )

    def _submit(self, arrival: Arrival) -> None:
        """A TCP peer that is not read waits; what a cable brings meanwhile is lost in any case."""
        while not self._around.intake.submit(arrival, SUBMIT_TIMEOUT_S):
            if not self.connection.holds_back or self._around.stopping.is_set():
                self._around.tally.drop(arrival.device, "intake_full", len(arrival.readings))
                return

    def _answering(self, item: Scan | Reject, moment: Moment) -> Callable[[], None]:
        """Acknowledges, in the intake's thread. A retransmission that was read before our last
        answer went out has crossed it on the wire: a second answer would acknowledge the next
        code.
        """

        def answer() -> None:
            is_again = isinstance(item, Scan) and item.retransmitted
            if is_again and moment.mono_s <= self._last_answer_mono_s:
                return
            self._send(item.answer)
            self._last_answer_mono_s = self._around.clock.now().mono_s

        return answer

    def _send(self, data: bytes) -> None:
        """Whole or not at all: a peer that takes no answers any more is hung up."""
        if not data:
            return
        with self._sending:
            if not self._is_open:
                return
            try:
                is_sent = os.write(self.connection.fd, data) == len(data)
            except OSError:
                is_sent = False
            if not is_sent:
                self._around.tally.drop(self.speaker.device, "answer_unsent")
                self.connection.break_off()
