"""Who may speak on a listening port, and under which name. A device that calls again before its
dead connection was noticed takes that one's place. Pure. Used by `ports`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Speaker(NamedTuple):
    """Whose readings a connection brings."""

    device: str
    address: str = ""
    """Of the peer; empty on a cable and towards a server."""
    is_one_of_many: bool = False
    """Whether several peers are this one device: what each sent last is then told apart by
    address."""


class Admission(NamedTuple):
    """`speaker` may speak; `replaces` is to be hung up first."""

    speaker: Speaker
    replaces: Speaker | None = None


class Refusal(NamedTuple):
    """Counted by its reason."""

    reason: str


class Peers:
    """The rule of one listening port."""

    def __init__(self, device: str, names: Mapping[str, str], peers_max: int) -> None:
        self._device = device
        self._names = names
        self._peers_max = peers_max

    def admit(self, address: str, present: Sequence[Speaker]) -> Admission | Refusal:
        """What becomes of a call from `address` while `present` are connected, oldest first."""
        if self._names and address not in self._names:
            return Refusal("unknown_peer")
        device = self._names.get(address, self._device)
        speaker = Speaker(device, address, is_one_of_many=not self._names)
        if self._names:
            replaces = next((one for one in present if one.device == device), None)
            if replaces is not None:
                return Admission(speaker, replaces)
        if len(present) < self._peers_max:
            return Admission(speaker)
        replaces = next((one for one in present if one.address == address), None)
        return Refusal("too_many_peers") if replaces is None else Admission(speaker, replaces)
