"""NMEA 0183 decoder: bytes of one receiver in, fixes and rejects out. Sans-I/O, no clock.
Upstream: the port. Downstream: the unit's session, which marks roll-overs and dates what the
receiver left undated.
"""

from waystock_gateway.devices.nmea.epoch import Calendar, Epoch
from waystock_gateway.devices.nmea.framing import Framed, SentenceFraming
from waystock_gateway.devices.nmea.sentence import ImpossibleError, Sentence, parse_sentence
from waystock_gateway.devices.nmea.settings import NmeaSettings
from waystock_gateway.readings import Decoded, Line, Reject

RAW_BYTES_MAX = 512
"""How much of a refused stretch is kept."""
SETS_MAX = 32
"""How many different sets of sentences a receiver is remembered by."""
SETS_KEPT_EPOCHS = 120
"""So long a set is expected again: two minutes of a fix a second with ZDA once a minute, or ten
fixes a second with RMC every ten seconds."""


def make_line(settings: NmeaSettings) -> Line:
    """The conversation with a receiver: it talks, we listen."""
    return Line(NmeaDecoder(), idle_flush_s=settings.idle_flush_s, is_whole_at_loss=True)


class NmeaDecoder:
    """One receiver's stream. `feed` may split it anywhere and gives the same fixes. Where the bytes
    lie in a file there is no `hurry`: an epoch is complete when the next one begins."""

    def __init__(self, *, hurry: bool = True) -> None:
        self._framing = SentenceFraming()
        self._calendar = Calendar()
        self._epoch: Epoch | None = None
        self._ending = _Ending() if hurry else None
        self._closed: Epoch | None = None
        """The epoch before, if it ended before the UTC field changed: its stragglers are late."""

    def feed(self, data: bytes) -> list[Decoded]:
        decoded: list[Decoded] = []
        for framed in self._framing.feed(data):
            self._take(framed, decoded)
        return decoded

    def idle(self) -> list[Decoded]:
        """The burst is over: its epoch is complete. A half sentence waits on."""
        decoded: list[Decoded] = []
        self._close(decoded, early=True)
        return decoded

    def finish(self) -> list[Decoded]:
        """The input has ended."""
        decoded: list[Decoded] = []
        for framed in self._framing.flush():
            self._take(framed, decoded)
        self._close(decoded, early=False)
        return decoded

    def _take(self, framed: Framed, decoded: list[Decoded]) -> None:
        if framed.reason is not None:
            decoded.append(_reject(framed.reason, framed.at, framed.raw))
            return
        try:
            sentence = parse_sentence(framed.raw)
        except ImpossibleError as error:
            decoded.append(_reject(str(error), framed.at, framed.raw))
            return
        if sentence is not None:
            self._place(sentence, framed, decoded)

    def _place(self, sentence: Sentence, framed: Framed, decoded: list[Decoded]) -> None:
        """Into the open epoch, or a new one, or nowhere if its epoch is gone."""
        if self._epoch is not None and not self._epoch.admits(sentence):
            self._close(decoded, early=False)
        if self._epoch is None:
            if self._is_straggler(sentence):
                self._take_straggler(sentence, framed, decoded)
                return
            self._epoch = Epoch(framed.at)
        self._epoch.take(sentence, framed.raw)
        is_complete = self._ending is not None and self._ending.is_reached(self._epoch)
        if is_complete or self._epoch.is_full:
            self._close(decoded, early=True)

    def _take_straggler(self, sentence: Sentence, framed: Framed, decoded: list[Decoded]) -> None:
        """Its fix is gone, but not what it teaches: the date, and what to wait for next time."""
        if self._closed is not None and self._ending is not None and not self._closed.is_full:
            self._closed.take(sentence, framed.raw)
            self._ending.learn(self._closed)
        if sentence.time_of_day is not None:
            if sentence.day is not None:
                self._calendar.moment(sentence.time_of_day, sentence.day)
            decoded.append(_reject("late_sentence", framed.at, framed.raw))

    def _is_straggler(self, sentence: Sentence) -> bool:
        if sentence.time_of_day is None and sentence.kind in {"VTG", "GSA"}:
            return True
        if self._closed is None or sentence.time_of_day is None:
            return False
        return sentence.time_of_day == self._closed.time_of_day

    def _close(self, decoded: list[Decoded], *, early: bool) -> None:
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        if self._ending is not None:
            self._ending.learn(epoch)
        self._closed = epoch if early else None
        fix = epoch.fix(self._calendar)
        if fix is not None:
            decoded.append(fix)
        elif epoch.is_void:
            decoded.append(_reject("no_fix", epoch.at, bytes(epoch.raw)))
        elif epoch.claims_fix:
            decoded.append(_reject("no_position", epoch.at, bytes(epoch.raw)))
        elif epoch.own_date() is not None and epoch.time_of_day is not None:
            self._calendar.moment(epoch.time_of_day, epoch.own_date())


class _Ending:
    """Knows an epoch to be complete when it has brought what an epoch before it brought and none of
    late brought more: a fix that waits for the next instant is a fix that a killed gateway loses.
    Receivers may send RMC or ZDA more seldom than the rest, and plotters shift their order."""

    def __init__(self) -> None:
        self._epochs = 0
        self._seen: dict[tuple[str, ...], int] = {}
        """Sets, and the number of the last epoch that was one; the oldest first."""

    def learn(self, epoch: Epoch) -> None:
        self._epochs += 1
        self._seen.pop(epoch.signature, None)
        self._seen[epoch.signature] = self._epochs
        for signature, number in list(self._seen.items()):
            is_old = self._epochs - number > SETS_KEPT_EPOCHS
            if not is_old and len(self._seen) <= SETS_MAX:
                return
            del self._seen[signature]

    def is_reached(self, epoch: Epoch) -> bool:
        reached = epoch.signature
        return reached in self._seen and not any(set(seen) > set(reached) for seen in self._seen)


def _reject(reason: str, at: int, raw: bytes) -> Reject:
    return Reject(reason=reason, at=at, raw=raw[:RAW_BYTES_MAX])
