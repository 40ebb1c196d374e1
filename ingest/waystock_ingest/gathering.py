"""What goes into one transaction: the batches given, and those that come while the transaction
before still goes on. The longer that takes, the more there is in the next, and the less of what a
transaction costs by the vehicle, the pallet or the device falls on a reading. Upstream: the lanes;
downstream: the pipeline.
"""

from collections.abc import Iterator, Sequence

from waystock_ingest.batches import Prepared, owners_of, prepare
from waystock_ingest.source import Message


class Gathering:
    """Batches that are all there, and whose turn it is; a lane's grows and waits."""

    def __init__(self, first: Prepared) -> None:
        self._first: Prepared | None = first
        self._messages: list[Sequence[Message]] = [first.messages]
        self.owners = owners_of(first.incoming)
        """Of the streams gathered so far."""

    def add(self, piece: Prepared) -> Prepared:
        """One more, as it came."""
        self._messages.append(piece.messages)
        self.owners |= owners_of(piece.incoming)
        return piece

    def pieces(self) -> Iterator[Prepared]:
        """All that is gathered so far, piece by piece; read again from its messages where it is
        asked for again, so that nothing of it needs to be kept meanwhile."""
        first, self._first = self._first, None
        for number, messages in enumerate(list(self._messages)):
            yield first if number == 0 and first is not None else prepare(messages)

    def whole(self) -> Prepared:
        """The same as one piece."""
        return prepare(message for piece in self._messages for message in piece)

    def more(self, patience_s: float) -> Prepared | None:
        """A further piece, within so many seconds; None as soon as it is these batches' turn."""
        del patience_s
        return None

    @property
    def is_turn(self) -> bool:
        """Whether all batches before these are done. Once it is, nothing more is gathered."""
        return True

    def await_turn(self) -> None:
        """Wait for as long as it takes."""
