"""Ports: one thread per port opens it (a serial device, a connection to a TCP server, a listener
that devices call), holds its conversations, and opens it again; whatever happens to the cable, the
network or in a decoder, it goes on. It sleeps in `poll` until bytes come, a pause has lasted, or it
is told to stop. Upstream: `openers`. Downstream: `switchboard`.
"""

import os
import select
import threading
from contextlib import closing

import structlog

from waystock_gateway.backoff import Backoff
from waystock_gateway.clock import Clock
from waystock_gateway.conversation import Conversation, PortConfig, Surroundings
from waystock_gateway.intake import Intake
from waystock_gateway.openers import CALLS_WAITING_MAX, Connection, Listener, open_endpoint
from waystock_gateway.peers import Peers, Refusal, Speaker
from waystock_gateway.switchboard import Switchboard
from waystock_gateway.tally import Tally

REOPEN_S, REOPEN_S_MAX = 0.2, 5.0
REFUSED_LOGGED_MAX = 100
"""So many addresses are named in the log when they are refused, each once; all are counted."""

_log = structlog.get_logger(__name__)


class Port:
    """One serial device, TCP server or listener. `run` in a thread of its own; `stop` from any."""

    def __init__(
        self, config: PortConfig, intake: Intake, clock: Clock, tally: Tally, backoff: Backoff
    ) -> None:
        self._config = config
        self._stopping = threading.Event()
        self._around = Surroundings(intake, clock, tally, self._stopping)
        self._backoff = backoff
        self._peers = Peers(config.device, config.peer_names, config.peers_max)
        self._refused: set[str] = set()
        self._wake_read, self._wake_write = os.pipe()
        self._is_reported_away = False

    def stop(self) -> None:
        self._stopping.set()
        os.write(self._wake_write, b"x")

    def run(self) -> None:
        """Open, converse, and open again, until stopped."""
        while not self._stopping.is_set():
            try:
                self._serve()
            except OSError as error:
                if not self._stopping.is_set():
                    self._report_away(error)
            except Exception:  # noqa: BLE001 - outermost boundary of a port
                _log.exception("port_failed", device=self._config.device)
                self._around.tally.drop(self._config.device, "port_failure")
            self._pause(self._backoff.next_s())
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _serve(self) -> None:
        """From open to unplugged, hung up or stopped."""
        config = self._config
        opened = open_endpoint(config.endpoint, config.baud, config.keepalive_s, self._wake_read)
        with closing(opened):
            self._report_back()
            if isinstance(opened, Listener):
                self._receive_peers(opened)
            else:
                self._converse(opened)

    def _converse(self, connection: Connection) -> None:
        """With the one device that is there."""
        with closing(Switchboard(self._around.clock, self._wake_read)) as board:
            board.add(self._conversation(connection, Speaker(self._config.device)))
            while not self._stopping.is_set():
                turn = board.turn()
                if turn.is_heard:
                    self._backoff.reset()
                for _, error in turn.ended:
                    raise error

    def _receive_peers(self, listener: Listener) -> None:
        """With whoever calls and may; who hangs up is missed by nobody. Who was connected by the
        kernel before the end is let in, as he may have said something."""
        self._backoff.reset()
        with closing(Switchboard(self._around.clock, self._wake_read, listener.fd)) as board:
            while not self._stopping.is_set():
                if board.turn().is_called:
                    self._admit(listener, board)
            for _ in range(CALLS_WAITING_MAX):
                if not self._admit(listener, board):
                    break
            # Before they are hung up: who calls again at once must not reach the old listener.
            listener.close()

    def _admit(self, listener: Listener, board: Switchboard) -> bool:
        """Let in or refuse who calls; False if nobody does."""
        call = listener.accept()
        if call is None:
            return False
        present = board.conversations
        admission = self._peers.admit(call.peer, [one.speaker for one in present])
        if isinstance(admission, Refusal):
            call.close()
            self._count_refused(call.peer, admission.reason)
            return True
        if admission.replaces is not None:
            board.dismiss(next(one for one in present if one.speaker == admission.replaces))
            self._around.tally.notice(admission.speaker.device, "replaced")
        board.add(self._conversation(call, admission.speaker))
        return True

    def _conversation(self, connection: Connection, speaker: Speaker) -> Conversation:
        self._around.tally.notice(speaker.device, "connected")
        return Conversation(connection, speaker, self._config, self._around)

    def _count_refused(self, address: str, reason: str) -> None:
        self._around.tally.drop(self._config.device, reason)
        if address not in self._refused and len(self._refused) < REFUSED_LOGGED_MAX:
            self._refused.add(address)
            _log.warning("peer_refused", device=self._config.device, address=address, reason=reason)

    def _pause(self, seconds: float) -> None:
        if not self._stopping.is_set():
            waiting = select.poll()
            waiting.register(self._wake_read, select.POLLIN)
            waiting.poll(seconds * 1000)

    def _report_away(self, error: Exception) -> None:
        if not self._is_reported_away:
            _log.warning("port_away", device=self._config.device, reason=str(error))
        self._is_reported_away = True

    def _report_back(self) -> None:
        if self._is_reported_away:
            _log.warning("port_back", device=self._config.device)
        self._is_reported_away = False
